//! Imports: all of a file, or nothing.

use super::*;
use crate::model::Position;
use crate::source::cloudevents::{ImportLines, write_recorded};
use crate::source::{EventImport, EventStore};

/// Imports a file; a bad line ends it, and is returned.
fn import_file(mut import: Box<dyn EventImport>, file: &[u8]) -> Result<u64, String> {
    for line in ImportLines::new(file, Timestamp(0)).unwrap() {
        let event = line.event.map_err(|error| error.to_string())?;
        import
            .push(vec![event])
            .map_err(|error| error.to_string())?;
    }
    import
        .finish()
        .map(|done| done.appended)
        .map_err(|error| error.to_string())
}

fn line(id: u32) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"t","subject":"x","data":[{id}]}}"#
    )
}

#[tokio::test]
async fn a_bad_line_means_that_nothing_is_kept() {
    let (_folder, store) = new_store().await;
    let file = format!("{}\n{}\n{{}}\n{}", line(1), line(2), line(3));
    let error = import_file(store.import().await.unwrap(), file.as_bytes()).unwrap_err();
    assert_eq!(error, "line 3: attribute `specversion` is missing or empty");
    assert_eq!(store.head().await.unwrap(), Checkpoint::start());
    assert!(store.streams("", 10).await.unwrap().is_empty());

    let file = file.replace("{}\n", "");
    assert_eq!(
        import_file(store.import().await.unwrap(), file.as_bytes()),
        Ok(3)
    );
    // Again: every event is known by now.
    assert_eq!(
        import_file(store.import().await.unwrap(), file.as_bytes()),
        Ok(0)
    );
    assert_eq!(read_all(&store, &EventFilter::default()), ["1", "2", "3"]);
}

#[tokio::test]
async fn an_import_shows_at_once_and_only_when_finished() {
    let (_folder, store) = new_store().await;
    let mut news = store.news();
    let mut import = store.import().await.unwrap();
    import.push(events(0..10, "a")).unwrap();
    import.push(events(10..20, "b")).unwrap();
    assert_eq!(store.head().await.unwrap(), Checkpoint::start());
    let done = import.finish().unwrap();
    assert_eq!(
        (done.appended, done.last_position),
        (20, Some(Position(20)))
    );
    assert_eq!(*news.borrow_and_update(), Checkpoint::at(Position(20)));
    assert_eq!(store.head().await.unwrap(), Checkpoint::at(Position(20)));
}

#[tokio::test]
async fn an_import_that_failed_cannot_be_finished() {
    let (_folder, store) = new_store().await;
    let mut import = store.import().await.unwrap();
    import.push(events(0..10, "a")).unwrap();
    import.push(vec![event("", "a")]).unwrap_err();
    import.push(events(10..11, "a")).unwrap_err();
    import.finish().unwrap_err();
    store.append(events(20..21, "a"), Vec::new()).await.unwrap();
    assert_eq!(read_all(&store, &EventFilter::default()), ["20"]);
}

#[tokio::test]
async fn what_is_exported_can_be_imported() {
    let (_folder, store) = new_store().await;
    let mut binary = event(2, "b");
    binary.data = Payload::Binary(vec![0, 255]);
    binary.tenant = "acme".into();
    store
        .append(vec![event(1, "a"), binary], Vec::new())
        .await
        .unwrap();
    let export = |store: &SqliteEventStore| {
        let page = reader(store, &EventFilter::default())
            .read(&Checkpoint::start(), PAGE)
            .unwrap();
        let mut file = String::new();
        for i in 0..page.events.len() {
            write_recorded(&page.events, i, &mut file);
            file.push('\n');
        }
        file
    };
    let file = export(&store);
    let (_other_folder, other) = new_store().await;
    assert_eq!(
        import_file(other.import().await.unwrap(), file.as_bytes()),
        Ok(2)
    );
    assert_eq!(export(&other), file);
}
