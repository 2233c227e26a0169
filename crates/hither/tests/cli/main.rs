//! The command line as a person or a script meets it: the real program is run.

mod attach;
mod bench;
mod command_line;
mod completions;
mod driving;
mod gateway;
mod listening;
mod lives_on;
mod metrics;
mod options;
mod passed_sockets;
mod people;
mod place;
mod running;
mod service_manager;
mod settings;
mod sharing;
mod shells;
mod top;
mod traces;
