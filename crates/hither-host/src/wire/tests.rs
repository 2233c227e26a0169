//! The codec is a bijection between messages and their bytes, and nothing else decodes.

use std::ffi::CString;
use std::fmt::Debug;

use hither_core::{SessionId, WindowSize};
use hither_pty::{ExitStatus, Signal, SpawnError, Stage};
use proptest::prelude::*;

use super::{WireError, decode_from_host, decode_to_host, encode_from_host, encode_to_host};
use crate::limits::{
    JOURNALS_MAX, MEMORY_BYTES_MAX, MESSAGE_BYTES_MAX, META_BYTES_MAX, PATH_BYTES_MAX, STRINGS_MAX,
};
use crate::message::{
    FromHost, JournalFds, Life, OnClose, Refusal, SessionFds, SessionState, SignalTarget,
    SpawnRequest, ToHost,
};

fn session() -> impl Strategy<Value = SessionId> {
    any::<[u8; 10]>().prop_map(SessionId::from_random)
}

fn text() -> impl Strategy<Value = CString> {
    proptest::collection::vec(1..=u8::MAX, 0..40).prop_map(|bytes| CString::new(bytes).unwrap())
}

fn meta() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..100)
}

fn status() -> impl Strategy<Value = ExitStatus> {
    prop_oneof![
        any::<u8>().prop_map(ExitStatus::Code),
        any::<(u8, bool)>()
            .prop_map(|(signal, core_dumped)| ExitStatus::Signal { signal, core_dumped }),
        Just(ExitStatus::Unknown),
    ]
}

fn refusal() -> impl Strategy<Value = Refusal> {
    proptest::sample::select(super::from_host::REFUSALS.to_vec())
}

fn session_fds() -> impl Strategy<Value = SessionFds<u8>> {
    any::<[u8; 3]>().prop_map(SessionFds::from_array)
}

fn journal_fds() -> impl Strategy<Value = JournalFds<u8>> {
    any::<[u8; 3]>().prop_map(JournalFds::from_array)
}

fn state() -> impl Strategy<Value = SessionState> {
    let life =
        prop_oneof![Just(Life::Running), Just(Life::Closing), status().prop_map(Life::Exited)];
    (session(), any::<u32>(), any::<u64>(), life, meta()).prop_map(
        |(session, pid, created_unix_ms, life, meta)| SessionState {
            session,
            pid,
            created_unix_ms,
            life,
            meta,
        },
    )
}

fn on_close() -> impl Strategy<Value = OnClose> {
    proptest::sample::select(vec![OnClose::Hup, OnClose::Kill, OnClose::Keep])
}

fn spawn_request() -> impl Strategy<Value = SpawnRequest> {
    let strings = || proptest::collection::vec(text(), 0..5);
    let size = (2_u32..=1000, 1_u32..=500).prop_map(|(cols, rows)| WindowSize::clamped(cols, rows));
    (
        (any::<u64>(), session(), text(), strings(), strings()),
        (text(), 0..=0o777_u16, size, 1..=MEMORY_BYTES_MAX, (meta(), on_close())),
    )
        .prop_map(
            |(
                (request, session, program, argv, env),
                (cwd, umask, size, memory_bytes, (meta, on_close)),
            )| {
                SpawnRequest {
                    request,
                    session,
                    program,
                    argv,
                    env,
                    cwd,
                    umask,
                    size,
                    memory_bytes,
                    meta,
                    on_close,
                }
            },
        )
}

fn to_host() -> impl Strategy<Value = ToHost<u8>> {
    let signal = (1..=31).prop_filter_map("a signal", Signal::from_named_raw);
    let target = proptest::sample::select(vec![
        SignalTarget::Leader,
        SignalTarget::Group,
        SignalTarget::Foreground,
    ]);
    prop_oneof![
        any::<u16>().prop_map(|version| ToHost::Hello { version }),
        Just(ToHost::Claim),
        spawn_request().prop_map(|request| ToHost::Spawn(Box::new(request))),
        (session(), signal, target).prop_map(|(session, signal, target)| ToHost::Signal {
            session,
            signal,
            target
        }),
        session().prop_map(|session| ToHost::Close { session }),
        Just(ToHost::List),
        (0..JOURNALS_MAX, journal_fds()).prop_map(|(index, fds)| ToHost::PutJournal { index, fds }),
        (session(), meta()).prop_map(|(session, meta)| ToHost::SetMeta { session, meta }),
        Just(ToHost::Stop),
    ]
}

fn from_host() -> impl Strategy<Value = FromHost<u8>> {
    let error = (proptest::sample::select(Stage::ALL.to_vec()), 0..=i32::MAX)
        .prop_map(|(stage, errno)| SpawnError { stage, errno });
    let hello = prop_oneof![
        any::<(u16, u32)>().prop_map(|(version, pid)| FromHost::Welcome { version, pid }),
        any::<u16>().prop_map(|version| FromHost::WrongVersion { version }),
        Just(FromHost::Claimed),
        any::<u32>().prop_map(|pid| FromHost::ClaimRefused { pid }),
        (state(), session_fds()).prop_map(|(session, fds)| FromHost::Adopt { session, fds }),
        (any::<u16>(), journal_fds()).prop_map(|(index, fds)| FromHost::Journal { index, fds }),
        Just(FromHost::AdoptEnd),
    ];
    let life = prop_oneof![
        (any::<(u64, u32)>(), session(), session_fds()).prop_map(
            |((request, pid), session, fds)| FromHost::Spawned { request, session, pid, fds }
        ),
        (any::<u64>(), error).prop_map(|(request, error)| FromHost::SpawnFailed { request, error }),
        (any::<u64>(), refusal())
            .prop_map(|(request, reason)| FromHost::SpawnRefused { request, reason }),
        (session(), status()).prop_map(|(session, status)| FromHost::Exited { session, status }),
        session().prop_map(|session| FromHost::Closed { session }),
        session().prop_map(|session| FromHost::Signalled { session }),
        (session(), refusal()).prop_map(|(session, reason)| FromHost::Refused { session, reason }),
        state().prop_map(FromHost::Listed),
        Just(FromHost::ListEnd),
    ];
    prop_oneof![hello, life]
}

