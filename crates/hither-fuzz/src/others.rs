//! The protocols of others.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use hither_protocol::replies::{QueryKind, REPLY_TIMEOUT, ReplyFilter, Verdict};
use hither_protocol::websocket::MessageKind;
use hither_protocol::{gotty, plan, terminado, ttyd};

use crate::bytes::{choice, text};

/// What decodes means the same after it was encoded again.
pub(crate) fn ttyd(data: &[u8]) {
    if let Ok(frame) = ttyd::ClientFrame::decode(data) {
        let mut again = Vec::new();
        frame.encode(&mut again);
        assert_eq!(ttyd::ClientFrame::decode(&again).as_ref(), Ok(&frame));
    }
    if let Ok(frame) = ttyd::ServerFrame::decode(data) {
        let mut again = Vec::new();
        frame.encode(&mut again);
        assert_eq!(ttyd::ServerFrame::decode(&again).as_ref(), Ok(&frame));
    }
}

/// Every message is something; binary ones and those that are not JSON are input as they are.
pub(crate) fn plan(data: &[u8]) {
    assert_eq!(
        plan::ClientFrame::decode(MessageKind::Binary, data),
        plan::ClientFrame::Input(data.into())
    );
    let text = text(data);
    let frame = plan::ClientFrame::decode(MessageKind::Text, text.as_bytes());
    if !text.trim_start().starts_with('{') {
        assert_eq!(frame, plan::ClientFrame::Input(text.as_bytes().into()));
    }
}

/// Nothing but a frame or an error.
pub(crate) fn gotty(data: &[u8]) {
    drop(gotty::ServerFrame::decode(data));
}

/// Nothing but a frame or an error.
pub(crate) fn terminado(data: &[u8]) {
    drop(terminado::ServerFrame::decode(data));
}

/// Only answers that are owed are dropped, each once; whatever else passes.
pub(crate) fn replies(mut data: &[u8]) {
    // Any fixed moment will do.
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    const KINDS: [QueryKind; 4] = [
        QueryKind::PrimaryAttributes,
        QueryKind::CursorPosition,
        QueryKind::Color,
        QueryKind::Status,
    ];
    let mut filter = ReplyFilter::default();
    assert_eq!(filter.handle_input(data, *START), Verdict::Pass, "nothing is owed");
    let kind = KINDS[usize::from(choice(&mut data)) % KINDS.len()];
    filter.handle_answered(kind, 1, *START);
    let late = *START + REPLY_TIMEOUT + Duration::from_millis(1);
    assert_eq!(filter.clone().handle_input(data, late), Verdict::Pass, "it is forgotten");
    if filter.handle_input(data, *START) == Verdict::Drop {
        assert!(data.is_empty() || data[0] == 0x1b);
        if !data.is_empty() {
            assert_eq!(filter.handle_input(data, *START), Verdict::Pass, "it is paid");
        }
    }
}
