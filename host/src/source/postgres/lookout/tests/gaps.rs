//! Gaps: held while they may be filled, passed when they cannot.

use super::*;

#[tokio::test]
async fn the_mark_is_the_last_position_when_nothing_is_missing() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    assert_eq!(look(&lookout).await, 0);
    let mut writer = log.writer().await;
    for expected in 1..=5 {
        writer.append().await;
        assert_eq!(look(&lookout).await, expected);
    }
    assert_eq!(lookout.held_back(), None);
}

#[tokio::test]
async fn a_late_commit_is_not_skipped() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let (mut late, mut fast) = (log.writer().await, log.writer().await);
    fast.append().await;
    late.run("BEGIN").await;
    assert_eq!(late.append().await, 2);
    assert_eq!(fast.append().await, 3);
    assert_eq!(look(&lookout).await, 1);
    let held = lookout.held_back().unwrap();
    let expected = format!(
        "position 2 may still come from process {}",
        late.pid().await
    );
    assert_eq!(held, expected);
    late.run("COMMIT").await;
    assert_eq!(look(&lookout).await, 3);
    assert_eq!((lookout.held_back(), log.passed()), (None, vec![]));
}

/// What a reader gets that goes to the mark before and after a late commit.
async fn read_around_a_late_commit(log: &Log, gaps: Gaps) -> Vec<i64> {
    let lookout = log.try_lookout(log.table(gaps)).await.unwrap();
    let (mut late, mut fast) = (log.writer().await, log.writer().await);
    late.run("BEGIN").await;
    late.append().await;
    fast.append().await;
    let mut read = Vec::new();
    let mut after = 0;
    for _ in 0..2 {
        let mark = look(&lookout).await;
        read.extend(fast.positions(after, mark).await);
        after = mark;
        // The second time this does nothing.
        late.run("COMMIT").await;
    }
    read
}

#[tokio::test]
async fn without_the_lookout_a_late_commit_is_missed() {
    let Some(log) = Log::new().await else { return };
    assert_eq!(read_around_a_late_commit(&log, Gaps::Ignore).await, [2]);
    let Some(log) = Log::new().await else { return };
    assert_eq!(read_around_a_late_commit(&log, PROVE).await, [1, 2]);
}

#[tokio::test]
async fn a_rollback_is_passed_when_all_who_might_have_been_it_have_ended() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let [mut failing, mut slow, mut fast] =
        [log.writer().await, log.writer().await, log.writer().await];
    slow.run("BEGIN").await;
    failing.run("BEGIN").await;
    failing.append().await;
    fast.append().await;
    assert_eq!(slow.append().await, 3);
    fast.append().await;
    assert_eq!(look(&lookout).await, 0);
    failing.run("ROLLBACK").await;
    assert_eq!(look(&lookout).await, 0, "the slow one may own position 1");
    slow.run("COMMIT").await;
    // One that began later cannot own it, however long it takes.
    fast.run("BEGIN").await;
    fast.append().await;
    assert_eq!(look(&lookout).await, 4);
    let gaps = log.book.gaps.lock().unwrap();
    assert_eq!((gaps[0].from.0, gaps[0].to.0, gaps.len()), (1, 1, 1));
    assert!(
        gaps[0].proof.contains("the 2 transactions"),
        "{}",
        gaps[0].proof
    );
    assert!(gaps[0].seen_at <= gaps[0].passed_at);
}

#[tokio::test]
async fn who_never_touched_the_log_does_not_hold_the_mark() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let [mut idle, mut reader, mut failing] =
        [log.writer().await, log.writer().await, log.writer().await];
    idle.run("CREATE TABLE log.other (n int)").await;
    idle.run("BEGIN; INSERT INTO log.other VALUES (1)").await;
    reader.run("BEGIN; SELECT * FROM log.events FOR UPDATE; LOCK TABLE log.events IN SHARE MODE NOWAIT; ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM log.events").await;
    failing.run("BEGIN").await;
    failing.append().await;
    failing.run("ROLLBACK").await;
    failing.append().await;
    assert_eq!(look(&lookout).await, 2);
    assert_eq!(log.passed(), [(1, 1)]);
}

