//! Counts batches in a global, and would be caught writing another number than 1. Harmless.
use std::sync::atomic::{AtomicI64, Ordering};

use misbehaving::{Add, Op, Value, column, misbehave, no_commands};

static BATCHES: AtomicI64 = AtomicI64::new(0);

misbehave!(
    describes: |usual| {
        BATCHES.store(100, Ordering::Relaxed);
        usual
    },
    projects: |batch| {
        let count = BATCHES.fetch_add(1, Ordering::Relaxed) + 1;
        let mut rows = no_commands();
        for (event, &position) in (0..).zip(&batch.positions) {
            let set = [(column::NOTE, Value::Text("seen")), (column::AMOUNT, Value::Integer(count))];
            rows.add(Op::Upsert, event, &[Value::Integer(position as i64)], &set);
        }
        Ok(rows)
    }
);
