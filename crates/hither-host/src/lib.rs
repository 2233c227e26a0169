//! The PTY host: forks the shells, keeps their PTYs, survives the gateway.
