//! A TCP proxy that misbehaves on command.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What the proxy does to the bytes that pass, on all its connections, in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Each piece is held for this long.
    Delay(Duration),
    /// So many bytes pass, then a pause.
    Drip {
        /// Bytes that pass at once.
        bytes: usize,
        /// Pause between two pieces.
        pause: Duration,
    },
    /// Nothing is read and nothing is sent: both ends see a peer that has stopped reading.
    Stall,
    /// Everything is read and thrown away: both ends see a peer that says nothing any more.
    BlackHole,
}

/// A proxy in front of one address.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    fault: Mutex<Fault>,
    changed: Condvar,
    links: Mutex<Vec<Link>>,
    /// Bytes that came from the server's side and were passed on.
    passed: AtomicU64,
    /// Bytes that a black hole has taken.
    swallowed: AtomicU64,
    stopped: AtomicBool,
}

/// Both ends of one connection.
#[derive(Debug)]
struct Link {
    client: TcpStream,
    server: TcpStream,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

/// Most bytes of one piece.
const PIECE: usize = 16 << 10;

impl FaultProxy {
    /// Listens on a free port of this machine and passes everything on to `target`.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        Self::start_on(TcpListener::bind(("127.0.0.1", 0))?, target)
    }

    /// Passes on to `target` what comes to `listener`.
    ///
    /// # Errors
    /// When the address of `listener` cannot be had.
    pub fn start_on(listener: TcpListener, target: SocketAddr) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            fault: Mutex::new(Fault::None),
            changed: Condvar::new(),
            links: Mutex::default(),
            passed: AtomicU64::new(0),
            swallowed: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accepting.accept(&listener, target));
        Ok(Self { address, shared })
    }

    /// Where clients connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this happens to what passes.
    pub fn set(&self, fault: Fault) {
        *self.shared.lock_fault() = fault;
        self.shared.changed.notify_all();
    }

    /// Bytes of the server that were passed on, or are being so.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::SeqCst)
    }

    /// Bytes that a black hole has taken.
    #[must_use]
    pub fn swallowed(&self) -> u64 {
        self.shared.swallowed.load(Ordering::SeqCst)
    }

    /// Resets every present connection, as a router that forgot it does. Gives their number.
    pub fn reset(&self) -> usize {
        self.each(|link| {
            for end in [&link.client, &link.server] {
                let reset = rustix::net::sockopt::set_socket_linger(end, Some(Duration::ZERO));
                debug_assert!(reset.is_ok());
            }
            Shutdown::Both
        })
    }

    /// Ends every present connection in the direction of the server only. Gives their number.
    pub fn half_close(&self) -> usize {
        let links = self.shared.lock_links();
        for link in links.iter() {
            drop(link.server.shutdown(Shutdown::Write));
        }
        links.len()
    }

    fn each(&self, end: impl Fn(&Link) -> Shutdown) -> usize {
        let links = std::mem::take(&mut *self.shared.lock_links());
        for link in &links {
            let how = end(link);
            drop(link.client.shutdown(how));
            drop(link.server.shutdown(how));
        }
        self.shared.changed.notify_all();
        links.len()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.set(Fault::None);
        self.each(|_| Shutdown::Both);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock_fault(&self) -> std::sync::MutexGuard<'_, Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_links(&self) -> std::sync::MutexGuard<'_, Vec<Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener, target: SocketAddr) {
        for client in listener.incoming() {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            let Ok(client) = client else { return };
            // A server that is gone is a connection that ends at once.
            if let Ok(server) = TcpStream::connect(target) {
                drop(self.link(client, server));
            }
        }
    }

    fn link(self: &Arc<Self>, client: TcpStream, server: TcpStream) -> io::Result<()> {
        for end in [&client, &server] {
            end.set_nodelay(true)?;
        }
        let ends = Link { client: client.try_clone()?, server: server.try_clone()? };
        self.lock_links().push(ends);
        let pairs = [
            (client.try_clone()?, server.try_clone()?, Direction::ToServer),
            (server, client, Direction::ToClient),
        ];
        for (from, to, direction) in pairs {
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                drop(shared.pump(&from, &to, direction));
                drop(to.shutdown(Shutdown::Write));
            });
        }
        Ok(())
    }

    fn pump(&self, mut from: &TcpStream, to: &TcpStream, way: Direction) -> io::Result<()> {
        let mut buffer = [0; PIECE];
        loop {
            self.wait_while_stalled();
            let len = from.read(&mut buffer)?;
            if len == 0 {
                return Ok(());
            }
            let mut rest = &buffer[..len];
            while !rest.is_empty() {
                rest = self.pass(rest, to, way)?;
            }
        }
    }

    /// Does to the start of `piece` what the present fault says; gives the rest.
    fn pass<'a>(
        &self,
        piece: &'a [u8],
        mut to: &TcpStream,
        way: Direction,
    ) -> io::Result<&'a [u8]> {
        self.wait_while_stalled();
        let fault = *self.lock_fault();
        let len = match fault {
            Fault::Drip { bytes, .. } => bytes.clamp(1, piece.len()),
            _ => piece.len(),
        };
        match fault {
            Fault::Delay(time) | Fault::Drip { pause: time, .. } => self.hold(fault, time),
            Fault::BlackHole => {
                self.swallowed.fetch_add(len as u64, Ordering::SeqCst);
                return Ok(&piece[len..]);
            }
            Fault::None | Fault::Stall => {}
        }
        if way == Direction::ToClient {
            self.passed.fetch_add(len as u64, Ordering::SeqCst);
        }
        to.write_all(&piece[..len])?;
        Ok(&piece[len..])
    }

    fn wait_while_stalled(&self) {
        let fault = self.lock_fault();
        let stalled =
            |fault: &mut Fault| *fault == Fault::Stall && !self.stopped.load(Ordering::SeqCst);
        drop(self.changed.wait_while(fault, stalled));
    }

    /// Waits for `time`, or until the fault is another one.
    fn hold(&self, fault: Fault, time: Duration) {
        let present = self.lock_fault();
        drop(self.changed.wait_timeout_while(present, time, |present| *present == fault));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A proxy, a client behind it and the server's end of the client's connection.
    fn link() -> (FaultProxy, TcpStream, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let proxy = FaultProxy::start(listener.local_addr().unwrap()).unwrap();
        let client = TcpStream::connect(proxy.address()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        // The link is complete once something has passed.
        server.write_all(b"hi").unwrap();
        assert_eq!(read(&client, 2).unwrap(), b"hi");
        (proxy, client, server)
    }

    fn read(mut stream: &TcpStream, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        stream.read_exact(&mut bytes).map(|()| bytes)
    }

    #[test]
    fn passes_and_delays_and_drips() {
        let (proxy, mut client, mut server) = link();
        client.write_all(b"there").unwrap();
        assert_eq!(read(&server, 5).unwrap(), b"there");
        proxy.set(Fault::Delay(Duration::from_millis(20)));
        let start = Instant::now();
        server.write_all(b"back").unwrap();
        assert_eq!(read(&client, 4).unwrap(), b"back");
        assert!(start.elapsed() >= Duration::from_millis(20));
        proxy.set(Fault::Drip { bytes: 1, pause: Duration::from_millis(1) });
        let start = Instant::now();
        server.write_all(&[7; 20]).unwrap();
        assert_eq!(read(&client, 20).unwrap(), [7; 20]);
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(proxy.passed(), 26);
    }

    #[test]
    fn a_stall_loses_nothing_and_a_black_hole_everything() {
        let (proxy, client, mut server) = link();
        proxy.set(Fault::Stall);
        server.write_all(b"kept").unwrap();
        client.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
        assert!(read(&client, 1).is_err());
        proxy.set(Fault::None);
        client.set_read_timeout(None).unwrap();
        assert_eq!(read(&client, 4).unwrap(), b"kept");
        proxy.set(Fault::BlackHole);
        server.write_all(b"gone").unwrap();
        while proxy.swallowed() < 4 {
            std::thread::yield_now();
        }
        proxy.set(Fault::None);
        server.write_all(b"new").unwrap();
        assert_eq!(read(&client, 3).unwrap(), b"new");
    }

    #[test]
    fn ends_are_seen_as_what_they_are() {
        let (proxy, client, mut server) = link();
        assert_eq!(proxy.half_close(), 1);
        assert_eq!((&server).read(&mut [0]).unwrap(), 0, "the server sees the end");
        server.write_all(b"still").unwrap();
        assert_eq!(read(&client, 5).unwrap(), b"still");
        let (proxy, client, server) = link();
        assert_eq!(proxy.reset(), 1);
        assert!(read(&client, 1).is_err());
        assert!(read(&server, 1).is_err());
        drop(proxy);
    }
}
