//! What the kernel says about a process: its memory, its sockets, the bytes it received.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

/// Time between two looks at the connections of a process.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What a connection may still have received between two looks and be called idle: a greeting,
/// a ping, a good-bye.
const CHATTER_BYTES: u64 = 64 << 10;
/// Where a line of the kernel's table has the socket's number.
const INODE_AT: usize = 9;
/// The state of a socket that listens, as the kernel's table has it.
const LISTENING: &str = "0A";

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
    let own = own_sockets(process)?;
    let mut counts = BTreeMap::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = std::fs::read_to_string(format!("/proc/{process}/net/{table}"))?;
        let inodes = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(INODE_AT));
        let count = inodes.filter(|inode| own.contains(*inode)).count();
        if count > 0 {
            counts.insert(table, count);
        }
    }
    Ok(counts)
}

/// Whether a socket of this process is what listens at a TCP port.
pub fn listens_at(process: u32, port: u16) -> Result<bool> {
    let own = own_sockets(process)?;
    let ending = format!(":{port:04X}");
    for table in ["tcp", "tcp6"] {
        let text = std::fs::read_to_string(format!("/proc/{process}/net/{table}"))?;
        for line in text.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let is_there = words.get(1).is_some_and(|local| local.ends_with(&ending));
            let is_listening = words.get(3) == Some(&LISTENING);
            let is_own = words
                .get(INODE_AT)
                .is_some_and(|inode| own.contains(*inode));
            if is_there && is_listening && is_own {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The sockets of a process, by their numbers in the kernel's tables.
fn own_sockets(process: u32) -> Result<BTreeSet<String>> {
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
    Ok(own)
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
/// closed meanwhile, since its count is lost: see [`received_while`].
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

/// Bytes that came over TCP to a process while something was done. Connections may close
/// meanwhile: idle ones do. Fails where one closed from which more came than chatter just
/// before, since the rest of its count is lost.
pub fn received_while(process: u32, act: impl FnOnce() -> Result<()>) -> Result<u64> {
    let mut received = Received::since(received_bytes(process)?);
    std::thread::scope(|scope| {
        // Nothing is sent: that the sender goes is the end.
        let (acting, until) = sync_channel::<()>(1);
        let watching = scope.spawn(move || {
            received.watch(process, &until)?;
            Ok(received.total())
        });
        let acted = act();
        drop(acting);
        let watched = watching.join();
        acted?;
        watched.unwrap_or_else(|_| bail!("whoever looked at the connections panicked"))
    })
}

/// What came over connections of which some close.
#[derive(Debug, Default)]
struct Received {
    open: BTreeMap<String, Count>,
    /// By connections that are closed.
    closed_bytes: u64,
}

/// The count of one connection.
#[derive(Debug, Clone, Copy)]
struct Count {
    /// Where it began.
    from: u64,
    /// At the last look.
    now: u64,
    /// Between the last two looks.
    grown: u64,
}

impl Received {
    fn since(counts: BTreeMap<String, u64>) -> Self {
        let open = counts.into_iter().map(|(ends, from)| {
            let count = Count {
                from,
                now: from,
                grown: 0,
            };
            (ends, count)
        });
        Self {
            open: open.collect(),
            closed_bytes: 0,
        }
    }

    /// Looks until nobody sends any more, and once again.
    fn watch(&mut self, process: u32, until: &Receiver<()>) -> Result<()> {
        loop {
            let is_over = until.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Disconnected);
            self.look(&received_bytes(process)?)?;
            if is_over {
                return Ok(());
            }
        }
    }

    fn look(&mut self, counts: &BTreeMap<String, u64>) -> Result<()> {
        for (ends, mut count) in std::mem::take(&mut self.open) {
            // Two with the same ends, one after the other: the count began anew.
            let now = counts.get(&ends).copied().filter(|now| *now >= count.now);
            if let Some(now) = now {
                count.grown = now - count.now;
                count.now = now;
                self.open.insert(ends, count);
                continue;
            }
            ensure!(
                count.grown <= CHATTER_BYTES,
                "the connection {ends} closed while {} bytes came, the rest is lost",
                count.grown
            );
            self.closed_bytes += count.now - count.from;
        }
        for (ends, &now) in counts {
            let new = Count {
                from: 0,
                now,
                grown: now,
            };
            self.open.entry(ends.clone()).or_insert(new);
        }
        Ok(())
    }

    fn total(&self) -> u64 {
        let open = self.open.values().map(|count| count.now - count.from);
        self.closed_bytes + open.sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::time::Instant;

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

    #[test]
    fn what_came_over_idle_connections_is_counted_when_they_close() -> Result<()> {
        let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
            let owned = counts.iter().map(|(ends, count)| ((*ends).into(), *count));
            owned.collect()
        };
        let mut received = Received::since(counts(&[("stays", 100), ("goes", 7)]));
        let mib = 1 << 20;
        received.look(&counts(&[("stays", 100 + mib), ("goes", 9), ("new", 30)]))?;
        assert_eq!(received.total(), mib + 2 + 30);
        received.look(&counts(&[("stays", 100 + mib), ("new", 4)]))?;
        assert_eq!(received.total(), mib + 2 + 30 + 4, "two had the same ends");
        received.look(&counts(&[("stays", 100 + 3 * mib), ("new", 4)]))?;
        assert_eq!(received.total(), 3 * mib + 2 + 30 + 4);
        assert!(
            received.look(&counts(&[("new", 4)])).is_err(),
            "it was busy"
        );
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
