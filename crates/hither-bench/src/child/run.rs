//! What the session programs do.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use super::Program;
use crate::content::{FLOOD_LINE, FloodSource, GO, PROMPT, READY, flood_lines};

/// How many lines a flood hands to the terminal in one write.
const BLOCK_LINES: u64 = 64;

/// Runs `program` on standard input and output until they are closed.
///
/// Input and output that end are the normal end of a session program.
#[must_use]
pub fn run(program: Program) -> ExitCode {
    let result = match program {
        Program::Echo => echo(),
        Program::Flood { bytes } => flood_again_and_again(bytes),
        Program::Tail { bytes } => tail(bytes),
        Program::Choice => choice(),
        Program::Lines => lines(),
        Program::Interrupt => interrupt(),
        Program::Endless => flood(0),
        Program::Idle => Err(shell(&Program::Idle.shell_line()).exec()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_hang_up(&error) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
        || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

fn echo() -> io::Result<()> {
    set_modes(Termios::make_raw)?;
    write(READY.as_bytes())?;
    give_back(&[])
}

fn choice() -> io::Result<()> {
    set_modes(Termios::make_raw)?;
    write(READY.as_bytes())?;
    let mut first = [0; 1];
    // Not in the `match`: the lock would be held until its end.
    let len = io::stdin().lock().read(&mut first)?;
    if len == 0 {
        Ok(())
    } else if first == [GO] {
        set_modes(without_line_editing)?;
        flood(0)
    } else {
        give_back(&first)
    }
}

/// Gives back `first` and everything that comes after it.
fn give_back(first: &[u8]) -> io::Result<()> {
    write(first)?;
    let mut buffer = [0; 4096];
    loop {
        let len = io::stdin().lock().read(&mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        write(&buffer[..len])?;
    }
}

fn flood_again_and_again(bytes: u64) -> io::Result<()> {
    set_modes(without_line_editing)?;
    write(READY.as_bytes())?;
    while wait_for_byte()? {
        flood(bytes)?;
    }
    Ok(())
}

fn tail(bytes: u64) -> io::Result<()> {
    set_modes(without_line_editing)?;
    write(READY.as_bytes())?;
    if wait_for_byte()? { flood(bytes) } else { Ok(()) }
}

fn lines() -> io::Result<()> {
    write(READY.as_bytes())?;
    let mut line = String::new();
    while io::BufRead::read_line(&mut io::stdin().lock(), &mut line)? > 0 {
        let text = line.trim().strip_prefix("echo ").unwrap_or("only echo is known here");
        write(format!("{text}\n$ ").as_bytes())?;
        line.clear();
    }
    Ok(())
}

/// A shell whose one command is interrupted: it waits in the foreground, survives the signal, and
/// writes its prompt. A real one is used, as it is in real life. What the kernel throws away on
/// Ctrl-C may leave half an escape sequence, which would take the first letter of the prompt: CAN
/// ends it, as on a VT500.
fn interrupt() -> io::Result<()> {
    set_modes(without_line_editing)?;
    let script = format!(
        "trap : INT; printf %s '{READY}'; dd bs=1 count=1 >/dev/null 2>&1; \"$0\" \"$@\"; \
         printf '\\030%s' '{PROMPT}'; dd bs=1 count=1 >/dev/null 2>&1"
    );
    let own: Vec<_> = std::env::args_os().skip(1).collect();
    let before_program = own.split_last().map_or(&own[..], |(_, before)| before);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(std::env::current_exe()?).args(before_program);
    shell.args(Program::Endless.args());
    Err(shell.exec())
}

fn shell(line: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(line);
    shell
}

fn flood(bytes: u64) -> io::Result<()> {
    let mut source = FloodSource::default();
    let mut block = Vec::with_capacity(65 * FLOOD_LINE);
    let mut left = if bytes == 0 { u64::MAX } else { flood_lines(bytes) };
    while left > 0 {
        let lines = left.min(BLOCK_LINES);
        block.clear();
        for _ in 0..lines {
            source.write_line(&mut block);
        }
        left -= lines;
        if left == 0 {
            FloodSource::write_end(&mut block);
        }
        write(&block)?;
    }
    Ok(())
}

/// Waits for one byte of input; false at its end.
fn wait_for_byte() -> io::Result<bool> {
    let stdin = io::stdin();
    let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
    rustix::io::retry_on_intr(|| poll(&mut ready, None))?;
    Ok(rustix::io::read(&stdin, &mut [0; 1])? == 1)
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Keys arrive one by one and are not echoed; signals and `\n` → `\r\n` stay.
fn without_line_editing(modes: &mut Termios) {
    modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
    modes.local_modes |= LocalModes::ISIG;
    modes.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
}

fn set_modes(change: impl FnOnce(&mut Termios)) -> io::Result<()> {
    let stdin = io::stdin();
    let mut modes = tcgetattr(stdin.as_fd())?;
    change(&mut modes);
    Ok(tcsetattr(stdin.as_fd(), OptionalActions::Now, &modes)?)
}
