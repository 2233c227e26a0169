//! Titles and labels: what people call a session.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::problem::Problem;
use crate::sessions::{Amendment, LABELS_MAX};

/// Most characters of a title that a client may set.
pub(crate) const TITLE_CHARS_MAX: usize = 256;
/// Longest name of a label in bytes.
const LABEL_NAME_BYTES_MAX: usize = 63;
/// Longest value of a label in bytes.
const LABEL_BYTES_MAX: usize = 128;

/// Changes to a session; what is absent stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Amendment")]
pub(crate) struct AmendmentJson {
    /// The title to have from now on, whatever the program says; null or empty gives it back to the
    /// program.
    #[serde(default, deserialize_with = "said")]
    #[schemars(length(max = 256))]
    title: Option<Option<String>>,
    /// Labels to set, or with null to remove, by name.
    #[schemars(length(max = 16))]
    labels: Option<BTreeMap<String, Option<String>>>,
}

/// Tells a member that is null from one that is absent.
fn said<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl AmendmentJson {
    /// What is asked for.
    pub(crate) fn parse(self) -> Result<Amendment, Problem> {
        let title = match self.title {
            None => None,
            Some(title) => {
                Some(title.filter(|title| !title.is_empty()).map(check_title).transpose()?)
            }
        };
        let labels = self.labels.unwrap_or_default();
        if labels.len() > LABELS_MAX {
            return Err(too_many());
        }
        for (name, value) in &labels {
            check_label(name, value.as_deref().unwrap_or(""))?;
        }
        Ok(Amendment { title, labels })
    }
}

/// A title that is within its limits.
pub(crate) fn check_title(title: String) -> Result<String, Problem> {
    let is_good = title.chars().count() <= TITLE_CHARS_MAX && !title.chars().any(char::is_control);
    is_good.then_some(title).ok_or_else(|| {
        Problem::bad_request(
            "invalid_title",
            format!("title must have at most {TITLE_CHARS_MAX} characters and none of control"),
        )
    })
}

/// Labels that are within their limits.
pub(crate) fn labels(
    labels: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Problem> {
    if labels.len() > LABELS_MAX {
        return Err(too_many());
    }
    for (name, value) in &labels {
        check_label(name, value)?;
    }
    Ok(labels)
}

fn too_many() -> Problem {
    invalid(format!("labels exceed limit of {LABELS_MAX}"))
}

fn check_label(name: &str, value: &str) -> Result<(), Problem> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if name.is_empty() || name.len() > LABEL_NAME_BYTES_MAX || !name.bytes().all(is_name) {
        return Err(invalid(format!(
            "the name of a label must be 1 to {LABEL_NAME_BYTES_MAX} letters, digits and . _ - /"
        )));
    }
    if value.len() > LABEL_BYTES_MAX || value.chars().any(char::is_control) {
        return Err(invalid(format!(
            "a label must have at most {LABEL_BYTES_MAX} bytes and no control characters"
        )));
    }
    Ok(())
}

fn invalid(detail: String) -> Problem {
    Problem::bad_request("invalid_label", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Amendment, String> {
        let parsed: AmendmentJson = serde_json::from_str(body).map_err(|e| e.to_string())?;
        parsed.parse().map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn tells_absent_from_null() {
        for (body, title) in [
            ("{}", None),
            (r#"{"title":null}"#, Some(None)),
            (r#"{"title":""}"#, Some(None)),
            (r#"{"title":"x"}"#, Some(Some("x".to_owned()))),
        ] {
            assert_eq!(parse(body).unwrap().title, title, "{body}");
        }
        let labels = parse(r#"{"labels":{"a":"1","b/c":null}}"#).unwrap().labels;
        assert_eq!(labels["a"].as_deref(), Some("1"));
        assert_eq!(labels["b/c"], None);
    }

    #[test]
    fn refuses_what_cannot_be() {
        let long = "x".repeat(LABEL_BYTES_MAX + 1);
        let many: BTreeMap<_, _> = (0..=LABELS_MAX).map(|n| (n.to_string(), "")).collect();
        for body in [
            r#"{"title":"\u001b]0;x"}"#.to_owned(),
            r#"{"labels":{"":"x"}}"#.to_owned(),
            r#"{"labels":{"a b":"x"}}"#.to_owned(),
            r#"{"labels":{"é":"x"}}"#.to_owned(),
            r#"{"labels":{"a":"\n"}}"#.to_owned(),
            format!(r#"{{"labels":{{"a":"{long}"}}}}"#),
            format!(r#"{{"labels":{{"{long}":"a"}}}}"#),
            format!(r#"{{"labels":{}}}"#, serde_json::to_string(&many).unwrap()),
            r#"{"name":"x"}"#.to_owned(),
        ] {
            assert!(parse(&body).is_err(), "{body}");
        }
    }
}
