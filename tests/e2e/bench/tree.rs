//! A process with all that it started: its time and its memory, as the kernel counts them.

use std::fs;

use anyhow::{Context as _, Result};

/// Ticks a second in `/proc`, as on every Linux.
const TICKS: f64 = 100.0;

/// Seconds of processor that a process and its descendants have used so far.
pub(crate) fn processor_seconds(root: u32) -> Result<f64> {
    let mut ticks = 0;
    for process in family(root)? {
        let fields = stat(process).unwrap_or_default();
        // utime and stime, by proc(5) fields 14 and 15; `stat` begins with field 3.
        ticks += [11, 12]
            .iter()
            .filter_map(|index| fields.get(*index)?.parse::<u64>().ok())
            .sum::<u64>();
    }
    Ok(ticks as f64 / TICKS)
}

/// Bytes in memory of a process and its descendants; what several share is divided among them.
pub(crate) fn memory_bytes(root: u32) -> Result<u64> {
    let mut kibibytes = 0;
    for process in family(root)? {
        // It may have gone since it was listed.
        let rollup =
            fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let pss = pss.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes += pss.unwrap_or(0);
    }
    Ok(kibibytes * 1024)
}

/// Bytes in memory of one process, those that it shares included.
pub(crate) fn resident_bytes(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmRSS")?.parse::<u64>()? * 1024)
}

/// Lets the kernel count the peak of a process from now on (proc(5), `clear_refs`).
pub(crate) fn forget_peak(process: u32) -> Result<()> {
    fs::write(format!("/proc/{process}/clear_refs"), "5").context("forgetting a peak")
}

/// A process and its descendants.
fn family(root: u32) -> Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|it| it.parse::<u32>().ok()) else {
            continue;
        };
        let parent = stat(process).and_then(|it| it.get(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (process, parent)));
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        let children = parents.iter().filter(|(_, it)| *it == parent);
        family.extend(children.map(|(process, _)| *process));
        next += 1;
    }
    stat(root).context("the process has gone")?;
    Ok(family)
}

/// Fields of `/proc/PID/stat` from the third on.
fn stat(process: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}
