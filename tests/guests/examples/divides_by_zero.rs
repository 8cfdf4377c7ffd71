//! Divides by zero behind the compiler's back. Stopped: "divide by zero".
misbehaving::misbehave!(at_poison: |_, _| {
    let divisor = std::hint::black_box(0_u32);
    unsafe { std::hint::assert_unchecked(divisor != 0) };
    std::hint::black_box(7 / divisor)
});