#[tokio::test]
async fn what_a_savepoint_takes_back_is_missing_until_the_transaction_ends() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let (mut nested, mut fast) = (log.writer().await, log.writer().await);
    nested.run("BEGIN; SAVEPOINT before").await;
    nested.append().await;
    nested.run("ROLLBACK TO before").await;
    fast.append().await;
    assert_eq!(look(&lookout).await, 0, "the lock outlives the savepoint");
    assert_eq!(nested.append().await, 3);
    nested.run("COMMIT").await;
    assert_eq!(look(&lookout).await, 3);
    assert_eq!(log.passed(), [(1, 1)]);
}

#[tokio::test]
async fn a_prepared_transaction_holds_the_mark() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let (mut twophase, mut fast) = (log.writer().await, log.writer().await);
    if twophase
        .number("SELECT current_setting('max_prepared_transactions')::bigint")
        .await
        < 2
    {
        eprintln!("prepared transactions are off; not tested");
        return;
    }
    twophase.run("BEGIN").await;
    twophase.append().await;
    fast.append().await;
    assert_eq!(look(&lookout).await, 0);
    // Its session goes on without it.
    twophase.run("PREPARE TRANSACTION 'first'").await;
    assert_eq!(look(&lookout).await, 0);
    let held = lookout.held_back().unwrap();
    assert!(held.contains("prepared transaction "), "{held}");
    // A later one is not taken for it.
    fast.run("BEGIN").await;
    fast.append().await;
    fast.run("PREPARE TRANSACTION 'second'").await;
    fast.append().await;
    assert_eq!(look(&lookout).await, 0);
    twophase.run("COMMIT PREPARED 'first'").await;
    assert_eq!(look(&lookout).await, 2);
    twophase.run("ROLLBACK PREPARED 'second'").await;
    assert_eq!(look(&lookout).await, 4);
    assert_eq!(log.passed(), [(3, 3)]);
}

#[tokio::test]
async fn gaps_are_passed_together() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let (mut failing, mut fast) = (log.writer().await, log.writer().await);
    failing.run("BEGIN").await;
    failing.append().await;
    fast.append().await;
    failing.append().await;
    failing.append().await;
    fast.append().await;
    assert_eq!(look(&lookout).await, 0);
    failing.run("ROLLBACK").await;
    assert_eq!(look(&lookout).await, 5);
    assert_eq!(log.passed(), [(1, 1), (3, 4)]);
}

#[tokio::test]
async fn later_gaps_do_not_wait_for_those_who_began_after_them() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let [mut first, mut second, mut third, mut fast] = [
        log.writer().await,
        log.writer().await,
        log.writer().await,
        log.writer().await,
    ];
    for (writer, position) in [(&mut first, 1), (&mut second, 3), (&mut third, 5)] {
        writer.run("BEGIN").await;
        assert_eq!(writer.append().await, position);
        fast.append().await;
        assert_eq!(
            look(&lookout).await,
            0,
            "each gap is seen while the first is open"
        );
    }
    first.run("ROLLBACK").await;
    assert_eq!(look(&lookout).await, 2);
    second.run("ROLLBACK").await;
    assert_eq!(look(&lookout).await, 4, "the third began too late to own 3");
    third.run("COMMIT").await;
    assert_eq!(look(&lookout).await, 6);
    assert_eq!(log.passed(), [(1, 1), (3, 3)]);
}

#[tokio::test]
async fn a_killed_writer_leaves_a_gap_that_is_passed() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let (mut killed, mut fast) = (log.writer().await, log.writer().await);
    killed.run("BEGIN").await;
    killed.append().await;
    fast.append().await;
    assert_eq!(look(&lookout).await, 0);
    let pid = killed.pid().await;
    fast.run(&format!("SELECT pg_terminate_backend({pid}, 5000)"))
        .await;
    assert_eq!(look(&lookout).await, 2);
    assert_eq!(log.passed(), [(1, 1)]);
}

