//! Given these events, then these rows.

use lantern_sdk::testing::{Projected, event, events_from_json_lines, given, json};

use super::*;
use processes::{
    at, completed, failed, line, named, process, refunded, refunded_whole, started, step,
};

mod processes;

#[test]
fn a_process_is_billed_when_it_completes() {
    given([
        started("p-1"),
        step("p-1", 1, 1_800_000),
        step("p-1", 2, 1_800_001),
        completed("p-1").time("2026-03-09T10:00:00Z"),
    ])
    .when(billing)
    // An hour and a second at 10.00 an hour: a third of a cent is rounded off.
    .then([BillingLine {
        started: 1,
        completed: 1,
        billable_seconds: 3601,
        amount_cents: 1000,
        ..line("2026-03")
    }])
    .then([BillingTotal {
        period: "2026-03".into(),
        currency: "EUR".into(),
        started: 1,
        completed: 1,
        failed: 0,
        billable_seconds: 3601,
        amount_cents: 1000,
        refunded_cents: 0,
        due_cents: 1000,
    }])
    .then([BillingProcess {
        state: "completed".into(),
        last_step: 2,
        worked_ms: 3_600_001,
        finished_at: Some(at("2026-03-09T10:00:00Z")),
        period: Some("2026-03".into()),
        amount_cents: 1000,
        ..process("p-1")
    }]);
}

#[test]
fn half_a_cent_is_rounded_up() {
    // 10.00 an hour are five cents for 18 seconds.
    for (seconds, cents) in [(18, 5), (1, 0), (2, 1), (5, 1), (6, 2), (9, 3)] {
        assert_eq!(bill::price_cents(seconds, 1000), Ok(cents), "{seconds} s");
    }
    // At 1.00 an hour, 18 seconds are half a cent.
    assert_eq!(bill::price_cents(18, 100), Ok(1));
    assert_eq!(bill::price_cents(17, 100), Ok(0));
    assert!(bill::price_cents(i64::MAX, u32::MAX).is_err());
    assert_eq!([0, 1, 1000, 1001].map(bill::billable_seconds), [0, 1, 1, 2]);
}

#[test]
fn a_process_belongs_to_the_period_in_which_it_finishes() {
    given([
        started("p-1").time("2026-03-31T23:00:00Z"),
        step("p-1", 1, 3_600_000),
        completed("p-1").time("2026-04-01T00:00:00Z"),
        started("p-2").time("2026-03-31T23:00:00Z"),
        // Already April where it is written, still March in UTC.
        completed("p-2").time("2026-04-01T01:59:59.999+02:00"),
        started("p-3").time("2026-03-31T23:00:00Z"),
        failed("p-3").time("2026-04-01T00:00:00Z"),
    ])
    .when(billing)
    .then([
        BillingLine {
            started: 3,
            completed: 1,
            ..line("2026-03")
        },
        BillingLine {
            completed: 1,
            failed: 1,
            billable_seconds: 3600,
            amount_cents: 1000,
            ..line("2026-04")
        },
    ]);
}

#[test]
fn a_process_that_fails_costs_nothing() {
    given([started("p-1"), step("p-1", 1, 60_000), failed("p-1")])
        .when(billing)
        .then([BillingLine {
            started: 1,
            failed: 1,
            ..line("2026-03")
        }]);
}

#[test]
fn each_event_counts_once_however_often_it_comes() {
    let events = [
        started("p-1"),
        step("p-1", 1, 900_000),
        step("p-1", 3, 900_000),
        completed("p-1"),
        refunded("p-1", "r-1", 100),
        refunded_whole("p-1", "r-2"),
    ];
    let once = given(events.clone()).when(billing);
    let each_twice = events
        .iter()
        .flat_map(|event| [event.clone(), event.clone()]);
    let all_twice = events.iter().chain(&events).cloned();
    for repeated in [given(each_twice), given(all_twice)] {
        let repeated = repeated.when(billing);
        assert_eq!(repeated.rows::<BillingLine>(), once.rows::<BillingLine>());
        assert_eq!(repeated.rows::<BillingTotal>(), once.rows::<BillingTotal>());
        let process = repeated.row(BillingProcess::key("p-1")).unwrap();
        assert_eq!(
            (process.worked_ms, process.refunded_cents),
            (1_800_000, 500)
        );
    }
}

#[test]
fn nothing_is_billed_after_the_end() {
    given([
        started("p-1"),
        failed("p-1"),
        step("p-1", 1, 60_000),
        completed("p-1"),
    ])
    .when(billing)
    .then([BillingLine {
        started: 1,
        failed: 1,
        ..line("2026-03")
    }]);
}

