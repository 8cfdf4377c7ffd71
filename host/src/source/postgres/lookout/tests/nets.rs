//! Writers that do not keep to the rules.

use super::super::late;
use super::*;

#[tokio::test]
async fn a_grace_holds_the_mark_for_numbers_taken_early() {
    let Some(log) = Log::new().await else { return };
    let grace = Duration::from_millis(400);
    let lookout = log
        .try_lookout(log.table(Gaps::Prove { grace }))
        .await
        .unwrap();
    let mut writer = log.writer().await;
    let early = writer
        .number("SELECT nextval('log.events_position_seq')")
        .await;
    writer.append().await;
    assert_eq!(
        look(&lookout).await,
        0,
        "nobody writes, but it is too early to say"
    );
    assert!(
        lookout
            .held_back()
            .unwrap()
            .contains("outside the transaction")
    );
    writer
        .run(&format!("INSERT INTO log.events VALUES ({early}, '')"))
        .await;
    assert_eq!(look(&lookout).await, 2);

    writer
        .run("SELECT nextval('log.events_position_seq')")
        .await;
    writer.append().await;
    assert_eq!(look(&lookout).await, 2);
    tokio::time::sleep(grace).await;
    assert_eq!((look(&lookout).await, log.passed()), (4, vec![(3, 3)]));
}

#[tokio::test]
async fn an_event_that_comes_after_all_stops_the_reading() {
    // Both ways to ask are right, whether there is an index or not.
    for has_index in [true, false] {
        stops_at_a_late_event(has_index).await;
    }
}

async fn stops_at_a_late_event(has_index: bool) {
    let Some(log) = Log::new().await else { return };
    let table = LogTable {
        has_index,
        ..log.table(PROVE)
    };
    let lookout = log.try_lookout(table).await.unwrap();
    let mut writer = log.writer().await;
    writer
        .run("SELECT nextval('log.events_position_seq')")
        .await;
    writer.append().await;
    assert_eq!((look(&lookout).await, log.passed()), (2, vec![(1, 1)]));
    tokio::time::sleep(late::EVERY).await;
    assert_eq!(look(&lookout).await, 2, "nothing is late yet");
    writer
        .run("INSERT INTO log.events VALUES (1, 'by hand')")
        .await;
    tokio::time::sleep(late::EVERY).await;
    writer.append().await;
    for _ in 0..2 {
        let error = lookout.head().await.unwrap_err();
        let SourceError::Unfit(reason) = error else {
            panic!("{error}")
        };
        assert!(
            reason.contains("position 1 ") && reason.contains("rebuild"),
            "{reason}"
        );
        assert_eq!(lookout.held_back(), Some(reason));
        assert_eq!(lookout.mark().0, 2);
    }
}

#[tokio::test]
async fn positions_that_are_handed_out_again_stop_the_reading() {
    let Some(log) = Log::new().await else { return };
    let lookout = log.lookout().await;
    let mut writer = log.writer().await;
    for _ in 0..5 {
        writer.append().await;
    }
    assert_eq!(look(&lookout).await, 5);
    // As after the change to a replica that lacked the last events.
    writer
        .run("DELETE FROM log.events WHERE position > 3; SELECT setval('log.events_position_seq', 3)")
        .await;
    tokio::time::sleep(late::EVERY).await;
    assert_eq!(look(&lookout).await, 5, "they may just have been deleted");
    assert_eq!(writer.append().await, 4);
    tokio::time::sleep(late::EVERY).await;
    let error = lookout.look().await.unwrap_err();
    assert!(error.to_string().contains("position 4 "), "{error}");
}
