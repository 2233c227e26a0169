//! Sessions as the gateway lists them.

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::{Exit, Failure};
use crate::gateway::{Gateway, GatewayError};

/// Path of the list and of what is below it.
pub(super) const SESSIONS: &str = "/api/sessions";

/// One session of the list. What is missing is empty: the list shows what it can.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) title: String,
    /// As one would type it into a shell.
    pub(super) command: String,
    pub(super) cols: u32,
    pub(super) rows: u32,
    pub(super) created_at: String,
    pub(super) status: String,
    pub(super) clients: u32,
    /// It cannot be reached: the PTY host died, or could not hand it over.
    pub(super) lost: bool,
    /// Bytes of output so far.
    pub(super) output_bytes: u64,
    /// Milliseconds between a keystroke and its echo, inside of the gateway's machine.
    pub(super) echo_ms: Option<f64>,
    /// Milliseconds of the network's round trip to whoever typed last.
    pub(super) round_trip_ms: Option<f64>,
}

impl Session {
    /// Its place in the API, or that of what is below it; an id that is none leads nowhere else.
    pub(super) fn path(&self, below: &str) -> String {
        let id = self.id.bytes().map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        });
        let slash = if below.is_empty() { "" } else { "/" };
        format!("{SESSIONS}/{}{slash}{below}", id.collect::<String>())
    }
}

/// The one session whose id starts with `start`, of those that the gateway lists.
pub(super) fn resolve(gateway: &Gateway, start: &str) -> Result<Session, Failure> {
    let sessions = read(&list(gateway)?)?;
    find(&sessions, start).cloned()
}

/// Asks for the list as the gateway gives it.
pub(super) fn list(gateway: &Gateway) -> Result<Value, GatewayError> {
    gateway.request(Method::GET, SESSIONS, None)
}

/// Reads a list.
pub(super) fn read(list: &Value) -> Result<Vec<Session>, GatewayError> {
    Vec::<Session>::deserialize(list).map_err(|err| GatewayError::BadAnswer(err.to_string()))
}

/// The one session whose id starts with `start`.
pub(super) fn find<'a>(sessions: &'a [Session], start: &str) -> Result<&'a Session, Failure> {
    if let Some(same) = sessions.iter().find(|session| session.id == start) {
        return Ok(same);
    }
    let mut alike = sessions.iter().filter(|session| session.id.starts_with(start));
    match (alike.next(), alike.next()) {
        (Some(one), None) if !start.is_empty() => Ok(one),
        (Some(_), _) => {
            let message = format!("more than one session starts with \"{start}\"");
            Err(Failure::new(Exit::Usage, message).cure("give more characters of the id"))
        }
        (None, _) => {
            let message = format!("no session is called \"{start}\"");
            Err(Failure::new(Exit::Unavailable, message).cure("see `hither ls` for what there is"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sessions(ids: &[&str]) -> Vec<Session> {
        let list: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        read(&Value::from(list)).unwrap()
    }

    #[test]
    fn a_session_is_found_by_the_start_of_its_id() {
        let sessions = sessions(&["aabb", "aacc", "aa"]);
        assert_eq!(find(&sessions, "aab").unwrap().id, "aabb");
        assert_eq!(find(&sessions, "aa").unwrap().id, "aa");
        assert_eq!(find(&sessions, "a").unwrap_err().exit(), Exit::Usage);
        assert_eq!(find(&sessions, "").unwrap_err().exit(), Exit::Usage);
        assert_eq!(find(&sessions, "b").unwrap_err().exit(), Exit::Unavailable);
        assert_eq!(find(&sessions[..1], "").unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn a_list_is_an_array_of_objects() {
        assert!(read(&json!([{"unknown": 1}])).is_ok());
        assert!(read(&json!([{"command": 7}])).is_err());
        assert!(read(&json!("nonsense")).is_err());
    }
}