#[test]
fn a_refund_counts_in_the_period_in_which_it_is_made() {
    let projected = given([
        started("p-1"),
        step("p-1", 1, 3_600_000),
        completed("p-1"),
        refunded("p-1", "r-1", 250).time("2026-04-07T12:00:00Z"),
    ])
    .when(billing);
    let lines = projected.rows::<BillingLine>();
    assert_eq!((lines[0].amount_cents, lines[0].refunded_cents), (1000, 0));
    assert_eq!((lines[1].refunds, lines[1].refunded_cents), (1, 250));
    let due = |projected: &Projected| {
        let totals = projected.rows::<BillingTotal>().into_iter();
        totals.map(|total| total.due_cents).collect::<Vec<_>>()
    };
    assert_eq!(due(&projected), [1000, -250]);
    projected.then([BillingRefund {
        process_id: "p-1".into(),
        refund_id: "r-1".into(),
        period: "2026-04".into(),
        amount_cents: 250,
        refunded_at: at("2026-04-07T12:00:00Z"),
    }]);
}

#[test]
fn no_more_is_given_back_than_was_billed() {
    given([
        started("p-1"),
        step("p-1", 1, 3_600_000),
        completed("p-1"),
        refunded("p-1", "r-1", 600),
        refunded("p-1", "r-2", 401),
    ])
    .when(billing)
    .then_failure(4, "gives back 401 cents; 400 are left of the 1000");
}

#[test]
fn nothing_is_given_back_before_there_is_a_bill() {
    for early in [refunded_whole("p-1", "r-1"), refunded("p-1", "r-1", 0)] {
        given([started("p-1"), step("p-1", 1, 3_600_000), early])
            .when(billing)
            .then_failure(2, "refund `r-1` of process `p-1` comes before its end");
    }
    // A process that failed was not billed: there is nothing left to give back.
    let projected = given([started("p-1"), failed("p-1"), refunded_whole("p-1", "r-1")]);
    let refunds = projected.when(billing).rows::<BillingRefund>();
    assert_eq!(refunds[0].amount_cents, 0);
}

#[test]
fn tenants_and_their_currencies_are_apart() {
    let dollars = event("process.started")
        .stream("process/brightline/p-1")
        .tenant("brightline")
        .data(json!({ "type": "invoice-scan", "rate_cents_per_hour": 600, "currency": "USD" }));
    let projected = given([started("p-1"), dollars, completed("p-1")]).when(billing);
    let totals = projected.json("billing_totals");
    let of = |row: usize| {
        (
            &totals[row]["tenant"],
            &totals[row]["currency"],
            &totals[row]["completed"],
        )
    };
    assert_eq!(of(0), (&json!("acme"), &json!("EUR"), &json!(1)));
    assert_eq!(of(1), (&json!("brightline"), &json!("USD"), &json!(0)));
}

#[test]
fn other_streams_do_not_count() {
    given([
        started("p-1").stream("rehearsal/acme/p-1"),
        completed("p-1").stream("rehearsal/acme/p-1"),
        started("p-1").stream("schedule/nightly"),
    ])
    .when(billing)
    .then::<BillingLine>([]);
}

#[test]
fn a_stream_of_another_form_is_a_failure() {
    for (stream, why) in [
        ("process/acme", "not of the form process/TENANT/ID"),
        ("process/acme/", "not of the form process/TENANT/ID"),
        (
            "process/kestrel/p-1",
            "of tenant `kestrel`, its event of `acme`",
        ),
    ] {
        given([started("p-1").stream(stream)])
            .when(billing)
            .then_failure(0, why);
    }
}

#[test]
fn a_process_that_was_never_started_is_a_failure() {
    given([started("p-1"), completed("p-2")])
        .when(billing)
        .then_failure(1, "process `p-2` was never started");
}

#[test]
fn unknown_fields_are_left_alone_and_a_price_is_needed() {
    let priced = json!({
        "type": "invoice-scan", "rate_cents_per_hour": 1000, "currency": "EUR", "requested_by": "u",
    });
    let unpriced = json!({ "type": "invoice-scan", "currency": "EUR" });
    given([
        named("process.started", "p-1").data(priced),
        named("process.started", "p-2").data(unpriced),
    ])
    .when(billing)
    .then_failure(1, "missing field `rate_cents_per_hour`");
}

#[test]
fn the_example_events_end_in_the_expected_rows() {
    let events = events_from_json_lines(include_str!("../events.jsonl"));
    let projected = given(events).when(billing);
    let expected = [
        (
            "billing_lines",
            include_str!("../expected/billing_lines.json"),
        ),
        (
            "billing_totals",
            include_str!("../expected/billing_totals.json"),
        ),
        (
            "billing_processes",
            include_str!("../expected/billing_processes.json"),
        ),
        (
            "billing_refunds",
            include_str!("../expected/billing_refunds.json"),
        ),
    ];
    for (table, text) in expected {
        let rows: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(projected.json(table), rows, "{table}");
    }
}
