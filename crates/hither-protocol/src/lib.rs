//! Pure wire formats: hither.v1 frames, WebSocket framing, the ttyd and plan protocols.
