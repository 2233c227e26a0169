//! A simulated slow link: the model without I/O, and the proxy that puts it between two sockets.

mod model;
mod proxy;

mod spec;

pub use model::{Channel, TokenBucket};
pub use proxy::LinkProxy;

pub use spec::{InvalidLinkSpec, LinkSpec};
