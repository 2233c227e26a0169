//! What each route does, in words, and the types that it takes and gives.

use serde_json::json;

use super::operation::Operation;
use crate::http::auth_json::{AuthConfigJson, CurrentUserJson, LaunchUrlJson, LoggedInJson};
use crate::http::auth_routes::{LaunchBody, LoginBody};
use crate::http::grant_routes::GrantJson;
use crate::http::history::OutputQuery;
use crate::http::listing::ListQuery;
use crate::http::names::AmendmentJson;
use crate::http::new_session::NewSessionJson;
use crate::http::oidc_routes::{CallbackQuery, LoginQuery};
use crate::http::run::{RanJson, RunJson};
use crate::http::screen::{ScreenJson, ScreenQuery, ScrollbackJson, ScrollbackQuery};
use crate::http::server_routes::{UpgradeBody, UpgradingJson};
use crate::http::session_json::{SessionJson, SignalJson, SizeJson};
use crate::http::session_routes::{CleanedJson, ClosedJson, DoneJson, ResizedJson};
use crate::http::share_routes::{MadeShareJson, NewShareBody, RedeemBody, RedeemedJson, ShareJson};
use crate::http::status::{ConfigJson, HealthJson, ReadyJson, StatusJson};
use crate::http::ticket_routes::{TicketBody, TicketJson};
use crate::http::typing::{InputJson, TypedJson};
use crate::http::upgrade::TtydTokenJson;
use crate::http::viewer_routes::{LevelBody, ViewerJson};
use crate::http::wait::{WaitJson, WaitedJson};

const EVENTS: &[&str] = &["text/event-stream"];

/// All operations, in the order in which one reads about them.
pub(super) fn all() -> Vec<Operation> {
    [sessions(), driving(), reading(), sharing(), events(), server(), credentials(), pages()]
        .into_iter()
        .flatten()
        .collect()
}

fn sessions() -> Vec<Operation> {
    let op = |method, path, summary| Operation::new(method, path, "sessions", summary);
    vec![
        op("GET", "/api/sessions", "List sessions, oldest first")
            .query::<ListQuery>()
            .json::<Vec<SessionJson<'_>>>(200, "The sessions that you may see.")
            .with("link", "Where the next page is (RFC 8288), when there is one."),
        op("POST", "/api/sessions", "Start a session")
            .header(
                "idempotency-key",
                "A word of your own, at most 255 bytes: a request that repeats it within a day gets \
                 the session that the first one started.",
            )
            .body::<NewSessionJson>([
                json!({}),
                json!({ "command": "htop", "cwd": "/", "title": "Load", "cols": 132, "rows": 50 }),
                json!({ "profile": "build", "title": "nightly" }),
                json!({ "command": ["sh", "-c", "exit 3"], "env": { "TZ": "UTC" }, "labels": { "team": "a" } }),
            ])
            .json::<SessionJson<'_>>(201, "It runs.")
            .with("location", "Path of the session.")
            .problem(409, "A request with this idempotency key is being done.")
            .problem(410, "The session that the first request with this key started is gone.")
            .problem(422, "This idempotency key belongs to a request with another body."),
        op("GET", "/api/sessions/{id}", "Look at a session")
            .json::<SessionJson<'_>>(200, "The session."),
        op("PATCH", "/api/sessions/{id}", "Change title and labels")
            .body::<AmendmentJson>([
                json!({ "title": "build" }),
                json!({ "labels": { "team": "a", "old": null } }),
            ])
            .json::<SessionJson<'_>>(200, "The session as it is now."),
        op("DELETE", "/api/sessions/{id}", "End a session for all, or forget one that has exited")
            .json::<ClosedJson>(200, "It is gone."),
        op("POST", "/api/sessions/{id}/resize", "Set the window size")
            .details("It stays until a viewer types or resizes.")
            .body::<SizeJson>([json!({ "cols": 100, "rows": 30 })])
            .json::<ResizedJson>(200, "The size.")
            .problem(409, "The program has ended."),
        op("POST", "/api/sessions/{id}/reset-size", "Give the window size back to the viewers")
            .json::<ResizedJson>(200, "The size.")
            .problem(409, "The program has ended."),
        op("POST", "/api/sessions/{id}/signal", "Send a signal")
            .details("To the processes in the foreground of the session's terminal.")
            .body::<SignalJson>([json!({ "signal": "INT" })])
            .json::<DoneJson>(200, "It was sent.")
            .problem(409, "The program has ended, or nothing is in the foreground."),
        op("POST", "/api/cleanup-exited", "Forget all sessions that have exited")
            .json::<CleanedJson>(200, "How many there were."),
    ]
}

