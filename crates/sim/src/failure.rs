//! What is printed when a story fails: the seed, how to play it again, the last steps.

use std::collections::VecDeque;
use std::fmt;

use bitdust_model::Tick;

/// Steps that are remembered for a failure.
pub(crate) const STEPS_MAX: usize = 200;

/// A broken promise, with what is needed to see it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// The seed of the world.
    pub seed: u64,
    /// Virtual time.
    pub at: Tick,
    /// Which promise, and what was seen.
    pub message: String,
    /// The last steps of all machines, oldest first.
    pub steps: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        writeln!(f, "at {} ms: {}", self.at.0, self.message)?;
        write!(
            f,
            "seed {}; again: SEED={} cargo test -p bitdust-sim-stories",
            self.seed, self.seed
        )
    }
}

/// The last steps, a bounded number.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    lines: VecDeque<String>,
}

impl Steps {
    pub(crate) fn push(&mut self, line: String) {
        if self.lines.len() >= STEPS_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    pub(crate) fn to_vec(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }
}
