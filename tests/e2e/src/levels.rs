//! How much memory a process holds while data goes through it: levels, from many samples of
//! one run. A single peak is a matter of chance and says little about growth.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::wait::eventually;
use crate::witness::memory_kib;

/// Bytes of a GB.
const GB: f64 = 1e9;
/// Equal parts of what went through, each with the median of its samples.
const PARTS: usize = 16;
/// So many of them warm up: buffers are made, caches fill.
const WARM_UP_PARTS: usize = 4;

/// Samples of a process's memory.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    /// Bytes that had gone through, and the memory in KiB.
    samples: Vec<(u64, u64)>,
}

impl Levels {
    /// Looks at a process until its work is over. `moved` counts the bytes that have gone
    /// through it.
    pub fn watch(
        process: u32,
        within: Duration,
        mut moved: impl FnMut() -> Result<u64>,
        mut is_over: impl FnMut() -> Result<bool>,
    ) -> Result<Self> {
        let mut levels = Self::default();
        eventually("the end of the work", within, || {
            levels.add(moved()?, memory_kib(process)?);
            Ok(is_over()?.then_some(()))
        })?;
        Ok(levels)
    }

    /// Adds a sample: bytes that have gone through, and memory in KiB.
    pub fn add(&mut self, moved: u64, memory_kib: u64) {
        self.samples.push((moved, memory_kib));
    }

    /// KiB by which the level rises with each GB that goes through, after the warm-up: the
    /// median of the slopes between all pairs of parts (P. K. Sen, "Estimates of the regression
    /// coefficient based on Kendall's tau", 1968), which a few odd samples do not move.
    pub fn rise_kib_per_gb(&self) -> Result<f64> {
        let parts = self.parts()?;
        let mut slopes = vec![];
        for (index, (x, y)) in parts.iter().enumerate() {
            for (later_x, later_y) in &parts[index + 1..] {
                slopes.push((later_y - y) / (later_x - x));
            }
        }
        ensure!(
            parts.len() >= PARTS / 2,
            "samples in {} parts of {PARTS} only",
            parts.len()
        );
        median(slopes)
    }

    /// The parts after the warm-up: GB in the middle of a part, and the median of its samples.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bytes of a few GB, and a place among sixteen"
    )]
    fn parts(&self) -> Result<Vec<(f64, f64)>> {
        let least = self.samples.iter().map(|sample| sample.0).min();
        let most = self.samples.iter().map(|sample| sample.0).max();
        let (least, most) = (least.context("no sample")?, most.context("no sample")?);
        let width = (most - least) as f64 / PARTS as f64;
        let mut parts = vec![vec![]; PARTS];
        for (moved, memory_kib) in &self.samples {
            let part = ((moved - least) as f64 / width) as usize;
            parts[part.min(PARTS - 1)].push(*memory_kib as f64);
        }
        let mut levels = vec![];
        for (index, part) in parts.into_iter().enumerate().skip(WARM_UP_PARTS) {
            if !part.is_empty() {
                levels.push(((index as f64 + 0.5) * width / GB, median(part)?));
            }
        }
        Ok(levels)
    }
}

fn median(mut numbers: Vec<f64>) -> Result<f64> {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.get(numbers.len() / 2);
    middle.copied().context("no numbers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Random;

    /// Samples of 2 GB around 120 MB, each as much as 20 MB off, that rise by so many KiB for
    /// each GB.
    fn noisy(rise_kib_per_gb: u64) -> Levels {
        let mut random = Random::new(1);
        let mut levels = Levels::default();
        for step in 0..200 {
            let moved = step * 10_000_000;
            let level = 120_000 + rise_kib_per_gb * moved / 1_000_000_000;
            levels.add(moved, level + random.next() % 20_000);
        }
        levels
    }

    #[test]
    fn growth_is_told_from_noise() -> Result<()> {
        let flat = noisy(0).rise_kib_per_gb()?;
        assert!(flat.abs() < 6_000.0, "{flat} of nothing but noise");
        let rising = noisy(30_000).rise_kib_per_gb()?;
        assert!(rising > 20_000.0, "{rising} of 30,000");
        Ok(())
    }

    #[test]
    fn what_is_made_once_at_the_start_is_no_growth() -> Result<()> {
        let mut levels = Levels::default();
        for step in 0..100_u64 {
            levels.add(step * 10_000_000, 50_000 + step.min(20) * 5_000);
        }
        assert!(levels.rise_kib_per_gb()?.abs() < 1.0);
        Ok(())
    }

    #[test]
    fn a_run_that_nobody_looked_at_says_nothing() {
        assert!(Levels::default().rise_kib_per_gb().is_err());
        let mut few = Levels::default();
        few.add(0, 1);
        few.add(1_000_000_000, 1);
        assert!(few.rise_kib_per_gb().is_err());
    }
}
