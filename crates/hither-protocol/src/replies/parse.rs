//! The shapes of answers (ECMA-48 sections 5.4 and 5.6, xterm's control sequences).

use super::QueryKind;

/// Splits the answer at the start of `input` from what is behind it.
pub(super) fn split_reply(input: &[u8]) -> Option<(QueryKind, &[u8])> {
    match input {
        [0x1b, b'[', body @ ..] => split_csi(body),
        [0x1b, b']', body @ ..] => split_string(body, osc_kind),
        [0x1b, b'P', body @ ..] => split_string(body, dcs_kind),
        _ => None,
    }
}

/// A control sequence: a private marker, parameters, intermediates, a final byte.
fn split_csi(body: &[u8]) -> Option<(QueryKind, &[u8])> {
    let (marker, params) = match body {
        [marker @ b'<'..=b'?', rest @ ..] => (Some(*marker), rest),
        _ => (None, body),
    };
    let is_param = |byte: &u8| matches!(byte, b'0'..=b';');
    let params_len = params.iter().take_while(|byte| is_param(byte)).count();
    let (params, rest) = params.split_at(params_len);
    let kind = match (marker, params, rest) {
        (Some(b'?'), [_, ..], [b'c', ..]) => QueryKind::PrimaryAttributes,
        (Some(b'>'), [_, ..], [b'c', ..]) => QueryKind::SecondaryAttributes,
        (None | Some(b'?'), [_, ..], [b'n', ..]) => QueryKind::Status,
        (None | Some(b'?'), [_, ..], [b'R', ..]) if params.contains(&b';') => {
            QueryKind::CursorPosition
        }
        (None | Some(b'?'), [_, ..], [b'$', b'y', ..]) => QueryKind::Mode,
        (Some(b'?'), [_, ..], [b'u', ..]) => QueryKind::KeyboardFlags,
        (None, [_, ..], [b't', ..]) => QueryKind::WindowReport,
        _ => return None,
    };
    let final_len = if kind == QueryKind::Mode { 2 } else { 1 };
    Some((kind, &rest[final_len..]))
}

/// A string up to BEL or ST.
fn split_string(
    body: &[u8],
    kind: impl FnOnce(&[u8]) -> Option<QueryKind>,
) -> Option<(QueryKind, &[u8])> {
    let len = body.iter().position(|&byte| byte < b' ')?;
    let ([0x07, behind @ ..] | [0x1b, b'\\', behind @ ..]) = &body[len..] else {
        return None;
    };
    Some((kind(&body[..len])?, behind))
}

fn osc_kind(string: &[u8]) -> Option<QueryKind> {
    let semicolon = string.iter().position(|&byte| byte == b';')?;
    match &string[..semicolon] {
        b"4" | b"5" | [b'1', b'0'..=b'9'] => Some(QueryKind::Color),
        _ => None,
    }
}

fn dcs_kind(string: &[u8]) -> Option<QueryKind> {
    match string {
        [b'0' | b'1', b'$', b'r', ..] => Some(QueryKind::Setting),
        [b'0' | b'1', b'+', b'r', ..] => Some(QueryKind::Capability),
        [b'>', b'|', ..] => Some(QueryKind::Version),
        [b'!', b'|', ..] => Some(QueryKind::TertiaryAttributes),
        _ => None,
    }
}
