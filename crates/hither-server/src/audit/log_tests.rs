use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::audit::verify::{Report, verify};

fn records(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| format!("\"event\":\"{n}\"")).collect()
}

fn good(dir: &Path) -> Report {
    let report = verify(dir, 1, None).unwrap();
    assert!(report.is_good(), "{:?}", report.flaws);
    report
}

#[test]
fn records_of_several_openings_are_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    for start in 0..3 {
        let mut log = Log::open(dir.path(), FILE_BYTES_MAX).unwrap();
        log.append(&records(start * 10..start * 10 + 10)).unwrap();
    }
    let report = good(dir.path());
    assert_eq!((report.records, report.head.number), (30, 30));
    for name in [CURRENT, HEAD] {
        let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn two_writers_take_turns() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = Log::open(dir.path(), 2000).unwrap();
    let mut other = Log::open(dir.path(), 2000).unwrap();
    for n in 0..50 {
        one.append(&records(n..n + 1)).unwrap();
        other.append(&records(n..n + 2)).unwrap();
    }
    assert_eq!(good(dir.path()).records, 150);
}

#[test]
fn a_full_file_is_put_aside_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), 1000).unwrap();
    for n in 0..20 {
        log.append(&records(n..n + 1)).unwrap();
    }
    let files = crate::audit::verify::files(dir.path()).unwrap();
    assert!(files.len() > 3, "{files:?}");
    assert_eq!(good(dir.path()).records, 20);
    // A log that was just turned over has an empty file at its end.
    fs::remove_file(&files[0]).unwrap();
    assert!(!verify(dir.path(), 1, None).unwrap().is_good());
}

#[test]
fn a24_a_half_written_record_is_cut_off_and_others_are_missed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(CURRENT);
    Log::open(dir.path(), FILE_BYTES_MAX).unwrap().append(&records(0..10)).unwrap();
    let whole = fs::read(&path).unwrap();
    let half = [&whole[..], b"{\"number\":11,\"ev"].concat();
    fs::write(&path, &half).unwrap();
    assert!(good(dir.path()).torn);
    Log::open(dir.path(), FILE_BYTES_MAX).unwrap().append(&records(10..11)).unwrap();
    assert_eq!(good(dir.path()).records, 11);
    // Whoever cuts off the last record, or all, is found, also after more were written.
    let text = fs::read_to_string(&path).unwrap();
    let last = text.trim_end().rfind('\n').unwrap() + 1;
    for kept in ["", &text[..last]] {
        fs::write(&path, kept).unwrap();
        assert!(!verify(dir.path(), 1, None).unwrap().is_good());
        Log::open(dir.path(), FILE_BYTES_MAX).unwrap().append(&records(0..5)).unwrap();
        assert!(!verify(dir.path(), 1, None).unwrap().is_good());
    }
}

#[test]
fn p15_planted_files_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("target");
    fs::write(&target, "").unwrap();
    let path = dir.path().join(CURRENT);
    let plants: [&dyn Fn(); 4] = [
        &|| symlink(&target, &path).unwrap(),
        &|| fs::hard_link(&target, &path).unwrap(),
        &|| fs::create_dir(&path).unwrap(),
        &|| {
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        },
    ];
    for plant in plants {
        plant();
        assert!(Log::open(dir.path(), FILE_BYTES_MAX).is_err());
        fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).unwrap();
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    assert!(Log::open(dir.path(), FILE_BYTES_MAX).is_err(), "a pipe is not waited for");
}

#[test]
fn a_full_disk_is_an_error_and_leaves_no_half_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), FILE_BYTES_MAX).unwrap();
    log.append(&records(0..3)).unwrap();
    // A file that cannot be written stands for a disk that is full.
    log.file = File::open(dir.path().join(CURRENT)).unwrap();
    assert!(log.append(&records(3..4)).is_err());
    assert_eq!(good(dir.path()).records, 3);
}
