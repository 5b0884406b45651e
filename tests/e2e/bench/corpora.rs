//! What the jobs work on: made anew from a fixed seed, so that every run has the same.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use bitdust_e2e_tests::Random;

const MB: u64 = 1_000_000;
/// Where compiled libraries lie on most systems.
const LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu";
const LIBRARY_BYTES: u64 = 160 * MB;
const TEXT_FILES: u32 = 45_000;
const TEXT_BYTES: u64 = 350 * MB;
/// Words of a made-up language, so that texts compress as texts do.
const WORDS: usize = 4_096;

/// Files of the first corpus.
const LARGE_FILES: u32 = 20;
const LARGE_BYTES: u64 = 25 * MB;

/// What a corpus is called on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CorpusName {
    Incompressible,
    Small,
    Libraries,
}

/// A folder with a name for the table.
pub(crate) struct Corpus {
    pub(crate) kind: CorpusName,
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl CorpusName {
    pub(crate) const ALL: [Self; 3] = [Self::Incompressible, Self::Small, Self::Libraries];

    pub(crate) fn read(name: &str) -> Result<Self> {
        match name {
            "incompressible" => Ok(Self::Incompressible),
            "small" => Ok(Self::Small),
            "libraries" => Ok(Self::Libraries),
            _ => bail!("{name:?} is no corpus: incompressible, small, libraries"),
        }
    }

    /// Makes it below a folder.
    pub(crate) fn make(self, place: &Path) -> Result<Corpus> {
        match self {
            Self::Incompressible => incompressible(&place.join("incompressible")),
            Self::Small => small_files(&place.join("small")),
            Self::Libraries => libraries(&place.join("libraries")),
        }
    }
}

/// 20 files of 25 MB that do not compress.
fn incompressible(folder: &Path) -> Result<Corpus> {
    fs::create_dir_all(folder)?;
    let mut random = Random::new(1);
    for number in 0..LARGE_FILES {
        random.write_file(&folder.join(format!("{number}.bin")), LARGE_BYTES)?;
    }
    Ok(Corpus {
        kind: CorpusName::Incompressible,
        name: "500 MB incompressible",
        folder: folder.to_owned(),
        files: u64::from(LARGE_FILES),
        bytes: u64::from(LARGE_FILES) * LARGE_BYTES,
    })
}

/// 45,000 texts in a deep tree.
fn small_files(folder: &Path) -> Result<Corpus> {
    let mut random = Random::new(2);
    let words: Vec<String> = (0..WORDS)
        .map(|_| {
            let letters = 2 + random.next() % 9;
            (0..letters)
                .map(|_| char::from(b'a' + u8::try_from(random.next() % 26).unwrap_or(0)))
                .collect()
        })
        .collect();
    let mut written = 0;
    for number in 0..TEXT_FILES {
        let inner = folder.join(format!(
            "{}/{}/{}/{}",
            number % 7,
            number % 49 / 7,
            number % 343 / 49,
            number % 1_000 / 100
        ));
        fs::create_dir_all(&inner)?;
        let target = TEXT_BYTES / u64::from(TEXT_FILES) / 2 + random.next() % 7_800;
        let mut text = String::new();
        while (text.len() as u64) < target {
            // Few words are frequent, as in languages.
            let frequent = random.next() % 16;
            let range = if frequent < 9 { 64 } else { WORDS as u64 };
            let index = usize::try_from(random.next() % range)?;
            text.push_str(words.get(index).map_or("", String::as_str));
            text.push(if frequent == 0 { '\n' } else { ' ' });
        }
        written += text.len() as u64;
        fs::write(inner.join(format!("{number}.txt")), text)?;
    }
    Ok(Corpus {
        kind: CorpusName::Small,
        name: "45,000 small texts",
        folder: folder.to_owned(),
        files: u64::from(TEXT_FILES),
        bytes: written,
    })
}

/// Compiled libraries of this system, by name until there is enough.
fn libraries(folder: &Path) -> Result<Corpus> {
    fs::create_dir_all(folder)?;
    let entries = fs::read_dir(LIBRARIES)?;
    let mut files: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    files.sort();
    let (mut written, mut count) = (0, 0);
    for file in files {
        let kept = fs::symlink_metadata(&file)?;
        if written >= LIBRARY_BYTES || !kept.is_file() || kept.len() < 10_000 {
            continue;
        }
        let name = file.file_name().context("a name")?;
        written += fs::copy(&file, folder.join(name))?;
        count += 1;
    }
    Ok(Corpus {
        kind: CorpusName::Libraries,
        name: "libraries",
        folder: folder.to_owned(),
        files: count,
        bytes: written,
    })
}
