//! How soon and how surely new events are noticed.

use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::model::Position;
use crate::source::EventStore;

/// Far more than news ever take, so that a slow machine does not fail the test.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_append_of_this_handle_is_news_at_once() {
    let (_folder, store) = new_store().await;
    let news = store.news();
    store.append(events(0..3, "a"), Vec::new()).await.unwrap();
    assert_eq!(*news.borrow(), Checkpoint::at(Position(3)));
}

#[tokio::test]
async fn an_append_of_another_handle_is_news_to_every_subscriber() {
    let (folder, store) = new_store().await;
    store.append(events(0..3, "a"), Vec::new()).await.unwrap();
    let other = open(&folder).await;
    let mut subscribers = [other.news(), other.news()];
    assert_eq!(*subscribers[0].borrow(), Checkpoint::at(Position(3)));
    for round in 1..5 {
        store
            .append(events(round * 3..round * 3 + 3, "a"), Vec::new())
            .await
            .unwrap();
        let head = Checkpoint::at(Position(u64::from(round) * 3 + 3));
        for news in &mut subscribers {
            timeout(PATIENCE, news.wait_for(|seen| seen.reaches(&head)))
                .await
                .unwrap()
                .unwrap();
        }
    }
}

#[tokio::test]
async fn subscribers_learn_that_the_store_is_gone() {
    let (_folder, store) = new_store().await;
    let mut news = store.news();
    drop(store);
    assert!(timeout(PATIENCE, news.changed()).await.unwrap().is_err());
}
