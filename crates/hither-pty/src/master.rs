//! The master side of a PTY.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Winsize, tcgetattr,
    tcgetpgrp, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use crate::Pid;

/// The master side of a PTY: non-blocking, close-on-exec, never a controlling terminal.
///
/// `O_NONBLOCK` belongs to the open file description, so every process that was handed a duplicate
/// sees it too. The kernel hangs the terminal up when the last duplicate is closed.
#[derive(Debug)]
pub struct Master(OwnedFd);

/// Window size as the kernel keeps it: any value, even 0×0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// The two modes of the line discipline that a viewer has to know to predict the echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchoFlags {
    /// ECHO: the terminal repeats what is typed.
    pub echo: bool,
    /// ICANON: the terminal collects a line before the program reads it.
    pub canonical: bool,
}

impl Master {
    /// Opens a new PTY of the given size and returns both sides.
    ///
    /// The slave is asked from the master itself (`TIOCGPTPEER`), so no path can be replaced in
    /// between. Its modes are those of a fresh terminal (cooked, echoing, erase is `^?`), with
    /// UTF-8 erasing on.
    ///
    /// # Errors
    /// What the kernel says: no PTY or no descriptor left, or no `/dev/ptmx`.
    pub fn open(size: Size) -> io::Result<(Self, OwnedFd)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let nonblock = OpenptFlags::from_bits_retain(rustix::fs::OFlags::NONBLOCK.bits());
        let master = Self(openpt(flags | nonblock)?);
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = ioctl_tiocgptpeer(&master, flags)?;
        master.set_sane_modes()?;
        master.set_size(size)?;
        Ok((master, slave))
    }

    /// The window size that programs on the slave see.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn size(&self) -> io::Result<Size> {
        let winsize = tcgetwinsize(self)?;
        Ok(Size { cols: winsize.ws_col, rows: winsize.ws_row })
    }

    /// Sets the window size; the foreground processes get `SIGWINCH` if it differs.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set_size(&self, size: Size) -> io::Result<()> {
        let winsize = Winsize { ws_col: size.cols, ws_row: size.rows, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(tcsetwinsize(self, winsize)?)
    }

    /// The present state of ECHO and ICANON.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn echo_flags(&self) -> io::Result<EchoFlags> {
        let modes = tcgetattr(self)?.local_modes;
        Ok(EchoFlags {
            echo: modes.contains(LocalModes::ECHO),
            canonical: modes.contains(LocalModes::ICANON),
        })
    }

    /// Writes input for the program and returns how much of it the kernel took.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when the terminal's input queue is full; `EIO` when nobody
    /// has the slave open.
    pub fn write(&self, input: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::write(&self.0, input))?)
    }

    /// The process group in the terminal's foreground.
    ///
    /// # Errors
    /// `ENOTTY` or `EIO` when the session has no controlling terminal any more.
    pub fn foreground_group(&self) -> io::Result<Pid> {
        Ok(tcgetpgrp(self)?)
    }

    /// What `stty sane` would set: the kernel's own defaults, stated here so that they do not
    /// depend on it, and `IUTF8`, which lets erase remove a whole character.
    fn set_sane_modes(&self) -> io::Result<()> {
        let mut modes = tcgetattr(self)?;
        modes.input_modes =
            InputModes::ICRNL | InputModes::IXON | InputModes::IMAXBEL | InputModes::IUTF8;
        modes.output_modes = OutputModes::OPOST | OutputModes::ONLCR;
        modes.local_modes = LocalModes::ISIG
            | LocalModes::ICANON
            | LocalModes::IEXTEN
            | LocalModes::ECHO
            | LocalModes::ECHOE
            | LocalModes::ECHOK
            | LocalModes::ECHOCTL
            | LocalModes::ECHOKE;
        modes.special_codes[SpecialCodeIndex::VERASE] = 0x7f;
        Ok(tcsetattr(self, OptionalActions::Now, &modes)?)
    }
}

impl AsFd for Master {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// For a descriptor that was handed over; it must be the master of a PTY.
impl From<OwnedFd> for Master {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Master> for OwnedFd {
    fn from(master: Master) -> Self {
        master.0
    }
}
