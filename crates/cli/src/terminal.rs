//! Questions to a person at a terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use bitdust_model::limits;
use console::Term;

use crate::failure::Failure;

/// Words of a phrase.
pub(crate) const PHRASE_WORDS: usize = 24;

/// Whether a person can be asked: both the question and the answer go through a terminal.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a passphrase without showing it.
pub(crate) fn ask_passphrase(question: &str) -> Result<String, Failure> {
    let failed = |error| Failure::io("The passphrase cannot be read from the terminal", &error);
    let terminal = Term::stderr();
    terminal.write_str(question).map_err(failed)?;
    let typed = terminal.read_secure_line().map_err(failed)?;
    if typed.is_empty() {
        return Err(Failure::usage(
            "No passphrase was typed. Nothing was changed.",
        ));
    }
    if typed.len() > limits::PASSPHRASE_BYTES_MAX {
        return Err(Failure::usage(format!(
            "A passphrase has at most {} bytes.",
            limits::PASSPHRASE_BYTES_MAX
        )));
    }
    Ok(typed)
}

/// Asks for a new passphrase, twice.
pub(crate) fn ask_new_passphrase() -> Result<String, Failure> {
    let passphrase = ask_passphrase("New passphrase for this machine's keys: ")?;
    if passphrase != ask_passphrase("The same again: ")? {
        return Err(Failure::usage(
            "The two were not the same. Nothing was made; try again.",
        ));
    }
    Ok(passphrase)
}

/// Asks a short question; the answer is shown while it is typed.
pub(crate) fn ask_line(question: &str) -> Result<String, Failure> {
    let failed = |error| Failure::io("The answer cannot be read from the terminal", &error);
    let mut stderr = io::stderr().lock();
    stderr
        .write_all(question.as_bytes())
        .and_then(|()| stderr.flush())
        .map_err(failed)?;
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(PHRASE_LIMIT)
        .read_line(&mut line)
        .map_err(failed)?;
    Ok(line.trim().to_owned())
}

/// Reads the phrase from standard input; explains itself to a person.
pub(crate) fn read_phrase() -> Result<String, Failure> {
    if !is_there() {
        return phrase_from(io::stdin().lock());
    }
    eprintln!(
        "Type your {PHRASE_WORDS} words in their order, separated by spaces, on as many lines as you like."
    );
    eprintln!(
        "They are shown while you type: look who stands behind you. An empty line ends early."
    );
    let mut phrase = String::new();
    while phrase.split_whitespace().count() < PHRASE_WORDS {
        let next = phrase.split_whitespace().count() + 1;
        let line = ask_line(&format!("{next:>2}> "))?;
        if line.is_empty() {
            break;
        }
        phrase.push_str(&line);
        phrase.push(' ');
    }
    check_phrase(phrase.trim())
}

const PHRASE_LIMIT: u64 = limits::PHRASE_BYTES_MAX as u64 + 1;

fn phrase_from(source: impl io::Read) -> Result<String, Failure> {
    let mut phrase = String::new();
    source
        .take(PHRASE_LIMIT)
        .read_to_string(&mut phrase)
        .map_err(|error| Failure::io("The words cannot be read from standard input", &error))?;
    check_phrase(phrase.trim())
}

fn check_phrase(phrase: &str) -> Result<String, Failure> {
    if phrase.len() > limits::PHRASE_BYTES_MAX {
        return Err(Failure::usage(format!(
            "Standard input holds more than {PHRASE_WORDS} words can have."
        )));
    }
    let words = phrase.split_whitespace().count();
    if words != PHRASE_WORDS {
        return Err(Failure::usage(format!(
            "{PHRASE_WORDS} words are needed on standard input, {words} came. Nothing was changed; try again with all of them."
        )));
    }
    Ok(phrase.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phrase_is_taken_however_it_is_spaced() {
        let typed = "word\n".repeat(12) + &"word \t".repeat(12);
        assert_eq!(
            phrase_from(typed.as_bytes()).expect("24 words"),
            vec!["word"; 24].join(" ")
        );
    }

    #[test]
    fn too_few_or_too_many_words_are_refused_with_their_number() {
        let check = |text: &[u8], part: &str| {
            let failure = phrase_from(text).expect_err("it is no phrase");
            assert!(failure.message.contains(part), "{failure}");
        };
        check(b"", "0 came");
        check("word ".repeat(23).as_bytes(), "23 came");
        check("word ".repeat(25).as_bytes(), "25 came");
        check(&vec![b'x'; 100_000], "more than");
        check(b"\xff\xfe", "cannot be read");
    }

    #[test]
    fn an_input_without_end_is_not_read_to_it() {
        let failure = phrase_from(io::repeat(b'x')).expect_err("it never ends");
        assert!(failure.message.contains("more than"), "{failure}");
    }

    proptest! {
        #[test]
        fn any_input_is_24_words_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            words in prop::collection::vec("[\\PC\\s]{0,12}", 0..30),
        ) {
            for input in [bytes, words.join(" ").into_bytes()] {
                if let Ok(phrase) = phrase_from(&*input) {
                    prop_assert_eq!(phrase.split(' ').count(), PHRASE_WORDS);
                    prop_assert!(phrase.len() <= limits::PHRASE_BYTES_MAX);
                }
            }
        }
    }
}
