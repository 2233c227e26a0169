//! From a request to a running session.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hither_auth::UserId;
use hither_core::{SessionId, WindowSize};
use hither_host::limits::META_BYTES_MAX;
use hither_host::message::{SessionFds, SpawnRequest};
use hither_pty::{Mapping, Master, resolve_program};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::shared::{Facts, Names, Shared};
use super::{Directory, environment};
use crate::sessions::{
    CreateError, Life, NewSession, OnClose, Resource, SessionEvent, SessionInfo,
};
use crate::shell_integration::Dressed;
use crate::worker::memory::{SessionMemory, memory_bytes};
use crate::worker::{Adoption, Command, answer};

/// A program and its arguments.
pub(crate) type Program = Vec<String>;

/// How long the host may take to start a program.
const SPAWN_TIME: Duration = Duration::from_secs(10);
const UMASK: u16 = 0o022;

/// A session that the host was asked to start.
#[derive(Debug)]
pub(super) struct Starting {
    pub(super) facts: Facts,
    pub(super) reply: oneshot::Sender<Result<SessionInfo, CreateError>>,
}

/// A session that somebody waits for. Whoever goes before it is there leaves none behind.
struct Awaited<'a> {
    directory: &'a Directory,
    answer: oneshot::Receiver<Result<SessionInfo, CreateError>>,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.answer.close();
        if let Ok(Ok(info)) = self.answer.try_recv() {
            self.directory.end(info.id, "session closed");
        }
    }
}

/// What the host keeps of a session for the next gateway.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    command: Vec<String>,
    cwd: PathBuf,
    title: String,
    lasting: bool,
    /// Number of the user who started it.
    #[serde(default)]
    owner: u64,
    #[serde(default)]
    given_title: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Directory {
    /// Starts a session and answers when its program runs.
    pub(super) async fn start_session(
        &self,
        owner: UserId,
        new: NewSession,
    ) -> Result<SessionInfo, CreateError> {
        let max = self.config.limits.sessions_max;
        if self.table().len() + self.host.starting() >= max {
            tracing::warn!(max, "limit of sessions is reached");
            return Err(CreateError::LimitReached { what: "sessions", max });
        }
        let own = new.environment.clone();
        let facts = self.facts(owner, new)?;
        let request = self.spawn_request(&facts, &own)?;
        let (reply, answer) = oneshot::channel();
        let mut awaited = Awaited { directory: self, answer };
        self.host.spawn(request, Starting { facts, reply }).await?;
        match tokio::time::timeout(SPAWN_TIME, &mut awaited.answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(CreateError::HostUnavailable),
        }
    }

    fn facts(&self, owner: UserId, new: NewSession) -> Result<Facts, CreateError> {
        let command = new.command.unwrap_or_else(|| self.config.program.clone());
        let program = command.first().ok_or(CreateError::InvalidCommand)?;
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
        let title = new.title.unwrap_or_else(|| name.into_owned());
        let mut bits = [0; 10];
        getrandom::fill(&mut bits).map_err(|_| CreateError::Failed)?;
        Ok(Facts {
            id: SessionId::from_random(bits),
            owner,
            names: Names { program_title: title, given_title: None, labels: new.labels },
            command,
            cwd: new.cwd.unwrap_or_else(|| self.config.cwd.clone()),
            life: new.life,
            on_close: new.on_close.unwrap_or(self.config.on_close),
            size: new.size.unwrap_or(WindowSize::DEFAULT),
            created_ms: self.clock.unix_ms(self.clock.now()),
        })
    }

    fn spawn_request(
        &self,
        facts: &Facts,
        own: &[(String, String)],
    ) -> Result<SpawnRequest, CreateError> {
        let environment = &self.config.environment;
        let path = environment.iter().find(|(name, _)| name == "PATH");
        let path = path.map_or(hither_pty::DEFAULT_PATH, |(_, path)| path);
        if !facts.cwd.is_dir() {
            return Err(CreateError::DirectoryNotFound);
        }
        let program = resolve_program(facts.command[0].as_ref(), Some(path.as_ref()), &facts.cwd)
            .map_err(|_| CreateError::ProgramNotFound(facts.command[0].clone()))?;
        let dressed = self.dress(&facts.command);
        Ok(SpawnRequest {
            request: 0,
            session: facts.id,
            program: c_string(program.into_os_string().into_encoded_bytes())?,
            argv: dressed
                .argv
                .iter()
                .map(|arg| c_string(arg.as_bytes()))
                .collect::<Result<_, _>>()?,
            env: environment::of_session(environment, own, &dressed.environment, facts.id)
                .into_iter()
                .map(c_string)
                .collect::<Result<_, _>>()?,
            cwd: c_string(facts.cwd.clone().into_os_string().into_encoded_bytes())?,
            umask: UMASK,
            size: facts.size,
            memory_bytes: memory_bytes(self.config.history_bytes),
            meta: Meta::of_facts(facts).bounded()?,
            on_close: host_word(facts.on_close),
        })
    }

    fn dress(&self, command: &[String]) -> Dressed {
        match &self.config.integration {
            Some(integration) => integration.dress(command),
            None => Dressed { argv: command.to_vec(), environment: Vec::new() },
        }
    }

    /// The host has started a program: the session goes to its worker, if somebody waits for it
    /// still. Whoever was told that there is none, or has left, will never end it.
    pub(super) fn handle_spawned(&self, starting: Starting, pid: u32, fds: SessionFds) {
        let id = starting.facts.id;
        if starting.reply.is_closed() {
            tracing::info!(session = %id, pid, "nobody waits for the session any more");
            return self.host.close(id);
        }
        let result = self.place(starting.facts, fds);
        match &result {
            Ok(_) => tracing::info!(session = %id, pid, "session started"),
            Err(error) => {
                tracing::error!(session = %id, %error, "taking a session over");
                self.host.close(id);
            }
        }
        answer(starting.reply, result);
    }

    fn place(&self, facts: Facts, fds: SessionFds) -> Result<SessionInfo, CreateError> {
        let mapping = Mapping::new(&fds.memory).map_err(|error| unmapped(&error))?;
        let memory = SessionMemory::create(mapping, self.config.history_bytes, facts.size)
            .map_err(|_| CreateError::Failed)?;
        let shared = self.insert(facts);
        let info = shared.info();
        let worker = shared.worker;
        let master = Some(Master::from(fds.master));
        let adoption = Adoption { shared, master, memory, exit: None };
        self.tell(worker, Command::Adopt(Box::new(adoption)));
        self.upward.publish(SessionEvent::Created(Box::new(info.clone())));
        Ok(info)
    }

    /// Puts a session into the table, on the worker that has fewest.
    pub(super) fn insert(&self, facts: Facts) -> Arc<Shared> {
        let worker = (0..self.loads.len())
            .min_by_key(|&worker| self.loads[worker].load(Relaxed))
            .expect("there is a worker");
        self.loads[worker].fetch_add(1, Relaxed);
        let shared = Arc::new(Shared::new(facts, worker, self.clock.unix_ms(self.clock.now())));
        self.table().insert(shared.id, Arc::clone(&shared));
        shared
    }
}

