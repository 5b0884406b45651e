//! The bytes of version 1: what this program wrote once, every later one reads and writes.
//!
//! The files lie in `tests/fixtures/format/v1`. When a test here fails, a format has changed:
//! change the program back, or give the format a new version and keep reading the old one.

#[path = "support/samples.rs"]
mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use bitdust_model::codec::Versioned;
use bitdust_model::{ErrorCode, decode, encode};
use samples::{Visitor, bodies, file_of, packet, visit_all};
use strum::IntoEnumIterator;

#[test]
fn every_document_of_version_1_is_written_and_read_as_it_was() {
    let mut checker = Checker::default();
    visit_all(&mut checker);
    assert!(
        checker.written.is_empty(),
        "wrote {:?}: look at them and run again without UPDATE",
        checker.written
    );
    assert!(checker.files.len() > 40, "every value has a file of its own");
}

#[test]
fn every_kind_of_document_has_a_fixture() {
    let mut checker = Checker::default();
    visit_all(&mut checker);
    let kinds = kinds_in_sources();
    assert_eq!(checker.kinds.len(), kinds, "a kind in src has no sample");
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

#[derive(Default)]
struct Checker {
    files: BTreeSet<&'static str>,
    kinds: BTreeMap<&'static str, u8>,
    written: Vec<&'static str>,
}

impl Visitor for Checker {
    fn visit<T: Versioned + PartialEq + Debug>(&mut self, file: &'static str, value: &T) {
        assert!(self.files.insert(file), "{file} is there twice");
        self.kinds.insert(T::KIND, T::VERSION);
        assert_eq!(T::VERSION, 1, "a new version needs fixtures of its own");
        let path = folder().join(file);
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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format/v1")
}
