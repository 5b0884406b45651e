//! The 24 words against the published vectors, and what is said about wrong ones.

use bitdust_crypto::{Phrase, PhraseError, RootSecrets};

/// The 24-word English vectors of BIP-39's reference implementation: entropy and words.
const VECTORS: [(&str, &str); 8] = [
    (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
         abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
         abandon abandon abandon art",
    ),
    (
        "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
        "legal winner thank year wave sausage worth useful legal winner thank year wave \
         sausage worth useful legal winner thank year wave sausage worth title",
    ),
    (
        "8080808080808080808080808080808080808080808080808080808080808080",
        "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd \
         amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless",
    ),
    (
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo \
         zoo zoo vote",
    ),
    (
        "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
        "hamster diagram private dutch cause delay private meat slide toddler razor book \
         happy fancy gospel tennis maple dilemma loan word shrug inflict delay length",
    ),
    (
        "9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863",
        "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich \
         alcohol speed nation flash devote level hobby quick inner drive ghost inside",
    ),
    (
        "066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
        "all hour make first leader extend hole alien behind guard gospel lava path output \
         census museum junior mass reopen famous sing advance salt reform",
    ),
    (
        "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
        "void come effort suffer camp survey warrior heavy shoot primary clutch crush open \
         amazing screen patrol group space point ten exist slush involve unfold",
    ),
];

#[test]
fn the_published_vectors_are_read_and_written() {
    for (entropy, words) in VECTORS {
        let phrase = parse(words).expect("a published vector");
        assert_eq!(phrase.words().join(" "), words);
        assert_eq!(entropy_of(&phrase), entropy, "{words}");
    }
}

#[test]
fn case_spaces_and_line_breaks_do_not_matter() {
    let words = VECTORS[4].1;
    let shouted = format!("\n\t {} \r\n", words.to_uppercase().replace(' ', " \n  "));
    let phrase = parse(&shouted).expect("the same words");
    assert_eq!(phrase.words().join(" "), words);
}

#[test]
fn a_wrong_word_is_named_with_its_place_and_the_nearest_word() {
    let check = |place: usize, typed: &str, near: Option<&'static str>| {
        let mut words: Vec<&str> = VECTORS[4].1.split(' ').collect();
        words[place - 1] = typed;
        let error = parse(&words.join(" ")).err().expect("no such word");
        let message = error.to_string();
        let (position, word) = (place, typed.to_lowercase());
        assert_eq!(
            error,
            PhraseError::UnknownWord {
                position,
                word,
                suggestion: near
            }
        );
        assert!(message.contains(&format!("word {place}")), "{message}");
        if let Some(near) = near {
            assert!(message.contains(near), "{message}");
        }
    };
    check(1, "hamstre", Some("hamster"));
    check(2, "Diagramm", Some("diagram"));
    check(24, "lenght", Some("length"));
    check(7, "qqqqqq", None);
    check(9, "größe", Some("grace"));
}

#[test]
fn a_missing_or_added_word_is_counted() {
    let words = VECTORS[4].1;
    let check = |text: &str, found: usize| {
        assert_eq!(parse(text).err(), Some(PhraseError::WordCount { found }));
    };
    check("", 0);
    check(words.rsplit_once(' ').expect("24 words").0, 23);
    check(&format!("{words} zoo"), 25);
}

#[test]
fn swapped_or_exchanged_words_fail_the_checksum() {
    let words = VECTORS[4].1;
    let swapped = words.replace("hamster diagram", "diagram hamster");
    assert_eq!(parse(&swapped).err(), Some(PhraseError::Checksum));
    let exchanged = words.replace("length", "letter");
    assert_eq!(parse(&exchanged).err(), Some(PhraseError::Checksum));
    assert!(PhraseError::Checksum.to_string().contains("swapped"));
}

#[test]
fn a_new_phrase_has_24_words_of_its_own() {
    let one = Phrase::generate();
    let other = Phrase::generate();
    assert_eq!(one.words().len(), 24);
    assert_ne!(one.words(), other.words());
    let identity = RootSecrets::from_phrase(&one).identity();
    let again = parse(&one.words().join(" ")).expect("its own words");
    assert_eq!(RootSecrets::from_phrase(&again).identity(), identity);
    assert_ne!(RootSecrets::from_phrase(&other).identity(), identity);
}

fn parse(text: &str) -> Result<Phrase, PhraseError> {
    Phrase::parse(text)
}

/// The entropy, read back from the places of the words in the list.
fn entropy_of(phrase: &Phrase) -> String {
    let list = bip39::Language::English;
    let mut bits = String::new();
    for word in phrase.words() {
        let place = list.find_word(word).expect("a word of the list");
        bits.push_str(&format!("{place:011b}"));
    }
    let nibbles = bits.as_bytes()[..256].chunks(4);
    let digit = |nibble: &[u8]| {
        let text = std::str::from_utf8(nibble).expect("zeros and ones");
        u8::from_str_radix(text, 2).expect("zeros and ones")
    };
    nibbles
        .map(|nibble| format!("{:x}", digit(nibble)))
        .collect()
}
