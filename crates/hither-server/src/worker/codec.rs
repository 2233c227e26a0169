//! What is said to a viewer, in the words of its protocol.

use std::time::Duration;

use hither_core::{ExitStatus, Offset};
use hither_protocol::hither::{ErrorCode, Event, Exit, ServerFrame, TermiosFlags};
use hither_protocol::replies;
use hither_protocol::ttyd;
use hither_protocol::websocket::{CloseCode, Opcode, append_frame, encode_close, encode_header};
use hither_screen::QueryKind;

use super::session::Session;
use super::viewer::{Notices, Viewer};
use crate::sessions::ViewerProtocol;

/// A terminal reset (RIS, ECMA-48): what comes before a snapshot that is sent as output.
const RESET: &[u8] = b"\x1bc";

/// What surrounds a snapshot at most: its gap, headers, and the pings and last words that may come
/// behind it while it waits.
const SNAPSHOT_FRAMES_BYTES: usize = 4 << 10;

/// Appends the small frames that are due and marks them as said.
pub(super) fn append_notices(
    viewer: &mut Viewer,
    session: &Session,
    now: Duration,
    out: &mut Vec<u8>,
) {
    if !viewer.notices.any() || viewer.cursor.is_none() {
        return;
    }
    let notices = std::mem::take(&mut viewer.notices);
    match viewer.protocol {
        ViewerProtocol::Hither => append_hither_notices(viewer, notices, session, now, out),
        ViewerProtocol::Ttyd if notices.title => {
            append_ttyd(out, &ttyd::ServerFrame::Title(session.shared.title().into()));
        }
        ViewerProtocol::Ttyd | ViewerProtocol::Plan | ViewerProtocol::Raw => {}
    }
}

fn append_hither_notices(
    viewer: &mut Viewer,
    notices: Notices,
    session: &Session,
    now: Duration,
    out: &mut Vec<u8>,
) {
    if notices.input_ack {
        let settled = viewer.input.settled(now);
        append_hither(out, &ServerFrame::InputAck { accepted: viewer.input.accepted, settled });
    }
    if notices.size {
        let (size, owner) = (session.size.size(), session.size.owner());
        append_hither(out, &ServerFrame::Size { size, owner });
    }
    if notices.title {
        append_hither(out, &ServerFrame::Event(Event::Title(session.shared.title())));
    }
    if notices.bell {
        append_hither(out, &ServerFrame::Event(Event::Bell));
    }
    if notices.viewers {
        let count = u32::try_from(session.viewers.len()).unwrap_or(u32::MAX);
        append_hither(out, &ServerFrame::Event(Event::Viewers(count)));
    }
    if notices.role {
        append_hither(out, &ServerFrame::Event(Event::Role(viewer.role)));
    }
    if notices.termios
        && let Some(echo) = session.echo
    {
        let mut flags = TermiosFlags::default();
        if echo.echo {
            flags = flags.with(TermiosFlags::ECHO);
        }
        if echo.canonical {
            flags = flags.with(TermiosFlags::ICANON);
        }
        append_hither(out, &ServerFrame::Termios(flags));
    }
}

/// Appends what comes before `len` bytes of output from `offset`.
#[inline]
pub(super) fn append_output_prefix(
    protocol: ViewerProtocol,
    offset: Offset,
    len: u64,
    out: &mut Vec<u8>,
) {
    let len = usize::try_from(len).expect("a frame is small");
    match protocol {
        ViewerProtocol::Hither => {
            out.extend_from_slice(hither_protocol::hither::output_prefix(offset, len).as_bytes());
        }
        ViewerProtocol::Ttyd => out.extend_from_slice(ttyd::output_prefix(len).as_bytes()),
        ViewerProtocol::Plan => {
            out.extend_from_slice(encode_header(Opcode::Binary, len, None).as_bytes());
        }
        ViewerProtocol::Raw => {}
    }
}

/// Appends a snapshot, with the gap before it.
pub(super) fn append_snapshot(
    viewer: &mut Viewer,
    session: &Session,
    snapshot: &[u8],
    gap: Option<(Offset, Offset)>,
) {
    viewer.outbox.reserve(snapshot.len() + SNAPSHOT_FRAMES_BYTES);
    let out = viewer.outbox.bytes_mut();
    let (head, size) = (session.head(), session.memory.size());
    match viewer.protocol {
        ViewerProtocol::Hither => {
            if let Some((from, to)) = gap {
                append_hither(out, &ServerFrame::Gap { from, to });
            }
            append_hither(out, &ServerFrame::Snapshot { offset: head, size, bytes: snapshot });
        }
        ViewerProtocol::Ttyd | ViewerProtocol::Plan | ViewerProtocol::Raw => {
            let len = (RESET.len() + snapshot.len()) as u64;
            append_output_prefix(viewer.protocol, head, len, out);
            out.extend_from_slice(RESET);
            out.extend_from_slice(snapshot);
            if viewer.protocol != ViewerProtocol::Raw {
                append_ack_ping(head, out);
            }
        }
    }
}

