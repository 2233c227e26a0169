//! The vectors in `testdata/frames`, which the TypeScript tests read as well: each file decodes to
//! what it says, or fails as it says, and encodes to the same bytes again.

mod fields;
mod file;

use std::fs;
use std::path::PathBuf;

use fields::{client_fields, server_fields};
use file::{Direction, Expect, Vector};
use hither_protocol::hither::{ClientFrame, FrameError, ServerFrame};
use hither_protocol::websocket::CloseCode;

#[test]
fn every_file_decodes_and_encodes_as_it_says() {
    let mut count = 0;
    for path in files() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name == "README.md" {
            continue;
        }
        assert!(name.ends_with(".hex"), "{name} is not a vector");
        let text = fs::read_to_string(&path).unwrap();
        let vector = Vector::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        check(&name, &vector);
        count += 1;
    }
    assert!(count > 100, "only {count} vectors were found");
}

#[test]
fn every_frame_type_has_a_vector() {
    let covered: Vec<(Direction, u8)> = files()
        .filter(|path| path.extension().is_some_and(|extension| extension == "hex"))
        .map(|path| Vector::parse(&fs::read_to_string(path).unwrap()).unwrap())
        .filter(|vector| matches!(vector.expect, Expect::Frame { .. }))
        .map(|vector| (vector.direction, vector.bytes[0]))
        .collect();
    let client = (0x01..=0x05).map(|kind| (Direction::Client, kind));
    let server = (0x81..=0x8B).map(|kind| (Direction::Server, kind));
    for wanted in client.chain(server) {
        assert!(covered.contains(&wanted), "{wanted:02x?}");
    }
}

fn files() -> impl Iterator<Item = PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/frames");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the vectors are in the checkout")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    paths.sort();
    paths.into_iter()
}

fn check(name: &str, vector: &Vector) {
    let decoded = match vector.direction {
        Direction::Client => ClientFrame::decode(&vector.bytes).map(|frame| {
            let mut again = Vec::new();
            frame.encode(&mut again);
            assert_eq!(ClientFrame::decode(&again), Ok(frame), "{name}");
            (client_fields(&frame), again)
        }),
        Direction::Server => ServerFrame::decode(&vector.bytes).map(|frame| {
            let mut again = Vec::new();
            frame.encode(&mut again);
            let fields = server_fields(&frame);
            assert_eq!(ServerFrame::decode(&again), Ok(frame), "{name}");
            (fields, again)
        }),
    };
    match &vector.expect {
        Expect::BadFrame => {
            let code = decoded.as_ref().map_err(FrameError::close_code);
            assert_eq!(code, Err(CloseCode::BAD_FRAME), "{name}");
        }
        Expect::Frame { fields, reencodes } => {
            let (decoded, again) = decoded.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(decoded, *fields, "{name}");
            assert_eq!(is_same(&again, &vector.bytes), *reencodes, "{name}");
        }
    }
}

/// Whether two frames are the same: the same bytes, or the same JSON value in the body.
fn is_same(ours: &[u8], theirs: &[u8]) -> bool {
    let json = |frame: &[u8]| serde_json::from_slice::<serde_json::Value>(frame.get(1..)?).ok();
    match (json(ours), json(theirs)) {
        (Some(ours_body), Some(theirs_body)) => ours[0] == theirs[0] && ours_body == theirs_body,
        _ => ours == theirs,
    }
}