fn owned(fds: Option<[&u8; 3]>) -> Vec<u8> {
    fds.into_iter().flatten().copied().collect()
}

/// Every shorter message, a longer one and a wrong number of descriptors are refused.
fn check_neighbours<M: Debug>(
    bytes: &[u8],
    fds: &[u8],
    decode: impl Fn(&[u8], Vec<u8>) -> Result<M, WireError>,
) {
    for len in 0..bytes.len() {
        assert!(decode(&bytes[..len], fds.to_vec()).is_err());
    }
    let longer = [bytes, &[0]].concat();
    assert_eq!(decode(&longer, fds.to_vec()).unwrap_err(), WireError::Trailing(1));
    for wrong in [0, 1, 2, 3, 4, 253] {
        if wrong != fds.len() {
            let expected = fds.len();
            let error = WireError::Descriptors { found: wrong, expected };
            assert_eq!(decode(bytes, vec![9; wrong]).unwrap_err(), error);
        }
    }
}

proptest! {
    #[test]
    fn messages_to_the_host_round_trip(message in to_host()) {
        let (bytes, fds) = encode_to_host(&message).unwrap();
        let fds = owned(fds);
        check_neighbours(&bytes, &fds, decode_to_host);
        prop_assert_eq!(decode_to_host(&bytes, fds), Ok(message));
    }

    #[test]
    fn messages_from_the_host_round_trip(message in from_host()) {
        let (bytes, fds) = encode_from_host(&message).unwrap();
        let fds = owned(fds);
        check_neighbours(&bytes, &fds, decode_from_host);
        prop_assert_eq!(decode_from_host(&bytes, fds), Ok(message));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        kind in 0_u8..=130,
        rest in proptest::collection::vec(prop_oneof![Just(0), Just(b'a'), any::<u8>()], 0..60),
        fds in proptest::collection::vec(any::<u8>(), 0..5),
    ) {
        let bytes = [&[kind], rest.as_slice()].concat();
        if let Ok(message) = decode_to_host(&bytes, fds.clone()) {
            let (again, again_fds) = encode_to_host(&message).unwrap();
            prop_assert_eq!((again, owned(again_fds)), (bytes.clone(), fds.clone()));
        }
        if let Ok(message) = decode_from_host(&bytes, fds.clone()) {
            let (again, again_fds) = encode_from_host(&message).unwrap();
            prop_assert_eq!((again, owned(again_fds)), (bytes, fds));
        }
    }
}

fn small_request() -> SpawnRequest {
    SpawnRequest {
        request: 7,
        session: SessionId::from_random([3; 10]),
        program: c"/bin/sh".into(),
        argv: vec![c"sh".into()],
        env: Vec::new(),
        cwd: c"/".into(),
        umask: 0o022,
        size: WindowSize::DEFAULT,
        memory_bytes: 4096,
        meta: Vec::new(),
        on_close: OnClose::Hup,
    }
}

fn check_limit(change: impl FnOnce(&mut SpawnRequest), expect: &str) {
    let mut request = small_request();
    change(&mut request);
    let message = ToHost::<u8>::Spawn(Box::new(request));
    assert_eq!(encode_to_host(&message).unwrap_err().to_string(), expect);
}

#[test]
fn every_limit_has_its_sentence() {
    let long = |len| CString::new(vec![b'x'; len]).unwrap();
    check_limit(
        |request| request.program = long(PATH_BYTES_MAX + 1),
        "program of 4096 exceeds limit of 4095",
    );
    check_limit(
        |request| request.cwd = long(PATH_BYTES_MAX + 1),
        "directory of 4096 exceeds limit of 4095",
    );
    check_limit(
        |request| request.argv = vec![c"".into(); STRINGS_MAX + 1],
        "arguments of 1025 exceeds limit of 1024",
    );
    check_limit(
        |request| request.env = vec![c"".into(); STRINGS_MAX + 1],
        "environment of 1025 exceeds limit of 1024",
    );
    check_limit(
        |request| request.meta = vec![0; META_BYTES_MAX + 1],
        "meta of 16385 exceeds limit of 16384",
    );
    check_limit(
        |request| request.env = vec![long(MESSAGE_BYTES_MAX)],
        "message of 131146 exceeds limit of 131072",
    );
    check_limit(|request| request.umask = 0o1000, "message has an invalid umask");
    for memory_bytes in [0, MEMORY_BYTES_MAX + 1] {
        check_limit(
            |request| request.memory_bytes = memory_bytes,
            "message has an invalid memory size",
        );
    }
}

#[test]
fn largest_request_fits_exactly() {
    let mut request = small_request();
    let filler = MESSAGE_BYTES_MAX - 74;
    request.env = vec![CString::new(vec![b'x'; filler]).unwrap()];
    let message = ToHost::<u8>::Spawn(Box::new(request));
    let (bytes, _) = encode_to_host(&message).unwrap();
    assert_eq!(bytes.len(), MESSAGE_BYTES_MAX);
    assert_eq!(decode_to_host(&bytes, Vec::new()), Ok(message));
}
