//! Names of the session programs.

use clap::Subcommand;

use crate::content::{FLOOD_END, FLOOD_TEXT, PROMPT, READY, flood_lines};

/// A session program. All but one first write [`READY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Program {
    /// Gives each byte back, in raw mode
    Echo,
    /// Writes so many bytes of coloured log lines each time a byte comes in
    Flood {
        /// Bytes, rounded up to whole lines; 0 floods without end
        bytes: u64,
    },
    /// Writes so many bytes when a byte comes in, and exits at once
    Tail {
        /// Bytes, rounded up to whole lines
        bytes: u64,
    },
    /// Floods without end when the first byte is `~`, gives each byte back otherwise
    Choice,
    /// Answers lines like a shell that knows only `echo`, with the terminal's own echo
    Lines,
    /// Floods without end until interrupted, then writes a prompt
    Interrupt,
    /// Floods without end, at once; the one that does not say that it is ready
    Endless,
    /// Says that it is ready, and does nothing
    Idle,
}

impl Program {
    /// The arguments behind `child` that make the bench this program.
    #[must_use]
    pub fn args(self) -> Vec<String> {
        let (name, bytes) = match self {
            Self::Echo => ("echo", None),
            Self::Flood { bytes } => ("flood", Some(bytes)),
            Self::Tail { bytes } => ("tail", Some(bytes)),
            Self::Choice => ("choice", None),
            Self::Lines => ("lines", None),
            Self::Interrupt => ("interrupt", None),
            Self::Endless => ("endless", None),
            Self::Idle => ("idle", None),
        };
        [Some(name.to_owned()), bytes.map(|bytes| bytes.to_string())]
            .into_iter()
            .flatten()
            .collect()
    }

    /// What a session has to execute to be this program, `bench` being how the bench is called.
    ///
    /// A session that does nothing is a shell: were it the bench, and the server the same binary,
    /// they would share their pages, and the server's share of memory would look smaller than it is.
    #[must_use]
    pub fn argv(self, bench: &[String]) -> Vec<String> {
        if self == Self::Idle {
            return ["/bin/sh", "-c", &self.shell_line()].map(str::to_owned).to_vec();
        }
        [bench, &["child".to_owned()], &self.args()].concat()
    }

    /// A line that makes a POSIX shell this program, without the carriage return.
    ///
    /// The marker is written in two halves, so that the echo of this line does not look like it.
    #[must_use]
    pub fn shell_line(self) -> String {
        let ready = halves(READY);
        let wait = "dd bs=1 count=1 2>/dev/null >/dev/null";
        let cooked = "stty -icanon -echo isig opost onlcr min 1";
        match self {
            Self::Echo => format!("stty raw -echo; {ready}; exec cat"),
            Self::Flood { bytes } => {
                format!("{cooked}; {ready}; while {wait}; do {}; done", awk(bytes))
            }
            Self::Tail { bytes } => format!("{cooked}; {ready}; {wait}; {}; exit", awk(bytes)),
            Self::Choice => format!(
                "stty raw -echo; {ready}; c=$(dd bs=1 count=1 2>/dev/null); \
                 if [ \"$c\" = '~' ]; then {cooked}; {}; fi; printf %s \"$c\"; exec cat",
                awk(0)
            ),
            Self::Lines => ready,
            Self::Interrupt => {
                let prompt = halves(PROMPT);
                format!(
                    "{cooked}; trap : INT; {ready}; {wait}; {}; printf '\\030'; {prompt}; {wait}",
                    awk(0)
                )
            }
            Self::Endless => awk(0),
            Self::Idle => format!("{ready}; read line"),
        }
    }
}

fn halves(marker: &str) -> String {
    let (first, second) = marker.split_at(marker.len() / 2);
    format!("printf '%s%s' '{first}' '{second}'")
}

/// An awk program that writes the same flood as [`Program::Flood`].
fn awk(bytes: u64) -> String {
    let text = FLOOD_TEXT.replace('\x1b', "\\033");
    let line = format!("printf \"\\033[3%dm%012d{text}\\n\",1+i%6,i");
    let lines = flood_lines(bytes);
    // The number of the last line is more than every awk can print as a number.
    let end = format!("printf \"\\033[3{}m{FLOOD_END}{text}\\n\"", 1 + FLOOD_END % 6);
    let (condition, end) =
        if bytes == 0 { (String::new(), String::new()) } else { (format!("i<{lines}"), end) };
    format!("LC_ALL=C awk 'BEGIN{{for(i=0;{condition};i++){line};{end}}}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{FloodCheck, Marker};

    #[test]
    fn typed_lines_do_not_look_like_their_own_marker() {
        for program in [Program::Echo, Program::Interrupt, Program::Flood { bytes: 9 }] {
            let line = program.shell_line();
            assert_eq!(Marker::new(READY).find(line.as_bytes()), None, "{line}");
            assert_eq!(Marker::new(PROMPT).find(line.as_bytes()), None, "{line}");
            assert!(!line.contains('\r') && !line.contains('\n'));
        }
    }

    #[test]
    fn the_shells_flood_is_the_flood() {
        let output = std::process::Command::new("sh")
            .args(["-c", &awk(1000)])
            .output()
            .expect("every machine that builds this has a shell");
        let text = String::from_utf8(output.stdout).unwrap().replace('\n', "\r\n");
        let mut check = FloodCheck::new(flood_lines(1000));
        check.handle_output(text.as_bytes());
        assert!(check.is_over(), "{text}");
        assert!(check.finish().is_none());
    }
}
