//! TLS of the listeners: which files, how they become a configuration, when they are read again.
//!
//! Handshakes run on the control plane. After the upgrade the socket goes to its worker together
//! with the state of its TLS connection, and the worker seals and opens the records itself.

mod acceptor;
mod load;

pub use acceptor::Acceptor;
pub use load::{ClientCertificates, TlsError, TlsFiles};
