//! The bytes of each version: what a program wrote once, every later one reads, and writes unless
//! there is a newer version.
//!
//! The files lie in `tests/fixtures/format/v1`, `v2` and `v3`, by the version of each. When a test here
//! fails, a format has changed: change the program back, or give the format a new version and keep
//! reading the old one. What was never released is refused by its name.

#[path = "support/samples.rs"]
mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use bitdust_model::ShardId;
use bitdust_model::codec::Versioned;
use bitdust_model::limits::PROOF_GROUP_BYTES;
use bitdust_model::shard::{SignedHeader, StoreHeader};
use bitdust_model::{DecodeError, ErrorCode, decode, encode};
use samples::{Visitor, bodies, file_of, packet, visit_all};
use strum::IntoEnumIterator;

#[test]
fn every_document_is_written_and_read_as_it_was() {
    let mut checker = Checker::default();
    visit_all(&mut checker);
    assert!(
        checker.written.is_empty(),
        "wrote {:?}: look at them and run again without UPDATE",
        checker.written
    );
    assert!(
        checker.files.len() > 40,
        "every value has a file of its own"
    );
}

#[test]
fn what_was_never_released_is_refused_by_its_name() {
    let mut visitor = Unreleased::default();
    visit_all(&mut visitor);
    for version in 1..3 {
        let mut kept = documents_in(&folder_of(version));
        kept.remove("pack.bin");
        let accounted = visitor.files.get(&version).cloned().unwrap_or_default();
        assert_eq!(kept, accounted, "read or refused, of version {version}");
    }
    assert!(visitor.refused > 30, "{} are refused", visitor.refused);
}

/// Files with documents in a folder.
fn documents_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the fixtures are there");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a plain name"));
    names.filter(|name| name.ends_with(".bin")).collect()
}

#[derive(Default)]
struct Unreleased {
    /// By version: those that are read, and those that are refused.
    files: BTreeMap<u8, BTreeSet<String>>,
    refused: usize,
}

impl Visitor for Unreleased {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, _: &T) {
        let mut note = |version| {
            self.files
                .entry(version)
                .or_default()
                .insert(file.to_owned())
        };
        note(T::VERSION);
        for version in 1..T::OLDEST {
            let Ok(kept) = fs::read(folder_of(version).join(file)) else {
                continue;
            };
            assert_eq!(kept[0], version, "{file}");
            let kind = T::KIND;
            let refused = DecodeError::Unreleased { kind, version };
            assert_eq!(decode::<T>(&kept).err(), Some(refused), "{file}");
            note(version);
            self.refused += 1;
        }
    }
}

#[test]
fn every_kind_of_document_has_a_fixture() {
    let mut sampled = Kinds::default();
    visit_all(&mut sampled);
    let kinds = kinds_in_sources();
    assert_eq!(
        sampled.bytes_max.len(),
        kinds,
        "a kind in src has no sample"
    );
}

#[test]
fn the_document_names_every_signature_domain_and_its_limit() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/FORMAT.md");
    let text = fs::read_to_string(path).expect("the document is there");
    let mut sampled = Kinds::default();
    visit_all(&mut sampled);
    for kind in SIGNED {
        let bytes_max = sampled.bytes_max.get(kind).copied();
        let row = text
            .lines()
            .find(|line| line.contains(&format!("| `{kind}` |")));
        let written = row.and_then(|row| row.trim_end_matches(" |").rsplit(' ').next());
        let written = written.and_then(|number| number.replace(',', "").parse().ok());
        assert_eq!(written, bytes_max, "{kind} in docs/FORMAT.md");
        assert!(bytes_max.is_some(), "{kind} has no sample");
    }
}

#[test]
fn a_body_keeps_its_number() {
    // Version, two devices and the challenge; numbers of two and six bytes.
    const BODY_AT: usize = 1 + 32 + 32 + 16 + 2 + 6;
    for (number, body) in bodies().into_iter().enumerate() {
        let file = file_of(&body);
        assert!(file.starts_with(&format!("packet_{number:02}_")), "{file}");
        let found = encode(&packet(body)).get(BODY_AT).copied();
        assert_eq!(found.map(usize::from), Some(number), "{file}");
    }
}

#[test]
fn a_shard_lies_at_its_supplier_with_tree_and_header_as_the_document_says() {
    let shard = read(SHARD);
    let outboard = read(OUTBOARD);
    let nodes = shard.len().div_ceil(PROOF_GROUP_BYTES) - 1;
    let header = header_of(&outboard[64 * nodes..]);
    assert_eq!(header.shard_bytes as usize, shard.len());
    let is_named = |named: &ShardId| SHARD.ends_with(&named.to_hex());
    assert!(header.shards.iter().any(is_named), "{:?}", header.shards);
    assert!(SHARD.contains(&header.owner.to_hex()), "{:?}", header.owner);
}

