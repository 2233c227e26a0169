//! What a PTY, its line discipline and its program owe each other: rows S of the catalogue.

use hither_testkit::frame::{self, Exit, Hello, ServerFrame};
use hither_testkit::pattern::Kind;
use hither_testkit::process::usage;
use hither_testkit::random::mix;
use hither_testkit::viewer::Connection;

use crate::stage::{PATIENCE, Stage, read_out, read_until, scaled, words};

#[test]
fn s01_all_bytes_pass_to_the_viewer() {
    let stage = Stage::open(&[]);
    let flood = stage.flood("account", Kind::Noise, scaled(2 << 20, 16 << 20), "");
    flood.check(&stage.watch(&flood, &["raw", "wait"]));
}

/// Random bytes of all values.
fn noise(len: u64) -> Vec<u8> {
    (0..len).map(|at| mix(at).to_le_bytes()[0]).collect()
}

/// Types `input` in frames of `size` and reads until the program has ended.
fn paste(stage: &Stage, session: &str, input: &[u8], size: usize) -> Exit {
    let mut viewer = stage.viewer(session, 5, &["raw"]);
    read_until(&mut viewer, "ready");
    for (number, piece) in (1..).zip(input.chunks(size)) {
        viewer.send(frame::input(number, piece)).unwrap();
    }
    read_out(viewer).1
}

#[test]
fn s10_a_paste_reaches_a_raw_program_whole() {
    let stage = Stage::open(&[]);
    let input = noise(scaled(1 << 20, 16 << 20));
    for size in [65_536, 1000] {
        let log = stage.home.path().join(format!("log-{size}")).display().to_string();
        let until = input.len().to_string();
        let kit = stage.testkit.display().to_string();
        let command = [kit.as_str(), "seqsink", "--log", &log, "--until", &until];
        let session = stage.gateway.create(&words(&command)).unwrap();
        assert_eq!(paste(&stage, &session, &input, size), Exit::Code(0));
        assert!(std::fs::read(log).unwrap() == input, "the same bytes in frames of {size}");
    }
}

#[test]
fn s10_a_stopped_program_gets_all_of_a_paste_later() {
    let stage = Stage::open(&[]);
    let path = |name: &str| stage.home.path().join(name).display().to_string();
    let (log, pid, kit) = (path("log"), path("pid"), stage.testkit.display().to_string());
    // More than terminal and sockets hold, so that the gateway has to keep the rest waiting.
    let input = noise(12 << 20);
    let session = stage.shell(&format!(
        "stty raw -echo; echo $$ > {pid}; echo stopped; kill -STOP $$; \
         exec {kit} seqsink --log {log} --until {}",
        input.len()
    ));
    let mut observer = stage.viewer(&session, 1, &["raw"]);
    read_until(&mut observer, "stopped");
    let mut typist = stage.viewer(&session, 2, &["raw"]);
    let pasted = input.clone();
    let typing = std::thread::spawn(move || {
        for (number, piece) in (1..).zip(pasted.chunks(65_536)) {
            typist.send(frame::input(number, piece)).unwrap();
        }
        read_out(typist).1
    });
    // The observer is served while the typist's input waits.
    observer.send(frame::ping(7)).unwrap();
    let pong = |frame: &ServerFrame| (*frame == ServerFrame::Pong(7)).then_some(());
    observer.wait_for(PATIENCE, pong).unwrap();
    let pid: i32 = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    assert_eq!(typing.join().unwrap(), Exit::Code(0));
    assert!(std::fs::read(log).unwrap() == input, "every byte, once and in order");
}

#[test]
fn s10_a_long_line_is_cut_by_the_terminal_alone() {
    let stage = Stage::open(&[]);
    let session = stage.shell("stty -echo; echo ready; IFS= read -r line; echo ${#line}");
    let mut viewer = stage.viewer(&session, 1, &["raw"]);
    read_until(&mut viewer, "ready");
    let line = [vec![b'x'; 5000], vec![b'\r']].concat();
    viewer.send(frame::input(1, &line)).unwrap();
    let (output, exit) = read_out(viewer);
    let output = String::from_utf8_lossy(&output).into_owned();
    assert!(output.contains("4095"), "N_TTY keeps 4,095 bytes of a line: {output:?}");
    assert_eq!(exit, Exit::Code(0));
}

