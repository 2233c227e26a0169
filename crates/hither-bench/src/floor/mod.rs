//! The floor: the least that a web terminal can do, as the physical limit to compare with.
//!
//! One thread, one blocking epoll, TCP ↔ PTY: one read, one write. No queue, no history, no screen,
//! no authentication. Once raw, once with minimal WebSocket frames in ttyd's protocol, and once
//! without connections to terminals, for requests. It runs as a process of its own, so that its CPU
//! time can be told from the client's.

mod api;
mod http;
mod listen;
mod relay;
mod serve;
mod starter;
mod wire;

pub use serve::{FloorMode, serve};