#[test]
fn a_spooled_shard_has_its_header_in_front_as_the_document_says() {
    let file = read(SPOOLED);
    let rest = file.strip_prefix(b"BDSP\x02").expect("the magic");
    let (length, rest) = rest.split_first_chunk().expect("a length");
    let (header, shard) = rest.split_at(u32::from_le_bytes(*length) as usize);
    let header = header_of(header);
    assert_eq!(header.shard_bytes as usize, shard.len());
    let name = format!("{}-0", header.pack.to_hex());
    assert!(SPOOLED.ends_with(&name), "{name}");
    assert_eq!(header.shards.len(), 1, "position 0 is the only one");
}

/// The header behind the version byte of a row.
fn header_of(row: &[u8]) -> StoreHeader {
    let signed = row.strip_prefix(&[2]).expect("version 2");
    let (signed, rest): (SignedHeader, _) =
        postcard::take_from_bytes(signed).expect("a signed header");
    assert!(rest.is_empty(), "nothing follows");
    assert!(signed.supplement.is_none());
    decode(&signed.header.bytes).expect("a header")
}

fn read(path: &str) -> Vec<u8> {
    fs::read(folder_of(2).join(path)).expect("the fixture is there")
}

const SHARD: &str = "home/shards/49c501eaa9d5586b2bb12c250facc5781d387ea38819d48474d38ba35bd05d8a/d9/d9a739f06e1f45bf3ce1f0a6f606bddc83b44d56faa430bef0d7377b3a7418e0";
const OUTBOARD: &str = "home/shards/49c501eaa9d5586b2bb12c250facc5781d387ea38819d48474d38ba35bd05d8a/d9/d9a739f06e1f45bf3ce1f0a6f606bddc83b44d56faa430bef0d7377b3a7418e0.obao";
const SPOOLED: &str =
    "home/spool/2f0cdf8bde200055ed3cd14e82ef9cb042482cbc39dfc20e701919d532660241-0";

#[test]
fn an_error_code_keeps_its_number_and_its_name() {
    let mut codes = String::new();
    for code in ErrorCode::iter() {
        let bytes = postcard::to_stdvec(&code).expect("a code serialises");
        let [number] = bytes[..] else {
            panic!("{} has more than one byte", code.name());
        };
        writeln!(codes, "{number} {}", code.name()).expect("writing to memory");
    }
    let expected = fs::read_to_string(folder().join("error_codes.txt")).expect("the fixture");
    assert_eq!(codes, expected, "v1 of the codes; new ones come last");
}

/// What is signed by itself; the other documents lie in these or are sealed.
const SIGNED: [&str; 24] = [
    "certificate",
    "fence",
    "root record",
    "lane record",
    "set record",
    "head",
    "store header",
    "receipt",
    "head receipt",
    "contract",
    "contract acceptance",
    "contract renewal",
    "contract notice",
    "contract end",
    "succession",
    "mandate",
    "epoch grant",
    "store supplement",
    "tombstone",
    "deletion grant",
    "undeletion",
    "invitation",
    "packet",
    "DHT record",
];

#[derive(Default)]
struct Checker {
    files: BTreeSet<&'static str>,
    written: Vec<&'static str>,
}

impl Visitor for Checker {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, value: &T) {
        assert!(self.files.insert(file), "{file} is there twice");
        let path = folder_of(T::VERSION).join(file);
        let bytes = encode(value);
        if !path.exists() && std::env::var_os("UPDATE").is_some() {
            write_new(&path, &bytes);
            self.written.push(file);
        }
        let kept = fs::read(&path).unwrap_or_else(|error| {
            panic!("{file}: {error}; UPDATE=1 writes fixtures that are missing, and no others")
        });
        assert!(bytes == kept, "{file}: the value is written as other bytes");
        assert_eq!(decode::<T>(&kept).as_ref(), Ok(value), "{file}");
    }
}

#[derive(Default)]
struct Kinds {
    bytes_max: BTreeMap<&'static str, usize>,
}

impl Visitor for Kinds {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, _: &'static str, _: &T) {
        self.bytes_max.insert(T::KIND, T::BYTES_MAX);
    }
}

/// Never writes over anything.
fn write_new(path: &Path, bytes: &[u8]) {
    let mut file = fs::File::create_new(path).expect("nothing is there yet");
    std::io::Write::write_all(&mut file, bytes).expect("written");
}

/// How often the sources say that something is versioned.
fn kinds_in_sources() -> usize {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = 0;
    for entry in fs::read_dir(sources).expect("the sources are there") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a text");
        found += text.matches("impl Versioned for ").count();
    }
    found
}

fn folder() -> PathBuf {
    folder_of(1)
}

/// A document of a newer version lies with that version.
fn folder_of(version: u8) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/fixtures/format/v{version}"))
}
