//! Text indexes: what is found by which words, and when.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::bench::*;
use super::commits::guarded;
use crate::model::{ColumnType, Description, IndexKind, RawDescription, Row, Value};
use crate::read_store::{Committed, Query, ReadStore, StoreError, Swap};

pub(in crate::read_store) async fn rows_are_found_by_all_words_whatever_their_case(
    bench: &impl Bench,
) {
    let store = bench.store();
    let mut open = indexed(store, &notes("1.0.0")).await;
    let notes = [
        note("a", "Ada Okafor", "a lamp for the desk"),
        note("b", "Bruno Keller", "LAMP, lamp and lamp"),
        note("c", "Lamp House", "nothing"),
    ];
    open.store(&puts(notes), 1);
    assert_eq!(by_key(store, "lamp").await, ["a", "b", "c"]);
    assert_eq!(by_key(store, "Desk LAMP").await, ["a"]);
    // Words of different columns, but each whole.
    assert_eq!(by_key(store, "ada lamp").await, ["a"]);
    assert!(by_key(store, "okaf").await.is_empty());
    assert!(by_key(store, "ada bruno").await.is_empty());
    // What says more of the word comes first, unless an order is asked for.
    assert_eq!(search(store, "lamp", &[]).await.unwrap()[0], "b");
    let order = [("id".to_owned(), true)];
    assert_eq!(
        search(store, "lamp", &order).await.unwrap(),
        ["c", "b", "a"]
    );
    let both = Query {
        conditions: vec![crate::read_store::Condition {
            column: "id".into(),
            equals: Some("c".into()),
        }],
        ..searching("lamp", &[])
    };
    assert_eq!(ids(store.query(&both).await.unwrap().rows), ["c"]);
    // Readers find the same by a name of their own.
    assert_eq!(bench.find("notes_text", "lamp").unwrap(), ["a", "b", "c"]);
}

pub(in crate::read_store) async fn words_change_with_their_row(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &notes("1.0.0")).await;
    // One before the index is made, which is not searched until then.
    open.store(&puts([note("a", "first", "old")]), 1);
    let error = search(store, "first", &[]).await.unwrap_err().to_string();
    assert!(error.contains("caught up for the first time"), "{error}");
    assert!(bench.find("notes_text", "nothing").unwrap().is_empty());
    store.build_indexes(open.id).await.unwrap();
    assert_eq!(by_key(store, "first").await, ["a"]);

    open.store(&puts([note("b", "second", "old")]), 2);
    assert_eq!(by_key(store, "old").await, ["a", "b"]);
    open.store(&puts([note("a", "first", "new")]), 3);
    assert_eq!(by_key(store, "old").await, ["b"]);
    assert_eq!(by_key(store, "first new").await, ["a"]);
    // Nothing of a commit that is refused.
    let (from, to) = (at(7), at(8));
    let refused = commit(
        &mut *open.writer,
        &puts([note("c", "third", "old")]),
        &from,
        &to,
    );
    assert!(matches!(refused, Ok(Committed::Fenced(_))), "{refused:?}");
    assert!(by_key(store, "third").await.is_empty());
    // The same row twice, gone and back.
    open.store(&changes([note("c", "third", "x")], ["b"]), 4);
    assert!(by_key(store, "second").await.is_empty());
    open.store(&puts([note("b", "again", "x"), note("c", "third", "x")]), 5);
    assert_eq!(by_key(store, "x").await, ["b", "c"]);
    // Again is no harm.
    store.build_indexes(open.id).await.unwrap();
    assert_eq!(bench.find("notes_text", "x").unwrap(), ["b", "c"]);
    assert!(
        store
            .size_of(open.id)
            .await
            .unwrap()
            .is_none_or(|size| size > 0)
    );
}

pub(in crate::read_store) async fn tombstones_are_not_found(bench: &impl Bench) {
    let store = bench.store();
    let mut raw = raw_notes("1.0.0");
    // Found by its key, which a tombstone keeps.
    raw.tables[0].indexes[0].1.push(("id".into(), None, false));
    let mut open = indexed(store, &guarded(raw).check().unwrap()).await;
    let versioned = |id: &str, version, deleted| Row {
        version,
        deleted,
        ..note(id, "x", "y")
    };
    open.store(
        &puts([versioned("a", 1, false), versioned("b", 1, false)]),
        1,
    );
    open.store(&puts([versioned("a", 2, true)]), 2);
    assert!(by_key(store, "a").await.is_empty());
    assert!(bench.find("notes_text", "a").unwrap().is_empty());
    assert_eq!(bench.find("notes_text", "b").unwrap(), ["b"]);
}

pub(in crate::read_store) async fn each_generation_has_its_words(bench: &impl Bench) {
    let store = bench.store();
    let mut first = indexed(store, &notes("1.0.0")).await;
    first.store(&puts([note("a", "first", "")]), 1);
    let mut second = begin(store, &notes("2.0.0")).await;
    second.store(&puts([note("b", "second", "")]), 1);
    store.build_indexes(second.id).await.unwrap();
    assert_eq!(bench.find("notes_text", "first").unwrap(), ["a"]);
    assert!(bench.find("notes_text", "second").unwrap().is_empty());

    assert_eq!(store.swap(second.id).await.unwrap(), Swap::Done);
    assert_eq!(bench.find("notes_text", "second").unwrap(), ["b"]);
    assert!(bench.find("notes_text", "first").unwrap().is_empty());
    assert_eq!(by_key(store, "second").await, ["b"]);
    store.roll_back(&projector("notes")).await.unwrap();
    assert_eq!(bench.find("notes_text", "first").unwrap(), ["a"]);

    // A version without the index gives the name up, one with it takes it again.
    let plain = described("notes", "3.0.0", &[("title", ColumnType::Text)]);
    let mut third = begin(store, &plain.check().unwrap()).await;
    third.store(&puts([]), 1);
    assert_eq!(store.swap(third.id).await.unwrap(), Swap::Done);
    assert!(bench.find("notes_text", "first").is_err());
    let error = search(store, "first", &[]).await.unwrap_err().to_string();
    assert!(error.contains("has no text index"), "{error}");
    store.roll_back(&projector("notes")).await.unwrap();
    assert_eq!(bench.find("notes_text", "first").unwrap(), ["a"]);

    store.drop_projector(&projector("notes")).await.unwrap();
    store.sweep().await.unwrap();
    assert!(bench.find("notes_text", "first").is_err());
    assert_eq!(bench.tables_of_texts().await, 0);
}

