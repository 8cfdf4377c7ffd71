//! Wants a gigabyte to begin with. Refused: "limits.memory_mib".
static mut HUGE: [u8; 1 << 30] = [0; 1 << 30];

misbehaving::misbehave!(describes: |usual| {
    unsafe { std::hint::black_box(&raw mut HUGE).cast::<u8>().write_volatile(1) };
    usual
});