/// Appends a ping whose pong says that everything before `offset` was read.
pub(super) fn append_ack_ping(offset: Offset, out: &mut Vec<u8>) {
    append_frame(out, Opcode::Ping, &[&offset.0.to_be_bytes()], None);
}

/// The offset that a pong acknowledges.
pub(super) fn pong_offset(payload: &[u8]) -> Option<Offset> {
    payload.try_into().ok().map(|bytes| Offset(u64::from_be_bytes(bytes)))
}

/// Appends how the session ended, for viewers whose protocol can say it.
pub(super) fn append_exit(protocol: ViewerProtocol, status: ExitStatus, out: &mut Vec<u8>) {
    if protocol == ViewerProtocol::Hither {
        append_hither(out, &ServerFrame::Exit(exit(status)));
    }
}

/// Appends a close frame; protocols without frames just end.
pub(super) fn append_close(
    protocol: ViewerProtocol,
    code: CloseCode,
    reason: &str,
    out: &mut Vec<u8>,
) {
    if protocol != ViewerProtocol::Raw {
        append_frame(out, Opcode::Close, &[encode_close(code, reason).as_bytes()], None);
    }
}

/// Appends one frame of `hither.v1` as a message.
pub(super) fn append_hither(out: &mut Vec<u8>, frame: &ServerFrame<'_>) {
    // Room for the header of a short one, as nearly all are: no buffer of its own for the frame.
    let start = out.len();
    out.extend_from_slice(encode_header(Opcode::Binary, 0, None).as_bytes());
    let body = out.len();
    frame.encode(out);
    let header = encode_header(Opcode::Binary, out.len() - body, None);
    if let Some(room) = out[start..body].get_mut(..header.as_bytes().len()) {
        room.copy_from_slice(header.as_bytes());
    } else {
        out.splice(start..body, header.as_bytes().iter().copied());
    }
}

/// Appends one frame of ttyd's protocol as a message.
pub(super) fn append_ttyd(out: &mut Vec<u8>, frame: &ttyd::ServerFrame<'_>) {
    let mut body = Vec::new();
    frame.encode(&mut body);
    append_frame(out, Opcode::Binary, &[&body], None);
}

fn exit(status: ExitStatus) -> Exit {
    match status {
        ExitStatus::Code(code) => Exit::Code(code),
        ExitStatus::Signal(number) => {
            Exit::Signal { number, name: hither_core::signal_name(number) }
        }
        ExitStatus::Unknown => Exit::Unknown,
        ExitStatus::Lost => Exit::Lost,
    }
}

/// The error code that goes with a close code; WebSocket's own need none.
pub(super) fn error_code(code: CloseCode) -> Option<ErrorCode> {
    Some(match code {
        CloseCode::BAD_FRAME => ErrorCode::BadFrame,
        CloseCode::UNAUTHENTICATED => ErrorCode::Unauthenticated,
        CloseCode::FORBIDDEN => ErrorCode::Forbidden,
        CloseCode::SESSION_NOT_FOUND => ErrorCode::SessionNotFound,
        CloseCode::HELLO_TIMEOUT => ErrorCode::HelloTimeout,
        CloseCode::SESSION_CLOSED => ErrorCode::SessionClosed,
        CloseCode::TOO_MANY_VIEWERS => ErrorCode::TooManyViewers,
        _ => return None,
    })
}

/// The kind of reply that a terminal would send to a query.
pub(super) const fn reply_kind(kind: QueryKind) -> replies::QueryKind {
    match kind {
        QueryKind::PrimaryAttributes => replies::QueryKind::PrimaryAttributes,
        QueryKind::SecondaryAttributes => replies::QueryKind::SecondaryAttributes,
        QueryKind::Status => replies::QueryKind::Status,
        QueryKind::CursorPosition => replies::QueryKind::CursorPosition,
        QueryKind::Mode => replies::QueryKind::Mode,
        QueryKind::Setting => replies::QueryKind::Setting,
        QueryKind::Color => replies::QueryKind::Color,
        QueryKind::Version => replies::QueryKind::Version,
        QueryKind::WindowSize => replies::QueryKind::WindowReport,
    }
}
