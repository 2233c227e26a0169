//! How much of everything the host accepts.

/// Bytes of one message, without its descriptors.
pub const MESSAGE_BYTES_MAX: usize = 128 << 10;

/// Bytes that a gateway may leave with a session for its successor.
pub const META_BYTES_MAX: usize = 16 << 10;

/// Bytes of a path (`PATH_MAX` with its final NUL).
pub const PATH_BYTES_MAX: usize = 4095;

/// Entries of the arguments, and of the environment.
pub const STRINGS_MAX: usize = 1024;

/// Bytes of a session's shared memory.
pub const MEMORY_BYTES_MAX: u64 = 1 << 30;

/// Journals that are kept for the next gateway.
pub const JOURNALS_MAX: u16 = 128;

/// Sessions, if the limit of open files allows as many.
pub const SESSIONS_MAX: usize = 1 << 16;

/// Connections at a time.
pub const CONNECTIONS_MAX: usize = 64;

/// Messages that may wait for one connection to read them; then it is dropped.
pub const QUEUE_MESSAGES_MAX: usize = 2048;
