//! Asks for little, again and again, and gives nothing back. Stopped: "limits.memory_mib".
misbehaving::misbehave!(at_poison: |_, _| loop {
    std::mem::forget(std::hint::black_box(Box::new([7_u8; 100])));
});