pub(in crate::read_store) async fn the_name_for_searching_has_one_owner(bench: &impl Bench) {
    let store = bench.store();
    begin(store, &notes("1.0.0")).await;
    let rival = described("notes_text", "1.0.0", &[]).check().unwrap();
    let digest = crate::model::Digest::of(b"");
    let refused = store.begin_generation(&rival, &digest, None).await;
    let Err(StoreError::TableTaken { table, owner }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (table.as_str(), owner.as_str()),
        ("notes_text", "projector `notes`")
    );
    assert_eq!(
        store.owner_of("notes_text").await.unwrap(),
        Some(projector("notes"))
    );
}

pub(in crate::read_store) async fn a_search_without_words_is_refused(bench: &impl Bench) {
    let store = bench.store();
    indexed(store, &notes("1.0.0")).await;
    for nothing in ["", " ", "*", "\" OR NEAR(", "–"] {
        let refused = search(store, nothing, &[]).await;
        if nothing.contains("OR") {
            // Words like all others, in whatever language.
            assert_eq!(refused.unwrap(), [""; 0]);
            continue;
        }
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("no word to search for"), "{error}");
    }
}

/// Both stores are held to what this file says a word is, and so to each other.
pub(in crate::read_store) async fn words_are_runs_of_letters_and_digits(bench: &impl Bench) {
    let store = bench.store();
    let mut open = indexed(store, &notes("1.0.0")).await;
    let mut texts: Vec<String> = [
        "o-001 naïve café Straße straße 12,50 € (3.5kg) a_b",
        "ada@example.org https://example.org/a/b?c=d&amp;e <b>bold</b>",
        "“Desk—lamp”, “l’été” «ok» … don't x² 1/2 C++ #7 -5 +49-170 007 v1.2.3",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut runner = TestRunner::deterministic();
    // Capitals beyond ASCII are another matter: a database of the locale C knows
    // none. So are `1e5x` and its like. See docs/text-search.md.
    let any = "[a-df-zA-DF-Z0-9éßñжя日 ,.;:!?'\"/@#_+*()<>&=\\-–“”’…]{0,40}";
    for _ in 0..300 {
        texts.push(any.new_tree(&mut runner).unwrap().current());
    }
    let rows = texts.iter().enumerate();
    let rows = rows.map(|(i, text)| note(&format!("{i:04}"), text, ""));
    open.store(&puts(rows), 1);

    let mut asked = std::collections::BTreeSet::new();
    for text in &texts {
        asked.extend(words(text).into_iter().take(2));
    }
    asked.extend(["desk lamp", "cafe", "CAFÉ".to_lowercase().as_str()].map(str::to_owned));
    for question in asked {
        let of_question = words(&question);
        let holds = |text: &&str| {
            let of_text = words(text);
            of_question.iter().all(|word| of_text.contains(word))
        };
        let expected: Vec<String> = texts
            .iter()
            .enumerate()
            .filter(|(_, text)| holds(&text.as_str()))
            .map(|(i, _)| format!("{i:04}"))
            .collect();
        assert_eq!(by_key(store, &question).await, expected, "{question:?}");
    }
}

/// The words of a text, as this project has it.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn raw_notes(version: &str) -> RawDescription {
    let columns = [("title", ColumnType::Text), ("body", ColumnType::Text)];
    let mut raw = described("notes", version, &columns);
    let part = |name: &str| (name.to_owned(), None, false);
    raw.tables[0].indexes = vec![(IndexKind::Text, vec![part("title"), part("body")])];
    raw
}

fn notes(version: &str) -> Description {
    raw_notes(version).check().unwrap()
}

fn note(id: &str, title: &str, body: &str) -> Row {
    Row {
        values: vec![text(id), text(title), text(body)],
        ..Row::default()
    }
}

async fn indexed(store: &dyn ReadStore, description: &Description) -> Open {
    let open = begin(store, description).await;
    store.build_indexes(open.id).await.unwrap();
    open
}

fn searching(words: &str, order: &[(String, bool)]) -> Query {
    Query {
        table: "notes".into(),
        search: Some(words.into()),
        order: order.to_vec(),
        ..Query::default()
    }
}

async fn search(
    store: &dyn ReadStore,
    words: &str,
    order: &[(String, bool)],
) -> Result<Vec<String>, StoreError> {
    let answer = store.query(&searching(words, order)).await?;
    Ok(ids(answer.rows))
}

/// What is found, in the order of the key.
async fn by_key(store: &dyn ReadStore, words: &str) -> Vec<String> {
    let order = [("id".to_owned(), false)];
    search(store, words, &order).await.unwrap()
}

fn ids(rows: Vec<Vec<Value>>) -> Vec<String> {
    let id = |row: Vec<Value>| match &row[0] {
        Value::Text(id) => id.to_string(),
        other => panic!("{other:?} is not an id"),
    };
    rows.into_iter().map(id).collect()
}
