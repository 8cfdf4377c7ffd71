//! Never ends saying what it is. Refused: "limits.load_ms".
misbehaving::misbehave!(describes: |_| loop {
    std::hint::black_box(());
});
