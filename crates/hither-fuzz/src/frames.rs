//! Frames of `hither.v1`, from either side.

use hither_protocol::hither::{ClientFrame, ServerFrame};

/// What decodes means the same after it was encoded again.
pub(crate) fn client_frame(data: &[u8]) {
    if let Ok(frame) = ClientFrame::decode(data) {
        let mut again = Vec::new();
        frame.encode(&mut again);
        assert_eq!(ClientFrame::decode(&again).as_ref(), Ok(&frame));
    }
}

/// What decodes means the same after it was encoded again.
pub(crate) fn server_frame(data: &[u8]) {
    if let Ok(frame) = ServerFrame::decode(data) {
        let mut again = Vec::new();
        frame.encode(&mut again);
        assert_eq!(ServerFrame::decode(&again).as_ref(), Ok(&frame));
    }
}
