//! Grows its memory until there is none. Stopped: "limits.memory_mib".
misbehaving::misbehave!(at_poison: |_, _| while core::arch::wasm32::memory_grow::<0>(16) != usize::MAX {});
