//! Imports: all of a file, or nothing.

use tokio::task::block_in_place;
use tokio::time::timeout;

use super::bench::*;
use crate::model::{Checkpoint, EventFilter, Payload, Position, Timestamp};
use crate::source::cloudevents::{ImportLines, write_recorded};
use crate::source::{EventImport, EventStore};

/// Imports a file; a bad line ends it, and is returned.
async fn import_file(store: &dyn EventStore, file: &str) -> Result<u64, String> {
    let import = store.import().await.unwrap();
    block_in_place(|| import_lines(import, file.as_bytes()))
}

fn import_lines(mut import: Box<dyn EventImport>, file: &[u8]) -> Result<u64, String> {
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

pub(in crate::source) async fn a_bad_line_means_that_nothing_is_kept(bench: &impl Bench) {
    let store = bench.store();
    let file = format!("{}\n{}\n{{}}\n{}", line(1), line(2), line(3));
    let error = import_file(store, &file).await.unwrap_err();
    assert_eq!(error, "line 3: attribute `specversion` is missing or empty");
    assert_eq!(store.head().await.unwrap(), Checkpoint::start());
    assert!(store.streams("", 10).await.unwrap().is_empty());

    let file = file.replace("{}\n", "");
    assert_eq!(import_file(store, &file).await, Ok(3));
    // Again: every event is known by now.
    assert_eq!(import_file(store, &file).await, Ok(0));
    assert_eq!(read_all(store, &EventFilter::default()), ["1", "2", "3"]);
}

pub(in crate::source) async fn an_import_shows_at_once_and_only_when_finished(bench: &impl Bench) {
    let store = bench.store();
    let mut news = store.news();
    let mut import = store.import().await.unwrap();
    block_in_place(|| import.push(events(0..10, "a"))).unwrap();
    block_in_place(|| import.push(events(10..20, "b"))).unwrap();
    assert_eq!(store.head().await.unwrap(), Checkpoint::start());
    let done = block_in_place(|| import.finish()).unwrap();
    assert_eq!(
        (done.appended, done.last_position),
        (20, Some(Position(20)))
    );
    timeout(PATIENCE, news.wait_for(|seen| *seen == at(20)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.head().await.unwrap(), at(20));
}

pub(in crate::source) async fn an_import_that_failed_cannot_be_finished(bench: &impl Bench) {
    let store = bench.store();
    let mut import = store.import().await.unwrap();
    block_in_place(|| {
        import.push(events(0..10, "a")).unwrap();
        import.push(vec![event("", "a")]).unwrap_err();
        import.push(events(10..11, "a")).unwrap_err();
        import.finish().unwrap_err();
    });
    store.append(events(20..21, "a"), Vec::new()).await.unwrap();
    assert_eq!(read_all(store, &EventFilter::default()), ["20"]);
}

pub(in crate::source) async fn what_is_exported_can_be_imported(bench: &impl Bench) {
    let store = bench.store();
    let mut binary = event(2, "b");
    binary.data = Payload::Binary(vec![0, 255]);
    binary.tenant = "acme".into();
    store
        .append(vec![event(1, "a"), binary], Vec::new())
        .await
        .unwrap();
    let file = export(store);
    let other = bench.elsewhere().await;
    assert_eq!(import_file(&*other, &file).await, Ok(2));
    assert_eq!(export(&*other), file);
}

fn export(store: &dyn EventStore) -> String {
    let mut reader = reader(store, &EventFilter::default());
    let page = read(&mut *reader, &Checkpoint::start());
    let mut file = String::new();
    for i in 0..page.events.len() {
        write_recorded(&page.events, i, &mut file);
        file.push('\n');
    }
    file
}
