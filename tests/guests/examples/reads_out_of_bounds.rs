//! Reads past the end of its memory. Stopped: "out of bounds".
misbehaving::misbehave!(at_poison: |_, _| unsafe {
    std::ptr::read_volatile(std::hint::black_box(0xffff_fff0 as *const u64))
});
