use hither_pty::sealed_memory;

use super::*;

const CAPACITY: u64 = History::CAPACITY_MIN;

fn memory() -> (std::os::fd::OwnedFd, SessionMemory) {
    let fd = sealed_memory("test", memory_bytes(CAPACITY)).unwrap();
    let mapping = Mapping::new(&fd).unwrap();
    let memory = SessionMemory::create(mapping, CAPACITY, WindowSize::DEFAULT).unwrap();
    (fd, memory)
}

fn append(memory: &mut SessionMemory, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let run = memory.free_run(bytes.len() as u64);
        let len = run.len();
        run.copy_from_slice(&bytes[..len]);
        memory.advance(len as u64);
        bytes = &bytes[len..];
    }
    memory.publish();
}

#[test]
fn a_survivor_finds_everything() {
    let (fd, mut memory) = memory();
    append(&mut memory, &[b'x'; 70_000]);
    append(&mut memory, b"the end");
    let size = WindowSize::clamped(100, 40);
    assert!(memory.mark_size(size));
    memory.store_checkpoint(Offset(10), WindowSize::DEFAULT, b"screen");
    memory.set_answered(Offset(5));
    let slot = memory.client(ClientId(9), 1);
    memory.begin_write(slot, 3, true);
    memory.end_write(slot, 3, true);
    drop(memory);

    let memory = SessionMemory::adopt(Mapping::new(&fd).unwrap()).unwrap();
    assert_eq!(memory.history().head(), Offset(70_007));
    assert_eq!(memory.output(Offset(70_000), 7).concat(), b"the end");
    assert_eq!(memory.size(), size);
    assert_eq!(memory.answered(), Offset(5));
    let checkpoint = memory.checkpoint();
    assert_eq!((checkpoint.at, checkpoint.bytes), (Offset(10), &b"screen"[..]));
    assert_eq!(memory.marks(Offset(10)).collect::<Vec<_>>(), [(Offset(70_007), size)]);
    assert_eq!(memory.accepted(memory.client(ClientId(9), 2)), InputNumber(1));
}

#[test]
fn a_session_that_has_written_little_takes_one_page() {
    let (fd, mut memory) = memory();
    append(&mut memory, &[b'x'; PAGE - HISTORY]);
    assert_eq!(rustix::fs::fstat(&fd).unwrap().st_blocks * 512, PAGE as i64);
    append(&mut memory, b"one more");
    assert_eq!(memory.output(Offset(0), 10).concat(), b"xxxxxxxxxx");
    assert_eq!(rustix::fs::fstat(&fd).unwrap().st_blocks * 512, 2 * PAGE as i64);
}

#[test]
fn checkpoints_alternate_and_give_memory_back() {
    let (fd, mut memory) = memory();
    memory.store_checkpoint(Offset(1), WindowSize::DEFAULT, &[1; CHECKPOINT_BYTES]);
    for turn in 2..5 {
        memory.store_checkpoint(Offset(turn), WindowSize::DEFAULT, &[2; 100]);
        assert_eq!((memory.checkpoint().at, memory.checkpoint().bytes.len()), (Offset(turn), 100));
    }
    assert!(rustix::fs::fstat(&fd).unwrap().st_blocks <= 16, "words and one small checkpoint");
}

#[test]
fn too_many_resizes_ask_for_a_checkpoint() {
    let (_fd, mut memory) = memory();
    for _ in 0..MARKS {
        append(&mut memory, b"output");
        assert!(memory.mark_size(WindowSize::DEFAULT));
    }
    append(&mut memory, b"output");
    assert!(!memory.mark_size(WindowSize::DEFAULT));
    let head = memory.history().head();
    memory.store_checkpoint(head, WindowSize::DEFAULT, b"");
    append(&mut memory, b"output");
    for cols in 80..200 {
        assert!(
            memory.mark_size(WindowSize::clamped(cols, 24)),
            "at one offset only the last counts"
        );
    }
    let size = WindowSize::clamped(199, 24);
    assert_eq!(memory.marks(head).last(), Some((head.plus(6), size)));
}

#[test]
fn a_write_in_doubt_counts_as_done() {
    let (_fd, memory) = memory();
    let slot = memory.client(ClientId(1), 1);
    memory.begin_write(slot, 10, false);
    memory.end_write(slot, 4, false);
    assert_eq!((memory.accepted(slot), memory.partial(slot)), (InputNumber(0), 4));
    memory.begin_write(slot, 6, true);
    assert!(memory.settle_write());
    assert_eq!((memory.accepted(slot), memory.partial(slot)), (InputNumber(1), 0));
    assert!(!memory.settle_write());
}

#[test]
fn a_write_counts_once_however_often_it_is_settled() {
    let (_fd, memory) = memory();
    let slot = memory.client(ClientId(1), 1);
    for (written, whole, expect) in
        [(4, false, (0, 4)), (3, false, (0, 7)), (3, true, (1, 0)), (5, true, (2, 0))]
    {
        // A kill may come after any store; before the last one, a survivor settles it again.
        memory.begin_write(slot, 10, true);
        let intent = intent(slot.slot, written, whole);
        for _ in 0..3 {
            memory.store(at::INTENT, intent);
            assert!(memory.settle_write());
            assert_eq!((memory.accepted(slot).0, memory.partial(slot)), expect);
        }
        assert!(!memory.settle_write());
    }
}

#[test]
fn viewers_and_writes_do_not_count_in_one_place() {
    let (_fd, memory) = memory();
    let slot = memory.client(ClientId(1), 1);
    let ids: Vec<u64> = (0..3)
        .map(|_| {
            memory.begin_write(slot, 1, true);
            memory.end_write(slot, 1, true);
            memory.name_viewer().0
        })
        .collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(memory.accepted(slot), InputNumber(3));
}

#[test]
fn the_client_silent_for_longest_is_forgotten() {
    let (_fd, memory) = memory();
    let first = memory.client(ClientId(1000), 1);
    memory.begin_write(first, 1, true);
    memory.end_write(first, 1, true);
    for client in 1..=16 {
        memory.client(ClientId(client), client + 1);
    }
    assert_eq!(memory.accepted(first), InputNumber(0));
    let last = memory.client(ClientId(16), 100);
    memory.begin_write(last, 1, true);
    memory.end_write(last, 1, true);
    assert_eq!(memory.accepted(last), InputNumber(1));
}

#[test]
fn refuses_memory_of_others() {
    let fd = sealed_memory("test", 8192).unwrap();
    let adopted = SessionMemory::adopt(Mapping::new(&fd).unwrap());
    assert_eq!(adopted.err(), Some(InvalidMemory::Magic));
}
