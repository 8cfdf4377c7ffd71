//! Never ends its own start, before anything is asked of it. Refused: "limits.load_ms".
misbehaving::misbehave!(describes: |usual| usual);

#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    loop {
        std::hint::black_box(());
    }
}
