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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Journalled,
    /// Forgets to store `pending` before it takes bytes out of the pipe.
    ForgetsPending,
    /// Publishes the head before the bytes are there.
    PublishesFirst,
}

const STEPS: [Step; 6] =
    [Step::Name, Step::Splice, Step::Pend, Step::Copy, Step::Publish, Step::Clear];

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

    fn survive(&mut self) {
        let recovery = recover(self.intent, self.head, self.pipe.len() as u64).expect("consistent");
        let rest: Vec<u8> = self.pipe.drain(..).collect();
        self.put(recovery.head, &rest);
        self.head = recovery.head.plus(rest.len() as u64);
        self.intent = Intent { head: self.head, pending: 0, ..self.intent };
    }
}

fn order(reader: Reader) -> Vec<Step> {
    match reader {
        Reader::Journalled => STEPS.to_vec(),
        Reader::ForgetsPending => STEPS.into_iter().filter(|&step| step != Step::Pend).collect(),
        Reader::PublishesFirst => {
            vec![Step::Name, Step::Splice, Step::Pend, Step::Publish, Step::Clear, Step::Copy]
        }
    }
}

/// Kills the reader after every possible number of steps, twice in a row, with every split of the
/// copy, and returns the first history that differs from the output.
fn first_violation(reader: Reader) -> Option<String> {
    let output = b"abcdefgh";
    let steps = order(reader);
    for chunk in 1..=4 {
        for copied in 0..=chunk {
            for first_kill in 0..=2 * steps.len() {
                for second_kill in 0..=steps.len() {
                    let mut world = World::new(output);
                    for kill in [first_kill, second_kill] {
                        for index in 0..kill {
                            let step = steps[index % steps.len()];
                            let last = index + 1 == kill;
                            let part = if last { copied } else { usize::MAX };
                            world.step(step, chunk, part);
                        }
                        world.survive();
                    }
                    let head = world.head.0 as usize;
                    let seen = world.history.get(..head).unwrap_or_default();
                    let whole = [seen, world.master.as_slice()].concat();
                    if whole != output {
                        return Some(format!("{chunk} {copied} {first_kill} {second_kill}"));
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
}

#[test]
fn a_contradiction_is_an_error() {
    let intent = World::new(b"").intent;
    let intent = Intent { pending: 3, ..intent };
    assert_eq!(recover(intent, Offset::ZERO, 4), Err(CorruptJournal { pending: 3, unread: 4 }));
}
