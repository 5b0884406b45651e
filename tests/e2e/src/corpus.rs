//! What is backed up: real trees, hand-made oddities, and contents from a seed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};

/// Numbers that are the same for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Starts from the system's randomness.
    pub fn from_system() -> Result<Self> {
        let mut bytes = [0; 8];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self::new(u64::from_le_bytes(bytes)))
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Fills bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for eight in bytes.chunks_mut(8) {
            let number = self.next().to_le_bytes();
            eight.copy_from_slice(&number[..eight.len()]);
        }
    }

    /// Writes a file of so many bytes that do not compress.
    pub fn write_file(&mut self, path: &Path, bytes: u64) -> Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        let mut block = vec![0; 1 << 16];
        let mut left = bytes;
        while left > 0 {
            self.fill(&mut block);
            let now = left.min(block.len() as u64);
            file.write_all(&block[..usize::try_from(now)?])?;
            left -= now;
        }
        Ok(file.flush()?)
    }
}

/// The documentation of the compiler, or of the system where there is none.
pub fn real_tree() -> Result<PathBuf> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = sysroot.map(|output| output.stdout).unwrap_or_default();
    let sysroot = PathBuf::from(OsStr::from_bytes(sysroot.trim_ascii()));
    let candidates = [
        sysroot.join("share/doc/rust/html/core"),
        PathBuf::from("/usr/share/doc"),
        PathBuf::from("/usr/share"),
    ];
    candidates
        .into_iter()
        .find(|folder| folder.is_dir())
        .context("there is no documentation here")
}

/// Copies about so many files of a real tree, with everything that belongs to them.
pub fn copy_real_tree(target: &Path, files_about: usize) -> Result<usize> {
    let source = real_tree()?;
    let listed = Command::new("find")
        .arg(".")
        .args(["-print0"])
        .current_dir(&source)
        .output()?;
    ensure!(
        listed.status.success(),
        "find: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let mut names: Vec<&[u8]> = listed.stdout.split(|byte| *byte == 0).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.truncate(files_about);
    let list = target.with_extension("names");
    fs::write(&list, names.join(&0))?;
    let copied = Command::new("rsync")
        .args(["-lptgoD", "--from0", "--files-from"])
        .args([&list, &source, &target.to_owned()])
        .output()?;
    ensure!(
        copied.status.success(),
        "rsync: {}",
        String::from_utf8_lossy(&copied.stderr)
    );
    fs::remove_file(&list)?;
    Ok(names.len())
}

/// Makes one of everything that is easily got wrong.
pub fn make_oddities(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("empty folder"))?;
    fs::create_dir_all(folder.join("a/b/c/d/e/f"))?;
    fs::write(folder.join("empty file"), [])?;
    fs::write(folder.join("one byte"), [0])?;
    fs::write(folder.join("a/b/c/d/e/f/deep"), "deep")?;
    fs::write(
        folder.join(OsStr::from_bytes(b"not \xff\xfe utf-8")),
        "bytes",
    )?;
    fs::create_dir_all(folder.join(OsStr::from_bytes(b"folder \xc3\x28")))?;
    fs::write(
        folder.join(OsStr::from_bytes(b"folder \xc3\x28/in it")),
        "inside",
    )?;
    fs::write(folder.join("new\nline"), "two lines")?;
    fs::write(folder.join("Grüße ☃.txt"), "text")?;
    fs::write(folder.join("100%25 %ff:colon"), "signs")?;
    fs::write(folder.join("x".repeat(255)), "long")?;
    symlink("one byte", folder.join("link to a file"))?;
    symlink("a/b", folder.join("link to a folder"))?;
    symlink("nowhere/at all", folder.join("dangling link"))?;
    symlink(OsStr::from_bytes(b"\xff"), folder.join("link to no text"))?;
    for (name, mode) in [
        ("mode 0400", 0o400),
        ("mode 0777", 0o777),
        ("mode 4755", 0o4755),
    ] {
        fs::write(folder.join(name), name)?;
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode))?;
    }
    for (name, seconds, nanoseconds) in [
        ("nanoseconds", 1_700_000_000, 123_456_789),
        ("one second", 1, 1),
        ("long ago", 0, 0),
    ] {
        let file = File::create(folder.join(name))?;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds))?;
    }
    fs::create_dir(folder.join("mode 0500"))?;
    fs::write(folder.join("mode 0500/inside"), "inside")?;
    fs::set_permissions(folder.join("mode 0500"), fs::Permissions::from_mode(0o500))?;
    Ok(())
}

/// Changes one byte in the middle of a file and nothing else, not even its times.
pub fn flip_byte(path: &Path) -> Result<()> {
    use std::os::unix::fs::FileExt as _;
    let file = File::options().read(true).write(true).open(path)?;
    let metadata = file.metadata()?;
    let middle = metadata.len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, middle)?;
    file.write_all_at(&[byte[0] ^ 1], middle)?;
    Ok(file.set_modified(metadata.modified()?)?)
}
