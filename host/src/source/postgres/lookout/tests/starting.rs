//! The first look, and logs that cannot be looked at.

use super::*;

#[tokio::test]
async fn gaps_of_the_history_are_passed_without_a_word() {
    let Some(log) = Log::new().await else { return };
    let mut writer = log.writer().await;
    writer
        .run("INSERT INTO log.events SELECT n * 3 FROM generate_series(1, 5000) AS n")
        .await;
    let lookout = log.lookout().await;
    assert_eq!((lookout.mark().0, log.passed()), (15_000, vec![]));
}

#[tokio::test]
async fn who_was_writing_at_the_start_holds_back_what_is_above_the_first_gap() {
    let Some(log) = Log::new().await else { return };
    let (mut late, mut fast) = (log.writer().await, log.writer().await);
    for _ in 0..3 {
        fast.append().await;
    }
    late.run("BEGIN").await;
    assert_eq!(late.append().await, 4);
    fast.append().await;
    let lookout = log.lookout().await;
    assert_eq!(lookout.mark().0, 3);
    let held = lookout.held_back().unwrap();
    assert!(
        held.contains("position 4") && held.contains("process"),
        "{held}"
    );
    fast.append().await;
    late.run("COMMIT").await;
    assert_eq!((look(&lookout).await, log.passed()), (6, vec![]));
}

#[tokio::test]
async fn the_start_waits_a_little_for_who_is_writing() {
    let Some(log) = Log::new().await else { return };
    let (mut late, mut fast) = (log.writer().await, log.writer().await);
    late.run("BEGIN").await;
    late.append().await;
    fast.append().await;
    let ending = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        late.run("ROLLBACK").await;
    });
    assert_eq!(log.lookout().await.mark().0, 2);
    ending.await.unwrap();
}

/// What a lookout says of a log for which `sql` was run.
async fn refused(sql: &str, relations: &[&str]) -> Option<String> {
    let log = Log::new().await?;
    log.writer().await.run(sql).await;
    let table = LogTable {
        relations: relations.iter().map(ToString::to_string).collect(),
        ..log.table(PROVE)
    };
    match log.try_lookout(table).await {
        Err(SourceError::Unfit(reason)) => Some(reason),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn a_log_whose_locks_say_nothing_is_refused() {
    const SEQUENCE: &str = "log.events_position_seq";
    for (sql, relation, says) in [
        (
            "ALTER SEQUENCE log.events_position_seq CACHE 20",
            SEQUENCE,
            "CACHE 1",
        ),
        (
            "ALTER SEQUENCE log.events_position_seq INCREMENT 50",
            SEQUENCE,
            "INCREMENT BY 1",
        ),
        (
            "ALTER SEQUENCE log.events_position_seq CYCLE",
            SEQUENCE,
            "NO CYCLE",
        ),
        (
            "CREATE VIEW log.shown AS SELECT * FROM log.events",
            "log.shown",
            "is a view",
        ),
        (
            "SELECT 1",
            "log.nothing",
            "there is no table or sequence `log.nothing`",
        ),
        (
            "SELECT 1",
            "log.events_pkey",
            "neither a table nor a sequence",
        ),
    ] {
        let Some(reason) = refused(sql, &["log.events", relation]).await else {
            return;
        };
        assert!(reason.contains(says), "{reason}");
    }
    let Some(reason) = refused("SELECT 1", &[]).await else {
        return;
    };
    assert!(reason.contains("name its table"), "{reason}");
}

#[tokio::test]
async fn a_replicated_table_is_refused() {
    let says = refused(
        "CREATE SUBSCRIPTION sub CONNECTION '' PUBLICATION pub WITH (connect = false, slot_name = NONE);
         INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate)
         SELECT oid, 'log.events'::regclass, 'r' FROM pg_subscription WHERE subname = 'sub'",
        &["log.events"],
    )
    .await;
    let Some(reason) = says else { return };
    assert!(reason.contains("logical replication"), "{reason}");
}