fn driving() -> Vec<Operation> {
    let op = |method, path, summary| Operation::new(method, path, "driving", summary);
    vec![
        op("POST", "/api/sessions/{id}/input", "Type")
            .details("Text, then pasted text, then keys: all of it or, with an error, nothing.")
            .body::<InputJson>([
                json!({ "data": "make test\r" }),
                json!({ "data": ":wq", "keys": ["Enter"] }),
                json!({ "paste": "two\nlines" }),
            ])
            .json::<TypedJson>(200, "It was typed.")
            .problem(409, "The program has ended."),
        op("POST", "/api/sessions/{id}/wait", "Wait until something happens")
            .details(
                "Answers with the first of the conditions that comes true, with `timeout` when the \
                 time is over, and with `exit` when the program ends.",
            )
            .body::<WaitJson>([
                json!({ "quietMs": 1 }),
                json!({ "output": "passed|failed", "timeoutMs": 1 }),
                json!({ "screen": "^INSERT", "prompt": true, "from": 0, "timeoutMs": 1 }),
            ])
            .json::<WaitedJson>(200, "What ended the wait."),
        op("POST", "/api/sessions/{id}/run", "Run a command in the session's shell")
            .details(
                "Types a line at the shell's prompt and waits for the command to end; the shell has \
                 to mark prompts and commands (OSC 133).",
            )
            .body::<RunJson>([json!({ "command": "git status --short" })])
            .json::<RanJson>(200, "What came of it.")
            .problem(409, "The shell is busy, marks no prompts, or has ended."),
    ]
}

fn reading() -> Vec<Operation> {
    let op = |method, path, summary| Operation::new(method, path, "reading", summary);
    vec![
        op("GET", "/api/sessions/{id}/screen", "What a viewer would see")
            .query::<ScreenQuery>()
            .header("if-none-match", "The `etag` of an answer that you have.")
            .json::<ScreenJson>(200, "The screen.")
            .or(&["text/plain", "application/octet-stream"])
            .with("hither-offset", "The output up to this offset has been shown.")
            .with("etag", "Names this state of the screen.")
            .answer(304, "You have it.", &[]),
        op("GET", "/api/sessions/{id}/scrollback", "Lines above the screen")
            .query::<ScrollbackQuery>()
            .json::<ScrollbackJson>(200, "The lines.")
            .or(&["text/plain"])
            .with("hither-offset", "The output up to this offset has been shown."),
        op("GET", "/api/sessions/{id}/output", "Output from an offset on")
            .details(
                "At once, as soon as there is some (`wait`), or as events that end with the program; \
                 an event is named by the offset behind it, and `last-event-id` continues there.",
            )
            .query::<OutputQuery>()
            .header("last-event-id", "Name of the last event that you have seen.")
            .answer(200, "The output.", &["application/octet-stream", "text/plain", EVENTS[0]])
            .with("hither-offset", "Offset of the first byte.")
            .with("hither-next-offset", "Where the next request continues.")
            .with("hither-end", "`true` when nothing follows, because the program has ended."),
        op("GET", "/api/sessions/{id}/stream", "The screen, then output as events")
            .answer(200, "Events.", EVENTS),
    ]
}

