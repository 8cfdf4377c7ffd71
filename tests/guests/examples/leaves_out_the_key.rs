//! Sends a command without the values of its key. Stopped: "fewer values".
use misbehaving::{Add, Op, misbehave};

misbehave!(at_poison: |event, rows| rows.add(Op::Delete, event, &[], &[]));
