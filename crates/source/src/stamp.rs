//! What the system says about a file without opening it: enough to know that it is unchanged.

use bitdust_model::intervals::STAMP_SETTLES;

/// Size, times and identity of a file at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Length in bytes.
    pub size_bytes: u64,
    /// Modification time, seconds since 1970, negative before.
    pub mtime_seconds: i64,
    /// Nanoseconds of the modification time.
    pub mtime_nanos: u32,
    /// Change time (of contents, permissions, owner or attributes), seconds since 1970.
    pub ctime_seconds: i64,
    /// Nanoseconds of the change time.
    pub ctime_nanos: u32,
    /// Number of the file in its file system.
    pub inode: u64,
    /// Number of the file system; may differ after a restart of the machine.
    pub device: u64,
}

impl Stamp {
    /// Whether nothing about the file changed since `earlier`. The device is not compared:
    /// its number may change whenever a disk is mounted.
    #[must_use]
    pub const fn is_unchanged_since(&self, earlier: &Self) -> bool {
        self.size_bytes == earlier.size_bytes
            && self.mtime_seconds == earlier.mtime_seconds
            && self.mtime_nanos == earlier.mtime_nanos
            && self.ctime_seconds == earlier.ctime_seconds
            && self.ctime_nanos == earlier.ctime_nanos
            && self.inode == earlier.inode
    }

    /// Whether the stamp, taken at `now_seconds` by the wall clock, can prove later that the
    /// file is unchanged. One that has not settled should not be kept: the file is read again
    /// next time, which costs time and never data.
    #[must_use]
    pub const fn is_settled(&self, now_seconds: i64) -> bool {
        let settled = now_seconds.saturating_sub(STAMP_SETTLES.as_secs().cast_signed());
        self.ctime_seconds < settled && self.mtime_seconds < settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        size_bytes: 10,
        mtime_seconds: 100,
        mtime_nanos: 5,
        ctime_seconds: 200,
        ctime_nanos: 6,
        inode: 7,
        device: 8,
    };

    #[test]
    fn every_field_but_the_device_makes_a_change() {
        let changed = [
            Stamp {
                size_bytes: 11,
                ..STAMP
            },
            Stamp {
                mtime_seconds: 101,
                ..STAMP
            },
            Stamp {
                mtime_nanos: 6,
                ..STAMP
            },
            Stamp {
                ctime_seconds: 201,
                ..STAMP
            },
            Stamp {
                ctime_nanos: 7,
                ..STAMP
            },
            Stamp { inode: 8, ..STAMP },
        ];
        for other in changed {
            assert!(!other.is_unchanged_since(&STAMP), "{other:?} differs");
        }
        assert!(
            Stamp { device: 9, ..STAMP }.is_unchanged_since(&STAMP),
            "a disk may get another number"
        );
    }

    #[test]
    fn a_file_touched_a_moment_ago_has_not_settled() {
        assert!(!STAMP.is_settled(200));
        assert!(!STAMP.is_settled(202));
        assert!(STAMP.is_settled(203));
        assert!(
            !Stamp {
                mtime_seconds: 900,
                ..STAMP
            }
            .is_settled(203),
            "a time in the future proves nothing"
        );
    }
}
