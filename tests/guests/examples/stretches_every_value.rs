//! Sends the widest values that its columns can hold. Harmless.
use misbehaving::{Add, Op, Value, column, misbehave};

misbehave!(at_poison: |event, rows| {
    for (n, moment) in [(1, i64::MAX), (2, i64::MIN)] {
        let set = [
            (column::NOTE, Value::Text("nul\0 and \u{10ffff}")),
            (column::AMOUNT, Value::Integer(moment)),
            (column::SHARE, Value::Float(f64::NEG_INFINITY)),
            (column::PRICE, Value::Text("-79228162514264337593543950335")),
            (column::MOMENT, Value::Integer(moment)),
            (column::DOCUMENT, Value::Text(r#"{"a":1e999,"a":"\ud800"}"#)),
        ];
        rows.add(Op::Upsert, event, &[Value::Integer(-n)], &set);
    }
    // Read back, as text is read from what was written.
    misbehaving::get(&misbehaving::no_commands(), 0, 2, &misbehaving::integer_keys([-1, -2]));
});
