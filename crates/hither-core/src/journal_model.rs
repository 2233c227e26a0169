//! Exhaustive model of the journal: a kill after every step of every schedule.
#![allow(clippy::cast_possible_truncation)] // a model of eight bytes

use super::*;

/// What survives a killed reader.
#[derive(Clone, Debug)]
struct World {
    /// Bytes that the PTY will still deliver.
    master: Vec<u8>,
    pipe: Vec<u8>,
    history: Vec<u8>,
    /// Head of the session as published in its memory.
    head: Offset,
    intent: Intent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Name,
    Splice,
    Pend,
    Copy,
    Publish,
    Clear,
}

/// Steps of a survivor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rescue {
    Name,
    Pend,
    Head,
    Copy,
    Publish,
    Clear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Journalled,
    /// Whoever comes after it takes bytes out of the pipe that nobody has made pending.
    LeftToCareless,
    /// Forgets to store `pending` before it takes bytes out of the pipe.
    ForgetsPending,
    /// Publishes the head before the bytes are there.
    PublishesFirst,
}

const STEPS: [Step; 6] =
    [Step::Name, Step::Splice, Step::Pend, Step::Copy, Step::Publish, Step::Clear];

const RESCUE: [Rescue; 6] =
    [Rescue::Name, Rescue::Pend, Rescue::Head, Rescue::Copy, Rescue::Publish, Rescue::Clear];

impl World {
    fn new(output: &[u8]) -> Self {
        let session = SessionId::from_random([7; 10]);
        Self {
            master: output.to_vec(),
            pipe: Vec::new(),
            history: Vec::new(),
            head: Offset::ZERO,
            intent: Intent { session, head: Offset::ZERO, pending: 0 },
        }
    }

    fn put(&mut self, at: Offset, bytes: &[u8]) {
        let at = at.0 as usize;
        if self.history.len() < at + bytes.len() {
            self.history.resize(at + bytes.len(), b'?');
        }
        self.history[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// One step of a reader that splices `chunk` bytes; `copied` of them leave the pipe in the
    /// step `Copy` (the rest in another).
    fn step(&mut self, step: Step, chunk: usize, copied: usize) {
        match step {
            Step::Name => self.intent.head = self.head,
            Step::Splice => {
                let n = chunk.min(self.master.len());
                self.pipe.extend(self.master.drain(..n));
            }
            Step::Pend => self.intent.pending = self.pipe.len() as u64,
            Step::Copy => {
                let done = self.intent.pending.saturating_sub(self.pipe.len() as u64);
                let bytes: Vec<u8> = self.pipe.drain(..copied.min(self.pipe.len())).collect();
                self.put(self.intent.head.plus(done), &bytes);
            }
            Step::Publish => self.head = self.intent.head.plus(self.intent.pending),
            Step::Clear => self.intent.pending = 0,
        }
    }

    /// The first `steps` steps of a survivor. If the copy is the last of them, `copied` bytes
    /// leave the pipe.
    fn survive(&mut self, reader: Reader, steps: usize, copied: usize) {
        let recovery = recover(self.intent, self.head, self.pipe.len() as u64).expect("consistent");
        let intent = recovery.intent.filter(|_| reader != Reader::LeftToCareless);
        let mut head = recovery.head;
        for (index, step) in RESCUE.into_iter().take(steps).enumerate() {
            match step {
                Rescue::Name => self.intent.head = intent.map_or(self.intent.head, |it| it.head),
                Rescue::Pend => {
                    self.intent.pending = intent.map_or(self.intent.pending, |it| it.pending);
                }
                Rescue::Head => self.head = head,
                Rescue::Copy => {
                    let part = if index + 1 == steps { copied } else { usize::MAX };
                    let bytes: Vec<u8> = self.pipe.drain(..part.min(self.pipe.len())).collect();
                    self.put(head, &bytes);
                    head = head.plus(bytes.len() as u64);
                }
                Rescue::Publish => self.head = head,
                Rescue::Clear => self.intent.pending = 0,
            }
        }
    }
}

fn order(reader: Reader) -> Vec<Step> {
    match reader {
        Reader::Journalled | Reader::LeftToCareless => STEPS.to_vec(),
        Reader::ForgetsPending => STEPS.into_iter().filter(|&step| step != Step::Pend).collect(),
        Reader::PublishesFirst => {
            vec![Step::Name, Step::Splice, Step::Pend, Step::Publish, Step::Clear, Step::Copy]
        }
    }
}

/// When who is killed.
#[derive(Clone, Copy, Debug)]
struct Kills {
    /// Steps of the first reader, of the first survivor, and of the reader behind the second one.
    steps: [usize; 3],
    /// Bytes that leave the pipe in a copy that is a reader's last step, and a survivor's.
    copied: [usize; 2],
}

/// Two readers and three survivors, of which the second and the last are not killed.
fn run(reader: Reader, output: &[u8], chunk: usize, kills: Kills) -> World {
    let steps = order(reader);
    let mut world = World::new(output);
    let read = |world: &mut World, kill: usize| {
        for index in 0..kill {
            let part = if index + 1 == kill { kills.copied[0] } else { usize::MAX };
            world.step(steps[index % steps.len()], chunk, part);
        }
    };
    read(&mut world, kills.steps[0]);
    world.survive(reader, kills.steps[1], kills.copied[1]);
    world.survive(reader, RESCUE.len(), usize::MAX);
    read(&mut world, kills.steps[2]);
    world.survive(reader, RESCUE.len(), usize::MAX);
    world
}

/// Kills readers and a survivor after every possible number of steps, with every split of their
/// copies, and returns the first case in which the history differs from the output.
fn first_violation(reader: Reader) -> Option<String> {
    let output = b"abcdefgh";
    let steps = order(reader).len();
    for chunk in 1..=4 {
        for copied in (0..=chunk).flat_map(|read| (0..=chunk).map(move |kept| [read, kept])) {
            for first in 0..=2 * steps {
                for rescue in 0..=RESCUE.len() {
                    for second in 0..=steps {
                        let kills = Kills { steps: [first, rescue, second], copied };
                        let world = run(reader, output, chunk, kills);
                        let head = world.head.0 as usize;
                        let seen = world.history.get(..head).unwrap_or_default();
                        if [seen, world.master.as_slice()].concat() != output {
                            return Some(format!("{chunk} {kills:?}"));
                        }
                    }
                }
            }
        }
    }
    None
}

#[test]
fn every_kill_leaves_every_byte_exactly_once() {
    assert_eq!(first_violation(Reader::Journalled), None);
}

#[test]
fn the_model_finds_readers_that_lose_bytes() {
    assert!(first_violation(Reader::ForgetsPending).is_some());
    assert!(first_violation(Reader::PublishesFirst).is_some());
    assert!(first_violation(Reader::LeftToCareless).is_some());
}

#[test]
fn a_contradiction_is_an_error() {
    let intent = World::new(b"").intent;
    let intent = Intent { pending: 3, ..intent };
    assert_eq!(recover(intent, Offset::ZERO, 4), Err(CorruptJournal { pending: 3, unread: 4 }));
}
