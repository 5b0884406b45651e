//! Files with holes: passed when read, left when written.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use bitdust_source::{FolderHandle, RestoreOptions, Stretch, WalkEvent, open_file};
use proptest::prelude::*;

use crate::support::{Outcome, restore_tree, walk_all, write};

const BLOCK: u64 = 4_096;
const HOLE_MIN: u64 = 1 << 20;

#[test]
fn long_holes_are_passed_and_short_ones_read() -> Outcome {
    let root = tempfile::tempdir()?;
    // A block, a hole of a terabyte, two blocks with a short hole between them, a hole.
    let far = 1 << 40;
    let size = far + 2 * HOLE_MIN;
    make_sparse(&root.path().join("file"), size, &[0, far, far + 2 * BLOCK])?;
    let folder = FolderHandle::open(root.path())?;
    let seen = walk_all(root.path());
    let Some(WalkEvent::File(seen)) = seen.get(1) else {
        return Err("a file is seen".into());
    };
    assert!(seen.is_sparse);
    let mut reader = open_file(&folder, b"file", &seen.stamp)?;
    let mut stretches = Vec::new();
    while let Some(next) = reader.next_stretch(HOLE_MIN)? {
        stretches.push(next);
        // What is to be read is passed as well: how far it goes is the question.
        let (Stretch::Bytes(bytes) | Stretch::Hole(bytes)) = next;
        reader.pass_hole(bytes)?;
    }
    let expected = [
        Stretch::Bytes(BLOCK),
        Stretch::Hole(far - BLOCK),
        Stretch::Bytes(3 * BLOCK),
        Stretch::Hole(2 * HOLE_MIN - 3 * BLOCK),
    ];
    assert_eq!(stretches, expected);
    assert_eq!(reader.finish().map(|stamp| stamp.size_bytes), Ok(size));
    Ok(())
}

#[test]
fn a_file_of_written_zeros_keeps_its_space() -> Outcome {
    let source = tempfile::tempdir()?;
    write(&source.path().join("zeros"), &[0; 100_000]);
    make_sparse(&source.path().join("hole"), 100_000, &[])?;
    let place = tempfile::tempdir()?;
    let report = restore_tree(source.path(), place.path(), RestoreOptions::default());
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    for name in ["zeros", "hole"] {
        assert_eq!(fs::read(place.path().join(name))?, [0; 100_000], "{name}");
    }
    assert!(blocks(&place.path().join("zeros")) * 512 >= 100_000);
    assert_eq!(blocks(&place.path().join("hole")), 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_sparse_file_comes_back_with_its_bytes_and_no_more_space(
        blocks_at in prop::collection::btree_set(0_u64..40, 0..12),
        size in 1_u64..200_000,
    ) {
        let source = tempfile::tempdir().expect("a folder");
        let at: Vec<u64> = blocks_at.iter().map(|block| block * BLOCK).filter(|at| *at < size).collect();
        let file = source.path().join("file");
        make_sparse(&file, size, &at).expect("made");
        let place = tempfile::tempdir().expect("a folder");
        let report = restore_tree(source.path(), place.path(), RestoreOptions::default());
        prop_assert!(report.problems.is_empty(), "{:?}", report.problems);
        let copy = place.path().join("file");
        prop_assert!(fs::read(&copy).expect("read") == fs::read(&file).expect("read"));
        prop_assert!(blocks(&copy) <= blocks(&file).max(size.div_ceil(BLOCK).min(at.len() as u64 + 1) * 8));
    }
}

/// A file of this size with a block of bytes at some places and holes elsewhere.
fn make_sparse(path: &Path, size: u64, at: &[u64]) -> std::io::Result<()> {
    let file = File::create(path)?;
    file.set_len(size)?;
    for offset in at {
        let length = usize::try_from((size - offset).min(BLOCK)).unwrap_or(0);
        file.write_all_at(&vec![7; length], *offset)?;
    }
    file.sync_all()
}

fn blocks(path: &Path) -> u64 {
    fs::metadata(path).expect("it is there").blocks()
}
