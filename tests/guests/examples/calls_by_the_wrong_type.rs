//! Calls a function as if it had another type. Stopped: "indirect call".
misbehaving::misbehave!(at_poison: |event, _| unsafe {
    let other: extern "C" fn(u32) -> u32 = takes_one;
    let other: extern "C" fn(f64, f64) -> f64 = std::mem::transmute(std::hint::black_box(other));
    std::hint::black_box(other(f64::from(event), 0.0))
});

extern "C" fn takes_one(n: u32) -> u32 {
    n
}
