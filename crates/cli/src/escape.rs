//! Makes text from outside safe to print: names, messages and error details may hold bytes
//! that move the cursor, change colours or turn the reading direction.
//!
//! Invariant: what these functions return holds no control character, no invisible
//! formatting character and no line break.

use std::fmt::Write as _;

/// Text with every character that could disturb a terminal written as an escape.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if disturbs(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same for raw bytes, such as a path of another machine; bytes that are no UTF-8 are
/// written as `\xNN`.
pub(crate) fn escaped_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        shown.push_str(&escaped(part.valid()));
        for byte in part.invalid() {
            write!(shown, "\\x{byte:02x}").expect("writing to a string cannot fail");
        }
    }
    shown
}

/// A path as the node's calls and all JSON carry it: UTF-8 as it is, `%` and what is no UTF-8
/// as `%NN`. Nothing is lost by it.
pub(crate) fn percent_escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        text.push_str(&part.valid().replace('%', "%25"));
        for byte in part.invalid() {
            write!(text, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    text
}

/// A path that came percent-escaped, as people know it and safe to print.
pub(crate) fn shown_path(text: &str) -> String {
    escaped_bytes(&percent_unescaped(text))
}

/// Undoes `percent_escaped`. A percent sign that begins no escape stands for itself.
fn percent_unescaped(text: &str) -> Vec<u8> {
    let mut raw = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = match (first, after) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        match escape {
            Some((high, low)) => {
                raw.push(high << 4 | low);
                rest = &after[2..];
            }
            None => {
                raw.push(*first);
                rest = after;
            }
        }
    }
    raw
}

fn hex_digit(letter: u8) -> Option<u8> {
    char::from(letter)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

fn disturbs(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}' // Arabic letter mark
            | '\u{200b}'..='\u{200f}' // zero-width characters and direction marks
            | '\u{2028}'..='\u{202e}' // line and paragraph separators, embeddings, overrides
            | '\u{2060}'..='\u{206f}' // invisible operators and isolates
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // interlinear annotations
            | '\u{e0000}'..='\u{e007f}' // tags
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_and_direction_characters_are_written_as_escapes() {
        let check = |text: &str, shown: &str| assert_eq!(escaped(text), shown);
        check("plain näme.txt", "plain näme.txt");
        check("a\nb\tc", "a\\nb\\tc");
        check("\u{1b}[31mred", "\\u{1b}[31mred");
        check("\u{9b}1A", "\\u{9b}1A");
        check("gnp.\u{202e}exe", "gnp.\\u{202e}exe");
    }

    #[test]
    fn bytes_that_are_no_text_are_written_in_hexadecimal() {
        assert_eq!(escaped_bytes(b"caf\xe9\x07"), "caf\\xe9\\u{7}");
    }

    #[test]
    fn paths_are_shown_as_people_know_them() {
        let check = |bytes: &[u8], text: &str, shown: &str| {
            assert_eq!(percent_escaped(bytes), text);
            assert_eq!(shown_path(text), shown);
        };
        check(
            b"/home/a/100% sure",
            "/home/a/100%25 sure",
            "/home/a/100% sure",
        );
        check(b"/home/a/%41", "/home/a/%2541", "/home/a/%41");
        check(b"/home/caf\xe9\n", "/home/caf%E9\n", "/home/caf\\xe9\\n");
        assert_eq!(shown_path("100% sure, 5%+f"), "100% sure, 5%+f");
    }

    proptest! {
        #[test]
        fn nothing_that_disturbs_gets_through(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let shown = escaped_bytes(&bytes);
            prop_assert!(!shown.chars().any(disturbs), "{shown:?}");
        }

        #[test]
        fn escaping_again_changes_nothing(text in "\\PC*|.*") {
            let once = escaped(&text);
            prop_assert_eq!(escaped(&once), once);
        }

        #[test]
        fn percent_escapes_lose_nothing(bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(b'%'), Just(b'4'), Just(0xc3_u8)], 0..64,
        )) {
            prop_assert_eq!(percent_unescaped(&percent_escaped(&bytes)), bytes);
        }
    }
}
