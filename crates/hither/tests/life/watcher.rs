//! A viewer that comes back whenever it is cut off, and checks that nothing is missing or doubled.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use hither_client::{Attachment, Connection, Event, Progress, Server, Wish};
use hither_core::{ClientId, Role, SessionId};
use hither_protocol::hither::Features;
use hither_protocol::websocket::CloseCode;

/// A program that counts, one number a line, for ever.
pub(crate) const COUNTER: &str = "i=0; while :; do echo $i; i=$((i+1)); done";

/// What a watcher tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is in, for the first time or again.
    Attached,
    /// Numbers came since it was attached.
    Going,
    /// It was sent away with this code, or cut off.
    Away(Option<CloseCode>),
    /// It was not let in again; it ends.
    Refused,
}

/// A viewer of a session that runs [`COUNTER`], on a thread of its own.
pub(crate) struct Watcher {
    pub(crate) told: Receiver<Told>,
    thread: JoinHandle<u64>,
    stop: SyncSender<()>,
}

struct Numbers {
    next: u64,
    line: Vec<u8>,
}

impl Numbers {
    fn take(&mut self, output: &[u8]) {
        for &byte in output {
            match byte {
                b'\r' => {}
                b'\n' => {
                    let number = std::str::from_utf8(&self.line).unwrap().parse::<u64>();
                    assert_eq!(number, Ok(self.next), "line {:?}", self.line);
                    self.next += 1;
                    self.line.clear();
                }
                digit => self.line.push(digit),
            }
        }
    }
}

impl Watcher {
    pub(crate) fn start(server: Server, session: SessionId, client: u64) -> Self {
        let (tell, told) = sync_channel(1000);
        let (stop, stopped) = sync_channel(1);
        let thread = std::thread::spawn(move || watch(&server, session, client, &tell, &stopped));
        Self { told, thread, stop }
    }

    /// Waits until it tells this; everything before is passed over.
    pub(crate) fn wait_for(&self, wanted: &Told) {
        loop {
            let told = self.told.recv_timeout(crate::place::PATIENCE);
            match told {
                Ok(told) if told == *wanted => return,
                Ok(Told::Refused) => panic!("refused while waiting for {wanted:?}"),
                Ok(_) => {}
                Err(error) => panic!("waiting for {wanted:?}: {error}"),
            }
        }
    }

    /// Ends it; how many numbers it has seen, all in order.
    pub(crate) fn finish(self) -> u64 {
        // It may have ended already.
        self.stop.send(()).ok();
        self.thread.join().unwrap()
    }
}

fn watch(
    server: &Server,
    session: SessionId,
    client: u64,
    tell: &SyncSender<Told>,
    stopped: &Receiver<()>,
) -> u64 {
    let client = ClientId(client);
    let features = Features::RAW.with(Features::WAIT);
    let wish = Wish { role: Role::Operator, features, size: None, from: None };
    let mut attachment = Attachment::new(client, wish);
    let mut numbers = Numbers { next: 0, line: Vec::new() };
    loop {
        let Ok(connection) = server.connect(session, client, &mut attachment) else {
            say(tell, Told::Refused);
            return numbers.next;
        };
        if !follow(connection, &mut attachment, &mut numbers, tell, stopped) {
            return numbers.next;
        }
    }
}

/// Follows one connection to its end. False: the watcher shall end.
fn follow(
    mut connection: Connection,
    attachment: &mut Attachment,
    numbers: &mut Numbers,
    tell: &SyncSender<Told>,
    stopped: &Receiver<()>,
) -> bool {
    let (mut quiet, mut started) = (true, numbers.next);
    loop {
        let received = connection.receive(attachment, |event| match event {
            Event::Attached(_) => {
                say(tell, Told::Attached);
                started = numbers.next;
            }
            Event::Output(output) => numbers.take(output),
            Event::Gap(len) => panic!("a gap of {len} bytes"),
            Event::Exit(exit) => panic!("the session ended: {exit:?}"),
            _ => {}
        });
        if quiet && numbers.next > started {
            quiet = false;
            say(tell, Told::Going);
        }
        if stopped.try_recv().is_ok() {
            return false;
        }
        match received {
            Ok(Progress::Closed(code)) => {
                say(tell, Told::Away(code));
                return true;
            }
            Ok(_) => {}
            Err(hither_client::ConnectionError::Io(_)) => {
                say(tell, Told::Away(None));
                return true;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Tells, unless the test has stopped to listen long ago.
fn say(tell: &SyncSender<Told>, told: Told) {
    match tell.try_send(told) {
        Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
    }
}