#[test]
fn s02_last_words_arrive_before_the_exit_status() {
    let stage = Stage::open(&[]);
    for round in 0..scaled(40, 1000) {
        let flood = stage.flood(&format!("account-{round}"), Kind::Records, 65_536, "");
        let watched = stage.watch(&flood, &["raw"]);
        flood.check(&watched);
        assert_eq!(watched.ledger.exit(), Some(&Exit::Code(0)), "round {round}");
    }
}

#[test]
fn s03_exit_statuses_and_signals_are_exact() {
    let stage = Stage::open(&[]);
    let step = scaled(5, 1);
    for code in (0..=255_u8).filter(|&code| u64::from(code) % step == 0) {
        let session = stage.shell(&format!("exit {code}"));
        assert_eq!(read_out(stage.viewer(&session, 1, &["raw"])).1, Exit::Code(code));
    }
    // Those whose default action is to end the process (signal(7)), but for two of the C library's.
    let deadly = (1..=64_u8).filter(|signal| !matches!(signal, 17..=23 | 28 | 32 | 33));
    for signal in deadly {
        let session = stage.shell(&format!("ulimit -c 0; kill -{signal} $$; exit 99"));
        let exit = read_out(stage.viewer(&session, 1, &["raw"])).1;
        assert!(
            matches!(&exit, Exit::Signal(found, name) if *found == signal
            && !name.is_empty()),
            "signal {signal}: {exit:?}"
        );
    }
}

#[test]
fn s08_an_interrupt_works_under_a_flood() {
    let stage = Stage::open(&[]);
    let session =
        stage.shell("trap 'echo caught; exit 7' INT; echo ready; while :; do echo y; done");
    let mut viewer = stage.viewer(&session, 1, &["raw"]);
    read_until(&mut viewer, "ready");
    viewer.send(frame::input(1, b"\x03")).unwrap();
    let (output, exit) = read_out(viewer);
    assert_eq!(exit, Exit::Code(7));
    assert!(output.ends_with(b"caught\r\n"), "what came before it is not in the way");
}

#[test]
fn s08_jobs_are_stopped_and_continued() {
    let stage = Stage::open(&[]);
    let bash = words(&["bash", "--norc", "--noprofile", "-i"]);
    let session = stage.gateway.create(&bash).unwrap();
    let mut viewer = stage.viewer(&session, 1, &["raw"]);
    let mut number = 0;
    for (input, expect) in [
        ("PS1=; trap '' HUP; echo rea\"\"dy\r", "ready\r\n"),
        // It says so once it is in the foreground.
        ("sh -c 'echo g\"\"o; exec cat'\r", "go\r\n"),
        ("\x1a", "Stopped"),
        ("fg; echo b\"\"ack\r", "cat'\r\n"),
        ("typed\r", "typed\r\ntyped\r\n"),
        ("\x04", "back\r\n"),
        ("cat & echo bg\"\"$!\r", "bg"),
        ("kill %1; echo d\"\"one\r", "done\r\n"),
    ] {
        number += 1;
        viewer.send(frame::input(number, input.as_bytes())).unwrap();
        read_until(&mut viewer, expect);
    }
    // While a job is stopped, as one may be that was just killed, bash wants to be told twice.
    viewer.send(frame::input(number + 1, b"exit 5\rexit 5\r")).unwrap();
    assert_eq!(read_out(viewer).1, Exit::Code(5));
}

/// The program has started once it writes; before, an interrupt would end it.
fn wait_for_output(viewer: &mut Connection) -> Vec<u8> {
    let output = viewer.wait_for(PATIENCE, |frame| match frame {
        ServerFrame::Output { bytes, .. } => Some(bytes.clone()),
        _ => None,
    });
    output.unwrap()
}

/// What the kernel's own flush does on Ctrl-C is outside the promise; with NOFLSH nothing is lost.
#[test]
fn s09_an_interrupt_with_noflsh_loses_nothing() {
    let stage = Stage::open(&[]);
    let before = "trap '' INT; stty noflsh -echo";
    let flood = stage.flood("account", Kind::Records, 1 << 20, before);
    let mut typist = stage.viewer(&flood.session, 2, &["raw"]);
    wait_for_output(&mut typist);
    for number in 1..=50 {
        typist.send(frame::input(number, b"\x03")).unwrap();
    }
    drop(typist);
    flood.check(&stage.watch(&flood, &["raw", "wait"]));
}

