//! What a backup leaves out: caches by default, and what a person lists in gitignore syntax.
//!
//! Patterns are matched against paths below the root of the folder, folders before their
//! contents: what lies in an excluded folder is never looked at. Later patterns win over
//! earlier ones, and those of a person come after the defaults, so `!.cache/` takes caches
//! back in. Everything left out is counted and listed; nothing disappears silently.
//! `.gitignore` files in the folder are files like others and exclude nothing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bitdust_model::limits;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::relative::RelativePath;

/// What is left out unless a person takes it back in: things that programs and systems make
/// again by themselves. Build results and installed packages (`target/`, `node_modules/`)
/// are not here: making them again may need what is no longer to be had.
pub const DEFAULT_EXCLUDES: &[&str] = &[
    // Files of a restore that was interrupted.
    ".bitdust-*.part",
    // Caches by convention of the systems.
    ".cache/",
    "/Library/Caches/",
    ".thumbnails/",
    "Thumbs.db",
    ".DS_Store",
    ".Spotlight-V100/",
    ".fseventsd/",
    // Waste baskets.
    "/.local/share/Trash/",
    ".Trash-[0-9]*/",
    ".Trashes/",
    "$RECYCLE.BIN/",
    // Belongings of the file system and of mounts made for one login.
    "/lost+found/",
    "System Volume Information/",
    ".gvfs/",
    // Caches of tools that are filled again from what is kept.
    "__pycache__/",
    ".ccache/",
    ".npm/_cacache/",
    ".cargo/registry/",
];

/// The name of the file that marks a folder as a cache.
pub const CACHE_TAG_NAME: &[u8] = b"CACHEDIR.TAG";
/// How that file begins (bford.info/cachedir).
pub const CACHE_TAG_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// Why lines could not be made into excludes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExcludeError {
    /// There are more lines than `EXCLUDES_MAX`.
    #[error("{count} patterns, at most {max} are possible", max = limits::EXCLUDES_MAX)]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A line is longer than `EXCLUDE_BYTES_MAX`.
    #[error("pattern {number} has {length} bytes, at most {max} are possible", max = limits::EXCLUDE_BYTES_MAX)]
    TooLong {
        /// Which one, from 1.
        number: usize,
        /// Its bytes.
        length: usize,
    },
    /// A line is no pattern.
    #[error("pattern {number} ({pattern:?}) cannot be understood: {reason}")]
    Malformed {
        /// Which one, from 1.
        number: usize,
        /// The line.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Each line is fine, all together are too much.
    #[error("the patterns together cannot be used: {reason}")]
    TooComplex {
        /// What is wrong.
        reason: String,
    },
}

/// The rules by which a walk leaves things out.
#[derive(Debug, Clone)]
pub struct Excludes {
    matcher: Gitignore,
    honours_cache_tags: bool,
    places: Vec<(u64, u64)>,
}

impl Excludes {
    /// The defaults and the given patterns, one a line, in gitignore syntax; empty lines and
    /// lines that begin with `#` say nothing.
    pub fn new<Line: AsRef<str>>(lines: &[Line]) -> Result<Self, ExcludeError> {
        Self::build(DEFAULT_EXCLUDES, lines, true)
    }

    /// Only the given patterns: no defaults, and folders marked as caches are kept.
    pub fn only<Line: AsRef<str>>(lines: &[Line]) -> Result<Self, ExcludeError> {
        Self::build(&[], lines, false)
    }

    /// Excludes nothing.
    #[must_use]
    pub fn none() -> Self {
        Self {
            matcher: Gitignore::empty(),
            honours_cache_tags: false,
            places: Vec::new(),
        }
    }

    /// Leaves out one folder of the machine by what it is, wherever the walk comes upon it:
    /// the home of the node itself, which would otherwise back up its own spool.
    #[must_use]
    pub fn without_place(mut self, device: u64, inode: u64) -> Self {
        self.places.push((device, inode));
        self
    }

    /// Whether a pattern leaves out the thing at `path`, and which.
    #[must_use]
    pub fn matched(&self, path: &RelativePath, is_folder: bool) -> Option<DropReason> {
        match self
            .matcher
            .matched(Path::new(OsStr::from_bytes(path.as_bytes())), is_folder)
        {
            Match::Ignore(glob) => Some(DropReason::Pattern(glob.original().to_owned())),
            Match::None | Match::Whitelist(_) => None,
        }
    }

    /// Whether folders marked by `CACHEDIR.TAG` are left out.
    #[must_use]
    pub const fn honours_cache_tags(&self) -> bool {
        self.honours_cache_tags
    }

    /// Whether this very folder is left out.
    #[must_use]
    pub fn has_place(&self, device: u64, inode: u64) -> bool {
        self.places.contains(&(device, inode))
    }

    fn build<Line: AsRef<str>>(
        defaults: &[&str],
        lines: &[Line],
        honours_cache_tags: bool,
    ) -> Result<Self, ExcludeError> {
        if lines.len() > limits::EXCLUDES_MAX {
            return Err(ExcludeError::TooMany { count: lines.len() });
        }
        let mut builder = GitignoreBuilder::new("");
        for line in defaults {
            add(&mut builder, 0, line)?;
        }
        for (index, line) in lines.iter().enumerate() {
            add(&mut builder, index + 1, line.as_ref())?;
        }
        let matcher = builder.build().map_err(|error| ExcludeError::TooComplex {
            reason: error.to_string(),
        })?;
        Ok(Self {
            matcher,
            honours_cache_tags,
            places: Vec::new(),
        })
    }
}

