//! How soon and how surely new events are noticed.

use tokio::time::timeout;

use super::bench::*;

pub(in crate::source) async fn an_append_of_another_handle_is_news_to_every_subscriber(
    bench: &impl Bench,
) {
    let store = bench.store();
    store.append(events(0..3, "a"), Vec::new()).await.unwrap();
    let other = bench.another().await;
    let mut subscribers = [other.news(), other.news()];
    assert_eq!(*subscribers[0].borrow(), at(3));
    for round in 1..5 {
        store
            .append(events(round * 3..round * 3 + 3, "a"), Vec::new())
            .await
            .unwrap();
        let head = at(u64::from(round) * 3 + 3);
        for news in &mut subscribers {
            timeout(PATIENCE, news.wait_for(|seen| seen.reaches(&head)))
                .await
                .unwrap()
                .unwrap();
        }
    }
}

pub(in crate::source) async fn subscribers_learn_that_the_store_is_gone(bench: &impl Bench) {
    let store = bench.another().await;
    let mut news = store.news();
    drop(store);
    assert!(timeout(PATIENCE, news.changed()).await.unwrap().is_err());
}
