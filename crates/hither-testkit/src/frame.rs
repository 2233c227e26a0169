//! Frames of `hither.v1`, written from docs/protocol.md alone: nothing here is shared with the
//! gateway, so that a misunderstanding on one side is seen by the other.

use serde_json::{Value, json};

/// A frame of the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerFrame {
    /// Answers `hello`.
    Welcome(Welcome),
    /// Output from this offset on.
    Output {
        /// Offset of the first byte.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Bytes that rebuild the screen as it is at this offset.
    Snapshot {
        /// Output goes on here.
        offset: u64,
        /// Window size, columns first.
        size: (u16, u16),
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Output that is not sent on this connection.
    Gap {
        /// First offset left out.
        from: u64,
        /// Where output goes on.
        to: u64,
    },
    /// How far input has come.
    InputAck {
        /// Highest number written whole.
        accepted: u64,
        /// Highest number that the program has had for a while.
        settled: u64,
    },
    /// Window size and its owner.
    Size {
        /// Columns and rows.
        size: (u16, u16),
        /// A viewer's id, or 0.
        owner: u64,
    },
    /// Bit 0 ECHO, bit 1 ICANON.
    Termios(u8),
    /// Something happened.
    Event(Value),
    /// Answers a ping.
    Pong(u64),
    /// How the session ended.
    Exit(Exit),
    /// The server gives up on this connection.
    Error {
        /// One of a closed list.
        code: String,
        /// For people.
        message: String,
    },
    /// A type that the document does not name.
    Unknown(u8),
}

/// What the server grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// This viewer's id.
    pub viewer: u64,
    /// Output continues exactly where it was asked for.
    pub resumed: bool,
    /// Where output or the snapshot starts.
    pub offset: u64,
    /// Highest accepted input number of this client.
    pub accepted: u64,
    /// Window size.
    pub size: (u16, u16),
    /// Granted role.
    pub role: String,
    /// Granted features.
    pub features: Vec<String>,
    /// `running` or `exited`.
    pub state: String,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The child's exit status.
    Code(u8),
    /// The signal that ended it.
    Signal(u8, String),
    /// The status could not be learned.
    Unknown,
    /// The PTY host took it along.
    Lost,
}

/// What a viewer says first.
#[derive(Clone, Debug, Default)]
pub struct Hello {
    /// Client id.
    pub client: u64,
    /// Where to continue.
    pub resume: Option<u64>,
    /// Columns and rows of the viewer's window.
    pub size: Option<(u16, u16)>,
    /// Wants to watch only.
    pub observer: bool,
    /// Wanted features.
    pub features: Vec<&'static str>,
}

/// Bytes that are no frame of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame of type {kind:#04x} and {len} bytes is malformed: expected {expected}")]
pub struct Malformed {
    /// Its type, 0 without one.
    pub kind: u8,
    /// Its length.
    pub len: usize,
    /// What the document says.
    pub expected: &'static str,
}

impl Hello {
    /// The frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = json!({
            "client": format!("{:016x}", self.client),
            "role": if self.observer { "observer" } else { "operator" },
            "features": self.features,
        });
        if let Some(resume) = self.resume {
            body["resume"] = resume.into();
        }
        if let Some((cols, rows)) = self.size {
            body["cols"] = cols.into();
            body["rows"] = rows.into();
        }
        let mut frame = vec![0x01];
        frame.extend_from_slice(body.to_string().as_bytes());
        frame
    }
}

/// The frame that carries input.
#[must_use]
pub fn input(number: u64, bytes: &[u8]) -> Vec<u8> {
    [&[0x02][..], &number.to_be_bytes(), bytes].concat()
}

/// The frame that tells the viewer's window size.
#[must_use]
pub fn resize(cols: u16, rows: u16) -> Vec<u8> {
    [&[0x03][..], &cols.to_be_bytes(), &rows.to_be_bytes()].concat()
}

/// The frame that acknowledges everything before `offset`.
#[must_use]
pub fn ack(offset: u64) -> Vec<u8> {
    [&[0x04][..], &offset.to_be_bytes()].concat()
}

/// The frame that asks for a pong.
#[must_use]
pub fn ping(token: u64) -> Vec<u8> {
    [&[0x05][..], &token.to_be_bytes()].concat()
}

