//! The floor of the HTTP API: the least that makes, lists and ends sessions.
//!
//! A session is a program in a terminal that nobody reads. The list is put together from fixed
//! texts, and nothing that a server has to look at is looked at.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::CString;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use hither_pty::PidFd;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;

use super::listen::listen_on_loopback;
use super::relay::Terminal;
use super::starter::Starter;

/// The event data of the listener; connections have their number.
const LISTENER: u64 = u64::MAX;
/// Longest request.
const REQUEST_MAX: usize = 16 * 1024;

/// Answers requests, one thread for all connections.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) listener: TcpListener,
    epoll: OwnedFd,
    connections: BTreeMap<u64, Connection>,
    /// Connections so far.
    accepted: u64,
    sessions: Sessions,
}

#[derive(Debug)]
struct Connection {
    socket: TcpStream,
    received: Vec<u8>,
}

#[derive(Debug)]
struct Sessions {
    starter: Starter,
    running: BTreeMap<u64, Terminal>,
    /// Programs that were hung up and are not reaped yet.
    dying: Vec<PidFd>,
    /// Sessions so far.
    started: u64,
}

/// An answer: its status line's end, and its body.
type Answer = (&'static str, String);

impl Api {
    pub(super) fn bind(argv: Vec<CString>) -> io::Result<Self> {
        let listener = listen_on_loopback()?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let starter = Starter::new(argv)?;
        let sessions =
            Sessions { starter, running: BTreeMap::new(), dying: Vec::new(), started: 0 };
        Ok(Self { listener, epoll, connections: BTreeMap::new(), accepted: 0, sessions })
    }

    pub(super) fn run(mut self) -> io::Result<Infallible> {
        let mut events = Vec::with_capacity(64);
        loop {
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in &events {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    number => self.handle(number),
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Ok((socket, _)) = self.listener.accept() {
            socket.set_nodelay(true)?;
            let data = EventData::new_u64(self.accepted);
            epoll::add(&self.epoll, &socket, data, EventFlags::IN)?;
            self.connections.insert(self.accepted, Connection { socket, received: Vec::new() });
            self.accepted += 1;
        }
        Ok(())
    }

    /// A client has asked something, or is gone.
    fn handle(&mut self, number: u64) {
        let Some(connection) = self.connections.get_mut(&number) else { return };
        if connection.handle(&mut self.sessions).is_none() {
            self.connections.remove(&number);
        }
    }
}

impl Connection {
    /// Answers what has come; none is a connection that is over.
    fn handle(&mut self, sessions: &mut Sessions) -> Option<()> {
        let mut space = [0; 4096];
        let len = self.socket.read(&mut space).ok().filter(|len| *len > 0)?;
        self.received.extend_from_slice(&space[..len]);
        while let Some((length, answer)) = parse(&self.received, sessions)? {
            self.received.drain(..length);
            let (status, body) = answer;
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            self.socket.write_all((head + &body).as_bytes()).ok()?;
        }
        (self.received.len() <= REQUEST_MAX).then_some(())
    }
}

/// The answer to the first whole request and that one's length, if there is one; none at all when
/// it is no HTTP.
fn parse(received: &[u8], sessions: &mut Sessions) -> Option<Option<(usize, Answer)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(received).ok()? else {
        return Some(None);
    };
    let length = request.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let body = match length {
        Some(header) => std::str::from_utf8(header.value).ok()?.parse().ok()?,
        None => 0,
    };
    let whole = head.checked_add(body)?;
    if received.len() < whole {
        return Some(None);
    }
    Some(Some((whole, sessions.answer(request.method?, request.path?))))
}

impl Sessions {
    fn answer(&mut self, method: &str, path: &str) -> Answer {
        match (method, path, path.strip_prefix("/api/sessions/")) {
            ("GET", "/health", _) => ("200 OK", r#"{"status":"ok"}"#.to_owned()),
            ("GET", "/api/sessions", _) => {
                let texts: Vec<_> = self.running.keys().map(|number| text(*number)).collect();
                ("200 OK", format!("[{}]", texts.join(",")))
            }
            ("POST", "/api/sessions", _) => match self.starter.start() {
                Ok(terminal) => {
                    self.started += 1;
                    self.running.insert(self.started, terminal);
                    ("201 Created", text(self.started))
                }
                Err(error) => ("500 Internal Server Error", error.to_string()),
            },
            ("DELETE", _, Some(number)) => {
                let number = number.parse().ok();
                match number.and_then(|number| self.running.remove(&number)) {
                    Some(terminal) => self.end(terminal),
                    None => ("404 Not Found", String::new()),
                }
            }
            _ => ("404 Not Found", String::new()),
        }
    }

    /// The program is hung up by the kernel when the terminal closes.
    fn end(&mut self, terminal: Terminal) -> Answer {
        self.dying.push(terminal.child);
        self.dying.retain(|child| matches!(child.reap(), Ok(None)));
        ("204 No Content", String::new())
    }
}

/// A session as text, about as long as that of a server.
fn text(number: u64) -> String {
    format!(
        r#"{{"id":"{number}","title":"sh","command":"/bin/sh","cwd":"/","cols":80,"rows":24,"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z","status":"running","active":true,"clients":0,"outputBytes":0,"argv":["/bin/sh"],"labels":{{}},"shell":"unknown"}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status and the body of the answer to one request.
    fn ask(socket: &mut TcpStream, method: &str, path: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n");
        socket.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
        let mut received = Vec::new();
        loop {
            if let Some(response) = crate::wire::parse_response(&received).unwrap() {
                return (response.status, String::from_utf8(response.body.to_vec()).unwrap());
            }
            let mut space = [0; 1024];
            let len = socket.read(&mut space).unwrap();
            assert!(len > 0, "the floor hung up after {received:?}");
            received.extend_from_slice(&space[..len]);
        }
    }

    #[test]
    fn sessions_are_made_listed_and_ended() {
        let argv = ["/bin/cat"].map(|word| CString::new(word).unwrap());
        let api = Api::bind(argv.to_vec()).unwrap();
        let address = api.listener.local_addr().unwrap();
        std::thread::spawn(move || api.run());
        let mut socket = TcpStream::connect(address).unwrap();
        assert_eq!(ask(&mut socket, "GET", "/health", "").0, 200);
        assert_eq!(ask(&mut socket, "GET", "/api/sessions", ""), (200, "[]".to_owned()));
        let (status, made) = ask(&mut socket, "POST", "/api/sessions", "{}");
        assert_eq!(status, 201, "{made}");
        let session: serde_json::Value = serde_json::from_str(&made).unwrap();
        assert_eq!(session["id"], "1");
        assert_eq!(ask(&mut socket, "GET", "/api/sessions", ""), (200, format!("[{made}]")));
        assert_eq!(ask(&mut socket, "DELETE", "/api/sessions/1", "").0, 204);
        assert_eq!(ask(&mut socket, "DELETE", "/api/sessions/1", "").0, 404);
        assert_eq!(ask(&mut socket, "GET", "/nowhere", "").0, 404);
        socket.write_all(b"\0").unwrap();
        assert_eq!(socket.read(&mut [0]).unwrap(), 0, "what is no HTTP is not answered");
    }
}
