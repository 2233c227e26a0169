//! Settings of the gateway: the file, over it the environment, over that the command line.
//!
//! An option of `hither serve` is declared once, in its `Args`. Its key in the file, its variable
//! and its row of docs/configuration.md follow from that, and one parser judges all three.

mod file;
mod layers;
mod option;
mod reference;

pub(crate) use file::FileArgs;
pub(crate) use layers::{Effective, Origin, ParseError, Settings, parse, without_command_line};
pub(crate) use option::Shape;
pub(crate) use reference::reference;