impl Meta {
    fn of_facts(facts: &Facts) -> Self {
        Self {
            command: facts.command.clone(),
            cwd: facts.cwd.clone(),
            title: facts.names.program_title.clone(),
            lasting: facts.life == Life::Lasting,
            owner: facts.owner.0,
            given_title: facts.names.given_title.clone(),
            labels: facts.names.labels.clone(),
        }
    }

    /// What is kept of a session as it is now.
    pub(super) fn of(shared: &Shared) -> Self {
        let names = shared.names();
        Self {
            command: shared.command.to_vec(),
            cwd: shared.cwd.to_path_buf(),
            title: names.program_title,
            lasting: shared.life == Life::Lasting,
            owner: shared.owner.0,
            given_title: names.given_title,
            labels: names.labels,
        }
    }

    /// Its form for the host when the session is new: it leaves room for every title and every
    /// label that may be given later.
    fn bounded(&self) -> Result<Vec<u8>, CreateError> {
        let bytes = self.to_bytes();
        if bytes.len() <= META_BYTES_MAX / 2 { Ok(bytes) } else { Err(CreateError::InvalidCommand) }
    }

    /// Its form for the host, which does not look into it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts, flags and maps of texts have a JSON form")
    }

    /// The facts of a session that another gateway has started.
    pub(super) fn facts(meta: &[u8], id: SessionId, size: WindowSize, created_ms: u64) -> Facts {
        let meta = serde_json::from_slice(meta).unwrap_or_else(|_| Self {
            command: vec!["unknown".to_owned()],
            cwd: PathBuf::from("/"),
            title: String::new(),
            lasting: true,
            owner: UserId::MACHINE.0,
            given_title: None,
            labels: BTreeMap::new(),
        });
        Facts {
            id,
            owner: UserId(meta.owner),
            command: meta.command,
            cwd: meta.cwd,
            names: Names {
                program_title: meta.title,
                given_title: meta.given_title,
                labels: meta.labels,
            },
            life: if meta.lasting { Life::Lasting } else { Life::WithViewer },
            // The host knows; it is asked for it at the end only.
            on_close: OnClose::default(),
            size,
            created_ms,
        }
    }
}

/// Why there is no session when its memory cannot be mapped.
fn unmapped(error: &std::io::Error) -> CreateError {
    match Errno::from_io_error(error) {
        Some(Errno::NOMEM) => CreateError::Exhausted(Resource::Memory),
        _ => CreateError::Failed,
    }
}

fn host_word(on_close: OnClose) -> hither_host::message::OnClose {
    use hither_host::message::OnClose as Word;
    match on_close {
        OnClose::Hup => Word::Hup,
        OnClose::Kill => Word::Kill,
        OnClose::Keep => Word::Keep,
    }
}

fn c_string(bytes: impl Into<Vec<u8>>) -> Result<CString, CreateError> {
    CString::new(bytes).map_err(|_| CreateError::InvalidCommand)
}
