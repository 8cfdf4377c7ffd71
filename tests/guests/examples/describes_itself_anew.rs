//! Says something else of itself each time it is asked. Harmless: it is asked once,
//! in an instance of its own, and remembers nothing.
use std::sync::atomic::{AtomicU32, Ordering};

static ASKED: AtomicU32 = AtomicU32::new(0);

misbehaving::misbehave!(describes: |mut usual| {
    if ASKED.fetch_add(1, Ordering::Relaxed) > 0 {
        usual.tables[0].name.push_str("_again");
        usual.version = "2.0.0".into();
    }
    usual
});
