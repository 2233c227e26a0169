//! `GET /api/sessions`: which sessions, and in which pages.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use schemars::JsonSchema;
use serde::Deserialize;

use super::problem::Problem;
use super::session_json::StatusJson;
use crate::sessions::{SessionInfo, Status};

/// Most sessions in one page.
const PAGE_MAX: usize = 1000;
/// Longest text that is looked for, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// Which sessions are asked for; without a word about it, all of them, oldest first.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct ListQuery {
    /// Only those whose program runs, or has ended.
    status: Option<StatusJson>,
    /// Only those with all these labels: `NAME` or `NAME=VALUE`, with commas between.
    label: Option<String>,
    /// Only those with this text in title, command or directory, in letters of any case.
    #[schemars(length(max = 256))]
    q: Option<String>,
    /// Most sessions in the answer, 1 to 1,000; there is a `link` header to the next ones then.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// Only those behind this place, which a `link` header says.
    after: Option<String>,
}

/// A page of the list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) sessions: Vec<SessionInfo>,
    /// The header `link` (RFC 8288), when there are more.
    pub(crate) link: Option<HeaderValue>,
}

/// A place in the list: when a session was started, in milliseconds since 1970, and its id.
type Place = (u64, String);

impl ListQuery {
    /// The sessions that are asked for, of all, which come oldest first.
    pub(crate) fn page(&self, all: Vec<SessionInfo>) -> Result<Page, Problem> {
        let invalid = |detail: String| Problem::bad_request("invalid_query", detail);
        let limit = self.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0));
        if self.limit.is_some() && !(1..=PAGE_MAX).contains(&limit) {
            return Err(invalid(format!("limit must be 1 to {PAGE_MAX}")));
        }
        if self.q.as_ref().is_some_and(|text| text.len() > TEXT_BYTES_MAX) {
            return Err(invalid(format!("q exceeds limit of {TEXT_BYTES_MAX} bytes")));
        }
        let after = match &self.after {
            Some(text) => Some(
                parse_place(text)
                    .ok_or_else(|| invalid("after must be of a link header".into()))?,
            ),
            None => None,
        };
        let text = self.q.as_ref().map(|text| text.to_lowercase());
        let wanted = |info: &SessionInfo| {
            after.as_ref().is_none_or(|after| place(info) > *after)
                && self.status.is_none_or(|status| status == status_of(info))
                && self.has_labels(info)
                && text.as_ref().is_none_or(|text| mentions(info, text))
        };
        let mut matching = all.into_iter().filter(wanted);
        let sessions: Vec<_> = matching.by_ref().take(limit).collect();
        let more = matching.next().is_some();
        let last = sessions.last().filter(|_| more);
        let link = last.and_then(|last| self.link(last));
        Ok(Page { sessions, link })
    }

    fn has_labels(&self, info: &SessionInfo) -> bool {
        let wanted = self.label.iter().flat_map(|labels| labels.split(','));
        wanted.filter(|label| !label.is_empty()).all(|label| match label.split_once('=') {
            Some((name, value)) => info.labels.get(name).is_some_and(|own| own == value),
            None => info.labels.contains_key(label),
        })
    }

    fn link(&self, last: &SessionInfo) -> Option<HeaderValue> {
        let (created, id) = place(last);
        let mut query = format!("after={created}-{id}");
        let others = [
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("status", self.status.map(|status| format!("{status:?}").to_lowercase())),
            ("label", self.label.clone()),
            ("q", self.q.clone()),
        ];
        for (name, value) in others {
            if let Some(value) = value {
                query += &format!("&{name}={}", percent_encoded(&value));
            }
        }
        HeaderValue::from_str(&format!("<?{query}>; rel=\"next\"")).ok()
    }
}

fn status_of(info: &SessionInfo) -> StatusJson {
    match info.status {
        Status::Running => StatusJson::Running,
        Status::Exited(_) => StatusJson::Exited,
    }
}

fn mentions(info: &SessionInfo, text: &str) -> bool {
    let has = |own: &str| own.to_lowercase().contains(text);
    has(&info.title) || has(&info.command.join(" ")) || has(&info.cwd.to_string_lossy())
}

