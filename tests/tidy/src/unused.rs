//! What is public has a caller in the program.
//!
//! The compiler tells of a private function that nobody calls, and trusts every public one. But a
//! function that only tests call shows nothing about the program, which does the same in another
//! way or not at all. Names are compared and not what they mean: a function passes when anything
//! else of the program has its name.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::code::{Before, inner, is_word, line_of};
use crate::tree::RustFile;

/// The world of the simulator, which is there for the stories in `STORIES`.
const WORLD: &str = "crates/sim/src/";
/// Who calls the world.
const STORIES: &str = "tests/sim/";
/// What serde calls in the modules that `with` names.
const CALLED_BY_SERDE: [&str; 2] = ["deserialize", "serialize"];
/// Words that may stand between `pub` and `fn`.
const QUALIFIERS: [&str; 4] = ["async", "const", "extern", "unsafe"];
/// Functions without a caller: where, which, and what they are for.
const KEPT: [(&str, &str, &str); 5] = [
    (
        "crates/crypto/src/home_secrets.rs",
        "open_sealed",
        "sealed boxes are a part of the formats; they come with the revoking of devices",
    ),
    (
        "crates/crypto/src/sealed_box.rs",
        "seal_to",
        "sealed boxes are a part of the formats; they come with the revoking of devices",
    ),
    (
        "crates/pipeline/src/pack/open.rs",
        "read_trailer",
        "what is written into every pack has to be readable, though no restore needs it so far",
    ),
    (
        "crates/source/src/excludes.rs",
        "none",
        "tests of two crates walk folders of which nothing is left out",
    ),
    (
        "crates/store/src/catalogue/segments.rs",
        "mark_published",
        "the benchmark of a large catalogue enters a segment piece by piece",
    ),
];

/// A function with a visibility.
struct Public {
    line: usize,
    name: String,
}

/// Public functions without a caller that are not listed, and listed ones that are no more or
/// have one.
#[must_use]
pub fn without_caller(files: &[RustFile]) -> Vec<String> {
    unlisted(files, &KEPT)
}

fn unlisted(files: &[RustFile], kept: &[(&str, &str, &str)]) -> Vec<String> {
    let by_program = called(files.iter().filter(|rust| is_program(rust)), false);
    let stories = files
        .iter()
        .filter(|rust| rust.file.path.starts_with(STORIES));
    let by_stories = called(stories, true);
    let mut silent: Vec<(&str, &str)> = kept.iter().map(|(path, name, _)| (*path, *name)).collect();
    let mut offences = Vec::new();
    for rust in files.iter().filter(|rust| rust.is_product()) {
        let path = rust.file.path.as_str();
        for Public { line, name } in public_functions(rust) {
            let name = name.as_str();
            let is_called = by_program.contains(name)
                || CALLED_BY_SERDE.contains(&name)
                || (path.starts_with(WORLD) && by_stories.contains(name));
            if is_called {
                continue;
            }
            silent.retain(|it| *it != (path, name));
            if !kept.iter().any(|it| (it.0, it.1) == (path, name)) {
                offences.push(format!("{path}:{line} the program never calls {name}"));
            }
        }
    }
    offences.extend(silent.iter().map(|(path, name)| {
        format!("{path}: {name} is listed, and is not there or the program calls it")
    }));
    offences
}

/// Whether it is shipped, or measures what is.
fn is_program(rust: &RustFile) -> bool {
    let path = &rust.file.path;
    rust.is_product() || (path.starts_with("crates/") && path.contains("/benches/"))
}

/// Names that occur, but for where a function has it, is handed on, or calls its namesake.
fn called<'a>(files: impl Iterator<Item = &'a RustFile>, has_tests: bool) -> BTreeSet<&'a str> {
    let mut called = BTreeSet::new();
    for rust in files {
        for spot in &rust.code.paths {
            let is_shipped = has_tests || !spot.is_test;
            if spot.before == Before::Definition || spot.is_handed_on || !is_shipped {
                continue;
            }
            for name in spot.path.split("::") {
                if !called.contains(name) && !is_in_namesake(rust, spot.line, name) {
                    called.insert(name);
                }
            }
        }
    }
    called
}

/// Whether a line lies in a function of this name.
fn is_in_namesake(rust: &RustFile, line: usize, name: &str) -> bool {
    let mut functions = rust.code.functions.iter();
    functions.any(|it| it.name == name && (it.line..it.line + it.line_count).contains(&line))
}

fn public_functions(rust: &RustFile) -> Vec<Public> {
    let stream: TokenStream = rust.file.text.parse().expect("tokens were read before");
    let mut found = Vec::new();
    read(&stream.into_iter().collect::<Vec<_>>(), &mut found);
    found.retain(|it| !rust.code.is_for_tests(it.line));
    found
}

