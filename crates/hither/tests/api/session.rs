//! One session of a real gateway, asked for by API.

use hither_testkit::gateway::{Gateway, Home};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A gateway and one session of it.
pub(crate) struct Session {
    pub(crate) gateway: Gateway,
    pub(crate) id: String,
    home: Home,
}

impl Session {
    /// Starts a gateway, and a session as this body says.
    pub(crate) fn create(body: &Value) -> Self {
        let home = Home::new(env!("CARGO_BIN_EXE_hither")).unwrap();
        let gateway = home.start().unwrap();
        let (status, session) = gateway.request("POST", "/api/sessions", body).unwrap();
        assert_eq!(status, 201, "{session}");
        let id = session["id"].as_str().unwrap().to_owned();
        Self { gateway, id, home }
    }

    /// Asks for something of the session and expects this status.
    pub(crate) fn ask(&self, method: &str, what: &str, body: &Value, expect: u16) -> Value {
        let path = format!("/api/sessions/{}{what}", self.id);
        let (status, answer) = self.gateway.request(method, &path, body).unwrap();
        assert_eq!(status, expect, "{method} {what} {body}: {answer}");
        answer
    }

    pub(crate) fn post(&self, what: &str, body: &Value) -> Value {
        self.ask("POST", what, body, 200)
    }

    pub(crate) fn screen(&self) -> Value {
        self.ask("GET", "/screen", &Value::Null, 200)
    }

    /// Waits and expects that this ends the wait.
    pub(crate) fn wait(&self, body: &Value, reason: &str) -> Value {
        let answer = self.post("/wait", body);
        assert_eq!(answer["reason"], reason, "{body}: {answer}; {}", self.screen());
        answer
    }

    /// Types keys and answers with the offset behind which their effect comes.
    pub(crate) fn keys(&self, keys: &[&str]) -> Value {
        self.post("/input", &json!({ "keys": keys }))["offset"].clone()
    }

    /// Kills the gateway and starts another one: not before, or it would find the first at work.
    pub(crate) fn replace_gateway(&mut self) {
        self.gateway.signal(Signal::KILL).unwrap();
        self.gateway.wait().unwrap();
        self.gateway = self.home.start().unwrap();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.home.clear();
    }
}
