//! Bodies that were made to break something: rows H04 and H10 of the security catalogue.

use hither_auth::Mode;
use hither_server::http::{ROUTES, Route};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Builder;

use crate::client::Response;
use crate::harness::Harness;

/// Members that some body has.
const NAMES: [&str; 26] = [
    "command",
    "cwd",
    "title",
    "cols",
    "rows",
    "env",
    "labels",
    "onClose",
    "profile",
    "data",
    "keys",
    "paste",
    "signal",
    "secret",
    "passphrase",
    "username",
    "password",
    "level",
    "expiresIn",
    "viewersMax",
    "needsLogin",
    "label",
    "session",
    "role",
    "program",
    "",
];
/// Values that JSON allows and programs trip over.
const LEAVES: [&str; 24] = [
    "null",
    "true",
    "0",
    "-0",
    "-1",
    "1e400",
    "-1e400",
    "1e-400",
    "0.1",
    "65536",
    "18446744073709551616",
    "99999999999999999999999999999999",
    "\"\"",
    r#""\u0000""#,
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""\u001b]0;x\u0007""#,
    r#""../../etc/passwd""#,
    r#""{{7*7}}""#,
    r#""$(reboot)""#,
    r#""read""#,
    r#""write""#,
    "[]",
    "{}",
];
/// Routes that may wait for a long time when a body is good by chance, and that which ends the login.
const LEFT_OUT: [&str; 4] = ["/wait", "/run", "/logout", "/logout-all"];

/// JSON, or nearly: members may be there twice.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => proptest::sample::select(&LEAVES[..]).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        1 => (1_usize..70_000).prop_map(|count| format!("\"{}\"", "x".repeat(count))),
        1 => (1_usize..10_000).prop_map(|deep| "[".repeat(deep) + &"]".repeat(deep)),
        1 => (1_usize..10_000).prop_map(|deep| "{\"a\":".repeat(deep) + "1" + &"}".repeat(deep)),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let member = (proptest::sample::select(&NAMES[..]), inner.clone());
        let object = vec(member, 0..8).prop_map(|members| {
            let members = members.iter().map(|(name, value)| format!("\"{name}\":{value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        let array = vec(inner, 0..8).prop_map(|values| format!("[{}]", values.join(",")));
        prop_oneof![3 => object, 1 => array]
    })
}

/// That, whole or cut off, or anything.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => json().prop_map(String::into_bytes),
        2 => (json(), any::<proptest::sample::Index>()).prop_map(|(text, at)| {
            let mut bytes = text.into_bytes();
            bytes.truncate(at.index(bytes.len() + 1));
            bytes
        }),
        1 => vec(any::<u8>(), 0..200),
    ]
}

/// A body for a route; shown by its beginning, since it may be long.
#[derive(Clone)]
struct Case {
    route: &'static Route,
    body: Vec<u8>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = String::from_utf8_lossy(&self.body[..self.body.len().min(200)]);
        let Route { method, path, .. } = self.route;
        write!(f, "{method} {path} with {} bytes: {start:?}", self.body.len())
    }
}

fn check(route: &Route, response: &Response) -> Result<(), TestCaseError> {
    let status = response.status;
    prop_assert!(response.header("x-request-id").is_some());
    if status < 400 {
        return Ok(());
    }
    prop_assert_eq!(response.header("content-type"), Some("application/problem+json"));
    let code = response.code();
    // No store is behind this server, in which links would be.
    let wants_store = route.path.ends_with("/shares") || route.path.ends_with("/reload");
    prop_assert!(status < 500 || wants_store && status == 503, "{} {}", status, code);
    let text = String::from_utf8_lossy(&response.body).into_owned();
    for inside in [".rs:", "panicked", "backtrace", env!("CARGO_MANIFEST_DIR")] {
        prop_assert!(!text.contains(inside), "{}", text);
    }
    prop_assert!(text.len() < 4096, "an answer of {} bytes", text.len());
    Ok(())
}

#[test]
fn h04_whatever_a_body_is_the_answer_is_one_of_ours() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let harness = runtime.block_on(Harness::start(Mode::Required));
    let routes: Vec<_> = ROUTES
        .iter()
        .filter(|route| ["POST", "PATCH", "PUT"].contains(&route.method))
        .filter(|route| !LEFT_OUT.iter().any(|end| route.path.ends_with(end)))
        .collect();
    assert!(routes.len() > 10, "{routes:?}");
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(400) });
    let strategy = (proptest::sample::select(routes), body());
    let strategy = strategy.prop_map(|(route, body)| Case { route, body });
    let result = runner.run(&strategy, |Case { route, body }| {
        let id = harness.id.as_str();
        let target =
            route.path.replace("{id}", id).replace("{number}", "1").replace("{user}", "eve");
        let request = harness.trusted(route.method, &target).json(body);
        check(route, &runtime.block_on(request.send(harness.address)))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert_eq!(runtime.block_on(harness.get("/api/sessions")).status, 200);
}