fn events() -> Vec<Operation> {
    vec![
        Operation::new("GET", "/api/events", "events", "What happens to sessions")
            .details("Named events; `last-event-id` continues behind one of the last 1,024.")
            .header("last-event-id", "Name of the last event that you have seen.")
            .answer(200, "Events.", EVENTS),
        Operation::new("GET", "/ws", "events", "A WebSocket: hither.v1, ttyd's or the plan's")
            .details("See docs/protocol.md.")
            .answer(101, "The connection is a WebSocket now.", &[])
            .problem(404, "There is no such session, or none that you may see.")
            .problem(426, "This is no WebSocket handshake of version 13."),
        Operation::new("GET", "/token", "events", "For ttyd's client")
            .json::<TtydTokenJson>(200, "No token is needed."),
    ]
}

fn server() -> Vec<Operation> {
    let op = |path, summary| Operation::new("GET", path, "server", summary);
    vec![
        op("/api/health", "Whether the server answers").json::<HealthJson>(200, "It does."),
        op("/api/ready", "Whether whoever comes now can be served")
            .details("For whoever sends people here; health is for whoever restarts processes.")
            .json::<ReadyJson>(200, "Sessions can be started and reached.")
            .problem(
                503,
                "Not now: `adopting` sessions of the last gateway, `stopping`, or `host_unavailable`.",
            ),
        op("/health", "The same").json::<HealthJson>(200, "It does."),
        op("/api/config", "What a client may want to know").json::<ConfigJson>(200, "Settings."),
        op("/api/server/status", "Counts of this moment").json::<StatusJson>(200, "Counts."),
        Operation::new("POST", "/api/server/upgrade", "server", "Let another program go on")
            .details("On the Unix socket only; docs/operations.md has the whole of it.")
            .body::<UpgradeBody>([])
            .json::<UpgradingJson>(200, "It begins.")
            .problem(404, "This server cannot be upgraded.")
            .problem(409, "The server goes on as it is; the detail has the reason."),
        op("/api/openapi.json", "This document")
            .answer(200, "The document.", &["application/json"])
            .answer(304, "You have it.", &[]),
        op("/api/docs", "This document for people").answer(200, "A page.", &["text/html"]).answer(
            304,
            "You have it.",
            &[],
        ),
        op("/api/docs.css", "Its style").answer(200, "A style sheet.", &["text/css"]).answer(
            304,
            "You have it.",
            &[],
        ),
    ]
}

fn credentials() -> Vec<Operation> {
    let op = |method, path, summary| Operation::new(method, path, "credentials", summary);
    vec![
        op("GET", "/api/auth/config", "How to get in").json::<AuthConfigJson>(200, "The ways."),
        op("POST", "/api/auth/launch", "The secret of the printed address for a cookie")
            .body::<LaunchBody>([])
            .answer(204, "You are in.", &[])
            .with("set-cookie", "The login."),
        op("POST", "/api/auth/login", "A password for a cookie and a token")
            .body::<LoginBody>([])
            .json::<LoggedInJson>(200, "You are in.")
            .with("set-cookie", "The login."),
        op("GET", "/api/auth/oidc/login", "Sign on at the provider")
            .details("For browsers: `session` names the session whose page it leads to.")
            .query::<LoginQuery>()
            .answer(303, "To the provider, or to the start page with the reason why not.", &[])
            .with("location", "Where to go.")
            .with("set-cookie", "The sign-on, for ten minutes.")
            .problem(404, "There is no provider."),
        op("GET", "/api/auth/oidc/callback", "Come back from the provider")
            .query::<CallbackQuery>()
            .answer(303, "To a page of ours; with the reason, when you are not in.", &[])
            .with("location", "Where to go.")
            .with("set-cookie", "The login.")
            .problem(404, "There is no provider."),
        op("POST", "/api/auth/launch-url", "An address that logs a browser in, once")
            .json::<LaunchUrlJson>(200, "The address."),
        op("POST", "/api/auth/logout", "End the login of this request").answer(204, "Done.", &[]),
        op("POST", "/api/auth/logout-all", "End all logins of yours").answer(204, "Done.", &[]),
        op("POST", "/api/auth/reload", "Read users and tokens from the store again").answer(
            204,
            "Done.",
            &[],
        ),
        op("GET", "/api/auth/current-user", "Who you are").json::<CurrentUserJson>(200, "You."),
        op("POST", "/api/ws-ticket", "A ticket for one WebSocket")
            .body::<TicketBody>([])
            .json::<TicketJson>(200, "The ticket.")
            .problem(404, "There is no such session, or none that you may see.")
            .problem(503, "Too many tickets are not used."),
        op("POST", "/api/share", "The secret of a share link for a ticket")
            .body::<RedeemBody>([])
            .json::<RedeemedJson>(200, "The session and a ticket for it.")
            .problem(503, "As many viewers as may come by this link are there."),
    ]
}

