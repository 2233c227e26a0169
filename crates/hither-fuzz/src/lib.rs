//! What must hold for any bytes that a stranger sends, one law for each decoder.
//!
//! A law takes bytes and panics when it does not hold. `make fuzz` hands them to a fuzzer (see
//! `fuzz/`); this crate's own test tries the corpus in `testdata/fuzz` and random bytes, so
//! that each law is checked by every test run.
#![forbid(unsafe_code)]

mod auth;
mod bytes;
#[allow(dead_code, unreachable_pub, reason = "the command line's own file, compiled here again")]
#[path = "../../hither/src/escape.rs"]
mod escape;
mod frames;
mod host;
mod others;
mod screen;
mod terminal_text;
mod websocket;

/// A law and the name of its corpus.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Also the name of the fuzz target.
    pub name: &'static str,
    /// Panics when the law does not hold for these bytes.
    pub holds: fn(&[u8]),
}

/// All of them.
pub const LAWS: &[Law] = &[
    Law { name: "websocket_server", holds: websocket::server },
    Law { name: "websocket_client", holds: websocket::client },
    Law { name: "websocket_key", holds: websocket::key },
    Law { name: "hither_client_frame", holds: frames::client_frame },
    Law { name: "hither_server_frame", holds: frames::server_frame },
    Law { name: "ttyd", holds: others::ttyd },
    Law { name: "plan", holds: others::plan },
    Law { name: "gotty", holds: others::gotty },
    Law { name: "terminado", holds: others::terminado },
    Law { name: "replies", holds: others::replies },
    Law { name: "to_host", holds: host::to_host },
    Law { name: "from_host", holds: host::from_host },
    Law { name: "screen", holds: screen::screen },
    Law { name: "scanner", holds: screen::scanner },
    Law { name: "cookie", holds: auth::cookie },
    Law { name: "authorization", holds: auth::authorization },
    Law { name: "origin", holds: auth::origin },
    Law { name: "host", holds: auth::host },
    Law { name: "escape", holds: terminal_text::escape },
];

/// Checks the law of this name.
///
/// # Panics
/// When it does not hold, or there is none of that name.
pub fn check(name: &str, data: &[u8]) {
    let law = LAWS.iter().find(|law| law.name == name);
    (law.expect("a law has this name").holds)(data);
}
