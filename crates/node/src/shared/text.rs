//! Paths and times between bytes and text.

use std::os::unix::ffi::{OsStrExt, OsStringExt};

use bitdust_model::UnixMillis;

/// Bytes as text: UTF-8 stays, `%` and what is no UTF-8 becomes `%XX`.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        for letter in part.valid().chars() {
            if letter == '%' {
                text.push_str("%25")
            } else {
                text.push(letter)
            }
        }
        for byte in part.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The bytes that [`escape`] made text of. A `%` that begins no escape stands for itself, so
/// that a path typed by a person is taken as it is.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped
            .filter(|_| first == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}

/// The path that a text of the contract names.
#[must_use]
pub fn path_of(text: &str) -> std::path::PathBuf {
    std::ffi::OsString::from_vec(unescape(text)).into()
}

/// A path as a text of the contract.
#[must_use]
pub fn text_of(path: &std::path::Path) -> String {
    escape(path.as_os_str().as_bytes())
}

/// `SNAPSHOT[:PATH]` in its two parts. A time has colons of its own, so the path begins after
/// the first colon that is not between digits.
pub(crate) fn split_target(target: &str) -> (&str, &str) {
    let bytes = target.as_bytes();
    let is_in_time = |index: usize| {
        let digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
        snapshot_at(&target[..index]).is_none()
            && target[..index].contains('T')
            && index > 0
            && digit(bytes.get(index - 1))
            && digit(bytes.get(index + 1))
    };
    let colon = target
        .char_indices()
        .find(|(index, letter)| *letter == ':' && !is_in_time(*index));
    colon.map_or((target, ""), |(index, _)| {
        (&target[..index], &target[index + 1..])
    })
}

/// A time like `2026-11-23T08:15:00Z` in milliseconds.
pub(crate) fn snapshot_at(text: &str) -> Option<UnixMillis> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_millisecond()).ok().map(UnixMillis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_text_survive() {
        for name in [
            &b"plain"[..],
            b"50%",
            b"\xff\xfe",
            b"caf\xc3\xa9 \x80",
            b"%41",
        ] {
            assert_eq!(unescape(&escape(name)), name);
        }
        assert_eq!(unescape("100% sure"), b"100% sure");
    }

    #[test]
    fn targets_are_split_behind_the_version() {
        assert_eq!(split_target("latest"), ("latest", ""));
        assert_eq!(split_target("latest:a/b:c"), ("latest", "a/b:c"));
        assert_eq!(
            split_target("2026-11-23T08:15:00Z:docs"),
            ("2026-11-23T08:15:00Z", "docs")
        );
        assert_eq!(
            split_target("2026-11-23T08:15:00Z"),
            ("2026-11-23T08:15:00Z", "")
        );
        assert_eq!(split_target("c0ffee7:2026/Trip"), ("c0ffee7", "2026/Trip"));
    }
}