#[tokio::test]
async fn the_mark_waits_until_a_gap_is_written_down() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let mut writer = log.writer().await;
    writer.append().await;
    writer.run("BEGIN").await;
    writer.append().await;
    writer.run("ROLLBACK").await;
    writer.append().await;
    log.book.is_failing.store(true, Ordering::Relaxed);
    assert_eq!((look(&lookout).await, look(&lookout).await), (1, 1));
    let held = lookout.held_back().unwrap();
    assert!(
        held.contains("position 2") && held.contains("the book is closed"),
        "{held}"
    );
    log.book.is_failing.store(false, Ordering::Relaxed);
    assert_eq!((look(&lookout).await, log.passed()), (3, vec![(2, 2)]));
    assert_eq!(lookout.held_back(), None);
}

#[tokio::test]
async fn numbers_that_are_taken_without_a_row_hold_the_mark_too() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let (mut early, mut fast) = (log.writer().await, log.writer().await);
    early
        .run("BEGIN; SELECT nextval('log.events_position_seq')")
        .await;
    fast.append().await;
    assert_eq!(
        look(&lookout).await,
        0,
        "only the sequence is locked so far"
    );
    early
        .run("INSERT INTO log.events VALUES (1, ''); COMMIT")
        .await;
    assert_eq!((look(&lookout).await, log.passed()), (2, vec![]));
}

#[tokio::test]
async fn writers_of_partitions_hold_the_mark() {
    let Some(log) = Log::new().await else { return };
    let (mut late, mut fast) = (log.writer().await, log.writer().await);
    late.run(
        "CREATE TABLE log.parts (position bigserial, tenant int) PARTITION BY LIST (tenant);
         CREATE TABLE log.part PARTITION OF log.parts DEFAULT",
    )
    .await;
    for (relation, into) in [("parts", "parts"), ("parts_position_seq", "part")] {
        let relations = vec![format!("log.{relation}")];
        let from = "log.parts".into();
        let table = LogTable {
            from,
            relations,
            ..log.table(PROVE)
        };
        fast.run("TRUNCATE log.parts RESTART IDENTITY").await;
        let lookout = log.try_lookout(table).await.unwrap();
        let insert = format!("INSERT INTO log.{into} (tenant) VALUES (1)");
        late.run(&format!("BEGIN; {insert}")).await;
        fast.run(&insert).await;
        assert_eq!(look(&lookout).await, 0, "{relation}");
        late.run("COMMIT").await;
        assert_eq!((look(&lookout).await, log.passed()), (2, vec![]));
    }
}

#[tokio::test]
async fn many_positions_and_many_gaps_are_passed_in_one_look() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let mut writer = log.writer().await;
    writer
        .run("INSERT INTO log.events SELECT n FROM generate_series(1, 250000) AS n")
        .await;
    writer
        .run("INSERT INTO log.events SELECT n FROM generate_series(250002, 252000, 2) AS n")
        .await;
    assert_eq!(look(&lookout).await, 252_000);
    assert_eq!(log.passed().len(), 1000);
    // Two gaps far below, and much above them: it is not looked at each time.
    let (mut first, mut second) = (log.writer().await, log.writer().await);
    first
        .run("SELECT setval('log.events_position_seq', 252000); BEGIN")
        .await;
    first.append().await;
    second.run("BEGIN").await;
    second.append().await;
    writer
        .run("INSERT INTO log.events SELECT n FROM generate_series(252003, 380000) AS n")
        .await;
    for _ in 0..2 {
        assert_eq!(look(&lookout).await, 252_000);
    }
    first.run("COMMIT").await;
    assert_eq!(look(&lookout).await, 252_001, "the second one goes on");
    second.run("COMMIT").await;
    assert_eq!(look(&lookout).await, 380_000);
}
