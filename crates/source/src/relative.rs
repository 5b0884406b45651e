//! Paths inside a folder, as validated raw bytes.
//!
//! A [`RelativePath`] cannot hold a name that leaves its folder: every component was checked
//! when it was joined. Names of a tree from elsewhere go through [`RelativePath::join`].

use std::fmt;

use bitdust_model::limits;
use bitdust_model::tree::is_valid_name;

/// A path below a folder: components joined by slashes, empty for the folder itself.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath {
    bytes: Vec<u8>,
}

/// Why a name or path cannot stand inside a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// The name is empty, `.`, `..`, too long, or holds a slash or NUL.
    #[error("the name {name:?} cannot stand in a folder")]
    Name {
        /// The name, made readable.
        name: String,
    },
    /// The whole path is longer than `PATH_BYTES_MAX`.
    #[error("the path has {length} bytes, at most {max} are possible", max = limits::PATH_BYTES_MAX)]
    TooLong {
        /// Bytes it would have.
        length: usize,
    },
}

impl RelativePath {
    /// The folder itself.
    #[must_use]
    pub const fn root() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Splits at slashes and checks every component; empty means the folder itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadPath> {
        if bytes.is_empty() {
            return Ok(Self::root());
        }
        check_length(bytes.len())?;
        for name in bytes.split(|byte| *byte == b'/') {
            check_name(name)?;
        }
        Ok(Self {
            bytes: bytes.to_vec(),
        })
    }

    /// The path of `name` in this folder.
    pub fn join(&self, name: &[u8]) -> Result<Self, BadPath> {
        check_name(name)?;
        let length = self.bytes.len() + usize::from(!self.is_root()) + name.len();
        check_length(length)?;
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(&self.bytes);
        if !self.is_root() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Ok(Self { bytes })
    }

    /// Whether it is the folder itself.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The raw bytes, components joined by slashes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The last component, empty for the folder itself.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.bytes
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default()
    }

    /// The path without its last component.
    #[must_use]
    pub fn parent(&self) -> Self {
        let end = self
            .bytes
            .iter()
            .rposition(|byte| *byte == b'/')
            .unwrap_or(0);
        Self {
            bytes: self.bytes[..end].to_vec(),
        }
    }

    /// The components from the top.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes
            .split(|byte| *byte == b'/')
            .filter(|name| !name.is_empty())
    }

    /// How many components it has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.components().count()
    }

    /// The bytes of this path below `root`, as they are shown in problems.
    #[must_use]
    pub fn below(&self, root: &[u8]) -> Vec<u8> {
        let mut bytes = root.to_vec();
        if !self.is_root() {
            if bytes.last() != Some(&b'/') {
                bytes.push(b'/');
            }
            bytes.extend_from_slice(&self.bytes);
        }
        bytes
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes))
    }
}

impl fmt::Debug for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.bytes))
    }
}

fn check_name(name: &[u8]) -> Result<(), BadPath> {
    if !is_valid_name(name) {
        let shown = &name[..name.len().min(limits::NAME_BYTES_MAX)];
        return Err(BadPath::Name {
            name: String::from_utf8_lossy(shown).into_owned(),
        });
    }
    Ok(())
}

const fn check_length(length: usize) -> Result<(), BadPath> {
    if length > limits::PATH_BYTES_MAX {
        return Err(BadPath::TooLong { length });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_leave_a_folder_are_refused() {
        let long = vec![b'a'; limits::NAME_BYTES_MAX + 1];
        for name in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", &long] {
            let joined = RelativePath::root().join(name);
            assert!(
                matches!(joined, Err(BadPath::Name { .. })),
                "{name:?} gave {joined:?}"
            );
        }
        for name in [
            &b"..."[..],
            b"a\nb",
            b"\xff\xfe",
            b" ",
            b"-rf",
            &[b'n'; 255],
        ] {
            assert!(
                RelativePath::root().join(name).is_ok(),
                "{name:?} is a fine name"
            );
        }
    }

    #[test]
    fn a_path_comes_apart_as_it_was_joined() {
        let path = RelativePath::root()
            .join(b"a")
            .and_then(|path| path.join(b"b"))
            .expect("both names are fine");
        assert_eq!(path.as_bytes(), b"a/b");
        assert_eq!(path.name(), b"b");
        assert_eq!(path.parent().as_bytes(), b"a");
        assert_eq!(path.parent().parent(), RelativePath::root());
        assert_eq!(path.depth(), 2);
        assert_eq!(path.below(b"/home"), b"/home/a/b");
        assert_eq!(path.below(b"/"), b"/a/b");
        assert_eq!(RelativePath::root().below(b"/home"), b"/home");
    }

    #[test]
    fn a_path_that_is_too_long_is_refused() {
        let mut path = RelativePath::root();
        while let Ok(longer) = path.join(&[b'x'; 255]) {
            path = longer;
        }
        assert_eq!(
            path.join(&[b'x'; 255]),
            Err(BadPath::TooLong {
                length: path.as_bytes().len() + 256
            })
        );
        assert_eq!(path.depth(), limits::PATH_BYTES_MAX / 256);
    }

    proptest! {
        #[test]
        fn whatever_parses_has_only_valid_components(bytes in prop::collection::vec(prop_oneof![Just(b'/'), Just(b'.'), Just(0), any::<u8>()], 0..40)) {
            if let Ok(path) = RelativePath::parse(&bytes) {
                prop_assert!(path.components().all(is_valid_name));
                prop_assert_eq!(path.as_bytes(), &bytes[..]);
                let joined = path.components().try_fold(RelativePath::root(), |path, name| path.join(name));
                prop_assert_eq!(joined, Ok(path));
            }
        }
    }
}
