//! Pages share what did not change, and nothing from outside escapes its directory.

use std::collections::BTreeSet;

use bitdust_model::tree::Meta;
use bitdust_model::{ChunkId, encode};
use proptest::prelude::*;

use super::*;
use crate::testing::noise;

#[test]
fn a_directory_comes_back_in_pages() {
    let entries: Vec<_> = (0..20_000)
        .map(|number| file(&format!("{number:06}")))
        .collect();
    let pages = write(&entries);
    assert!((10..=40).contains(&pages.len()), "{} pages", pages.len());
    let read: Vec<_> = pages.iter().flat_map(|page| read(page).entries).collect();
    assert!(read == entries);
}

#[test]
fn a_page_is_encoded_like_any_other_value() {
    let entries: Vec<_> = (0..300)
        .map(|number| file(&format!("{number:04}")))
        .collect();
    for page in write(&entries) {
        assert_eq!(encode(&read(&page)), page);
    }
}

#[test]
fn a_new_file_changes_one_page() {
    let mut entries: Vec<_> = (0..20_000)
        .map(|number| file(&format!("{number:06}")))
        .collect();
    let before: BTreeSet<_> = write(&entries).into_iter().collect();
    entries.insert(10_000, file("009999b"));
    let after: BTreeSet<_> = write(&entries).into_iter().collect();
    assert!((1..=2).contains(&after.difference(&before).count()));
    assert!((1..=2).contains(&before.difference(&after).count()));
}

#[test]
fn an_empty_directory_has_no_page() {
    assert_eq!(TreeWriter::new().finish(), None);
}

#[test]
fn long_entries_make_short_pages() {
    let entries: Vec<_> = (0..40)
        .map(|number| big(&format!("{number:02}"), 100_000))
        .collect();
    let pages = write(&entries);
    assert_eq!(pages.len(), 4);
    assert!(pages.iter().all(|page| page.len() <= TREE_PAGE_BYTES_MAX));
}

#[test]
fn an_entry_that_fits_no_page_is_refused_and_the_rest_goes_on() {
    let mut writer = TreeWriter::new();
    assert_eq!(writer.push(&file("a")), Ok(None));
    let refused = TreeError::TooMuch {
        name: b"b".to_vec(),
        part: "metadata",
    };
    assert_eq!(writer.push(&big("b", TREE_PAGE_BYTES_MAX)), Err(refused));
    assert_eq!(writer.push(&file("c")), Ok(None));
    let page = writer.finish().expect("two entries");
    assert_eq!(read(&page).entries, [file("a"), file("c")]);
}

#[test]
#[should_panic(expected = "entries come sorted by name")]
fn an_entry_out_of_order_is_a_bug() {
    write(&[file("b"), file("a")]);
}

#[test]
fn names_that_could_escape_are_refused_in_both_directions() {
    for name in ["", ".", "..", "a/b", "/", "a\0"] {
        let bad = TreeError::BadName {
            name: name.as_bytes().to_vec(),
        };
        assert_eq!(
            TreeWriter::new().push(&file(name)),
            Err(bad.clone()),
            "{name:?}"
        );
        let page = encode(&TreePage {
            entries: vec![file(name)],
            owners: OwnerNames::default(),
        });
        assert_eq!(read_page(&page), Err(bad), "{name:?}");
    }
}

#[test]
fn a_page_out_of_order_is_refused() {
    for names in [["b", "a"], ["a", "a"]] {
        let page = encode(&TreePage {
            entries: names.map(file).to_vec(),
            owners: OwnerNames::default(),
        });
        let name = names[1].as_bytes().to_vec();
        assert_eq!(read_page(&page), Err(TreeError::OutOfOrder { name }));
    }
}

