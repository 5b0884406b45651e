//! Disks that rot: bits that change, and files that name what they no longer are.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use bitdust_model::limits;

/// Changes one bit of the byte at a place.
pub fn flip_bit(path: &Path, at: u64) -> Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    Ok(file.write_all_at(&[byte[0] ^ 1], at)?)
}

/// Changes a bit of each piece that could be asked for.
pub fn rot(path: &Path) -> Result<()> {
    let bytes = std::fs::metadata(path)?.len();
    for block in (0..bytes).step_by(limits::SHARD_ALIGN) {
        flip_bit(path, block)?;
    }
    Ok(())
}

/// The BLAKE3 hash of a file, as the program of that name prints it.
pub fn b3sum(file: &Path) -> Result<String> {
    let output = Command::new("b3sum").arg("--no-names").arg(file).output()?;
    ensure!(
        output.status.success(),
        "b3sum: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Whether a shard's file is there and is what its name says.
pub fn is_whole(shard: &Path) -> Result<bool> {
    if !shard.exists() {
        return Ok(false);
    }
    Ok(shard.ends_with(b3sum(shard)?))
}
