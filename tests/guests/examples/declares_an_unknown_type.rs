//! Declares a column of a type that the interface does not know. Refused: "discriminant".
misbehaving::misbehave!(describes: |mut usual| {
    usual.tables[0].columns[1].type_ = unsafe { std::mem::transmute::<u8, _>(std::hint::black_box(77)) };
    usual
});
