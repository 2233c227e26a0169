//! What a service manager is told of a gateway: systemd's protocol, sd_notify(3).

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Longest time that the gateway waits for a service manager that does not read.
const PATIENCE: Duration = Duration::from_secs(1);

/// The service manager that started this process, if it wants to be told anything. The process stays
/// the same in an upgrade, and so do its number and this address.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager {
    address: Option<OsString>,
}

impl ServiceManager {
    /// The one that listens at this address, the value of `NOTIFY_SOCKET`: a path, or `@` and a name
    /// of Linux' own.
    #[must_use]
    pub const fn at(address: Option<OsString>) -> Self {
        Self { address }
    }

    /// The gateway listens. After [`Self::reloading`]: the upgrade is done.
    pub(super) fn ready(&self, sessions: usize) {
        self.tell(&format!("READY=1\nSTATUS=Serving; sessions taken over: {sessions}"));
    }

    /// The gateway leaves for its successor.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.tell(&format!(
            "RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=Becoming another program"
        ));
    }

    /// The gateway leaves for good.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=Stopping; sessions live on");
    }

    fn tell(&self, state: &str) {
        let Some(address) = self.address.as_deref() else { return };
        if let Err(error) = send(address, state) {
            tracing::warn!(%error, address = %address.display(), "telling the service manager");
        }
    }
}

fn send(address: &OsStr, state: &str) -> io::Result<()> {
    let address = match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send_to_addr(state.as_bytes(), &address).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let len = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    }

    #[test]
    fn paths_and_names_are_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let at_path = UnixDatagram::bind(&path).unwrap();
        ServiceManager::at(Some(path.into_os_string())).ready(3);
        let expect = "READY=1\nSTATUS=Serving; sessions taken over: 3";
        assert_eq!(received(&at_path), expect);
        let name = format!("hither-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let at_name = UnixDatagram::bind_addr(&address).unwrap();
        ServiceManager::at(Some(format!("@{name}").into())).stopping();
        assert!(received(&at_name).starts_with("STOPPING=1\n"));
    }

    #[test]
    fn nobody_to_tell_and_nobody_there_are_no_reason_to_stop() {
        ServiceManager::default().ready(0);
        for nowhere in ["/nowhere/notify", "@hither-nobody", "", "vsock:2:1234"] {
            ServiceManager::at(Some(nowhere.into())).reloading();
        }
        assert!(send(OsStr::new("/nowhere/notify"), "READY=1").is_err());
    }
}
