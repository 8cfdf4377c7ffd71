//! Panics without telling the host. Stopped: "unreachable", with the functions it was in.
misbehaving::misbehave!(at_poison: |event, _| panic!("nobody hears this: {event}"));
