//! How long files and functions may be, and how a file begins.

use crate::tree::RustFile;

/// Lines of a file, test modules apart.
const FILE_LINES_MAX: usize = 500;
/// Lines of a function, from `fn` to the closing brace.
const FUNCTION_LINES_MAX: usize = 60;

/// Files and functions beyond their limits; test code is excluded.
#[must_use]
pub fn oversized(files: &[RustFile]) -> Vec<String> {
    let mut offences = Vec::new();
    for rust in files.iter().filter(|rust| !rust.is_test) {
        let path = &rust.file.path;
        let lines = rust.code.product_lines(&rust.file.text);
        if lines > FILE_LINES_MAX {
            offences.push(format!(
                "{path} has {lines} lines, {FILE_LINES_MAX} is the limit"
            ));
        }
        for function in rust
            .code
            .functions
            .iter()
            .filter(|function| !function.is_test)
        {
            if function.line_count > FUNCTION_LINES_MAX {
                offences.push(format!(
                    "{path}:{} {} has {} lines, {FUNCTION_LINES_MAX} is the limit",
                    function.line, function.name, function.line_count
                ));
            }
        }
    }
    offences
}

/// Files without a `//!` paragraph at the top, and files called `mod.rs`.
///
/// In test folders only the roots of packages need the paragraph.
#[must_use]
pub fn unintroduced(files: &[RustFile]) -> Vec<String> {
    let mut offences = Vec::new();
    for rust in files {
        let path = &rust.file.path;
        let is_root = matches!(rust.file.name(), "lib.rs" | "main.rs");
        if !rust.code.has_file_comment && (is_root || !rust.is_test) {
            offences.push(format!("{path} does not begin with a //! paragraph"));
        }
        if rust.file.name() == "mod.rs" {
            offences.push(format!("{path}: name.rs beside name/ instead"));
        }
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::tree::{self, File};

    #[test]
    fn files_and_functions_fit_their_limits() {
        assert_clean("sizes", &oversized(&tree::real_rust()));
    }

    #[test]
    fn every_file_says_what_it_owns() {
        assert_clean("file comments", &unintroduced(&tree::real_rust()));
    }

    #[test]
    fn a_long_file_or_function_is_caught() {
        let constants = "const A: u8 = 1;\n";
        let body = "    a();\n";
        check("crates/x/src/a.rs", &constants.repeat(FILE_LINES_MAX), 0);
        check(
            "crates/x/src/a.rs",
            &constants.repeat(FILE_LINES_MAX + 1),
            1,
        );
        check(
            "crates/x/src/a.rs",
            &format!("fn a() {{\n{}}}", body.repeat(FUNCTION_LINES_MAX - 2)),
            0,
        );
        check(
            "crates/x/src/a.rs",
            &format!("fn a() {{\n{}}}", body.repeat(FUNCTION_LINES_MAX - 1)),
            1,
        );
        check(
            "crates/x/tests/a.rs",
            &constants.repeat(FILE_LINES_MAX + 1),
            0,
        );
        let tests = format!(
            "#[cfg(test)]\nmod tests {{ fn t() {{\n{}}} }}",
            body.repeat(2000)
        );
        check("crates/x/src/a.rs", &tests, 0);
    }

    #[test]
    fn a_file_without_introduction_is_caught() {
        let introduced = |path, text| unintroduced(&read(path, text)).is_empty();
        assert!(
            introduced("crates/x/src/lib.rs", "//! What it owns.\n"),
            "introduced"
        );
        assert!(
            !introduced("crates/x/src/lib.rs", "/// Of the item.\npub fn a() {}"),
            "item only"
        );
        assert!(
            !introduced("crates/x/src/a.rs", "// Plain.\n"),
            "not a document"
        );
        assert!(
            !introduced("tests/x/src/lib.rs", "mod a;"),
            "the root of a suite"
        );
        assert!(
            !introduced("crates/x/src/a/mod.rs", "//! Introduced."),
            "wrong name"
        );
    }

    fn check(path: &str, text: &str, expected: usize) {
        let offences = oversized(&read(path, text));
        assert_eq!(offences.len(), expected, "{path}: {offences:?}");
    }

    fn read(path: &str, text: &str) -> Vec<RustFile> {
        tree::rust_files(&[File::new(path, text)]).expect("the twin is Rust")
    }
}