/// Why something was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropReason {
    /// A pattern, of a person or of [`DEFAULT_EXCLUDES`].
    Pattern(String),
    /// A `CACHEDIR.TAG` in it says that it is a cache.
    CacheTag,
    /// It is the contents of another file system and mounts are not crossed.
    OtherFileSystem,
    /// It is a view of the kernel, such as `/proc`, and holds no files of anybody.
    KernelView,
    /// It was named by [`Excludes::without_place`].
    Place,
}

/// What a walk left out: the first ones by path, the rest counted.
#[derive(Debug, Clone, Default)]
pub struct Dropped {
    /// At most `DROPPED_LISTED_MAX`, in the order of the walk; a folder stands for all in it.
    pub listed: Vec<(RelativePath, DropReason)>,
    /// How many more there were.
    pub unlisted: u64,
}

impl Dropped {
    /// All of them, listed or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.listed.len() as u64 + self.unlisted
    }

    pub(crate) fn push(&mut self, path: RelativePath, reason: DropReason) {
        if self.listed.len() < limits::DROPPED_LISTED_MAX {
            self.listed.push((path, reason));
        } else {
            self.unlisted += 1;
        }
    }
}

fn add(builder: &mut GitignoreBuilder, number: usize, line: &str) -> Result<(), ExcludeError> {
    if line.len() > limits::EXCLUDE_BYTES_MAX {
        return Err(ExcludeError::TooLong {
            number,
            length: line.len(),
        });
    }
    let malformed = |reason: String| ExcludeError::Malformed {
        number,
        pattern: line.to_owned(),
        reason,
    };
    if line.contains(['\n', '\0']) {
        return Err(malformed("one pattern is one line".to_owned()));
    }
    builder
        .add_line(None, line)
        .map_err(|error| malformed(error.to_string()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_follow_gitignore() {
        let excludes = Excludes::only(&[
            "*.tmp",
            "!keep.tmp",
            "/top",
            "logs/",
            "a/**/z",
            "# note",
            "",
        ])
        .expect("all are patterns");
        let check = |path: &str, is_folder: bool, is_dropped: bool| {
            let parsed = RelativePath::parse(path.as_bytes()).expect("a fine path");
            assert_eq!(
                excludes.matched(&parsed, is_folder).is_some(),
                is_dropped,
                "{path}"
            );
        };
        check("x.tmp", false, true);
        check("deep/er/x.tmp", false, true);
        check("deep/keep.tmp", false, false);
        check("top", false, true);
        check("deep/top", false, false);
        check("deep/logs", true, true);
        check("deep/logs", false, false);
        check("a/b/c/z", false, true);
        check("# note", false, false);
    }

    #[test]
    fn a_person_takes_a_default_back_in() {
        let cache = RelativePath::parse(b"home/.cache").expect("a fine path");
        let check = |lines: &[&str]| {
            Excludes::new(lines)
                .expect("all are patterns")
                .matched(&cache, true)
        };
        assert_eq!(check(&[]), Some(DropReason::Pattern(".cache/".to_owned())));
        assert_eq!(check(&["!.cache/"]), None);
    }

    #[test]
    fn names_that_are_no_text_are_matched_too() {
        let excludes = Excludes::only(&["*.tmp"]).expect("a pattern");
        let path = RelativePath::parse(b"\xff\xfe.tmp").expect("a fine path");
        assert!(excludes.matched(&path, false).is_some());
    }

    #[test]
    fn lines_beyond_the_limits_are_refused_by_number() {
        let many = vec!["x"; limits::EXCLUDES_MAX + 1];
        assert!(matches!(
            Excludes::only(&many),
            Err(ExcludeError::TooMany { .. })
        ));
        let long = "x".repeat(limits::EXCLUDE_BYTES_MAX + 1);
        assert!(matches!(
            Excludes::only(&["fine", &long]),
            Err(ExcludeError::TooLong { number: 2, .. })
        ));
        assert!(matches!(
            Excludes::only(&["two\nlines"]),
            Err(ExcludeError::Malformed { number: 1, .. })
        ));
        assert!(matches!(
            Excludes::only(&["{a"]),
            Err(ExcludeError::Malformed { number: 1, .. })
        ));
    }

    #[test]
    fn what_is_dropped_beyond_the_list_is_counted() {
        let mut dropped = Dropped::default();
        for _ in 0..limits::DROPPED_LISTED_MAX + 3 {
            dropped.push(RelativePath::root(), DropReason::CacheTag);
        }
        assert_eq!(dropped.unlisted, 3);
        assert_eq!(dropped.count(), limits::DROPPED_LISTED_MAX as u64 + 3);
    }

    fn pattern() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            Just("*".to_owned()),
            Just("**".to_owned()),
            Just("/".to_owned()),
            Just("[".to_owned()),
            Just("]".to_owned()),
            Just("{".to_owned()),
            Just("}".to_owned()),
            Just(",".to_owned()),
            Just("!".to_owned()),
            Just("\\".to_owned()),
            Just("?".to_owned()),
            Just("-".to_owned()),
            Just("^".to_owned()),
            Just(" ".to_owned()),
            "\\PC{0,3}",
            any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn garbage_is_a_pattern_or_an_error_and_never_a_panic(
            lines in prop::collection::vec(pattern(), 0..6),
            path in prop::collection::vec(1_u8.., 1..30),
        ) {
            if let (Ok(excludes), Ok(path)) = (Excludes::only(&lines), RelativePath::parse(&path)) {
                let _either_is_fine = excludes.matched(&path, true);
                let _either_is_fine = excludes.matched(&path, false);
            }
        }
    }
}