fn sharing() -> Vec<Operation> {
    let op = |method, path, summary| Operation::new(method, path, "sharing", summary);
    let gone = "There is no such viewer or link, or no such session.";
    vec![
        op("GET", "/api/sessions/{id}/viewers", "Who is attached")
            .json::<Vec<ViewerJson>>(200, "The viewers."),
        op("PATCH", "/api/sessions/{id}/viewers/{number}", "Let a viewer type, or watch only")
            .body::<LevelBody>([json!({ "level": "read" })])
            .json::<ViewerJson>(200, "The viewer.")
            .problem(404, gone),
        op("DELETE", "/api/sessions/{id}/viewers/{number}", "Send a viewer away")
            .answer(204, "Done.", &[])
            .problem(404, gone),
        op("GET", "/api/sessions/{id}/grants", "Who has been given a level")
            .json::<Vec<GrantJson>>(200, "The users."),
        op("PUT", "/api/sessions/{id}/grants/{user}", "Give a user a level in a session")
            .details("The session is in the user's list then. What is open follows at once.")
            .body::<LevelBody>([json!({ "level": "write" })])
            .json::<GrantJson>(200, "The user and the level.")
            .problem(404, "There is no such user, or no such session.")
            .problem(409, "As many users have a level in the session as may.")
            .problem(503, "The store cannot be used, or try again later."),
        op("DELETE", "/api/sessions/{id}/grants/{user}", "Take the level of a user away")
            .answer(204, "Done; viewers who have no other right are sent away.", &[])
            .problem(404, "That user has none, or there is no such session."),
        op("GET", "/api/sessions/{id}/shares", "Share links of a session")
            .json::<Vec<ShareJson>>(200, "The links, without their secrets."),
        op("POST", "/api/sessions/{id}/shares", "Make a share link")
            .body::<NewShareBody>([json!({}), json!({ "label": "class", "expiresIn": 3600 })])
            .json::<MadeShareJson>(201, "The link, with its secret this once.")
            .problem(409, "The session has as many links as it may.")
            .problem(503, "The store cannot be used, or try again later."),
        op("DELETE", "/api/sessions/{id}/shares/{number}", "Withdraw a share link")
            .answer(204, "Done.", &[])
            .problem(404, gone),
    ]
}

fn pages() -> Vec<Operation> {
    let op = |path, summary| Operation::new("GET", path, "pages", summary);
    let files: &[&str] = &["application/octet-stream"];
    vec![
        op("/", "The start page").answer(200, "A page.", &["text/html"]),
        op("/s/{id}", "The page of a session")
            .answer(200, "A page.", &["text/html"])
            .problem(404, "That is no name of a session."),
        op("/assets/{*path}", "Files of the page")
            .answer(200, "A file.", files)
            .problem(404, "There is no such file."),
        op("/favicon.ico", "Icon").answer(200, "A file.", files).problem(404, "Not built in."),
        op("/favicon.svg", "Icon")
            .answer(200, "A file.", &["image/svg+xml"])
            .problem(404, "Not built in."),
        op("/manifest.webmanifest", "Manifest of the page")
            .answer(200, "A file.", files)
            .problem(404, "Not built in."),
    ]
}
