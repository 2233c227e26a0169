//! Asks for passwords: on the terminal without showing them, or from standard input.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};

use hither_auth::{PASSWORD_BYTES_MAX, Password};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::failure::{Exit, Failure};

/// Where a new password comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// Somebody types it, twice.
    Terminal,
    /// The first line of standard input.
    StandardInput,
}

/// A terminal that does not show what is typed; it does so again when this goes.
struct Hidden {
    terminal: File,
    before: Termios,
}

/// Asks for a new password for `name`.
pub(crate) fn new_password(name: &str, from: From) -> Result<Password, Failure> {
    let ask = Ask { question: &format!("New password for {name}: "), option: "--password-stdin" };
    let text = ask.text(from)?;
    let invalid = |error: hither_auth::InvalidPassword| {
        Failure::new(Exit::Usage, error.to_string()).cure("choose another one")
    };
    Password::new(text).map_err(invalid)
}

/// Asks for the passphrase of a share link, which must not be empty.
pub(crate) fn passphrase(from: From) -> Result<String, Failure> {
    let ask = Ask { question: "Passphrase of the link: ", option: "--passphrase-stdin" };
    let text = ask.text(from)?;
    if text.is_empty() {
        return Err(Failure::new(Exit::Usage, "the passphrase is empty").cure("choose another one"));
    }
    Ok(text)
}

/// A question after something new and secret.
struct Ask<'a> {
    question: &'a str,
    /// The option by which it is given without a terminal.
    option: &'a str,
}

impl Ask<'_> {
    fn text(&self, from: From) -> Result<String, Failure> {
        match from {
            From::StandardInput => line(io::stdin().lock()).map_err(|error| broken(&error)),
            From::Terminal => self.typed_twice(),
        }
    }

    fn typed_twice(&self) -> Result<String, Failure> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
        let terminal = terminal.map_err(|_| {
            Failure::new(Exit::Usage, "there is no terminal to type on without being seen")
                .cure(format!("give it on standard input with {}", self.option))
        })?;
        let hidden = Hidden::new(terminal).map_err(|error| broken(&error))?;
        let ask = |question: &str| hidden.ask(question).map_err(|error| broken(&error));
        let first = ask(self.question)?;
        if first == ask("The same again: ")? {
            Ok(first)
        } else {
            Err(Failure::new(Exit::Usage, "the two differ").cure("try again"))
        }
    }
}

impl Hidden {
    fn new(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }

    fn ask(&self, question: &str) -> io::Result<String> {
        (&self.terminal).write_all(question.as_bytes())?;
        line(&self.terminal)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        tcsetattr(&self.terminal, OptionalActions::Flush, &self.before).ok();
    }
}

/// One line without its end; not longer than a password can be, and a little.
fn line(from: impl Read) -> io::Result<String> {
    let most = u64::try_from(PASSWORD_BYTES_MAX + 2).unwrap_or(u64::MAX);
    let mut text = String::new();
    BufReader::new(from.take(most)).read_line(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(Exit::Internal, format!("the password could not be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_line() {
        for (text, expect) in [
            ("secret\n", "secret"),
            ("se cret\r\nmore\n", "se cret"),
            ("secret", "secret"),
            ("", ""),
        ] {
            assert_eq!(line(text.as_bytes()).unwrap(), expect);
        }
        assert_eq!(line("x".repeat(9999).as_bytes()).unwrap().len(), PASSWORD_BYTES_MAX + 2);
    }
}
