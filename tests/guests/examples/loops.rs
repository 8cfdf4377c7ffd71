//! Never ends its work on an event. Stopped: "limits.batch_ms".
misbehaving::misbehave!(at_poison: |_, _| loop {
    std::hint::black_box(());
});
