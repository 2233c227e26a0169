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
    pub(super) command: CommandLine,
    pub(super) cols: u32,
    pub(super) rows: u32,
    pub(super) created_at: String,
    pub(super) status: String,
    pub(super) clients: u32,
}

/// The program of a session, as one text or as words.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum CommandLine {
    Text(String),
    Words(Vec<String>),
}

impl CommandLine {
    /// The words with a space between them.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Words(words) => words.join(" "),
        }
    }
}

impl Default for CommandLine {
    fn default() -> Self {
        Self::Words(Vec::new())
    }
}

/// Asks for the list as the gateway gives it.
pub(super) fn list(gateway: &Gateway) -> Result<Value, GatewayError> {
    gateway.request(Method::GET, SESSIONS, None)
}

/// Reads a list: an array, or an object with a member `sessions`.
pub(super) fn read(list: &Value) -> Result<Vec<Session>, GatewayError> {
    let list = list.get("sessions").unwrap_or(list);
    Vec::<Session>::deserialize(list).map_err(|err| GatewayError::BadAnswer(err.to_string()))
}

/// The one session whose id starts with `start`.
pub(super) fn find<'a>(sessions: &'a [Session], start: &str) -> Result<&'a Session, Failure> {
    if let Some(same) = sessions.iter().find(|session| session.id == start) {
        return Ok(same);
    }
    let mut alike = sessions
        .iter()
        .filter(|session| session.id.starts_with(start));
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
    fn commands_are_texts_or_words() {
        let list =
            json!({"sessions": [{"command": "htop -d 1"}, {"command": ["htop", "-d", "1"]}]});
        for session in read(&list).unwrap() {
            assert_eq!(session.command.text(), "htop -d 1");
        }
        assert!(read(&json!([{"command": 7}])).is_err());
        assert!(read(&json!("nonsense")).is_err());
    }
}