fn place(info: &SessionInfo) -> Place {
    let since_1970 = info.created.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    (u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX), info.id.to_string())
}

fn parse_place(text: &str) -> Option<Place> {
    let (created, id) = text.split_once('-')?;
    let created = created.parse().ok()?;
    let is_time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(created)).is_some();
    is_time.then(|| (created, id.to_owned()))
}

/// A text as a value in a query (RFC 3986 section 2.3).
fn percent_encoded(text: &str) -> String {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = text.bytes().map(|byte| {
        if is_unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use hither_core::{ExitStatus, SessionId, ShellPhase, WindowSize};

    use super::*;

    fn info(number: u8, status: Status) -> SessionInfo {
        SessionInfo {
            id: SessionId::from_random([number; 10]),
            title: format!("Title {number}"),
            command: Arc::new(["sh".to_owned(), format!("-{number}")]),
            cwd: Path::new("/Home").into(),
            size: WindowSize::DEFAULT,
            created: UNIX_EPOCH + Duration::from_millis(u64::from(number / 2)),
            updated: UNIX_EPOCH,
            status,
            viewers: 0,
            owner: hither_auth::UserId::MACHINE,
            output_bytes: 0,
            echo: None,
            round_trip: None,
            labels: BTreeMap::from([("n".to_owned(), (number % 2).to_string())]),
            shell: ShellPhase::Unknown,
            last_exit: None,
            directory: None,
        }
    }

    fn all() -> Vec<SessionInfo> {
        let status = |number| match number {
            3 => Status::Exited(ExitStatus::Code(0)),
            _ => Status::Running,
        };
        (0..6).map(|number| info(number, status(number))).collect()
    }

    fn titles(page: &Page) -> Vec<&str> {
        page.sessions.iter().map(|info| &info.title[6..]).collect()
    }

    #[test]
    fn filters_by_status_label_and_text() {
        let query = |edit: fn(&mut ListQuery)| {
            let mut query = ListQuery::default();
            edit(&mut query);
            titles(&query.page(all()).unwrap()).join("")
        };
        assert_eq!(query(|_| {}), "012345");
        assert_eq!(query(|query| query.status = Some(StatusJson::Exited)), "3");
        assert_eq!(query(|query| query.label = Some("n=1".into())), "135");
        assert_eq!(query(|query| query.label = Some("n,n=0".into())), "024");
        assert_eq!(query(|query| query.label = Some("m".into())), "");
        assert_eq!(query(|query| query.q = Some("TITLE 4".into())), "4");
        assert_eq!(query(|query| query.q = Some("sh -2".into())), "2");
        assert_eq!(query(|query| query.q = Some("/home".into())), "012345");
    }

    #[test]
    fn pages_follow_each_other_even_when_sessions_go() {
        let mut seen = Vec::new();
        let mut query =
            ListQuery { limit: Some(2), label: Some("n".into()), ..ListQuery::default() };
        let mut sessions = all();
        loop {
            let page = query.page(sessions.clone()).unwrap();
            seen.extend(titles(&page).iter().map(|&title| title.to_owned()));
            let Some(link) = page.link else { break };
            let link = link.to_str().unwrap().to_owned();
            assert!(link.ends_with("&limit=2&label=n>; rel=\"next\""), "{link}");
            query.after = Some(link.split(['=', '&']).nth(1).unwrap().to_owned());
            sessions.remove(0);
        }
        assert_eq!(seen.concat(), "012345");
    }

    #[test]
    fn refuses_what_cannot_be() {
        for query in [
            ListQuery { limit: Some(0), ..ListQuery::default() },
            ListQuery { limit: Some(1001), ..ListQuery::default() },
            ListQuery { q: Some("x".repeat(257)), ..ListQuery::default() },
            ListQuery { after: Some("x".into()), ..ListQuery::default() },
            ListQuery { after: Some("x-y".into()), ..ListQuery::default() },
        ] {
            assert!(query.page(all()).is_err(), "{query:?}");
        }
    }
}
