//! The environment of children: an allow-list, so that nothing of the server leaks into shells.

use std::collections::BTreeMap;

use hither_core::SessionId;
use hither_host::message::SESSION_VARIABLE;

/// Names that are taken over from the gateway's own environment; `LC_*` too.
const KEPT: [&str; 12] = [
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "EDITOR",
];
/// What the page's terminal is, as far as programs can know.
const TERMINAL: [(&str, &str); 3] =
    [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("TERM_PROGRAM", "hither")];

/// Takes from `environment` what children may see.
pub(crate) fn allowed(
    environment: impl Iterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    environment
        .filter(|(name, _)| KEPT.contains(&name.as_str()) || name.starts_with("LC_"))
        .collect()
}

/// The environment of one session's child, as `NAME=value`, each name once: what every child may
/// see, over it what the session has of its own, over both what the server itself says.
pub(super) fn of_session<'a>(
    allowed: &'a [(String, String)],
    own: &'a [(String, String)],
    servers: &'a [(String, String)],
    id: SessionId,
) -> Vec<String> {
    let session = id.to_string();
    let texts = |pairs: &'a [(String, String)]| pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let mut all = BTreeMap::from(TERMINAL);
    all.extend(texts(allowed));
    all.extend(texts(own));
    all.extend(texts(servers));
    all.insert(SESSION_VARIABLE, session.as_str());
    all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_that_is_not_on_the_list() {
        let of = |name: &str| (name.to_owned(), "x".to_owned());
        let given = ["PATH", "LC_ALL", "AWS_SECRET_ACCESS_KEY", "HITHER_TOKEN", "LD_PRELOAD"];
        let kept = allowed(given.into_iter().map(of));
        assert_eq!(kept, [of("PATH"), of("LC_ALL")]);
        let id = SessionId::from_random([0; 10]);
        let dressed = [("LC_ALL".to_owned(), "y".to_owned())];
        let all = of_session(&kept, &[of("TERM")], &dressed, id);
        let named = all.iter().filter(|text| text.starts_with("LC_ALL=")).collect::<Vec<_>>();
        assert_eq!(named, ["LC_ALL=y"], "a name is there once");
        assert!(
            all.contains(&"TERM=x".to_owned()) && all.contains(&"COLORTERM=truecolor".to_owned())
        );
        assert!(all.contains(&format!("HITHER_SESSION={id}")));
        assert_eq!(all.len(), 6);
    }
}
