//! What a new session shall be.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hither_core::WindowSize;

/// What a new session shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NewSession {
    /// Program and arguments; `None` is the configured default.
    pub command: Option<Vec<String>>,
    /// Directory to start in; `None` is the configured default.
    pub cwd: Option<PathBuf>,
    /// Title until the program sets one; `None` is the program's name.
    pub title: Option<String>,
    /// Labels from the beginning; at most [`LABELS_MAX`].
    pub labels: BTreeMap<String, String>,
    /// Variables of its environment besides those that every session has.
    pub environment: Vec<(String, String)>,
    /// Window size until a viewer sets one; `None` is [`WindowSize::DEFAULT`].
    pub size: Option<WindowSize>,
    /// When it is closed by itself.
    pub life: Life,
    /// What becomes of processes that its child leaves behind; `None` is the configured default.
    pub on_close: Option<OnClose>,
}

impl NewSession {
    /// This, with what `base` says where it says nothing itself. Labels and variables of both count,
    /// its own first.
    pub(crate) fn over(self, base: &Self) -> Self {
        let mut labels = base.labels.clone();
        labels.extend(self.labels);
        let mut environment: BTreeMap<_, _> = base.environment.iter().cloned().collect();
        environment.extend(self.environment);
        Self {
            command: self.command.or_else(|| base.command.clone()),
            cwd: self.cwd.or_else(|| base.cwd.clone()),
            title: self.title.or_else(|| base.title.clone()),
            labels,
            environment: environment.into_iter().collect(),
            size: self.size.or(base.size),
            life: self.life,
            on_close: self.on_close.or(base.on_close),
        }
    }
}

/// What becomes of the processes that a session's child leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnClose {
    /// As a terminal does: they are hung up when the child exits, and those that ignore it or have
    /// left the session live on. A session that is closed is ended whole: what is left two
    /// seconds after the hang-up is killed.
    #[default]
    Hup,
    /// However the session ends, they are hung up, and killed two seconds later.
    Kill,
    /// They are left alone; a close ends the child only.
    Keep,
}

/// Most labels of a session.
pub const LABELS_MAX: usize = 16;

/// When a session is closed without being asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Life {
    /// Never; it outlives its viewers.
    #[default]
    Lasting,
    /// When its one viewer goes, as in ttyd.
    WithViewer,
}