/// Without it the kernel throws away what nobody has read; what the gateway was given is shown
/// whole and in order all the same.
#[test]
fn s09_an_interrupt_loses_what_the_kernel_flushes_and_nothing_else() {
    let stage = Stage::open(&[]);
    let before = "trap '' INT; stty -echo";
    let flood = stage.flood("account", Kind::Records, 1 << 20, before);
    let mut viewer = stage.viewer(&flood.session, 2, &["raw", "wait"]);
    let mut output = wait_for_output(&mut viewer);
    for number in 1..=50 {
        viewer.send(frame::input(number, b"\x03")).unwrap();
    }
    // A flush makes room and does not wake a program that waits for it; Ctrl-S and Ctrl-Q do.
    viewer.send(frame::input(51, b"\x13\x11")).unwrap();
    let (rest, exit) = read_out(viewer);
    output.extend_from_slice(&rest);
    assert_eq!(exit, Exit::Code(0));
    let mut last = None;
    let mut whole = 0_u64;
    for line in output.split(|&byte| byte == b'\n').filter(|line| line.len() == 64) {
        let number = std::str::from_utf8(&line[..16]).ok();
        let Some(number) = number.and_then(|number| u64::from_str_radix(number, 16).ok()) else {
            continue;
        };
        if flood.pattern.check(number * 65, &line[..63]).is_ok() {
            assert!(last.is_none_or(|last| last < number), "{number} comes behind {last:?}");
            (last, whole) = (Some(number), whole + 1);
        }
    }
    assert!(whole > 1000, "only {whole} whole records were shown");
}

#[test]
fn s11_window_size_and_modes_are_as_set() {
    let stage = Stage::open(&[]);
    let session = stage.shell("stty size; read x; stty size; stty -echo; echo off; read x; exit 0");
    let address = stage.home.place().address().unwrap();
    let hello = Hello {
        client: 1,
        size: Some((101, 33)),
        features: vec!["raw", "termios"],
        ..Default::default()
    };
    let mut viewer = Connection::open(address, &session, &hello, PATIENCE).unwrap();
    read_until(&mut viewer, "\r\n");
    viewer.send(frame::resize(90, 41)).unwrap();
    let sized = |frame: &ServerFrame| {
        matches!(frame, ServerFrame::Size { size: (90, 41), .. }).then_some(())
    };
    viewer.wait_for(PATIENCE, sized).unwrap();
    viewer.send(frame::input(1, b"\r")).unwrap();
    let mut echo = None;
    let mut output = Vec::new();
    let seen = viewer.wait_for(PATIENCE, |frame| {
        match frame {
            ServerFrame::Output { bytes, .. } => output.extend_from_slice(bytes),
            ServerFrame::Termios(flags) => echo = Some(flags & 1),
            _ => {}
        }
        let text = String::from_utf8_lossy(&output);
        (text.contains("41 90") && text.contains("off") && echo == Some(0)).then_some(())
    });
    assert!(seen.is_ok(), "{:?} {echo:?}", String::from_utf8_lossy(&output));
    viewer.send(frame::input(2, b"\r")).unwrap();
    assert_eq!(read_out(viewer).1, Exit::Code(0));
}

