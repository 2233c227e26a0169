//! TLS as a client meets it: the real program, real certificates, rustls and raw bytes against it.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod acme;
mod certificates;
mod client;
mod client_certificates;
mod command_line;
mod gateway;
mod handshake;
mod http2;
mod reload;
mod storm;
mod viewers;
