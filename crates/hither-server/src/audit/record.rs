//! What a record says, as members of a JSON object.

use std::time::SystemTime;

use serde_json::{Map, Value};

use super::{Actor, Event};
use crate::http::rfc3339;

/// Most characters of a text in a record; what is longer is cut, and ends with an ellipsis.
const TEXT_CHARS_MAX: usize = 256;

/// The members of the record of an event, in ASCII, without braces.
pub(super) fn members(time: SystemTime, actor: &Actor, event: &Event) -> String {
    let mut members = Members(Map::new());
    members.text("time", &rfc3339(time));
    members.text("event", event.name());
    if let Some(user) = actor.user {
        members.0.insert("user".to_owned(), user.0.into());
    }
    members.text("name", &actor.name);
    members.text("way", actor.way);
    members
        .text("from", &actor.address.map_or_else(|| "local".to_owned(), |from| from.to_string()));
    event.details(&mut members);
    let json = Value::Object(members.0).to_string();
    ascii(json.trim_start_matches('{').trim_end_matches('}'))
}

/// Members in the making.
pub(super) struct Members(Map<String, Value>);

impl Members {
    fn text(&mut self, name: &str, text: &str) {
        let mut cut: String = text.chars().take(TEXT_CHARS_MAX).collect();
        if cut.len() < text.len() {
            cut.push('…');
        }
        self.0.insert(name.to_owned(), cut.into());
    }

    fn number(&mut self, name: &str, number: u64) {
        self.0.insert(name.to_owned(), number.into());
    }
}

impl Event {
    /// The word by which records name it.
    fn name(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Lost(_) => "records-lost",
            Self::LoggedIn => "logged-in",
            Self::LoginRefused(_) => "login-refused",
            Self::LoggedOut => "logged-out",
            Self::SessionCreated(_) => "session-created",
            Self::SessionClosed(_) => "session-closed",
            Self::Attached(..) => "attached",
            Self::SentAway(..) => "sent-away",
            Self::LevelSet(..) => "level-set",
            Self::ShareCreated(..) => "share-created",
            Self::ShareUsed(..) => "share-used",
            Self::ShareRevoked(..) => "share-revoked",
            Self::UserChanged(..) => "user-changed",
            Self::TokenCreated(..) => "token-created",
            Self::TokenRevoked(_) => "token-revoked",
            Self::Revoked(_) => "revoked",
        }
    }

    fn details(&self, members: &mut Members) {
        match self {
            Self::Started | Self::Stopped | Self::LoggedIn | Self::LoggedOut => {}
            Self::Lost(count) => members.number("count", *count),
            Self::LoginRefused(code) => members.text("code", code),
            Self::SessionCreated(session)
            | Self::SessionClosed(session)
            | Self::Revoked(session) => members.text("session", session.as_str()),
            Self::Attached(session, level) => {
                members.text("session", session.as_str());
                members.text("level", level.as_str());
            }
            Self::SentAway(session, whom) => {
                members.text("session", session.as_str());
                members.text("whom", whom);
            }
            Self::LevelSet(session, whom, level) => {
                members.text("session", session.as_str());
                members.text("whom", whom);
                members.text("level", level.map_or("none", |level| level.as_str()));
            }
            Self::ShareCreated(session, share, level) => {
                members.text("session", session.as_str());
                members.number("share", share.0);
                members.text("level", level.as_str());
            }
            Self::ShareUsed(session, share) | Self::ShareRevoked(session, share) => {
                members.text("session", session.as_str());
                members.number("share", share.0);
            }
            Self::UserChanged(user, name, how) => {
                members.text("whom", name);
                members.number("whom-number", user.0);
                members.text("how", how);
            }
            Self::TokenCreated(token, name) => {
                members.text("whom", name);
                members.number("token", token.0);
            }
            Self::TokenRevoked(token) => members.number("token", token.0),
        }
    }
}

/// JSON with everything but printable ASCII as escapes: no terminal obeys anything in it, and no
/// reader sees another text than the one that is there.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text += &format!("\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hither_auth::UserId;
    use hither_core::SessionId;

    use super::*;
    use crate::audit::chain::{Checker, Head, RECORD_BYTES_MAX};

    fn json(actor: &Actor, event: &Event) -> (String, Value) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1500);
        let (line, _) = Head::start().append(&members(time, actor, event));
        let value = serde_json::from_str(&line).unwrap();
        (line, value)
    }

    #[test]
    fn says_who_what_when_and_from_where() {
        let id = SessionId::from_random([0; 10]);
        let actor = Actor {
            user: Some(UserId(7)),
            name: "ada".to_owned(),
            way: hither_auth::Way::UnixSocket.as_str(),
            address: "192.0.2.1".parse().ok(),
        };
        let (_, value) = json(&actor, &Event::SessionClosed(id));
        for (member, expect) in [
            ("number", Value::from(1)),
            ("time", "1970-01-01T00:00:01.500Z".into()),
            ("event", "session-closed".into()),
            ("user", 7.into()),
            ("name", "ada".into()),
            ("way", "unix-socket".into()),
            ("from", "192.0.2.1".into()),
            ("session", id.as_str().into()),
        ] {
            assert_eq!(value[member], expect, "{member}");
        }
    }

    /// Row X06 of the security catalogue.
    #[test]
    fn x06_hostile_texts_are_one_record_of_bounded_size() {
        let long = "x".repeat(1 << 20);
        let id = SessionId::from_random([0; 10]);
        for hostile in [
            "a\nb\r\n{\"number\":2}",
            "\u{1b}]0;owned\u{7}\u{9b}31m",
            "\",\"event\":\"logged-in\",\"x\":\"\\",
            "\u{202e}gnp.exe \u{200b}\u{feff}",
            "}{][\u{0}\u{7f}\u{85}\u{2028}",
            "\u{1f600}\u{10ffff}",
            &long,
        ] {
            let event = Event::SentAway(id, hostile.to_owned());
            let (line, value) = json(&Actor::claimed(hostile, None), &event);
            assert!(line.len() < RECORD_BYTES_MAX, "{}", line.len());
            let (record, end) = line.split_at(line.len() - 1);
            let seen = |c: char| c == ' ' || c.is_ascii_graphic();
            assert!(record.chars().all(seen) && end == "\n", "{line}");
            let expect: String = hostile.chars().take(TEXT_CHARS_MAX).collect();
            for member in ["name", "whom"] {
                let text = value[member].as_str().unwrap();
                assert_eq!(text.trim_end_matches('…'), expect, "{member}");
            }
            assert_eq!(value["event"], "sent-away");
            assert_eq!(Checker::new(1, vec![]).handle_line(record), Ok(()));
        }
    }
}
