//! The flags of a file or folder that forbid its change: read beside its attributes, and set
//! when nothing else is left to be done to it.
//!
//! They are recorded as an attribute of a name that no file system gives. A program that does
//! not know it cannot set it, and says so.

use std::os::fd::BorrowedFd;

use bitdust_model::tree::{FLAGS_ATTRIBUTE, Meta};
use rustix::fs::{IFlags, Statx, StatxAttributes, ioctl_getflags, ioctl_setflags};
use rustix::io::Errno;

/// What may not be done to a file or folder, whoever asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// Nothing at all.
    is_immutable: bool,
    /// Nothing but to add at its end.
    is_append_only: bool,
}

impl Flags {
    /// The flags in an answer of the system; a file system that has none gives none.
    pub(crate) fn of(stat: &Statx) -> Self {
        Self {
            is_immutable: stat.stx_attributes.contains(StatxAttributes::IMMUTABLE),
            is_append_only: stat.stx_attributes.contains(StatxAttributes::APPEND),
        }
    }

    /// Name and value as they are recorded; nothing where there is no flag.
    pub(crate) fn to_attribute(self) -> Option<(Vec<u8>, Vec<u8>)> {
        let letters = [(self.is_append_only, b'a'), (self.is_immutable, b'i')];
        let value: Vec<u8> = letters
            .into_iter()
            .filter_map(|(is_set, letter)| is_set.then_some(letter))
            .collect();
        (!value.is_empty()).then(|| (FLAGS_ATTRIBUTE.to_vec(), value))
    }

    /// The flags that metadata records.
    pub(crate) fn recorded_in(meta: &Meta) -> Recorded {
        let recorded = meta.xattrs.iter().find(|(name, _)| is_flags(name));
        let Some((_, value)) = recorded else {
            return Recorded::Nothing;
        };
        let flags = Self {
            is_immutable: value.contains(&b'i'),
            is_append_only: value.contains(&b'a'),
        };
        if value.is_empty() || value.iter().any(|letter| !b"ai".contains(letter)) {
            return Recorded::Unknown;
        }
        Recorded::Flags(flags)
    }

    /// Sets these and leaves the others as they are.
    pub(crate) fn set(self, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        let present = ioctl_getflags(fd)?;
        let mut wanted = present;
        wanted.set(IFlags::IMMUTABLE, self.is_immutable);
        wanted.set(IFlags::APPEND, self.is_append_only);
        if wanted == present {
            return Ok(());
        }
        ioctl_setflags(fd, wanted)
    }

    /// Whether an open file or folder has just these.
    pub(crate) fn are_on(self, fd: BorrowedFd<'_>) -> bool {
        let both = IFlags::IMMUTABLE | IFlags::APPEND;
        let mut wanted = IFlags::empty();
        wanted.set(IFlags::IMMUTABLE, self.is_immutable);
        wanted.set(IFlags::APPEND, self.is_append_only);
        ioctl_getflags(fd).is_ok_and(|present| present.intersection(both) == wanted)
    }

    /// What they forbid, as a word.
    pub(crate) const fn word(self) -> &'static str {
        if self.is_immutable {
            "immutable"
        } else {
            "append-only"
        }
    }
}

/// What metadata says of flags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// There are none.
    #[default]
    Nothing,
    /// These.
    Flags(Flags),
    /// Such as this program does not know.
    Unknown,
}

/// Whether an attribute is none of the file system, but the record of flags.
pub(crate) fn is_flags(name: &[u8]) -> bool {
    name == FLAGS_ATTRIBUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_what_is_read() {
        let check = |is_immutable, is_append_only, value: Option<&[u8]>| {
            let flags = Flags {
                is_immutable,
                is_append_only,
            };
            let attribute = flags.to_attribute();
            assert_eq!(attribute.as_ref().map(|(_, value)| value.as_slice()), value);
            let meta = Meta {
                xattrs: attribute.into_iter().collect(),
                ..Meta::default()
            };
            let expected = value.map_or(Recorded::Nothing, |_| Recorded::Flags(flags));
            assert_eq!(Flags::recorded_in(&meta), expected);
        };
        check(false, false, None);
        check(true, false, Some(b"i"));
        check(false, true, Some(b"a"));
        check(true, true, Some(b"ai"));
    }

    #[test]
    fn a_letter_of_a_later_program_is_not_passed_over() {
        for value in [&b"ix"[..], b"", b"I"] {
            let meta = Meta {
                xattrs: vec![(FLAGS_ATTRIBUTE.to_vec(), value.to_vec())],
                ..Meta::default()
            };
            assert_eq!(Flags::recorded_in(&meta), Recorded::Unknown, "{value:?}");
        }
    }
}
