//! What the kernel says about a process: its memory, its sockets, the bytes it received.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// The most memory a process ever had at once, in KiB.
pub fn peak_memory_kib(process: u32) -> Result<u64> {
    status_number(process, "VmHWM:")
}

/// The memory a process has now, in KiB.
pub fn memory_kib(process: u32) -> Result<u64> {
    status_number(process, "VmRSS:")
}

fn status_number(process: u32, name: &str) -> Result<u64> {
    number_in(&format!("/proc/{process}/status"), name)
}

/// Bytes that a process has read from files so far. What comes from sockets is not in it.
pub fn read_bytes(process: u32) -> Result<u64> {
    number_in(&format!("/proc/{process}/io"), "rchar:")
}

/// Bytes that a process has written to files so far.
pub fn written_bytes(process: u32) -> Result<u64> {
    number_in(&format!("/proc/{process}/io"), "wchar:")
}

/// The first number of the line that begins with a name.
fn number_in(file: &str, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number
        .with_context(|| format!("no {name} in {file}"))?
        .parse()?)
}

/// How many sockets of each kind a process has, by the name of the kernel's table; only
/// those of the internet.
pub fn sockets(process: u32) -> Result<BTreeMap<&'static str, usize>> {
    let mut own = BTreeSet::new();
    for entry in std::fs::read_dir(format!("/proc/{process}/fd"))? {
        // A descriptor may be closed while we look.
        let Ok(target) = std::fs::read_link(entry?.path()) else {
            continue;
        };
        let target = target.to_string_lossy().into_owned();
        if let Some(inode) = target.strip_prefix("socket:[") {
            own.insert(inode.trim_end_matches(']').to_owned());
        }
    }
    let mut counts = BTreeMap::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = std::fs::read_to_string(format!("/proc/{process}/net/{table}"))?;
        let inodes = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(9));
        let count = inodes.filter(|inode| own.contains(*inode)).count();
        if count > 0 {
            counts.insert(table, count);
        }
    }
    Ok(counts)
}

/// Bytes that each open TCP connection of a process has received so far, by both ends, as
/// the kernel counted them (`ss`). All that came is in it: records, encryption, chatter.
pub fn received_bytes(process: u32) -> Result<BTreeMap<String, u64>> {
    let output = Command::new("ss")
        .args(["-tinpHO"])
        .output()
        .context("ss cannot be run")?;
    ensure!(
        output.status.success(),
        "ss: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let owner = format!("pid={process},");
    let mut received = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if !line.contains(&owner) {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let ends = words.get(3..5).context("no ends")?.join(" ");
        let bytes = words
            .iter()
            .find_map(|word| word.strip_prefix("bytes_received:"));
        received.insert(ends, bytes.map_or(Ok(0), str::parse)?);
    }
    Ok(received)
}

/// Bytes that came between two looks at the connections of a process. Fails where one was
/// closed meanwhile, since its count is lost.
pub fn received_between(
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
) -> Result<u64> {
    for ends in before.keys() {
        ensure!(
            after.contains_key(ends),
            "the connection {ends} closed, its count is lost"
        );
    }
    Ok(after.values().sum::<u64>() - before.values().sum::<u64>())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::process::Process;

    #[test]
    fn the_kernel_counts_sockets_and_received_bytes() -> Result<()> {
        let own = std::process::id();
        let before = sockets(own)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let _udp = UdpSocket::bind("127.0.0.1:0")?;
        let mut sender = TcpStream::connect(listener.local_addr()?)?;
        let (mut receiver, _) = listener.accept()?;
        let after = sockets(own)?;
        let more = |table: &str| {
            after.get(table).copied().unwrap_or(0) - before.get(table).copied().unwrap_or(0)
        };
        assert_eq!((more("tcp"), more("udp"), more("tcp6")), (3, 1, 0));

        sender.write_all(&[7; 12_345])?;
        receiver.read_exact(&mut [0; 12_345])?;
        let ends = format!("{} {}", receiver.local_addr()?, receiver.peer_addr()?);
        assert_eq!(received_bytes(own)?.get(&ends), Some(&12_345));
        Ok(())
    }

    /// In a process of its own: tests of one binary may share theirs.
    #[test]
    fn memory_that_was_used_is_remembered() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let mut python = Command::new("/usr/bin/python3");
        python.args(["-c", USES_MEMORY]);
        let process = Process::spawn(python, &folder.path().join("log"), None)?;
        let said = process.line(Instant::now() + SOON)?;
        assert_eq!(said.as_deref(), Some("used"));
        let (peak, now) = (peak_memory_kib(process.id())?, memory_kib(process.id())?);
        assert!(peak >= USED_KIB, "{peak} KiB at most");
        assert!(now < USED_KIB, "{now} KiB are left: nothing was given back");
        Ok(())
    }

    const SOON: Duration = Duration::from_secs(60);
    const USED_KIB: u64 = 64 << 10;
    /// Takes as much, gives it back, says so, and waits for its end.
    const USES_MEMORY: &str = "\
import signal
used = b'1' * (64 << 20)
del used
print('used', flush=True)
signal.pause()";
}
