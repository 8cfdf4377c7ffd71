//! Never makes room for the batch that the host brings. Stopped at its first event: before its
//! own code is reached, the host asks it for memory.
use std::alloc::{GlobalAlloc, Layout, System};

misbehaving::misbehave!(describes: |usual| usual);

struct Stubborn;

#[global_allocator]
static ALLOCATOR: Stubborn = Stubborn;

unsafe impl GlobalAlloc for Stubborn {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Positions and times come as numbers of eight bytes; a description has none.
        while layout.align() == 8 {
            std::hint::black_box(());
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}
