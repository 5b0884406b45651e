//! The table of limits in `docs/FORMAT.md` says what the source says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bitdust_model::limits::*;

/// The values of constants by their names.
macro_rules! values {
    ($($name:ident),* $(,)?) => {
        BTreeMap::from([$((stringify!($name), i128::from_value($name))),*])
    };
}

#[test]
fn the_table_in_the_document_is_that_of_the_source() {
    let text = read("../../docs/FORMAT.md");
    let (_, section) = text
        .split_once("\n## Limits\n")
        .expect("a section of limits");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut values = values();
    for (name, written) in rows(section) {
        let value = values.remove(name);
        assert_eq!(value, Some(written), "{name} in docs/FORMAT.md");
    }
    let left: Vec<_> = values.keys().collect();
    assert!(left.is_empty(), "{left:?} are not in the table");
}

#[test]
fn a_wrong_row_is_caught() {
    let found = rows("| `SEGMENTS_MAX` | 1,032 | x |\n|---|---|---|\n| name | value | unit |");
    assert_eq!(found, [("SEGMENTS_MAX", 1_032)]);
    assert_ne!(values().get("SEGMENTS_MAX"), Some(&1_032));
}

fn rows(section: &str) -> Vec<(&str, i128)> {
    let named = section.lines().filter_map(|line| line.strip_prefix("| `"));
    named
        .map(|row| {
            let (name, rest) = row.split_once("` | ").expect("a name in code");
            let (value, _) = rest.split_once(" | ").expect("a value");
            (name, value.replace(',', "").parse().expect("a number"))
        })
        .collect()
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(path).expect("the document is there")
}

/// Constants are of several types of numbers.
trait FromValue<T> {
    fn from_value(value: T) -> Self;
}

impl FromValue<usize> for i128 {
    fn from_value(value: usize) -> Self {
        Self::try_from(value).expect("an address space is smaller")
    }
}

impl FromValue<u64> for i128 {
    fn from_value(value: u64) -> Self {
        Self::from(value)
    }
}

impl FromValue<u8> for i128 {
    fn from_value(value: u8) -> Self {
        Self::from(value)
    }
}

fn values() -> BTreeMap<&'static str, i128> {
    values![
        CHUNK_BYTES_MIN,
        CHUNK_BYTES_AVERAGE,
        CHUNK_BYTES_MAX,
        PACK_BYTES_TARGET,
        PACK_BYTES_MAX,
        CHUNKS_PER_PACK_MAX,
        SHARD_ALIGN,
        SHARD_BYTES_MAX,
        PROOF_GROUP_BYTES,
        SUPPLIERS_PER_SET_MAX,
        NAME_BYTES_MAX,
        PATH_BYTES_MAX,
        LINK_BYTES_MAX,
        XATTRS_BYTES_MAX,
        OWNER_NAMES_MAX,
        OWNER_NAME_BYTES_MAX,
        ENTRY_CHUNKS_INLINE_MAX,
        LIST_CHUNKS_MIN,
        LIST_CHUNKS_AVERAGE,
        LIST_CHUNKS_MAX,
        ENTRY_LISTS_MAX,
        TREE_PAGE_BYTES_MAX,
        TREE_PAGE_ENTRIES_AVERAGE,
        FOLDERS_MAX,
        EXCLUDES_MAX,
        SNAPSHOTS_MAX,
        SNAPSHOTS_INLINE_BYTES_MAX,
        SEGMENTS_MAX,
        SEGMENT_PACKS_MAX,
        SETS_MAX,
        FORMER_HOLDERS_MAX,
        TIPS_MAX,
        HEADS_BETWEEN_MAX,
        DEVICES_MAX,
        EPOCHS_MAX,
        PACKET_BYTES_MAX,
        FRAME_BYTES_MAX,
        DATA_FRAME_BYTES,
        BULK_OUTSTANDING_MAX,
        BULK_STRAY_BYTES_MAX,
        LIST_ENTRIES_MAX,
        HEADS_PAGE_BYTES_MAX,
        FRIENDS_MAX,
        FRIEND_ADDRESSES_MAX,
        DELETE_IDS_MAX,
        LOCATE_KEYS_MAX,
        DEPOSITS_PER_CUSTOMER_MAX,
        ADDRESSES_MAX,
        ADDRESS_BYTES_MAX,
        NETWORK_NAME_BYTES_MAX,
        NICKNAME_BYTES_MAX,
        DHT_VALUE_BYTES_MAX,
        LOCATOR_SLOTS,
        LOCATOR_BYTES_MAX,
        LOCATOR_PLAIN_BYTES_MAX,
        OFFER_SLOTS,
        SEQUENCE_JUMP_MAX,
        INVITATION_BYTES_MAX,
        INVITATION_TEXT_BYTES_MAX,
        SEALED_BOX_BYTES_MAX,
        KEY_FILE_BYTES_MAX,
        CONFIG_BYTES_MAX,
        HEADS_KEPT_DAYS,
        HEADS_PER_LANE_MAX,
        PARTS_KEPT_HOURS,
        PARTS_BYTES_MAX,
        SPOOL_BYTES_MAX,
    ]
}
