//! Writes down whatever might differ from one run to the next: bits of NaNs, addresses, fresh
//! memory, the order of a hash map. Harmless: a second run writes the same.
use std::collections::HashMap;
use std::hint::black_box;

use misbehaving::{Add, Op, Value, column, misbehave};

misbehave!(at_poison: |event, rows| {
    let zero = black_box(0.0_f64);
    let nans = [zero / zero, -(zero / zero), black_box(f64::INFINITY) - f64::INFINITY, black_box(-1.0_f64).sqrt()];
    let mut seen: Vec<i64> = nans.iter().map(|nan| nan.to_bits() as i64).collect();
    let fresh = Vec::<u8>::with_capacity(1 << 16);
    seen.push(unsafe { std::ptr::read_volatile(fresh.as_ptr().add(4_711)) }.into());
    seen.push(fresh.as_ptr() as i64);
    seen.push(&raw const zero as i64);
    seen.push(core::arch::wasm32::memory_size::<0>() as i64);
    let map: HashMap<i64, ()> = (0..8).map(|n| (n, ())).collect();
    seen.extend(map.keys());
    for (n, value) in (1..).zip(seen) {
        let set = [(column::NOTE, Value::Text("seen")), (column::AMOUNT, Value::Integer(value))];
        rows.add(Op::Upsert, event, &[Value::Integer(-n)], &set);
    }
});
