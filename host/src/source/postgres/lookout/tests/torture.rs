//! Many writers at once.

use std::collections::BTreeSet;
use std::time::Instant;

use super::*;

/// A generator of numbers that looks random enough (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

async fn write(mut writer: Writer, seed: u64, until: Instant) -> (BTreeSet<u64>, usize) {
    let mut dice = Dice(seed);
    let (mut committed, mut rolled_back) = (BTreeSet::new(), 0);
    while Instant::now() < until {
        writer.run("BEGIN").await;
        let mut positions = Vec::new();
        for _ in 0..=dice.roll(4) {
            positions.push(writer.append().await);
            // Now and then one takes much longer than the others.
            let most = if dice.roll(50) == 0 { 300 } else { 8 };
            tokio::time::sleep(Duration::from_millis(dice.roll(most))).await;
        }
        if dice.roll(5) == 0 {
            writer.run("ROLLBACK").await;
            rolled_back += positions.len();
        } else {
            writer.run("COMMIT").await;
            committed.extend(positions);
        }
    }
    (committed, rolled_back)
}

/// Reads up to the mark, again and again, as a reader does.
async fn follow(log: &Log, lookout: &Lookout, writers: impl Future) -> (Vec<u64>, u64) {
    let mut reader = log.writer().await;
    let mut news = lookout.subscribe();
    let (mut read, mut at) = (Vec::new(), 0);
    let mut writers = std::pin::pin!(writers);
    let mut is_over = false;
    loop {
        if !is_over {
            tokio::select! {
                _ = &mut writers => is_over = true,
                _ = news.changed() => {}
            }
        }
        let last_look = is_over;
        let mark = if last_look {
            look(lookout).await
        } else {
            lookout.mark().0
        };
        let page = reader.positions(at, mark).await;
        read.extend(page.into_iter().map(|position| position as u64));
        at = mark;
        if last_look {
            return (read, at);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_read_once_and_every_gap_is_in_the_book() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let until = Instant::now() + Duration::from_secs(5);
    let mut writers = Vec::new();
    for seed in 1..=8 {
        writers.push(tokio::spawn(write(
            log.writer().await,
            seed * 0x9E37_79B9,
            until,
        )));
    }
    let (mut committed, mut rolled_back) = (BTreeSet::new(), 0);
    let all = async {
        for writer in writers {
            let (positions, lost) = writer.await.unwrap();
            committed.extend(positions);
            rolled_back += lost;
        }
    };
    let (read, mark) = follow(&log, &lookout, all).await;
    assert!(
        committed.len() > 500 && rolled_back > 50,
        "{} {rolled_back}",
        committed.len()
    );
    assert_eq!(read, committed.iter().copied().collect::<Vec<_>>());
    let passed: BTreeSet<u64> = log
        .passed()
        .into_iter()
        .flat_map(|(from, to)| from..=to)
        .collect();
    let missing: BTreeSet<u64> = (1..=mark).filter(|p| !committed.contains(p)).collect();
    assert_eq!(passed, missing);
    println!("{} events, {rolled_back} rolled back", committed.len());
}
