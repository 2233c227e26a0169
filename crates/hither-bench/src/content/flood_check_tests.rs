use proptest::prelude::*;

use super::*;

const NONE: Damage = Damage { lost: 0, doubled: 0, reordered: 0, corrupted: 0 };
const L: usize = FLOOD_LINE;

/// A whole flood of ten lines and its end.
fn flood() -> Vec<u8> {
    (0..10).chain([FLOOD_END]).flat_map(line).collect()
}

fn judge(stream: &[u8], chunk: usize) -> Damage {
    let mut check = FloodCheck::new(10);
    for piece in stream.chunks(chunk) {
        check.handle_output(piece);
    }
    assert_eq!(check.received(), stream.len() as u64);
    check.finish()
}

fn check(change: impl Fn(&mut Vec<u8>), expected: Damage) {
    let mut stream = flood();
    change(&mut stream);
    for chunk in [1, 7, L - 1, L, 1000, 100_000] {
        assert_eq!(judge(&stream, chunk), expected, "in chunks of {chunk}");
    }
}

#[test]
fn a_whole_flood_is_fine() {
    check(|_| {}, NONE);
}

#[test]
fn lost_bytes_are_counted_exactly() {
    check(|s| drop(s.drain(3 * L..4 * L)), Damage { lost: 128, ..NONE });
    check(|s| drop(s.drain(3 * L + 60..5 * L + 60)), Damage { lost: 256, ..NONE });
    check(|s| drop(s.drain(3 * L + 60..3 * L + 63)), Damage { lost: 3, ..NONE });
    check(|s| drop(s.drain(0..2 * L)), Damage { lost: 256, ..NONE });
    check(|s| drop(s.drain(7 * L..10 * L)), Damage { lost: 384, ..NONE });
}

#[test]
fn a_lost_end_is_lost() {
    let mut stream = flood();
    stream.truncate(8 * L);
    let mut check = FloodCheck::new(10);
    check.handle_output(&stream);
    assert!(!check.is_over());
    assert_eq!(check.finish(), Damage { lost: 256, ..NONE });
}

#[test]
fn doubled_bytes_are_counted_exactly() {
    let double = |from: usize, to: usize| {
        move |stream: &mut Vec<u8>| {
            let piece = stream[from..to].to_vec();
            drop(stream.splice(to..to, piece));
        }
    };
    check(double(3 * L, 4 * L), Damage { doubled: 128, ..NONE });
    check(double(3 * L, 6 * L), Damage { doubled: 384, ..NONE });
    check(double(3 * L + 60, 3 * L + 70), Damage { doubled: 10, ..NONE });
    check(double(3 * L + 100, 4 * L), Damage { doubled: 28, ..NONE });
}

#[test]
fn late_lines_are_reordered_not_lost() {
    let swap = |stream: &mut Vec<u8>| {
        let late: Vec<u8> = stream.drain(3 * L..5 * L).collect();
        drop(stream.splice(5 * L..5 * L, late));
    };
    check(swap, Damage { reordered: 256, ..NONE });
}

#[test]
fn changed_bytes_are_corrupted() {
    check(|s| s[3 * L + 60] ^= 1, Damage { corrupted: 1, ..NONE });
    check(|s| s[3 * L + 16] ^= 1, Damage { corrupted: 128, ..NONE });
    check(|s| s[3 * L + 3] ^= 1, Damage { corrupted: 128, ..NONE });
    check(|s| s.extend_from_slice(b"more"), Damage { corrupted: 4, ..NONE });
}

#[test]
fn knows_when_it_is_over() {
    let mut check = FloodCheck::new(10);
    let stream = flood();
    check.handle_output(&stream[..10 * L]);
    assert!(!check.is_over());
    check.handle_output(&stream[10 * L..]);
    assert!(check.is_over());
    assert!(check.finish().is_none());
}

#[test]
fn an_endless_flood_has_no_lost_end() {
    let mut check = FloodCheck::new(u64::MAX);
    check.handle_output(&flood()[..5 * L + 11]);
    assert!(check.finish().is_none());
}

#[test]
fn endless_nonsense_is_bounded() {
    let mut check = FloodCheck::new(10);
    for _ in 0..1000 {
        check.handle_output(&[b'x'; 4096]);
    }
    assert!(check.cut.len() <= PIECE_MAX + 4096);
    assert!(check.finish().corrupted > 4_000_000);
}

proptest! {
    #[test]
    fn any_cut_of_any_length_is_noticed(from in 0..10 * L, len in 1..5 * L) {
        let mut stream = flood();
        let to = (from + len).min(10 * L);
        prop_assume!(from < to);
        drop(stream.drain(from..to));
        prop_assert!(!judge(&stream, 4096).is_none());
    }
}
