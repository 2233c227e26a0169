//! The format of a vector; `testdata/frames/README.md` describes it.

use std::collections::BTreeMap;

use serde_json::Value;

/// The metadata of a frame: its name under `frame`, then its fields.
pub(crate) type Fields = BTreeMap<String, Value>;

pub(crate) struct Vector {
    pub(crate) direction: Direction,
    pub(crate) expect: Expect,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Client,
    Server,
}

pub(crate) enum Expect {
    Frame { fields: Fields, reencodes: bool },
    BadFrame,
}

impl Vector {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut fields = Fields::new();
        let mut bytes = Vec::new();
        for line in text.lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match split_metadata(line) {
                Some((name, value)) => {
                    let value = parse_value(name, value)?;
                    if fields.insert(name.to_owned(), value).is_some() {
                        return Err(format!("{name} is there twice"));
                    }
                }
                None => parse_bytes(line, &mut bytes)?,
            }
        }
        Ok(Self { direction: take_direction(&mut fields)?, expect: take_expect(fields)?, bytes })
    }
}

fn split_metadata(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(": ")?;
    let is_name = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
    is_name.then_some((name, value))
}

fn parse_value(name: &str, value: &str) -> Result<Value, String> {
    match name {
        "direction" | "frame" | "error" => Ok(value.into()),
        _ => serde_json::from_str(value).map_err(|error| format!("{name}: {error}")),
    }
}

fn parse_bytes(line: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    let hex = line.split_once('#').map_or(line, |(hex, _)| hex);
    let byte = |digits: &str| match u8::from_str_radix(digits, 16) {
        Ok(byte) if digits.len() == 2 => Ok(byte),
        _ => Err(format!("{digits:?} is not two hex digits")),
    };
    if let Some((digits, count)) = hex.split_once('*') {
        let count: usize = count.trim().parse().map_err(|_| "bad count".to_owned())?;
        bytes.resize(bytes.len() + count, byte(digits.trim())?);
        return Ok(());
    }
    for digits in hex.split_whitespace() {
        bytes.push(byte(digits)?);
    }
    Ok(())
}

fn take_direction(fields: &mut Fields) -> Result<Direction, String> {
    match fields.remove("direction").as_ref().and_then(Value::as_str) {
        Some("client") => Ok(Direction::Client),
        Some("server") => Ok(Direction::Server),
        other => Err(format!("{other:?} is no direction")),
    }
}

fn take_expect(mut fields: Fields) -> Result<Expect, String> {
    if fields.contains_key("frame") {
        let reencodes = match fields.remove("reencode") {
            None => true,
            Some(Value::Bool(false)) => false,
            Some(other) => return Err(format!("reencode is {other}")),
        };
        return Ok(Expect::Frame { fields, reencodes });
    }
    match fields.remove("error") {
        Some(Value::String(word)) if word == "bad_frame" && fields.is_empty() => {
            Ok(Expect::BadFrame)
        }
        other => Err(format!("{other:?} with {fields:?} is nothing to expect")),
    }
}
