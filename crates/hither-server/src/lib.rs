//! The gateway: listeners, workers, WebSocket, HTTP API, web assets.
