//! TLS of the listeners: which files, how they become a configuration, when they are read again; or
//! certificates that an authority has issued, see [`crate::acme`].
//!
//! Handshakes run on the control plane. After the upgrade the socket goes to its worker together
//! with the state of its TLS connection, and the worker seals and opens the records itself.

mod acceptor;
mod issued;
mod load;

pub use acceptor::Acceptor;
pub(crate) use issued::Bundle;
pub use issued::Issued;
pub(crate) use load::trusted;
pub use load::{ClientCertificates, OwnCertificate, TlsError, TlsSettings};
