//! A client of Hither: connect, attach, resume.
