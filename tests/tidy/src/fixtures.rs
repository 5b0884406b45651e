//! Bytes kept to prove that old formats stay readable are read by a test.

use crate::tree::{File, RustFile};

const FIXTURES: &str = "tests/fixtures/format/";

/// Fixtures whose name and version folder stand together in no Rust file.
#[must_use]
pub fn unread(files: &[File], rust: &[RustFile]) -> Vec<String> {
    let fixtures = files
        .iter()
        .filter(|file| file.path.starts_with(FIXTURES) && file.extension() != "md");
    let unread =
        fixtures.filter(|fixture| !rust.iter().any(|rust| names(&rust.file.text, fixture)));
    unread
        .map(|fixture| format!("{} is read by no test", fixture.path))
        .collect()
}

fn names(text: &str, fixture: &File) -> bool {
    let version = fixture.folder().rsplit('/').next().unwrap_or_default();
    text.contains(fixture.name()) && text.contains(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assert_clean, tree};

    #[test]
    fn every_fixture_is_read_by_a_test() {
        assert_clean("fixtures", &unread(&tree::real(), &tree::real_rust()));
    }

    #[test]
    fn a_fixture_that_nobody_reads_is_caught() -> anyhow::Result<()> {
        let fixture = File::new("tests/fixtures/format/v0/example.bin", "");
        let reader = File::new(
            "crates/x/tests/a.rs",
            "const A: &str = \"format/v0/example.bin\";",
        );
        let files = [fixture, reader];
        let rust = tree::rust_files(&files)?;
        assert!(unread(&files, &rust).is_empty(), "read");
        assert_eq!(unread(&files, &[]).len(), 1, "not read");
        let older = File::new("tests/fixtures/format/none/example.bin", "");
        assert_eq!(unread(&[older], &rust).len(), 1, "another version is read");
        Ok(())
    }
}
