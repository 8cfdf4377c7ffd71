//! Asks for a gigabyte in one piece. Stopped: "limits.memory_mib".
misbehaving::misbehave!(at_poison: |_, _| std::hint::black_box(vec![1_u8; 1 << 30]));
