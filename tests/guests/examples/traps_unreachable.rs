//! Traps outright. Stopped: "unreachable".
misbehaving::misbehave!(at_poison: |_, _| core::arch::wasm32::unreachable());
