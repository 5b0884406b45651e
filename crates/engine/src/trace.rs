//! Recorded runs: every input with the outputs it caused, and playing them back.
//!
//! A trace holds ids and sizes only. The node writes one [`TraceLine`] for each input; a
//! fresh engine that is handed the same inputs must give the same outputs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use bitdust_model::{Policy, Tick};

use crate::engine::Engine;
use crate::io::{Input, Output};
use crate::transition::Machine;

/// One input and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceLine {
    /// When it was handed in.
    pub at: Tick,
    /// What happened.
    pub input: Input,
    /// What the engine asked for, in order.
    pub outputs: Vec<Output>,
}

/// The first place where a fresh engine did something else than the recorded one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: the input {input:?} gave {given:?}, the recorded engine gave {recorded:?}")]
pub struct Divergence {
    /// Counted from zero.
    pub line: usize,
    /// The input of that line.
    pub input: Box<Input>,
    /// What the trace says.
    pub recorded: Vec<Output>,
    /// What the fresh engine asked for.
    pub given: Vec<Output>,
}

/// The steps a run took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Machine, state before, event, state after.
    pub transitions: BTreeSet<(Machine, &'static str, &'static str, &'static str)>,
}

impl Coverage {
    /// Adds the steps of the engine's last input.
    pub fn note(&mut self, engine: &Engine) {
        for step in engine.transitions() {
            self.transitions
                .insert((step.machine, step.from, step.event, step.to));
        }
    }

    /// The steps of one machine.
    pub fn of(
        &self,
        machine: Machine,
    ) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        let steps = self
            .transitions
            .iter()
            .filter(move |step| step.0 == machine);
        steps.map(|(_, from, event, to)| (*from, *event, *to))
    }
}

/// Hands one input to an engine and drains it: what the node does, and what a trace records.
pub fn apply(engine: &mut Engine, input: Input, at: Tick) -> TraceLine {
    engine.handle(input.clone(), at);
    let outputs = std::iter::from_fn(|| engine.poll()).collect();
    TraceLine { at, input, outputs }
}

/// Plays a recorded run back into a fresh engine.
pub fn replay<'a>(
    policy: Policy,
    lines: impl IntoIterator<Item = &'a TraceLine>,
) -> Result<Coverage, Divergence> {
    let mut engine = Engine::new(policy);
    let mut coverage = Coverage::default();
    for (line, recorded) in lines.into_iter().enumerate() {
        let given = apply(&mut engine, recorded.input.clone(), recorded.at);
        coverage.note(&engine);
        if given.outputs != recorded.outputs {
            return Err(Divergence {
                line,
                input: Box::new(recorded.input.clone()),
                recorded: recorded.outputs.clone(),
                given: given.outputs,
            });
        }
    }
    Ok(coverage)
}
