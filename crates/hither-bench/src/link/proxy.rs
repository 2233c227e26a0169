//! Puts a simulated link between clients and a server.