/// Reads one level of tokens and everything inside it.
fn read(tokens: &[TokenTree], found: &mut Vec<Public>) {
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            read(&inner(group), found);
        } else if is_word(Some(token), "fn")
            && is_public(&tokens[..at])
            && let Some(TokenTree::Ident(name)) = tokens.get(at + 1)
        {
            found.push(Public {
                line: line_of(token),
                name: name.to_string(),
            });
        }
    }
}

/// Whether what stands before a `fn` gives it a visibility.
fn is_public(before: &[TokenTree]) -> bool {
    let mut words = before.iter().rev().skip_while(|token| is_qualifier(token));
    match words.next() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            is_word(words.next(), "pub")
        }
        word => is_word(word, "pub"),
    }
}

/// Whether it is one of `QUALIFIERS`, or the name of a foreign interface.
fn is_qualifier(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Literal(_))
        || QUALIFIERS.iter().any(|word| is_word(Some(token), word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::tree::{self, File};

    const HERE: &str = "crates/x/src/a.rs";

    #[test]
    fn what_is_public_has_a_caller() {
        assert_clean("functions", &without_caller(&tree::real_rust()));
    }

    #[test]
    fn a_function_without_a_caller_is_caught() {
        let rows = [
            ("pub fn a() {}", 1),
            ("impl B { pub(crate) fn a(&self) {} }", 1),
            ("pub(in crate::b) const fn a() {}", 1),
            ("pub async unsafe extern \"C\" fn a() {}", 1),
            ("fn a() {}", 0), // the compiler's business
            ("impl B for C { fn a(&self) {} }\npub struct D;", 0),
            ("pub fn serialize() {}", 0),
            ("pub fn a() {}\nfn b() { a(); }", 0),
            ("pub fn a() {}\nfn b() { vec![c.a()]; }", 0),
            ("pub fn a() {}\nuse c::{a, d};", 0),
            ("pub fn a() {}\npub(crate) use c::{a, d};", 1),
            ("/// Calls a.\npub fn a() {}\nconst B: &str = \"a\";", 1),
            ("pub fn a() {}\nimpl B {\nfn a() {\nc::a();\n}\n}", 1),
            (
                "pub fn a() {}\n#[cfg(test)]\nmod tests { fn b() { a(); } }",
                1,
            ),
            ("pub fn a() {}\n#[test]\nfn b() { a(); }", 1),
            ("#[cfg(test)]\npub fn a() {}", 0),
        ];
        for (text, expected) in rows {
            check(&[(HERE, text)], &[], expected);
        }
    }

    #[test]
    fn a_caller_is_a_part_of_the_program() {
        let rows = [
            (HERE, "crates/y/src/b.rs", 0),
            (HERE, "crates/y/src/b/tests.rs", 1),
            (HERE, "crates/y/tests/b.rs", 1),
            (HERE, "crates/x/benches/b.rs", 0),
            (HERE, "src-tauri/src/b.rs", 0),
            (HERE, "tests/e2e/src/b.rs", 1),
            (HERE, "tests/sim/tests/b.rs", 1),
            ("crates/sim/src/a.rs", "tests/sim/tests/b.rs", 0),
            ("crates/sim/src/a.rs", "tests/e2e/tests/b.rs", 1),
        ];
        for (path, caller, expected) in rows {
            let files = [(path, "pub fn a() {}"), (caller, "fn b() { a(); }")];
            check(&files, &[], expected);
        }
        let world = ("crates/sim/src/a.rs", "pub fn a() {}");
        let story = ("tests/sim/tests/b.rs", "#[test]\nfn b() { a(); }");
        check(&[world, story], &[], 0);
    }

    #[test]
    fn what_is_listed_has_no_caller_and_is_there() {
        let kept = [(HERE, "a", "why")];
        check(&[(HERE, "pub fn a() {}")], &kept, 0);
        check(&[(HERE, "pub fn a() {}\nfn b() { a(); }")], &kept, 1);
        check(&[(HERE, "fn b() {}")], &kept, 1);
        check(&[("crates/y/src/a.rs", "pub fn a() {}")], &kept, 2);
    }

    fn check(files: &[(&str, &str)], kept: &[(&str, &str, &str)], expected: usize) {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File::new(path, text))
            .collect();
        let rust = tree::rust_files(&files).expect("the twin is Rust");
        let offences = unlisted(&rust, kept);
        assert_eq!(offences.len(), expected, "{files:?}: {offences:?}");
    }
}
