//! Records: what is kept, who sees it, and what the revision tells of it.

use super::bench::*;
use crate::model::{
    Checkpoint, Digest, Failure, FailureClass, PassedGap, Position, Timestamp, WantedState,
};
use crate::read_store::{Activity, HostRecord, SeenHost, Swap, Usage};

pub(in crate::read_store) async fn the_revision_counts_changes_of_records_only(bench: &impl Bench) {
    let (store, other) = (bench.store(), bench.another().await);
    let mut revision = store.revision().await.unwrap();
    let mut open = begin(other.as_ref(), &orders("1.0.0")).await;
    let mut moved = async |what: &str, expected: bool| {
        let now = store.revision().await.unwrap();
        assert_eq!(now != revision, expected, "{what}");
        revision = now;
    };
    moved("a generation begun elsewhere", true).await;
    open.store(&puts([order("a", 1)]), 1);
    moved("a commit", false).await;
    other.heartbeat(&host()).await.unwrap();
    moved("a heartbeat", false).await;
    claim(store, open.id, "tests").await;
    moved("a claim", false).await;
    store
        .set_wanted(&projector("orders"), WantedState::Paused)
        .await
        .unwrap();
    moved("a wish", true).await;
    store.build_indexes(open.id).await.unwrap();
    moved("indexes", true).await;
    let next = begin(store, &orders("2.0.0")).await;
    moved("a build", true).await;
    assert_eq!(store.swap(next.id).await.unwrap(), Swap::Behind);
    moved("a swap that was not made", false).await;
    store.abandon(next.id).await.unwrap();
    moved("an abandonment", true).await;
}

pub(in crate::read_store) async fn records_are_shared_between_handles(bench: &impl Bench) {
    let (store, other) = (bench.store(), bench.another().await);
    let mut here = begin(store, &orders("1.0.0")).await;
    here.store(&puts([order("a", 1)]), 1);
    assert_eq!(
        store.projectors().await.unwrap(),
        other.projectors().await.unwrap()
    );
    let mut there = reopen(other.as_ref(), here.id, &orders("1.0.0")).await;
    there.store(&puts([order("b", 2)]), 2);
    assert!(format!("{:?}", here.commit(&puts([]), 2).unwrap()).contains("took over"));
    assert_eq!(rows(store, "orders").await.len(), 2);

    assert_eq!(other.hosts().await.unwrap(), []);
    store.heartbeat(&host()).await.unwrap();
    let latest = HostRecord { pid: 8, ..host() };
    store.heartbeat(&latest).await.unwrap();
    let seen = SeenHost {
        record: latest,
        alive: true,
    };
    assert_eq!(other.hosts().await.unwrap(), [seen]);
}

pub(in crate::read_store) async fn a_checkpoint_can_be_asked_for_alone(bench: &impl Bench) {
    let (store, other) = (bench.store(), bench.another().await);
    let mut open = begin(store, &orders("1.0.0")).await;
    assert_eq!(
        other.checkpoint(open.id).await.unwrap(),
        Some(Checkpoint::start())
    );
    open.store(&puts([order("a", 1)]), 7);
    assert_eq!(other.checkpoint(open.id).await.unwrap(), Some(at(7)));
    store.drop_projector(&projector("orders")).await.unwrap();
    assert_eq!(other.checkpoint(open.id).await.unwrap(), None);
}

pub(in crate::read_store) async fn the_last_run_is_kept(bench: &impl Bench) {
    let (store, other) = (bench.store(), bench.another().await);
    let open = begin(store, &orders("1.0.0")).await;
    let revision = store.revision().await.unwrap();
    assert_eq!(other.last_run(open.id).await.unwrap(), None);
    for at in [Timestamp(5), Timestamp(9)] {
        store.note_run(open.id, at).await.unwrap();
        assert_eq!(other.last_run(open.id).await.unwrap(), Some(at));
    }
    assert_eq!(store.revision().await.unwrap(), revision);
    store.drop_projector(&projector("orders")).await.unwrap();
    assert_eq!(other.last_run(open.id).await.unwrap(), None);
    // Its worker may not know yet.
    store.note_run(open.id, Timestamp(10)).await.unwrap();
}