impl ServerFrame {
    /// Reads one binary message.
    ///
    /// # Errors
    /// When it is not what docs/protocol.md says about its type.
    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let Some((&kind, body)) = message.split_first() else {
            return Err(Malformed { kind: 0, len: 0, expected: "a type" });
        };
        let wrong = |expected| Malformed { kind, len: message.len(), expected };
        let fields = |len: usize, expected| {
            if body.len() == len { Ok(()) } else { Err(wrong(expected)) }
        };
        Ok(match kind {
            0x81 => Self::Welcome(welcome(body).ok_or_else(|| wrong("a welcome"))?),
            0x82 if (9..=8 + 65_536).contains(&body.len()) => {
                Self::Output { offset: u64_at(body, 0), bytes: body[8..].to_vec() }
            }
            0x82 => return Err(wrong("an offset and 1 to 65,536 bytes")),
            0x83 if (12..=12 + (1 << 20)).contains(&body.len()) => Self::Snapshot {
                offset: u64_at(body, 0),
                size: (u16_at(body, 8), u16_at(body, 10)),
                bytes: body[12..].to_vec(),
            },
            0x83 => return Err(wrong("offset, size and at most 1 MiB")),
            0x84 => {
                fields(16, "two offsets")?;
                Self::Gap { from: u64_at(body, 0), to: u64_at(body, 8) }
            }
            0x85 => {
                fields(16, "two input numbers")?;
                Self::InputAck { accepted: u64_at(body, 0), settled: u64_at(body, 8) }
            }
            0x86 => {
                fields(12, "size and owner")?;
                Self::Size { size: (u16_at(body, 0), u16_at(body, 2)), owner: u64_at(body, 4) }
            }
            0x87 => {
                fields(1, "flags")?;
                Self::Termios(body[0])
            }
            0x88 => Self::Event(event(body).ok_or_else(|| wrong("an object with a type"))?),
            0x89 => {
                fields(8, "a token")?;
                Self::Pong(u64_at(body, 0))
            }
            0x8a => Self::Exit(exit(body).ok_or_else(|| wrong("one of the four exits"))?),
            0x8b => error(body).ok_or_else(|| wrong("code and message"))?,
            kind => Self::Unknown(kind),
        })
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().expect("the length was checked"))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes[at..at + 2].try_into().expect("the length was checked"))
}

fn object(body: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Value>(body).ok().filter(Value::is_object)
}

fn event(body: &[u8]) -> Option<Value> {
    object(body).filter(|event| event["type"].is_string())
}

fn error(body: &[u8]) -> Option<ServerFrame> {
    let body = object(body)?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    Some(ServerFrame::Error { code: text("code")?, message: text("message")? })
}

fn welcome(body: &[u8]) -> Option<Welcome> {
    let body = object(body)?;
    let number = |name: &str| body[name].as_u64().filter(|&number| number < 1 << 53);
    let small = |name: &str| u16::try_from(number(name)?).ok();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let features = body["features"].as_array()?.iter();
    text("session")?;
    text("title")?;
    number("owner")?;
    Some(Welcome {
        viewer: number("viewer")?,
        resumed: body["resumed"].as_bool()?,
        offset: number("offset")?,
        accepted: number("accepted")?,
        size: (small("cols")?, small("rows")?),
        role: text("role")?,
        features: features
            .map(|feature| feature.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
        state: text("state").filter(|state| state == "running" || state == "exited")?,
    })
}

fn exit(body: &[u8]) -> Option<Exit> {
    let body = object(body)?;
    let code = body["code"].as_u64().and_then(|code| u8::try_from(code).ok()).map(Exit::Code);
    let signal = body["signal"].as_u64().and_then(|signal| u8::try_from(signal).ok());
    let signal =
        signal.and_then(|signal| Some(Exit::Signal(signal, body["name"].as_str()?.to_owned())));
    let unknown = (body["unknown"] == true).then_some(Exit::Unknown);
    let lost = (body["lost"] == true).then_some(Exit::Lost);
    let mut all = [code, signal, unknown, lost].into_iter().flatten();
    let exit = all.next()?;
    all.next().is_none().then_some(exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_bodies_are_refused_and_unknown_types_are_not() {
        for message in [
            &[][..],
            &[0x81],
            b"\x81{}",
            &[0x82, 0, 0, 0, 0, 0, 0, 0, 1],
            &[0x84, 0],
            &[0x87],
            &[0x87, 1, 1],
            b"\x88{\"count\":1}",
            b"\x8a{}",
            b"\x8a{\"code\":256}",
            b"\x8a{\"code\":1,\"lost\":true}",
            b"\x8b{\"code\":1}",
        ] {
            assert!(ServerFrame::decode(message).is_err(), "{message:?}");
        }
        assert_eq!(ServerFrame::decode(&[0x77, 1]), Ok(ServerFrame::Unknown(0x77)));
    }

    #[test]
    fn exits_are_exactly_one_of_four() {
        for (body, expect) in [
            (&b"{\"code\":7}"[..], Exit::Code(7)),
            (b"{\"signal\":9,\"name\":\"SIGKILL\"}", Exit::Signal(9, "SIGKILL".to_owned())),
            (b"{\"unknown\":true}", Exit::Unknown),
            (b"{\"lost\":true}", Exit::Lost),
        ] {
            assert_eq!(exit(body), Some(expect));
        }
    }
}
