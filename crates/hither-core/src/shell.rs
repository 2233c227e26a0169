//! What a shell says about itself: where its prompts are, and how its commands end.
//!
//! The marks are those of OSC 133 (FinalTerm), which shell integrations of many terminals write:
//! `A` before the prompt, `B` behind it, `C` before a command's output, `D` behind it.

use std::collections::VecDeque;

use crate::Offset;

/// A mark in a session's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShellMark {
    /// The prompt begins (`A`).
    Prompt,
    /// The prompt is complete and the shell reads a command (`B`).
    Input,
    /// A command was read and its output follows (`C`).
    Output,
    /// The command has ended (`D`), with this exit code if the shell said so.
    End(Option<i32>),
}

/// What the shell of a session is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ShellPhase {
    /// It never said: it is no shell, or one without integration.
    #[default]
    Unknown,
    /// It waits at its prompt for a command.
    Prompt,
    /// It runs a command.
    Running,
}

/// A command that a shell ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShellCommand {
    /// Offset behind the mark before its output.
    pub start: Offset,
    /// Offset behind the mark at its end, and its exit code; `None` while it runs.
    pub end: Option<(Offset, Option<i32>)>,
}

/// The shell of a session, as far as its marks tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shell {
    phase: ShellPhase,
    /// Offset behind the last mark at which the prompt could be typed at.
    prompt_at: Option<Offset>,
    /// Whether it writes [`ShellMark::Input`].
    marks_input: bool,
    /// The last commands, oldest first.
    commands: VecDeque<ShellCommand>,
}

/// Most commands that are remembered; the oldest are forgotten first.
pub const COMMANDS_MAX: usize = 64;

impl Shell {
    /// What it is doing.
    #[must_use]
    pub const fn phase(&self) -> ShellPhase {
        self.phase
    }

    /// Where the last prompt was that it waited, or waits, at.
    #[must_use]
    pub const fn prompt_at(&self) -> Option<Offset> {
        self.prompt_at
    }

    /// The last command that has ended or runs.
    #[must_use]
    pub fn last_command(&self) -> Option<ShellCommand> {
        self.commands.back().copied()
    }

    /// The exit code of the last command that has ended.
    #[must_use]
    pub fn last_exit(&self) -> Option<i32> {
        self.commands.iter().rev().find_map(|command| command.end)?.1
    }

    /// The first command whose output starts behind `offset`.
    #[must_use]
    pub fn first_command_behind(&self, offset: Offset) -> Option<ShellCommand> {
        self.commands.iter().find(|command| command.start > offset).copied()
    }

    /// A mark was written; `at` is the offset behind it.
    pub fn handle_mark(&mut self, mark: ShellMark, at: Offset) {
        match mark {
            ShellMark::Prompt => {
                if !self.marks_input {
                    self.wait_at(at);
                }
            }
            ShellMark::Input => {
                self.marks_input = true;
                self.wait_at(at);
            }
            ShellMark::Output => {
                self.phase = ShellPhase::Running;
                if self.commands.len() == COMMANDS_MAX {
                    self.commands.pop_front();
                }
                self.commands.push_back(ShellCommand { start: at, end: None });
            }
            ShellMark::End(code) => {
                if let Some(command) = self.commands.back_mut()
                    && command.end.is_none()
                {
                    command.end = Some((at, code));
                }
            }
        }
    }

    const fn wait_at(&mut self, at: Offset) {
        self.phase = ShellPhase::Prompt;
        self.prompt_at = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(marks: &[(ShellMark, u64)]) -> Shell {
        let mut shell = Shell::default();
        for &(mark, at) in marks {
            shell.handle_mark(mark, Offset(at));
        }
        shell
    }

    #[test]
    fn follows_a_command_from_prompt_to_prompt() {
        use ShellMark::{End, Input, Output, Prompt};
        let marks = [
            (End(None), 1),
            (Prompt, 2),
            (Input, 10),
            (Output, 20),
            (End(Some(3)), 30),
            (Prompt, 31),
            (Input, 40),
        ];
        for (count, phase, prompt_at, last_exit) in [
            (0, ShellPhase::Unknown, None, None),
            (1, ShellPhase::Unknown, None, None),
            (2, ShellPhase::Prompt, Some(2), None),
            (3, ShellPhase::Prompt, Some(10), None),
            (4, ShellPhase::Running, Some(10), None),
            (5, ShellPhase::Running, Some(10), Some(3)),
            // The prompt is not ready before it is complete.
            (6, ShellPhase::Running, Some(10), Some(3)),
            (7, ShellPhase::Prompt, Some(40), Some(3)),
        ] {
            let shell = shell(&marks[..count]);
            assert_eq!(shell.phase(), phase, "{count}");
            assert_eq!(shell.prompt_at(), prompt_at.map(Offset), "{count}");
            assert_eq!(shell.last_exit(), last_exit, "{count}");
        }
        let shell = shell(&marks);
        let command = ShellCommand { start: Offset(20), end: Some((Offset(30), Some(3))) };
        assert_eq!(shell.first_command_behind(Offset(19)), Some(command));
        assert_eq!(shell.first_command_behind(Offset(20)), None);
    }

    #[test]
    fn an_end_without_a_command_is_nothing() {
        let mut shell = shell(&[(ShellMark::Output, 5), (ShellMark::End(Some(1)), 6)]);
        shell.handle_mark(ShellMark::End(Some(2)), Offset(7));
        assert_eq!(shell.last_exit(), Some(1));
    }

    #[test]
    fn remembers_a_bounded_number_of_commands() {
        let mut shell = Shell::default();
        for at in 0..1000 {
            shell.handle_mark(ShellMark::Output, Offset(at));
        }
        assert_eq!(shell.commands.len(), COMMANDS_MAX);
        assert_eq!(shell.last_command().map(|command| command.start), Some(Offset(999)));
    }
}