pub(in crate::read_store) async fn failures_and_wishes_are_kept(bench: &impl Bench) {
    let store = bench.store();
    let name = projector("orders");
    let open = begin(store, &orders("1.0.0")).await;
    let failure = Failure {
        class: FailureClass::Projector,
        cause: "it trapped".into(),
        next_step: "fix it".into(),
        at: Timestamp(5),
        digest: Some(Digest::of(b"x")),
        position: Some(Position(7)),
        event_type: None,
        stream: None,
    };
    store.set_failure(open.id, Some(&failure)).await.unwrap();
    store
        .set_wanted(&name, WantedState::Detached)
        .await
        .unwrap();
    store
        .set_file(&name, Some("orders.wasm"), Some(&Digest::of(b"y")), "here")
        .await
        .unwrap();
    let kept = record(store, "orders").await;
    assert_eq!(
        (kept.wanted, kept.file.as_deref()),
        (WantedState::Detached, Some("orders.wasm"))
    );
    assert_eq!(kept.file_digest, Some(Digest::of(b"y")));
    assert_eq!(kept.file_host.as_deref(), Some("here"));
    assert_eq!(kept.live().unwrap().failure, Some(failure));

    store.set_failure(open.id, None).await.unwrap();
    store.set_file(&name, None, None, "here").await.unwrap();
    let kept = record(store, "orders").await;
    assert_eq!(
        (kept.file.clone(), kept.live().unwrap().failure.clone()),
        (None, None)
    );
    assert_eq!(kept.file_host, None);
    assert!(
        store
            .set_wanted(&projector("nobody"), WantedState::Paused)
            .await
            .is_err()
    );
}

pub(in crate::read_store) async fn the_size_grows_with_the_rows(bench: &impl Bench) {
    let store = bench.store();
    let mut open = begin(store, &orders("1.0.0")).await;
    let Some(before) = store.size_of(open.id).await.unwrap() else {
        return; // this database cannot say
    };
    open.store(
        &puts((0..5_000).map(|i| order(&format!("order-{i}"), i))),
        1,
    );
    assert!(store.size_of(open.id).await.unwrap().unwrap() > before + 50_000);
}

pub(in crate::read_store) async fn passed_gaps_are_kept(bench: &impl Bench) {
    let (store, other) = (bench.store(), bench.another().await);
    assert_eq!(store.gaps(5).await.unwrap(), (0, vec![]));
    let gap = |from, passed_at| PassedGap {
        from: Position(from),
        to: Position(from + 1),
        seen_at: Timestamp(1),
        passed_at: Timestamp(passed_at),
        proof: format!("nobody can fill {from}"),
    };
    for told in [gap(4, 20), gap(9, 30), gap(1, 10), gap(4, 20)] {
        store.note_gap(&told).await.unwrap();
    }
    // Passed once more, by a reader that came by later.
    other.note_gap(&gap(4, 40)).await.unwrap();
    let latest = other.gaps(2).await.unwrap();
    assert_eq!(latest, (3, vec![gap(9, 30), gap(4, 20)]));
}

pub(in crate::read_store) async fn components_are_kept_for_other_hosts(bench: &impl Bench) {
    let (store, other) = (bench.store(), bench.another().await);
    let (needed, idle) = (&b"needed"[..], &b"idle"[..]);
    for bytes in [needed, needed, idle] {
        store
            .keep_component(&Digest::of(bytes), bytes)
            .await
            .unwrap();
    }
    let kept = async |bytes| other.component(&Digest::of(bytes)).await.unwrap();
    if !store.is_shared() {
        assert_eq!(kept(needed).await, None);
        return;
    }
    assert_eq!(kept(needed).await.as_deref(), Some(needed));
    assert_eq!(kept(b"unknown").await, None);
    store
        .begin_generation(&orders("1.0.0"), &Digest::of(needed), None)
        .await
        .unwrap();
    store.sweep().await.unwrap();
    assert_eq!(kept(needed).await.as_deref(), Some(needed));
}

fn host() -> HostRecord {
    HostRecord {
        host: "here".into(),
        instance: "i".into(),
        pid: 7,
        started_at: Timestamp(1),
        heartbeat_at: Timestamp(2),
        activities: vec![Activity {
            generation: crate::model::GenerationId(1),
            phase: "live".into(),
            events_per_second: 0.5,
            last_cycle_at: Timestamp(3),
            trouble: None,
            update: "immediate".into(),
            next_run_at: Some(Timestamp(4)),
            ignored: 5,
            repeated: 6,
            since: Timestamp(1),
        }],
        refused: Vec::new(),
        head: Checkpoint::default(),
        held_back: Some("position 4 is missing".into()),
        connections: vec![Usage {
            database: "localhost:5432/shop".into(),
            in_use: 1,
            open: 2,
            budget: 10,
        }],
    }
}
