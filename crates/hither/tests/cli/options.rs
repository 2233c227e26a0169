//! A bad value for every option of `hither serve`, said in each of the three ways: it ends with one
//! sentence and its cure, and nothing is half started.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::place::{Place, Run};

/// Values that no option of the kind takes.
const BAD: &[(&str, &str)] = &[
    ("sessions.shell", "/nowhere"),
    ("sessions.cwd", "/nowhere"),
    ("sessions.scrollback", "100001"),
    ("sessions.history-bytes", "3MiB"),
    ("sessions.slow-viewer", "drop"),
    ("sessions.on-close", "maybe"),
    ("listening.port", "65536"),
    ("listening.bind", "nowhere"),
    ("listening.socket", LONG),
    ("listening.metrics", "127.0.0.1"),
    ("listening.allow-host", "http://box"),
    ("listening.base-path", "term"),
    ("listening.behind-proxy", "0.0.0.0/0"),
    ("listening.identity-header", "Cookie"),
    ("listening.insecure-plaintext", "yes"),
    ("tls.cert", "/nowhere"),
    ("tls.key", "/nowhere"),
    ("tls.client-ca", "/nowhere"),
    ("tls.client-crl", "/nowhere"),
    ("tls.client-user", "ann"),
    ("acme.domain", "*.example.org"),
    ("acme.contact", "ann"),
    ("acme.directory", "http://ca.example.org"),
    ("acme.ca", "/nowhere"),
    ("oidc.issuer", "http://id.example.org"),
    ("oidc.client-id", "hither"),
    ("oidc.client-secret-file", "/nowhere"),
    ("oidc.ca", "/nowhere"),
    ("oidc.scope", "a b"),
    ("oidc.user-claim", "a\tb"),
    ("oidc.group-claim", "a\tb"),
    ("oidc.allow-user", "ada"),
    ("oidc.allow-group", "staff"),
    ("oidc.admin-group", "operations"),
    ("oidc.label", "a\tb"),
    ("limits.max-sessions", "0"),
    ("limits.max-viewers", "4097"),
    ("limits.max-input-queue", "1KiB"),
    ("limits.idle-timeout", "soon"),
    ("limits.grace", "5"),
    ("limits.keep-exited", "-1m"),
    ("performance.workers", "0"),
    ("performance.spin", "51"),
    ("performance.read-buffer", "1MiB"),
    ("performance.batch-bytes", "512"),
    ("performance.batch-delay", "2s"),
    ("security.hardening", "maybe"),
    ("security.audit-log", "maybe"),
    ("log.form", "xml"),
    ("log.level", "hither=loud"),
];
/// A path that no Unix socket can have.
const LONG: &str = "/tmp/a-path-of-more-than-one-hundred-and-seven-bytes/which-is-the-most-that-the-\
                    address-of-a-unix-socket-holds/socket";
/// Options that take any text, and are judged when a session is started.
const ANY: &[&str] = &["sessions.command"];
/// What is tried with an option that has no row above: one of them must be refused.
const USUAL: &[&str] = &["maybe", "-1", "a b\tc", "/nowhere/at/all"];

/// An option as docs/configuration.md has it.
#[derive(Debug)]
struct Documented {
    path: String,
    key: String,
    section: String,
    is_list: bool,
    flag: String,
    variable: String,
}

/// The options of `hither config --reference`.
fn documented(place: &Place) -> Vec<Documented> {
    let reference = place.run(&["config", "--reference"]).stdout;
    let mut section = String::new();
    let mut found = Vec::new();
    for line in reference.lines() {
        if let Some(name) = line.strip_prefix("## [") {
            name.trim_end_matches(']').clone_into(&mut section);
        }
        let cells: Vec<&str> =
            line.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
        if let [key, flag, variable, ..] = cells[..]
            && key.starts_with('`')
        {
            let word = |cell: &str| cell.split('`').nth(1).unwrap_or_default().to_owned();
            found.push(Documented {
                path: format!("{section}.{}", word(key)),
                key: word(key),
                section: section.clone(),
                is_list: key.ends_with("(list)"),
                flag: word(flag),
                variable: word(variable),
            });
        }
    }
    found
}

