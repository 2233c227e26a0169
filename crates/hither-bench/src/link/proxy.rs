//! Puts a simulated link between clients and a server.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use socket2::{Domain, Socket, Type};

use super::{Channel, LinkSpec};
use crate::stats::Moment;

/// What the proxy's own sockets may hoard, so that the link's queue is what counts.
const SOCKET_BUFFER: usize = 16 * 1024;
/// Most bytes in a segment from the server, as on an Ethernet.
const SEGMENT_MAX: u32 = 1448;
/// Most that is moved at once.
const CHUNK: usize = 16 * 1024;

/// A thread that forwards connections to a server through a simulated link. Dropping it ends it.
#[derive(Debug)]
pub struct LinkProxy {
    address: SocketAddr,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Stop {
    asked: AtomicBool,
    wake: OwnedFd,
}

impl LinkProxy {
    /// Starts a proxy in front of `server`.
    ///
    /// # Errors
    /// When it cannot listen on a loopback port, or no thread can be had.
    pub fn start(server: SocketAddr, spec: LinkSpec) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC)?;
        let stop = Arc::new(Stop { asked: AtomicBool::new(false), wake });
        let stopping = Arc::clone(&stop);
        let proxy = Proxy { server, spec, listener, start: Instant::now(), pairs: Vec::new() };
        let thread = std::thread::Builder::new().name("link".to_owned());
        let thread = thread.spawn(move || proxy.run(&stopping))?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where clients connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for LinkProxy {
    fn drop(&mut self) {
        self.stop.asked.store(true, Ordering::Relaxed);
        // The thread looks at `asked` after each wait; an eventfd takes eight bytes.
        rustix::io::write(&self.stop.wake, &1_u64.to_ne_bytes()).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

#[derive(Debug)]
struct Proxy {
    server: SocketAddr,
    spec: LinkSpec,
    listener: TcpListener,
    start: Instant,
    pairs: Vec<Pair>,
}

/// A connection through the link.
#[derive(Debug)]
struct Pair {
    ends: [TcpStream; 2],
    /// `channels[i]` leads from `ends[i]` to the other one.
    channels: [Channel; 2],
    /// `ends[i]` has said all it has to say.
    finished: [bool; 2],
    cut_at: Option<Moment>,
}

impl Proxy {
    fn run(mut self, stop: &Stop) {
        while !stop.asked.load(Ordering::Relaxed) {
            if self.wait(stop).is_err() {
                return;
            }
            while let Ok((client, _)) = self.listener.accept() {
                // A server that does not answer shows itself to the client as a cut connection.
                self.pairs.extend(self.connect(client).ok());
            }
            let now = self.start.elapsed();
            self.pairs.retain_mut(|pair| pair.move_bytes(now).is_ok_and(|alive| alive));
        }
    }

    fn connect(&self, client: TcpStream) -> io::Result<Pair> {
        let now = self.start.elapsed();
        let server = self.reach()?;
        for end in [&client, &server] {
            end.set_nonblocking(true)?;
            end.set_nodelay(true)?;
        }
        Ok(Pair {
            ends: [client, server],
            channels: [Channel::new(&self.spec, now), Channel::new(&self.spec, now)],
            finished: [false; 2],
            cut_at: self.spec.cut_after.map(|after| now + after),
        })
    }

    /// A connection to the server with segments as on an Ethernet and a small window, both from its
    /// first segment on. Loopback's segments of 64 KiB do not fit in the window: each then waits for
    /// the timer that probes a closed one, 200 ms and more.
    fn reach(&self) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(self.server), Type::STREAM, None)?;
        socket.set_tcp_mss(SEGMENT_MAX)?;
        socket.set_recv_buffer_size(SOCKET_BUFFER)?;
        socket.connect(&self.server.into())?;
        Ok(socket.into())
    }

    fn wait(&self, stop: &Stop) -> io::Result<()> {
        let now = self.start.elapsed();
        let mut fds = vec![PollFd::from_borrowed_fd(stop.wake.as_fd(), PollFlags::IN)];
        fds.push(PollFd::from_borrowed_fd(self.listener.as_fd(), PollFlags::IN));
        let mut next: Option<Moment> = None;
        for pair in &self.pairs {
            for (index, end) in pair.ends.iter().enumerate() {
                let flags = pair.waits_for(index, now);
                if !flags.is_empty() {
                    fds.push(PollFd::from_borrowed_fd(end.as_fd(), flags));
                }
            }
            let events = [pair.channels[0].next_event(now), pair.channels[1].next_event(now)];
            let events = events.into_iter().flatten().filter(|event| *event > now);
            next = events.chain(pair.cut_at).chain(next).min();
        }
        let timeout = next.map(|next| next.saturating_sub(now) + Duration::from_micros(50));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Pair {
    fn waits_for(&self, index: usize, now: Moment) -> PollFlags {
        let mut flags = PollFlags::empty();
        if !self.finished[index] && self.channels[index].space(now) >= CHUNK {
            flags |= PollFlags::IN;
        }
        if !self.channels[1 - index].arrived(now).is_empty() {
            flags |= PollFlags::OUT;
        }
        flags
    }

    /// Moves what can be moved; false when the connection is over.
    fn move_bytes(&mut self, now: Moment) -> io::Result<bool> {
        if self.cut_at.is_some_and(|at| at <= now) {
            return Ok(false);
        }
        for index in [0, 1] {
            self.read(index, now)?;
            self.write(index, now)?;
        }
        let over = [0, 1].into_iter().any(|i| self.finished[i] && self.channels[i].is_empty());
        Ok(!over)
    }

    fn read(&mut self, index: usize, now: Moment) -> io::Result<()> {
        let mut buffer = [0; CHUNK];
        while !self.finished[index] && self.channels[index].space(now) >= CHUNK {
            match (&self.ends[index]).read(&mut buffer) {
                Ok(0) => self.finished[index] = true,
                Ok(len) => self.channels[index].send(&buffer[..len], now),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write(&mut self, index: usize, now: Moment) -> io::Result<()> {
        let channel = &mut self.channels[index];
        while !channel.arrived(now).is_empty() {
            match (&self.ends[1 - index]).write(channel.arrived(now)) {
                Ok(len) => channel.take(len),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back all that it gets, through a link like `spec`.
    fn through(spec: &str, sent: &[u8]) -> (Vec<u8>, Duration) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = LinkProxy::start(server.local_addr().unwrap(), spec.parse().unwrap()).unwrap();
        let start = Instant::now();
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        client.write_all(sent).unwrap();
        let (mut end, _) = server.accept().unwrap();
        let mut received = vec![0; sent.len()];
        let echo = end.read_exact(&mut received).and_then(|()| end.write_all(&received));
        let mut back = vec![0; sent.len()];
        let result = echo.and_then(|()| client.read_exact(&mut back));
        (if result.is_ok() { back } else { Vec::new() }, start.elapsed())
    }

    #[test]
    fn bytes_come_through_whole_and_not_before_their_time() {
        let sent: Vec<u8> = (0..=255).cycle().take(40_000).collect();
        let (back, took) = through("rtt=30ms,rate=8mbit", &sent);
        assert_eq!(back, sent);
        assert!(took >= Duration::from_millis(30 + 80), "{took:?}");
    }

    #[test]
    fn a_link_that_drops_cuts_the_connection() {
        let (back, _) = through("rtt=1s,drop=20ms", b"hello");
        assert_eq!(back, b"");
    }
}
