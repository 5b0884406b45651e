//! The 24 words: 256 bits of entropy in the English list of BIP-39.
//!
//! It owns reading and writing the words and says which of them is wrong. The words carry
//! the 32 bytes themselves; the PBKDF2 seed of wallets is never computed.

use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

use crate::derive::Secret;
use crate::random::random;

/// Words of a phrase.
pub const WORDS: usize = 24;

/// Characters of a word beyond the longest of the list (8) that are still looked at.
const WORD_CHARS_MAX: usize = 16;

/// The 24 words that are the whole identity. Wiped when dropped; never shown but by
/// [`Phrase::words`].
pub struct Phrase {
    entropy: Secret,
}

/// Why a text is no phrase. It may quote a mistyped word: show it, never log it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Too few or too many words.
    #[error(
        "a recovery phrase has {WORDS} words, this text has {found}; \
         check that no word is missing or written twice"
    )]
    WordCount {
        /// How many words came.
        found: usize,
    },
    /// A word is not in the list.
    #[error(
        "word {position}, \"{word}\", is not in the list of words{hint}; \
         compare it with your printed kit",
        hint = suggestion.map(|near| format!(" (did you mean \"{near}\"?)")).unwrap_or_default()
    )]
    UnknownWord {
        /// Place of the word, from 1.
        position: usize,
        /// The word as it was typed, cut after some characters.
        word: String,
        /// The nearest word of the list, where one is near.
        suggestion: Option<&'static str>,
    },
    /// All words are in the list, but they do not belong together.
    #[error(
        "the {WORDS} words are all valid, but they do not fit together: probably one word \
         is wrong or two are swapped; compare them with your printed kit, in order"
    )]
    Checksum,
}

impl Phrase {
    /// A new phrase from the operating system's random numbers.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_entropy(Zeroizing::new(random()))
    }

    /// Reads a phrase; upper case, extra spaces and line breaks do not matter. A text of any
    /// length is counted without copying it, and of each word only its beginning is copied.
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let found = text.split_whitespace().count();
        if found != WORDS {
            return Err(PhraseError::WordCount { found });
        }
        let mut words: Vec<&'static str> = Vec::with_capacity(WORDS);
        for (index, typed) in text.split_whitespace().enumerate() {
            words.push(listed_word(typed).ok_or_else(|| unknown_word(index + 1, typed))?);
        }
        let joined = Zeroizing::new(words.join(" "));
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &joined)
            .map_err(|_| PhraseError::Checksum)?;
        let (padded, length) = mnemonic.to_entropy_array();
        let padded = Zeroizing::new(padded);
        let mut entropy = Secret::default();
        entropy.copy_from_slice(&padded[..length]);
        Ok(Self { entropy })
    }

    /// The words in order.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, self.entropy.as_slice())
            .expect("32 bytes are a valid amount of entropy");
        mnemonic.words().collect()
    }

    /// The bytes that the words stand for.
    pub(crate) fn entropy(&self) -> &[u8; 32] {
        &self.entropy
    }

    /// The phrase of given bytes.
    pub(crate) const fn from_entropy(entropy: Secret) -> Self {
        Self { entropy }
    }
}

/// The word of the list that was typed, in any case.
fn listed_word(typed: &str) -> Option<&'static str> {
    if typed.len() > WORD_CHARS_MAX {
        return None;
    }
    let lower = Zeroizing::new(typed.to_lowercase());
    let index = Language::English.find_word(&lower)?;
    Some(Language::English.word_list()[usize::from(index)])
}

fn unknown_word(position: usize, typed: &str) -> PhraseError {
    let lower: String = typed
        .chars()
        .take(WORD_CHARS_MAX)
        .collect::<String>()
        .to_lowercase();
    let suggestion = nearest_word(&lower);
    PhraseError::UnknownWord {
        position,
        word: lower,
        suggestion,
    }
}

/// The word of the list with the fewest typing errors between, if those are at most two and
/// fewer than half of its letters; among equals the one with the longer common beginning.
fn nearest_word(typed: &str) -> Option<&'static str> {
    let typed: Vec<char> = typed.chars().collect();
    let mut best: Option<(usize, usize, &'static str)> = None;
    for &word in Language::English.word_list() {
        let letters: Vec<char> = word.chars().collect();
        let errors = typing_errors(&typed, &letters);
        let differing = letters.len() - common_beginning(&typed, &letters);
        if errors > 2 || errors * 2 > letters.len() {
            continue;
        }
        if best.is_none_or(|(least, nearest, _)| (errors, differing) < (least, nearest)) {
            best = Some((errors, differing, word));
        }
    }
    best.map(|(_, _, word)| word)
}

fn common_beginning(one: &[char], other: &[char]) -> usize {
    one.iter()
        .zip(other)
        .take_while(|(left, right)| left == right)
        .count()
}

/// Least number of letters added, left out, replaced or swapped with their neighbour.
fn typing_errors(typed: &[char], word: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=word.len()).collect();
    for (row, letter) in typed.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, wanted) in word.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != wanted);
            let mut least = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && typed[row - 1] == *wanted && *letter == word[column - 1];
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[word.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_forgives_usual_slips() {
        let check =
            |typed: &str, near: Option<&str>| assert_eq!(nearest_word(typed), near, "{typed}");
        check("abandn", Some("abandon"));
        check("abadnon", Some("abandon"));
        check("abilityy", Some("ability"));
        check("hamstre", Some("hamster"));
        check("zzo", Some("zoo"));
        check("xqxqxqxq", None);
        check("", None);
    }

    #[test]
    fn swapping_neighbours_is_one_error() {
        let check = |one: &str, other: &str, errors: usize| {
            let one: Vec<char> = one.chars().collect();
            let other: Vec<char> = other.chars().collect();
            assert_eq!(typing_errors(&one, &other), errors);
            assert_eq!(typing_errors(&other, &one), errors);
        };
        check("zoo", "zoo", 0);
        check("ozo", "zoo", 1);
        check("zo", "zoo", 1);
        check("", "zoo", 3);
        check("kitten", "sitting", 3);
    }

    #[test]
    fn entropy_and_words_are_two_forms_of_one_thing() {
        let phrase = Phrase::generate();
        let again = Phrase::parse(&phrase.words().join(" ")).map(|parsed| *parsed.entropy());
        assert_eq!(again, Ok(*phrase.entropy()));
    }
}