/// Says a value in each of the three ways.
fn said(option: &Documented, value: &str) -> [(&'static str, Run); 3] {
    let place = Place::new();
    let flag = place.run(&["serve", "--port", "0", &format!("{}={value}", option.flag)]);
    let mut command = place.command(&["serve", "--port", "0"]);
    let variable = Run::from(command.env(&option.variable, value).output().unwrap());
    let bare = value.parse::<u64>().is_ok();
    let text = if bare { value.to_owned() } else { format!("{value:?}") };
    let text = if option.is_list { format!("[{text}]") } else { text };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, format!("[{}]\n{} = {text}\n", option.section, option.key)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = place.command(&["serve", "--config"]);
    let file = Run::from(command.arg(path).output().unwrap());
    let left = fs::read_dir(place.path()).unwrap().count();
    assert_eq!(left, 0, "{option:?} {value:?}: something was started");
    [("flag", flag), ("variable", variable), ("file", file)]
}

/// Whether a run was refused as it should be; panics when it was refused in another way.
#[track_caller]
fn is_refused(way: &str, run: &Run, case: &str) -> bool {
    if run.code == 0 {
        return false;
    }
    assert_eq!(run.stdout, "", "{case} {way}");
    // A command line that cannot be understood is told with its usage; all else is one sentence.
    let expect: &[i32] = if way == "flag" { &[64, 78] } else { &[78] };
    assert!(expect.contains(&run.code), "{case} {way}: {run:#?}");
    if run.code == 78 {
        assert_eq!(run.stderr.lines().count(), 1, "{case} {way}: {run:#?}");
        assert!(run.stderr.contains("; "), "{case} {way} names no cure: {run:#?}");
    }
    true
}

#[test]
fn a04_a_bad_value_of_every_option_is_refused_with_its_cure() {
    let place = Place::new();
    let options = documented(&place);
    for (path, _) in BAD {
        assert!(options.iter().any(|option| option.path == *path), "no option is called {path}");
    }
    for option in options.iter().filter(|option| !ANY.contains(&&*option.path)) {
        let row = BAD.iter().find(|(path, _)| *path == option.path);
        let values = row.map_or_else(|| USUAL.to_vec(), |(_, value)| vec![*value]);
        let mut refused = [false; 3];
        for value in values {
            let case = format!("{}={value:?}", option.path);
            // One that is taken would serve: only those that `--check-config` refuses are said.
            let checked =
                place.run(&["serve", "--check-config", &format!("{}={value}", option.flag)]);
            if checked.code == 0 {
                assert!(row.is_none(), "{case} is taken");
                continue;
            }
            for ((way, run), refused) in said(option, value).into_iter().zip(&mut refused) {
                *refused |= is_refused(way, &run, &case);
            }
        }
        assert_eq!(refused, [true; 3], "{}: by flag, variable, file", option.path);
    }
}

#[test]
fn a04_files_that_hold_something_else_are_refused_with_the_cure() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let cert = write("cert.pem", &pair.cert.pem());
    let key = write("key.pem", &pair.signing_key.serialize_pem());
    let empty = write("empty.pem", "");
    let other =
        write("other.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let long = write("long.pem", &"x".repeat(2 << 20));
    let tls = ["--tls-cert", &cert, "--tls-key", &key];
    let with_ca = [&tls[..], &["--tls-client-ca", &cert]].concat();
    let oidc = ["--oidc-issuer", "https://id.example.org", "--oidc-client-id", "hither"];
    let oidc = [&oidc[..], &["--oidc-allow-user", "ada"]].concat();
    let acme = ["--acme-domain", "box.example.org", "--acme-accept-terms"];
    for bad in [&empty, &other, &long, &key] {
        for arguments in [
            vec!["--tls-cert", bad, "--tls-key", &key],
            [&tls[..], &["--tls-client-ca", bad]].concat(),
            [&with_ca[..], &["--tls-client-crl", bad]].concat(),
            [&acme[..], &["--acme-ca", bad]].concat(),
            [&oidc[..], &["--oidc-ca", bad]].concat(),
        ] {
            let run = place.run(&[&["serve", "--port", "0"], &arguments[..]].concat());
            assert!(is_refused("file", &run, &format!("{arguments:?}")), "{arguments:?}");
        }
    }
    for bad in [&empty, &other, &long, &cert] {
        let run = place.run(&["serve", "--port", "0", "--tls-cert", &cert, "--tls-key", bad]);
        assert!(is_refused("file", &run, bad), "{bad}");
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "nothing is half started");
}

/// The files that come along are settings that can be used, but for what is particular to a machine.
#[test]
fn the_settings_of_dist_are_good() {
    let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dist");
    let place = Place::new();
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for entry in fs::read_dir(dist).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "toml") {
            continue;
        }
        let mut text = fs::read_to_string(&path).unwrap();
        for (name, content) in [
            ("/etc/hither/cert.pem", pair.cert.pem()),
            ("/etc/hither/key.pem", pair.signing_key.serialize_pem()),
            ("/etc/hither/oidc-secret", "secret\n".to_owned()),
        ] {
            let own = folder.path().join(name.rsplit('/').next().unwrap());
            fs::write(&own, content).unwrap();
            fs::set_permissions(&own, fs::Permissions::from_mode(0o600)).unwrap();
            text = text.replace(name, own.to_str().unwrap());
        }
        let settings = folder.path().join("settings.toml");
        fs::write(&settings, text).unwrap();
        let settings = settings.to_str().unwrap();
        let run = place.run(&["serve", "--check-config", "--allow-root", "--config", settings]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}: {run:#?}", path.display());
        count += 1;
    }
    assert!(count >= 3, "{count}");
}