/// Row S11: where the terminal says so, Ctrl-S and Ctrl-Q stop and continue the output and are no
/// input; where it does not, they are bytes like others.
#[test]
fn s11_output_stops_and_continues_as_the_terminal_is_set() {
    let stage = Stage::open(&[]);
    let read = stage.home.path().join("read");
    rustix::fs::mkfifoat(rustix::fs::CWD, &read, rustix::fs::Mode::RWXU).unwrap();
    let line = |flow: &str| {
        let read = read.display();
        format!(
            "stty -echo {flow}; echo ready; read line; echo \"$line\" >{read}; echo \"<$line>\""
        )
    };
    let session = stage.shell(&line("ixon"));
    let mut viewer = stage.viewer(&session, 1, &["raw"]);
    read_until(&mut viewer, "ready\r\n");
    viewer.send(frame::input(1, b"\x13typed\n")).unwrap();
    // The program has it, without Ctrl-S, and is about to write.
    assert_eq!(std::fs::read_to_string(&read).unwrap(), "typed\n");
    viewer.send(frame::ping(7)).unwrap();
    let mut output = Vec::new();
    let pong = viewer.wait_for(PATIENCE, |frame| match frame {
        ServerFrame::Output { bytes, .. } => {
            output.extend_from_slice(bytes);
            None
        }
        ServerFrame::Pong(token) => Some(*token),
        _ => None,
    });
    assert_eq!((pong.unwrap(), output), (7, Vec::new()), "nothing comes while it is stopped");
    viewer.send(frame::input(2, b"\x11")).unwrap();
    assert_eq!(read_until(&mut viewer, ">\r\n"), "<typed>\r\n");
    let session = stage.shell(&line("-ixon"));
    let mut viewer = stage.viewer(&session, 2, &["raw"]);
    read_until(&mut viewer, "ready\r\n");
    viewer.send(frame::input(1, b"a\x13b\x11c\n")).unwrap();
    assert_eq!(std::fs::read_to_string(&read).unwrap(), "a\x13b\x11c\n");
    assert_eq!(read_until(&mut viewer, ">\r\n"), "<a\x13b\x11c>\r\n");
}

/// Row S11: what is typed is not shown where the terminal does not echo, and a program finds the
/// window size that was asked for before it does anything.
#[test]
fn s11_echo_and_the_first_window_size_are_as_set() {
    let stage = Stage::open(&[]);
    let body = serde_json::json!({
        "command": ["sh", "-c", "stty size; stty -echo; echo ready; read line; stty echo; echo $line!; read line"],
        "cols": 101, "rows": 37,
    });
    let (status, created) = stage.gateway.request("POST", "/api/sessions", &body).unwrap();
    assert_eq!(status, 201, "{created}");
    let session = created["id"].as_str().unwrap().to_owned();
    let mut viewer = stage.viewer(&session, 1, &["raw"]);
    assert_eq!(read_until(&mut viewer, "ready\r\n"), "37 101\r\nready\r\n");
    viewer.send(frame::input(1, b"secret\n")).unwrap();
    assert_eq!(read_until(&mut viewer, "!\r\n"), "secret!\r\n", "it came once, from the program");
    viewer.send(frame::input(2, b"seen")).unwrap();
    assert_eq!(read_until(&mut viewer, "seen"), "seen");
}

/// Row S12: what cannot be started is refused with a word of its own, and leaves nothing.
#[test]
fn s12_what_cannot_start_is_refused_and_leaves_nothing() {
    let stage = Stage::open(&[]);
    let session = stage.shell("echo here; exec cat");
    read_until(&mut stage.viewer(&session, 1, &["raw"]), "here");
    let plain = stage.home.path().join("plain");
    std::fs::write(&plain, "echo never\n").unwrap();
    let orphan = stage.home.path().join("orphan");
    std::fs::write(&orphan, "#!/no/such/interpreter\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&orphan, mode).unwrap();
    let (plain, orphan) = (plain.display().to_string(), orphan.display().to_string());
    let before = usage(stage.gateway.pid()).unwrap().descriptors + 1;
    for (command, cwd, code) in [
        ("/no/such/program", "/", "program_not_found"),
        ("no-such-program", "/", "program_not_found"),
        (&plain, "/", "program_not_found"),
        (&orphan, "/", "program_not_found"),
        ("/tmp", "/", "program_not_found"),
        ("", "/", "program_not_found"),
        ("cat", "/no/such/folder", "directory_not_found"),
        ("cat", &plain, "directory_not_found"),
    ] {
        let body = serde_json::json!({ "command": [command], "cwd": cwd });
        let (status, problem) = stage.gateway.request("POST", "/api/sessions", &body).unwrap();
        assert_eq!(
            (status, &problem["code"]),
            (400, &code.into()),
            "{command} in {cwd}: {problem}"
        );
    }
    let (_, list) =
        stage.gateway.request("GET", "/api/sessions", &serde_json::Value::Null).unwrap();
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|one| one["id"].as_str()).collect();
    assert_eq!(ids, [Some(session.as_str())]);
    // The connections of the last requests may not be gone yet.
    stage.expect_descriptors(before);
}
