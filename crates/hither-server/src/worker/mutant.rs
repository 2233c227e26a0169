//! Gateways that are wrong on purpose: what proves that nothing is lost must find each of them.
//!
//! Compiled for tests alone (feature `mutants`), never into a release, and chosen by an environment
//! variable; without it everything is as it is without this file. See docs/reliability.md.

use hither_core::{InputNumber, Offset};
use hither_host::message::VERSION;
use hither_host::{ClientError, HostConnection, RuntimeDir};
use hither_pty::Journal;
use rustix::io::Errno;

use super::session::Session;

#[cfg(not(debug_assertions))]
compile_error!("the feature `mutants` is for tests and must not be part of a release");

/// Name of the environment variable that chooses one.
const VARIABLE: &str = "HITHER_MUTANT";

/// Name of the environment variable that chooses where a gateway dies.
const DEATH: &str = "HITHER_DEATH";

/// Places between two system calls, where no tracer can kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Output is in the journal's pipe, and nothing is pending.
    Spliced,
    /// What a killed reader had left is in the history, and not published.
    Rescued,
}

/// Kills this process if it was told to die here.
pub(crate) fn die(at: Death) {
    let told = match std::env::var(DEATH).as_deref() {
        Ok("spliced") => Death::Spliced,
        Ok("rescued") => Death::Rescued,
        _ => return,
    };
    if told == at {
        let killed =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        unreachable!("killed: {killed:?}");
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Reads the PTY straight into the history, as a reader without a journal does.
    Naive,
    /// Takes bytes out of the journal's pipe without having noted that it will.
    ForgetsPending,
    /// Publishes the head before the bytes are there.
    PublishesFirst,
    /// Takes what a killed reader left out of its pipe without having noted that it will.
    TakesUnnoted,
    /// Throws away what a killed reader left in its pipe.
    SkipsUnread,
    /// Lets a viewer that comes back continue one byte too far.
    ResumesBeyond,
    /// Forgets the last input number that it accepted.
    ForgetsInput,
    /// Maps no memory of a session that it should take over. Not wrong, but what a kernel without
    /// memory makes of it.
    MapsNothing,
    /// Cannot read what is in the journal's pipe, neither its own nor that of a killed reader. Not wrong,
    /// but what a kernel without memory makes of it.
    ReadsNoJournal,
    /// Is of a version that does not understand the PTY host that runs. Not wrong, but told apart in
    /// the same way.
    OtherHost,
}

/// The one that was chosen, if any.
pub(crate) fn chosen() -> Option<Mutant> {
    match std::env::var(VARIABLE).ok()?.as_str() {
        "naive" => Some(Mutant::Naive),
        "forgets-pending" => Some(Mutant::ForgetsPending),
        "publishes-first" => Some(Mutant::PublishesFirst),
        "takes-unnoted" => Some(Mutant::TakesUnnoted),
        "skips-unread" => Some(Mutant::SkipsUnread),
        "resumes-beyond" => Some(Mutant::ResumesBeyond),
        "forgets-input" => Some(Mutant::ForgetsInput),
        "maps-nothing" => Some(Mutant::MapsNothing),
        "reads-no-journal" => Some(Mutant::ReadsNoJournal),
        "other-host" => Some(Mutant::OtherHost),
        _ => None,
    }
}

/// Moves output as the chosen mutant does; none: as it should be done.
pub(super) fn transfer(
    journal: &Journal,
    session: &mut Session,
    len: usize,
) -> Option<Result<usize, Errno>> {
    let mutant = chosen()?;
    match mutant {
        Mutant::Naive => Some(read_directly(session, len)),
        Mutant::ForgetsPending | Mutant::PublishesFirst => {
            Some(read_carelessly(mutant, journal, session, len))
        }
        Mutant::TakesUnnoted
        | Mutant::SkipsUnread
        | Mutant::ResumesBeyond
        | Mutant::ForgetsInput
        | Mutant::MapsNothing
        | Mutant::ReadsNoJournal
        | Mutant::OtherHost => None,
    }
}

/// Takes bytes out of a journal, if the chosen mutant can.
pub(crate) fn take(journal: &Journal, into: &mut [u8]) -> Result<usize, Errno> {
    if chosen() == Some(Mutant::ReadsNoJournal) { Err(Errno::FAULT) } else { journal.read(into) }
}

/// Where a viewer that asked for `asked` continues; `right` is where it should.
pub(super) fn resume(asked: Option<Offset>, right: Option<Offset>, head: Offset) -> Option<Offset> {
    if chosen() == Some(Mutant::ResumesBeyond) && asked.is_some() {
        return right.map(|offset| offset.plus(1).min(head));
    }
    right
}

/// The highest number that a client is told was accepted.
pub(super) fn accepted(accepted: InputNumber) -> InputNumber {
    if chosen() == Some(Mutant::ForgetsInput) {
        return InputNumber(accepted.0.saturating_sub(1));
    }
    accepted
}

/// Greets the host as a program of another version would.
pub(crate) fn greet_host(dir: &RuntimeDir) -> Result<(), ClientError> {
    if chosen() == Some(Mutant::OtherHost) {
        HostConnection::connect_as(dir, VERSION + 1)?;
    }
    Ok(())
}

fn read_directly(session: &mut Session, len: usize) -> Result<usize, Errno> {
    let Session { master, memory, .. } = session;
    let master = master.as_ref().ok_or(Errno::IO)?;
    let taken = rustix::io::read(master, memory.free_run(len as u64))?;
    if taken == 0 {
        return Err(Errno::IO);
    }
    memory.advance(taken as u64);
    memory.publish();
    Ok(taken)
}

fn read_carelessly(
    mutant: Mutant,
    journal: &Journal,
    session: &mut Session,
    len: usize,
) -> Result<usize, Errno> {
    let master = session.master.as_ref().ok_or(Errno::IO)?;
    let memory = &mut session.memory;
    let head = memory.history().head();
    journal.name(session.shared.id.as_bytes(), head.0);
    let taken = journal.splice_from(master, len.min(Journal::SPLICE_MAX))?;
    if taken == 0 {
        return Err(Errno::IO);
    }
    if mutant == Mutant::PublishesFirst {
        memory.recover_head(head.plus(taken as u64));
        memory.rewind(head);
    }
    let mut left = taken as u64;
    while left > 0 {
        let read = journal.read(memory.free_run(left))? as u64;
        memory.advance(read);
        left -= read;
    }
    memory.publish();
    Ok(taken)
}
