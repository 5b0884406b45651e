//! The files of the working tree, read once, as rules see them.
//!
//! It walks what a clone contains: build output, foreign packages and git's own
//! folder are left out. It needs no git, so that a source archive is checked as well.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::code::Code;

/// Folders that hold nothing of ours, wherever they lie.
const SKIPPED_FOLDERS: [&str; 4] = [".git", "target", "node_modules", "dist"];
/// Files above this size are no sources; they are listed without their text.
const TEXT_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// One file of the tree.
#[derive(Debug, Clone)]
pub struct File {
    /// Path from the root of the tree, with `/` on every platform.
    pub path: String,
    /// The text; empty for a binary or an oversized file.
    pub text: String,
}

impl File {
    /// A file that exists only for a test of a rule.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The part of the name after the last dot, or nothing.
    #[must_use]
    pub fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, end)| end)
    }

    /// The last part of the path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or(self.path.as_str(), |(_, name)| name)
    }

    /// The name without its extension.
    #[must_use]
    pub fn stem(&self) -> &str {
        self.name().rsplit_once('.').map_or(self.name(), |(s, _)| s)
    }

    /// The path without the name; empty at the root.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// The root of the working tree.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads every file of the tree, sorted by path.
///
/// # Errors
///
/// When a folder or a file cannot be read.
pub fn load(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            if kind.is_dir() {
                if !SKIPPED_FOLDERS.iter().any(|skipped| name == *skipped) {
                    folders.push(entry.path());
                }
            } else if kind.is_file() {
                files.push(read(root, &entry.path())?);
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read(root: &Path, path: &Path) -> Result<File> {
    let relative = path
        .strip_prefix(root)
        .context("a walk stays below its root")?;
    let parts: Vec<_> = relative
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let text = if fs::metadata(path)?.len() > TEXT_BYTES_MAX {
        String::new()
    } else {
        let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        String::from_utf8(bytes).unwrap_or_default() // a binary has no words
    };
    Ok(File {
        path: parts.join("/"),
        text,
    })
}

/// A Rust file with its tokens.
#[derive(Debug)]
pub struct RustFile {
    /// The file itself.
    pub file: File,
    /// What its tokens say.
    pub code: Code,
    /// Whether the whole file is test code.
    pub is_test: bool,
}

impl RustFile {
    /// Whether it is a part of what is shipped.
    #[must_use]
    pub fn is_product(&self) -> bool {
        let path = &self.file.path;
        let is_crate = path.starts_with("crates/") && path.split('/').nth(2) == Some("src");
        (is_crate || path.starts_with("src-tauri/src/")) && !self.is_test
    }
}

/// Takes the Rust files out of `files` and reads their tokens.
///
/// # Errors
///
/// When a file is not made of Rust tokens.
pub fn rust_files(files: &[File]) -> Result<Vec<RustFile>> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.extension() == "rs") {
        let code = Code::read(&file.text).with_context(|| format!("read {}", file.path))?;
        found.push(RustFile {
            file: file.clone(),
            code,
            is_test: is_test_path(&file.path),
        });
    }
    let test_modules: Vec<String> = found.iter().flat_map(test_module_paths).collect();
    for rust in &mut found {
        let path = &rust.file.path;
        rust.is_test |= test_modules.iter().any(|module| {
            *path == format!("{module}.rs") || path.starts_with(&format!("{module}/"))
        });
    }
    Ok(found)
}

fn is_test_path(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.contains("/benches/")
        || path.ends_with("/tests.rs")
}

/// Where the modules lie that this file declares for tests only, without `.rs`.
fn test_module_paths(rust: &RustFile) -> Vec<String> {
    let file = &rust.file;
    let base = match file.name() {
        "lib.rs" | "main.rs" => file.folder().to_owned(),
        _ => format!("{}/{}", file.folder(), file.stem()),
    };
    let modules = rust.code.test_modules.iter();
    modules.map(|module| format!("{base}/{module}")).collect()
}

/// The real tree, for the tests of this package.
///
/// # Panics
///
/// When the tree cannot be read; then no rule can be checked.
#[must_use]
pub fn real() -> Vec<File> {
    load(&root()).expect("the working tree is readable")
}

/// The Rust files of the real tree.
///
/// # Panics
///
/// When a file of the tree is not Rust.
#[must_use]
pub fn real_rust() -> Vec<RustFile> {
    rust_files(&real()).expect("every .rs file is made of Rust tokens")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_sees_this_very_file_and_no_build_output() {
        let files = real();
        assert!(
            files.iter().any(|f| f.path == "tests/tidy/src/tree.rs"),
            "this file"
        );
        assert!(
            files.iter().any(|f| f.path == ".gitignore"),
            "hidden files count"
        );
        assert!(
            !files.iter().any(|f| f.path.starts_with("target/")),
            "no build output"
        );
    }

    #[test]
    fn a_module_declared_for_tests_only_is_test_code() -> Result<()> {
        let files = [
            File::new(
                "crates/x/src/lib.rs",
                "#[cfg(test)]\nmod bench;\nmod plain;",
            ),
            File::new("crates/x/src/bench.rs", ""),
            File::new("crates/x/src/plain.rs", "#[cfg(test)] mod deep;"),
            File::new("crates/x/src/plain/deep.rs", ""),
            File::new("crates/x/tests/story.rs", ""),
        ];
        let rust = rust_files(&files)?;
        let tests: Vec<bool> = rust.iter().map(|r| r.is_test).collect();
        assert_eq!(
            tests,
            [false, true, false, true, true],
            "by declaration or by folder"
        );
        Ok(())
    }
}