#[test]
fn too_much_in_an_entry_is_refused() {
    let check = |node: Node, part: &'static str| {
        let entry = Entry { node, ..file("x") };
        let refused = TreeError::TooMuch {
            name: b"x".to_vec(),
            part,
        };
        assert_eq!(
            read_page(&encode(&TreePage {
                entries: vec![entry],
                owners: OwnerNames::default(),
            })),
            Err(refused)
        );
    };
    let ids = |count| vec![ChunkId([1; 32]); count];
    let of = |content| Node::File {
        size: 1,
        content,
        link_group: None,
        is_sparse: false,
    };
    check(
        of(Content::Chunks(ids(ENTRY_CHUNKS_INLINE_MAX + 1))),
        "chunks",
    );
    check(of(Content::Lists(ids(ENTRY_LISTS_MAX + 1))), "chunk lists");
    check(
        Node::Symlink {
            target: vec![b'x'; LINK_BYTES_MAX + 1],
        },
        "link target",
    );
    let mut entry = file("x");
    entry.meta.mtime_nanos = NANOS_PER_SECOND;
    assert!(check_entry(&entry).is_err());
}

#[test]
fn the_outermost_folder_names_owners_even_when_it_is_empty() {
    let owners = OwnerNames {
        users: vec![(1_000, b"alice".to_vec())],
        groups: vec![(u32::MAX, vec![b'g'; OWNER_NAME_BYTES_MAX])],
    };
    for entries in [vec![], vec![file("a"), file("b")]] {
        let mut writer = TreeWriter::new();
        for entry in &entries {
            assert_eq!(writer.push(entry), Ok(None), "few entries make one page");
        }
        let page = TreePage {
            entries,
            owners: owners.clone(),
        };
        assert_eq!(read(&writer.finish_outermost(&owners)), page);
    }
    let name = vec![b'g'; OWNER_NAME_BYTES_MAX + 1];
    for users in [vec![(1, name)], vec![(1, vec![b'x']); OWNER_NAMES_MAX + 1]] {
        let owners = OwnerNames {
            users,
            groups: vec![],
        };
        let page = TreeWriter::new().finish_outermost(&owners);
        assert!(read_page(&page).is_err(), "more than a reader takes");
    }
}

proptest! {
    #[test]
    fn any_directory_comes_back(names in prop::collection::btree_set("[a-z]{1,12}", 0..200)) {
        let entries: Vec<_> = names.iter().map(|name| file(name)).collect();
        let read: Vec<_> = write(&entries).iter().flat_map(|page| read(page).entries).collect();
        prop_assert_eq!(read, entries);
    }

    #[test]
    fn garbage_is_no_page_or_a_sound_one(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        is_refused_or_sound(&bytes);
        is_refused_or_sound(&[&[1], &bytes[..]].concat());
    }

    #[test]
    fn a_mutated_page_is_refused_or_sound(at: prop::sample::Index, change in 1_u8..) {
        let entries: Vec<_> = (0..20).map(|number| file(&format!("{number:02}"))).collect();
        let mut page = write(&entries).concat();
        let at = at.index(page.len());
        page[at] ^= change;
        is_refused_or_sound(&page);
        is_refused_or_sound(&page[..at]);
    }
}

fn is_refused_or_sound(bytes: &[u8]) {
    if let Ok(page) = read_page(bytes) {
        assert!(page.entries.iter().all(Entry::has_valid_name));
        assert!(page.entries.is_sorted_by(|one, two| one.name < two.name));
    }
}

fn write(entries: &[Entry]) -> Vec<Vec<u8>> {
    let mut writer = TreeWriter::new();
    let mut pages = Vec::new();
    for entry in entries {
        pages.extend(writer.push(entry).expect("the entry is sound"));
    }
    pages.extend(writer.finish());
    pages
}

fn read(page: &[u8]) -> TreePage {
    read_page(page).expect("the page is sound")
}

fn file(name: &str) -> Entry {
    let meta = Meta {
        mode: 0o644,
        mtime_seconds: 1_700_000_000,
        ..Meta::default()
    };
    let content = Content::Chunks(vec![ChunkId([7; 32])]);
    let node = Node::File {
        size: 5,
        content,
        link_group: None,
        is_sparse: false,
    };
    Entry {
        name: name.as_bytes().to_vec(),
        meta,
        node,
    }
}

fn big(name: &str, bytes: usize) -> Entry {
    let mut entry = file(name);
    entry
        .meta
        .xattrs
        .push((b"user.note".to_vec(), noise(1, bytes)));
    entry
}
