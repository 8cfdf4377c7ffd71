//! Answers with a list that lies outside of its memory. Stopped: "out of bounds".
misbehaving::misbehave!(at_poison: |_, rows| {
    let elsewhere = unsafe { Vec::from_raw_parts(0xfff0_0000 as *mut u8, 1 << 18, 1 << 18) };
    std::mem::forget(std::mem::replace(&mut rows.ops, elsewhere));
});
