//! The limits that are not settings: no projector has come near them.

/// Tables of one instance. Toolchains make one or two per core module.
pub(super) const MOST_TABLES: usize = 64;
/// Elements of one table: the functions of a large interpreter, with room.
pub(super) const MOST_TABLE_ELEMENTS: usize = 100_000;
/// Core instances inside one component.
pub(super) const MOST_INSTANCES: usize = 200;
/// Memories of one component.
pub(super) const MOST_MEMORIES: usize = 32;
/// Stack of the guest. It runs on the host's thread, whose own stack must be
/// larger; twice wasmtime's default, for interpreters.
pub(super) const STACK_BYTES: usize = 1 << 20;
