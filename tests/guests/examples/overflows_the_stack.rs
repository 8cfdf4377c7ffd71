//! Calls itself without end. Stopped: "stack".
misbehaving::misbehave!(at_poison: |event, _| std::hint::black_box(deeper(event)));

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is what this is about")]
fn deeper(n: u32) -> u32 {
    // Twice, so that the compiler cannot make a loop of it.
    deeper(n.wrapping_add(1)) ^ deeper(n.rotate_left(7))
}
