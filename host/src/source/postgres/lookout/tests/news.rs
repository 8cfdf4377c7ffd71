//! Looking by itself.

use std::time::Instant;

use tokio::sync::watch;

use super::*;
use crate::model::Checkpoint;

/// Waits until the news have come to `position`; returns how long that took.
async fn reached(news: &mut watch::Receiver<Checkpoint>, position: u64) -> Duration {
    let began = Instant::now();
    let wait = news.wait_for(|head| head.position().0 >= position);
    let head = tokio::time::timeout(Duration::from_secs(10), wait)
        .await
        .expect("in time");
    assert_eq!(head.unwrap().position().0, position);
    began.elapsed()
}

#[tokio::test]
async fn it_looks_by_itself_only_when_somebody_listens() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let mut writer = log.writer().await;
    writer.append().await;
    lookout.hint();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(lookout.mark().0, 0);
    reached(&mut lookout.subscribe(), 1).await;
}

#[tokio::test]
async fn appends_are_noticed_by_polling_alone() {
    let Some(log) = Log::new().await else { return };
    let table = LogTable {
        channel: None,
        ..log.table(PROVE)
    };
    let lookout = log.try_lookout(table).await.unwrap();
    let mut news = lookout.subscribe();
    let mut writer = log.writer().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let position = writer.append().await;
    reached(&mut news, position).await;
    // A gap that nobody fills is passed without anybody asking.
    writer.run("BEGIN").await;
    writer.append().await;
    writer.run("ROLLBACK").await;
    let position = writer.append().await;
    reached(&mut news, position).await;
    assert_eq!(log.passed(), [(2, 2)]);
}

/// The fastest of several tries to notice an append that `told` tells of, after a
/// time in which nothing happened.
async fn fastest(log: &Log, lookout: &Lookout, told: Told) -> Duration {
    let mut news = lookout.subscribe();
    let mut writer = log.writer().await;
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let position = writer.append().await;
        match told {
            Told::Here => lookout.hint(),
            Told::Elsewhere => writer.run("NOTIFY \"log news\"").await,
        }
        fastest = fastest.min(reached(&mut news, position).await);
    }
    fastest
}

#[derive(Clone, Copy)]
enum Told {
    Here,
    Elsewhere,
}

#[tokio::test]
async fn hints_and_notifications_are_faster_than_polling() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    // The pause has grown to 250 ms by then. A poll can be as fast by chance, but
    // not often.
    for told in [Told::Here, Told::Elsewhere] {
        let fastest = fastest(&log, &lookout, told).await;
        assert!(fastest < Duration::from_millis(30), "{fastest:?}");
    }
}

#[tokio::test]
async fn lost_connections_are_made_again() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let mut news = lookout.subscribe();
    let mut writer = log.writer().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let listeners = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    assert_eq!(writer.number(listeners).await, 1);
    writer
        .run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    assert_eq!(writer.number(listeners).await, 0);
    let position = writer.append().await;
    reached(&mut news, position).await;
    let began = Instant::now();
    while writer.number(listeners).await == 0 {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "it does not listen again"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_dropped_lookout_looks_no_more() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let mut news = lookout.subscribe();
    drop(lookout);
    let gone = tokio::time::timeout(Duration::from_secs(5), async {
        while news.changed().await.is_ok() {}
    });
    gone.await.expect("the news end");
}
