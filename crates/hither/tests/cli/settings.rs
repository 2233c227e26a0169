//! File, environment and command line: which one counts, and what is refused.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use crate::place::{Place, Run};
use crate::running::Running;

fn file(place: &Place, text: &str, mode: u32) -> PathBuf {
    let path = place.path().join("settings.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[track_caller]
fn assert_line(run: &Run, line: &str) {
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:#?}");
    assert!(run.stdout.lines().any(|found| found == line), "{line:?} is not in {run:#?}");
}

#[test]
fn the_stronger_layer_counts_and_is_named() {
    let place = Place::new();
    let text = "[listening]\nport = 1\nno-auth = true\n[sessions]\nscrollback = 1\n\
                command = ['cat', '-u']\n[log]\nform = 'json'\n";
    let path = file(&place, text, 0o600);
    let mut command = place.command(&["config", "--port", "3", "--no-auth=false"]);
    command.env("HITHER_CONFIG", &path).env("HITHER_PORT", "2").env("HITHER_SCROLLBACK", "2");
    let run = Run::from(command.env("HITHER_SHELL", "").output().unwrap());
    for line in [
        "port = 3  # command line",
        "no-auth = false  # command line",
        "scrollback = 2  # HITHER_SCROLLBACK",
        "command = [\"cat\", \"-u\"]  # file",
        "form = \"json\"  # file",
        "spin = 0  # default",
        "# shell is not set",
    ] {
        assert_line(&run, line);
    }
}

#[test]
fn what_is_printed_is_a_file() {
    let place = Place::new();
    let first = place.run(&["config", "--bind", "127.0.0.1", "--bind", "::1", "--", "a b", "c"]);
    let path = file(&place, &first.stdout, 0o644);
    let again = place.run(&["config", "--config", path.to_str().unwrap()]);
    assert_line(&again, "bind = [\"127.0.0.1\", \"::1\"]  # file");
    assert_line(&again, "command = [\"a b\", \"c\"]  # file");
}

#[test]
fn the_users_own_file_is_found() {
    let place = Place::new();
    fs::create_dir(place.path().join("hither")).unwrap();
    let path = place.path().join("hither/config.toml");
    fs::write(&path, "[sessions]\nscrollback = 7\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_line(&place.run(&["config"]), "scrollback = 7  # file");
    let expect = format!("the settings are good ({})", path.display());
    assert_line(&place.run(&["serve", "--check-config"]), &expect);
}

#[test]
fn bad_files_and_variables_end_with_78_and_one_sentence() {
    let place = Place::new();
    for (text, words) in [
        ("[listening]\nprot = 1\n", "there is no setting `listening.prot`; the nearest is `port`"),
        ("[listening]\nport = 99999\n", "[listening] port is wrong: 99999 is not in 0..=65535"),
        ("port 1", "line 1 is not TOML"),
        ("[sessions]\nshell = '/etc/passwd'\n", "not an executable file; name another one"),
        ("[listening]\nbind = ['0.0.0.0']\n", "listening on 0.0.0.0"),
        ("\u{1b}[31m = 1\n", "line 1 is not TOML"),
    ] {
        let path = file(&place, text, 0o600);
        for command in ["serve", "config"] {
            let run = place.run(&[command, "--config", path.to_str().unwrap()]);
            assert_refused(&run, words);
        }
    }
    for (name, value, words) in [
        ("HITHER_PORT", "x", "variable HITHER_PORT is wrong: invalid digit"),
        ("HITHER_NO_AUTH", "maybe", "variable HITHER_NO_AUTH is wrong: expected"),
        ("HITHER_SLOW_VIEWER", "drop", "expected skip or wait; mend or unset it"),
        ("HITHER_CONFIG", "/nowhere", "file /nowhere does not exist; name another one"),
        ("HITHER_CONFIG", "/", "is a directory"),
    ] {
        let run = Run::from(place.command(&["serve"]).env(name, value).output().unwrap());
        assert_refused(&run, words);
    }
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let place = Place::new();
    for mode in [0o660, 0o602, 0o666] {
        let path = file(&place, "", mode);
        let run = place.run(&["serve", "--config", path.to_str().unwrap()]);
        assert_refused(&run, &format!("written by others (mode {mode:04o}); run `chmod go-w"));
    }
    // What counts is the file behind the link, which is the one that is read.
    let link = place.path().join("link");
    symlink(place.path().join("settings.toml"), &link).unwrap();
    let run = place.run(&["serve", "--config", link.to_str().unwrap()]);
    assert_refused(&run, "written by others");
}

#[track_caller]
fn assert_refused(run: &Run, words: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (78, ""), "{run:#?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:#?}");
    assert!(run.stderr.contains(words), "{words:?} is not in {run:#?}");
}

#[test]
fn what_would_let_strangers_in_or_read_along_is_refused() {
    let place = Place::new();
    let pem = |name: &str, mode: u32| {
        let path = place.path().join(name);
        fs::write(&path, "-----BEGIN NOTHING-----\n-----END NOTHING-----\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (cert, key, open_key) = (pem("cert", 0o644), pem("key", 0o600), pem("open", 0o640));
    for (arguments, words) in [
        (&["--bind", "0.0.0.0"][..], "without encryption; give --tls-cert"),
        (&["--bind", "192.0.2.1", "--bind", "127.0.0.1"], "listening on 192.0.2.1"),
        (
            &["--bind", "0.0.0.0", "--no-auth", "--insecure-plaintext=I-understand"],
            "without authentication would give your shell to everybody",
        ),
        (&["--bind", "::", "--no-auth", "--behind-proxy", "10.0.0.1"], "leave out --no-auth"),
        (&["--tls-cert", &cert], "give --tls-key too"),
        (&["--tls-key", &key], "give --tls-cert too"),
        (&["--tls-client-ca", &cert], "give --tls-cert and --tls-key too"),
        (&["--tls-client-crl", &cert], "give --tls-client-ca too"),
        (&["--tls-client-user", "a:b=c"], "give --tls-client-ca too"),
        (&["--tls-cert", "/nowhere", "--tls-key", &key], "/nowhere cannot be read"),
        (&["--tls-cert", &cert, "--tls-key", &key], "holds no certificate in PEM"),
        (&["--metrics", "0.0.0.0:9000"], "serving metrics on 0.0.0.0:9000 would show them"),
        (&["--metrics", "[::]:0", "--behind-proxy", "10.0.0.1"], "serve them on 127.0.0.1"),
        (&["--identity-header", "X-Remote-User"], "name the proxy with --behind-proxy too"),
    ] {
        let run = place.run(&[&["serve", "--port", "0"], arguments].concat());
        assert_refused(&run, words);
    }
    // The key is looked at after the certificate, so this needs a good one.
    let good = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(&cert, good.cert.pem()).unwrap();
    let with = |key: &str| place.run(&["serve", "--tls-cert", &cert, "--tls-key", key]);
    assert_refused(&with(&open_key), "may be read by others (mode 0640); run `chmod 600");
    assert_refused(&with(&key), "holds no private key in PEM");
    let other = rcgen::KeyPair::generate().unwrap();
    fs::write(&key, other.serialize_pem()).unwrap();
    assert_refused(&with(&key), "does not belong to private key");
}

#[test]
fn a20_single_sign_on_that_is_unsafe_or_of_no_use_is_refused() {
    let place = Place::new();
    let file = |name: &str, text: &str, mode: u32| {
        let path = place.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (secret, open) = (file("secret", "s\n", 0o600), file("open", "s\n", 0o640));
    let (empty, long) = (file("empty", "\n", 0o600), file("long", &"x".repeat(5000), 0o600));
    let issuer = ["--oidc-issuer", "https://id.example.org"];
    let named = [&issuer[..], &["--oidc-client-id", "hither"]].concat();
    let whole = [&named[..], &["--oidc-allow-user", "ada"]].concat();
    let with = |path| [&whole[..], &["--oidc-client-secret-file", path]].concat();
    let check = |arguments: &[&str]| place.run(&[&["serve", "--check-config"], arguments].concat());
    for (arguments, words) in [
        (issuer.to_vec(), "give --oidc-client-id too"),
        (named.clone(), "nobody could come in by single sign-on; name users with"),
        ([&whole[..], &["--no-auth"]].concat(), "leave out --no-auth, or --oidc-issuer"),
        (vec!["--oidc-client-id", "hither"], "name the provider with --oidc-issuer too"),
        (vec!["--oidc-allow-user", "*"], "name the provider with --oidc-issuer too"),
        (with(&open), "may be read by others (mode 0640); run `chmod 600"),
        (with(&empty), "expected a secret of 1 to 4096 bytes"),
        (with(&long), "expected a secret of 1 to 4096 bytes"),
        (with("/nowhere"), "/nowhere: cannot be read"),
        ([&whole[..], &["--oidc-ca", &secret]].concat(), "holds no certificate authority in PEM"),
    ] {
        assert_refused(&check(&arguments), words);
    }
    for issuer in ["http://id.example.org", "id.example.org", "https://a@b", "https://a/?b", "x"] {
        let run = check(&["--oidc-issuer", issuer]);
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{run:#?}");
        assert!(run.stderr.contains("an address with https"), "{run:#?}");
    }
    assert_eq!(check(&with(&secret)).code, 0);
}

#[test]
fn values_that_nobody_should_give_are_not_understood() {
    let place = Place::new();
    for (option, value, words) in [
        ("--insecure-plaintext", "yes", "I-understand"),
        ("--behind-proxy", "0.0.0.0/0", "not everybody's"),
        ("--behind-proxy", "10.0.0.1/8", "an address or a network"),
        ("--base-path", "term", "expected a path"),
        ("--base-path", "/a/../b", "expected a path"),
        ("--identity-header", "Cookie", "a header of the proxy's own"),
        ("--identity-header", "X-Forwarded-For", "a header of the proxy's own"),
        ("--identity-header", "a b", "the name of a header"),
        ("--tls-client-user", "ann", "expected a URI and a user"),
    ] {
        let run = place.run(&["serve", option, value]);
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{run:#?}");
        assert!(run.stderr.contains(words), "{words:?} is not in {run:#?}");
    }
}

const PROFILES: &str = "\
[profiles.count]
command = ['sh', '-c', 'echo $COUNT in $PWD; exec cat']
cwd = '/tmp'
title = 'Counting'
env = { COUNT = 'seventeen' }
labels = { team = 'a' }

[profiles.other]
command = 'cat'
";

#[test]
fn a_profile_is_started_by_its_name() {
    let place = Place::new();
    let path = file(&place, PROFILES, 0o600);
    let options = ["--config", path.to_str().unwrap()];
    let gateway = Running::start(&place.path().join("run"), &options, &["cat"]);
    let arguments = ["new", "--profile", "count", "--label", "n=1", "--size", "100x30"];
    let run = gateway.hither(&arguments);
    assert_eq!(run.code, 0, "{run:?}");
    let id = run.stdout.trim();
    let wait = gateway.hither(&["wait", id, "--output", "seventeen in /tmp", "--from", "0"]);
    assert_eq!(wait.code, 0, "{wait:?}");
    let list = gateway.hither(&["ls", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list[0]["title"], "Counting");
    assert_eq!(list[0]["labels"], serde_json::json!({ "n": "1", "team": "a" }));
    assert_eq!((&list[0]["cols"], &list[0]["rows"]), (&100.into(), &30.into()));
    let unknown = gateway.hither(&["new", "--profile", "cuont"]);
    assert_eq!(unknown.code, 64, "{unknown:?}");
    assert!(unknown.stderr.contains("no such profile: there are count, other"), "{unknown:?}");
    assert_eq!(gateway.hither(&["new", "--profile", "count", "--", "ls"]).code, 64);
}

#[test]
fn profiles_are_checked_and_printed_without_their_variables() {
    let place = Place::new();
    let path = file(&place, PROFILES, 0o600);
    let printed = place.run(&["config", "--config", path.to_str().unwrap()]);
    assert_line(&printed, "[profiles.count]");
    assert!(printed.stdout.contains("COUNT = \"***\""), "{printed:?}");
    assert!(!printed.stdout.contains("seventeen"), "{printed:?}");
    for (text, part) in [
        ("[profiles.x]\ncwd = 'relative'\n", "profile `x`: cwd must be an absolute path"),
        ("[profiles.'a b']\n", "profile `a b`: a name must be"),
        ("[profiles.x]\ncomand = 'x'\n", "unknown field `comand`"),
    ] {
        let path = file(&place, text, 0o600);
        let options = ["--config", path.to_str().unwrap()];
        for command in [&["serve", "--check-config"][..], &["config"]] {
            let run = place.run(&[command, &options].concat());
            assert_eq!(run.code, 78, "{run:?}");
            assert!(run.stderr.contains(part), "{run:?}");
        }
    }
}
