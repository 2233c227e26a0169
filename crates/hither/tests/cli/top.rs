//! `hither top`, in a terminal of a session.

use crate::running::Running;

/// Runs `hither top` in a shell that says how it ended and what it left the terminal like.
const WATCH: &str = r#"before=$(stty -g); "$0" top --runtime-dir "$1" --interval 100ms
    echo "left-$?-$([ "$before" = "$(stty -g)" ] && echo as-it-was)"; cat"#;

#[test]
fn the_table_goes_on_until_q_is_pressed_and_busy_sessions_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let quiet = gateway.new_session(&["cat"]);
    let busy = gateway.new_session(&["sh", "-c", "while :; do echo busy; sleep 0.01; done"]);
    let dir = gateway.dir.to_str().unwrap();
    let top = gateway.new_session(&["sh", "-c", WATCH, env!("CARGO_BIN_EXE_hither"), dir]);
    let mut viewer = gateway.viewer(&top);
    viewer.until(|viewer| {
        let text = viewer.text();
        // The last table that has come whole.
        let table = text.rsplit("\x1b[H").nth(1).unwrap_or_default();
        let place = |id: &str| table.find(id);
        place(&busy).zip(place(&quiet)).is_some_and(|(busy, quiet)| busy < quiet)
    });
    assert!(viewer.text().contains("3 running, 0 ended, 1 viewer\x1b[K"), "{:?}", viewer.text());
    viewer.type_input(b"x");
    viewer.type_input(b"q");
    viewer.until(|viewer| viewer.text().contains("left-0-as-it-was"));
}

#[test]
fn a_gateway_that_goes_away_and_comes_back_is_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let watched = folder.path().join("watched");
    let gateway = Running::start(&folder.path().join("run"), &[], &["cat"]);
    let other = Running::start(&watched, &[], &["cat"]);
    let id = other.new_session(&["cat"]);
    let program = env!("CARGO_BIN_EXE_hither");
    let top = gateway.new_session(&["sh", "-c", WATCH, program, watched.to_str().unwrap()]);
    let mut viewer = gateway.viewer(&top);
    viewer.until(|viewer| viewer.text().contains(&id));
    other.crash();
    viewer.until(|viewer| viewer.text().contains("no gateway is running"));
    viewer.seen.clear();
    let _again = Running::start(&watched, &[], &["cat"]);
    viewer.until(|viewer| viewer.text().contains(&id));
    viewer.type_input(b"q");
    viewer.until(|viewer| viewer.text().contains("left-0-as-it-was"));
}
