//! Dead letters change with the checkpoint, and tell what was asked of them.

use super::bench::*;
use crate::model::{
    Changes, DeadLetter, DeadLetterChanges, DeadLetterChoice, DeadLetterError, DeadLetterRequest,
    Digest, FailureClass, Position, Timestamp,
};
use crate::read_store::Committed;

const ALL: DeadLetterChoice = DeadLetterChoice::All;

pub(super) fn letter(position: u64, tenant: &str, stream: &str) -> DeadLetter {
    DeadLetter {
        position: Position(position),
        tenant: tenant.into(),
        stream: stream.into(),
        version: 3,
        event_type: "order.created".into(),
        time: Timestamp(7),
        error: Some(DeadLetterError {
            class: FailureClass::Event,
            cause: "it says \"no\"\nand why".into(),
            digest: Digest("d".into()),
            at: Timestamp(9),
        }),
        attempts: 2,
        set_aside_at: Timestamp(8),
        asked: None,
    }
}

pub(super) fn set_aside(letters: impl IntoIterator<Item = DeadLetter>) -> Changes {
    Changes {
        dead_letters: DeadLetterChanges {
            puts: letters.into_iter().collect(),
            ..DeadLetterChanges::default()
        },
        ..Changes::default()
    }
}

fn of(tenant: Option<&str>, stream: &str) -> DeadLetterChoice {
    DeadLetterChoice::Stream {
        tenant: tenant.map(str::to_owned),
        stream: stream.into(),
    }
}

pub(in crate::read_store) async fn dead_letters_are_stored_with_the_checkpoint(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    let letters = [letter(4, "", "a"), letter(5, "x", "a"), letter(9, "", "b")];
    // With the first rows, which a database may write in a way of its own.
    let first = Changes {
        dead_letters: set_aside([letters[0].clone()]).dead_letters,
        ..puts([order("a", 1)])
    };
    open.store(&first, 4);
    open.store(&set_aside(letters[1..].iter().cloned()), 9);
    let find = async |choice: &DeadLetterChoice, limit| {
        store.dead_letters(open.id, choice, limit).await.unwrap()
    };
    assert_eq!(find(&ALL, 10).await, letters);
    assert_eq!(find(&ALL, 2).await, letters[..2]);
    assert_eq!(find(&of(None, "a"), 10).await, letters[..2]);
    assert_eq!(find(&of(Some("x"), "a"), 10).await, letters[1..2]);
    assert_eq!(find(&of(Some(""), "a"), 10).await, letters[..1]);
    let one = DeadLetterChoice::At(Position(9));
    assert_eq!(find(&one, 10).await, letters[2..]);
    let records = store.projectors().await.unwrap();
    assert_eq!(records[0].live().unwrap().dead_letters, 3);

    // A commit that is refused leaves them as they are.
    let gone = Changes {
        dead_letters: DeadLetterChanges {
            removes: vec![Position(4), Position(5)],
            ..DeadLetterChanges::default()
        },
        ..puts([order("b", 1)])
    };
    let refused = commit(&mut *open.writer, &gone, &at(1), &at(10));
    assert!(matches!(refused.unwrap(), Committed::Fenced(_)));
    assert_eq!(find(&ALL, 10).await.len(), 3);
    // One that moves no checkpoint changes them all the same.
    let stored = commit(&mut *open.writer, &gone, &at(9), &at(9));
    assert_eq!(stored.unwrap(), Committed::Stored);
    assert_eq!(find(&ALL, 10).await, letters[2..]);
    assert_eq!(rows(store, "orders").await.len(), 2);
}

pub(in crate::read_store) async fn what_is_asked_of_dead_letters_is_told_until_it_is_done(
    bench: &impl Bench,
) {
    let (store, other) = (bench.store(), bench.another().await);
    let mut open = begin(store, &orders("1.0.0")).await;
    open.store(
        &set_aside([letter(1, "", "a"), letter(2, "", "b"), letter(3, "", "b")]),
        3,
    );
    let id = open.id;
    let asked = async || {
        let letters = store.dead_letters(id, &ALL, 10).await.unwrap();
        let asked: Vec<_> = letters.iter().map(|letter| letter.asked).collect();
        let records = store.projectors().await.unwrap();
        (asked, records[0].live().unwrap().asked)
    };
    let revision = store.revision().await.unwrap();
    let (retry, discard) = (DeadLetterRequest::Retry, DeadLetterRequest::Discard);
    let none = other.ask_dead_letters(id, &of(None, "c"), retry).await;
    assert_eq!(none.unwrap(), 0);
    let two = other.ask_dead_letters(id, &of(None, "b"), retry).await;
    assert_eq!(two.unwrap(), 2);
    assert_ne!(store.revision().await.unwrap(), revision, "a host sees it");
    assert_eq!(asked().await, (vec![None, Some(retry), Some(retry)], 2));
    let one = DeadLetterChoice::At(Position(3));
    other.ask_dead_letters(id, &one, discard).await.unwrap();
    assert_eq!(asked().await, (vec![None, Some(retry), Some(discard)], 3));

    // Tried in vain, nothing is asked of it any more, but for what came meanwhile.
    let tried = |position| DeadLetter {
        asked: Some(retry),
        ..letter(position, "", "b")
    };
    let again = set_aside([tried(2), tried(3)]);
    let stored = commit(&mut *open.writer, &again, &at(3), &at(3));
    assert_eq!(stored.unwrap(), Committed::Stored);
    assert_eq!(asked().await.0, [None, None, Some(discard)]);

    // What goes on by itself is asked for, unless something else was.
    let next = Changes {
        dead_letters: DeadLetterChanges {
            asks: vec![Position(2), Position(3)],
            ..DeadLetterChanges::default()
        },
        ..Changes::default()
    };
    let stored = commit(&mut *open.writer, &next, &at(3), &at(3));
    assert_eq!(stored.unwrap(), Committed::Stored);
    assert_eq!(asked().await.0, [None, Some(retry), Some(discard)]);

    // Another component may do better with all of them, save what was given up.
    let description = orders("1.0.0");
    let digest = Digest::of(b"another");
    store.adopt(id, &description, &digest).await.unwrap();
    assert_eq!(asked().await.0, [Some(retry), Some(retry), Some(discard)]);
    store.drop_projector(&projector("orders")).await.unwrap();
    assert_eq!(store.dead_letters(id, &ALL, 10).await.unwrap(), []);
}
