//! What a gateway leaves to the program that takes its place in the same process.
//!
//! It is a JSON document in a memfd that stays open across execve(2). It holds digests of secrets,
//! never a secret.

use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::fs::MemfdFlags;
use rustix::io::{FdFlags, fcntl_setfd};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::worker::memory;

/// Form of the document. Members may be added without a new number; a reader knows none or all of
/// those that a number stands for.
const FORM: u32 = 1;
/// More is no document of ours.
const BYTES_MAX: u64 = 1 << 20;

/// What a gateway leaves to its successor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bequest {
    form: u32,
    /// Layout of the sessions' shared memory.
    memory: u64,
    /// Version of the program that left this.
    pub(super) version: String,
    /// How many programs have served in this process, that one included.
    pub(super) generation: u64,
    pub(super) listeners: Vec<ListenerLeft>,
    /// What other parts of the gateway leave, by their names.
    pub(super) parts: Map<String, Value>,
}

/// A listening socket that stays open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ListenerLeft {
    /// Where it listens, as in `tcp 127.0.0.1:7681` or `unix /run/user/1000/hither/gateway.sock`.
    pub(super) name: String,
    /// Number of its descriptor in the process that is taken over; -1 in a trial.
    pub(super) fd: RawFd,
}

/// What cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum BequestError {
    /// It cannot be read.
    #[error("reading what the running gateway left: {0}")]
    Unreadable(#[from] io::Error),
    /// It is no document of this form.
    #[error("what the running gateway left cannot be understood: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It was left by a program of another form.
    #[error("the running gateway (version {version}) hands over in form {form}, expected {FORM}")]
    Form {
        /// Its form.
        form: u32,
        /// Version of the program.
        version: String,
    },
    /// Sessions of that program cannot be served by this one.
    #[error("sessions of version {version} have another layout in memory")]
    Memory {
        /// Version of the program.
        version: String,
    },
}

impl Bequest {
    /// A document of this program with nothing in it.
    pub(super) fn new(generation: u64) -> Self {
        Self {
            form: FORM,
            memory: memory::LAYOUT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation,
            listeners: Vec::new(),
            parts: Map::new(),
        }
    }

    /// Writes the document to a new memfd, which a program that is executed inherits.
    pub(super) fn store(&self) -> io::Result<OwnedFd> {
        let mut file = std::fs::File::from(memfd()?);
        file.write_all(&serde_json::to_vec(self)?)?;
        file.rewind()?;
        fcntl_setfd(&file, FdFlags::empty())?;
        Ok(file.into())
    }

    /// Reads a document and checks that this program can follow the one that left it.
    pub(super) fn load(from: impl Read) -> Result<Self, BequestError> {
        let mut text = Vec::new();
        from.take(BYTES_MAX).read_to_end(&mut text)?;
        // The form first: a document of another form may lack what this one must have.
        let document: Value = serde_json::from_slice(&text)?;
        let form = document.get("form").and_then(Value::as_u64).unwrap_or(0);
        let version = document.get("version").and_then(Value::as_str).unwrap_or("?").to_owned();
        if form != u64::from(FORM) {
            let form = u32::try_from(form).unwrap_or(u32::MAX);
            return Err(BequestError::Form { form, version });
        }
        let bequest: Self = serde_json::from_value(document)?;
        if bequest.memory != memory::LAYOUT {
            return Err(BequestError::Memory { version });
        }
        Ok(bequest)
    }
}

fn memfd() -> io::Result<OwnedFd> {
    Ok(rustix::fs::memfd_create(c"hither-bequest", MemfdFlags::CLOEXEC)?)
}

/// Keeps a descriptor open across execve(2); returns its number there.
pub(super) fn keep_open(fd: &OwnedFd) -> io::Result<RawFd> {
    fcntl_setfd(fd, FdFlags::empty())?;
    Ok(fd.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(change: impl FnOnce(&mut Value)) -> Result<Bequest, BequestError> {
        let bequest = Bequest::new(3);
        let mut value = serde_json::to_value(bequest).unwrap();
        change(&mut value);
        Bequest::load(value.to_string().as_bytes())
    }

    #[test]
    fn comes_back_as_it_was_left() {
        let mut left = Bequest::new(7);
        left.listeners.push(ListenerLeft { name: "tcp 127.0.0.1:1".to_owned(), fd: 9 });
        left.parts.insert("launch".to_owned(), Value::from("x"));
        let found = Bequest::load(std::fs::File::from(left.store().unwrap())).unwrap();
        assert_eq!(found.generation, 7);
        assert_eq!(
            (found.listeners[0].name.as_str(), found.listeners[0].fd),
            ("tcp 127.0.0.1:1", 9)
        );
        assert_eq!(found.parts["launch"], "x");
    }

    #[test]
    fn members_of_a_later_version_are_no_obstacle() {
        assert!(document(|value| value["later"] = Value::from(1)).is_ok());
    }

    #[test]
    fn another_form_or_layout_is_refused_by_name() {
        let form = document(|value| value["form"] = Value::from(2)).unwrap_err();
        assert!(matches!(form, BequestError::Form { form: 2, .. }), "{form}");
        let memory = document(|value| value["memory"] = Value::from(1)).unwrap_err();
        assert!(matches!(memory, BequestError::Memory { .. }), "{memory}");
        for text in ["", "{", "[]", "null"] {
            assert!(Bequest::load(text.as_bytes()).is_err(), "{text}");
        }
    }
}
