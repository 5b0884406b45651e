//! Draws the diagrams of `docs/fsm` from what the steps return, never from a second list.
//!
//! Each machine is walked from its first state with samples of all its events, early and
//! late, until nothing new is found. A state or event that the walk never meets fails.

mod backup;
mod customers;
mod restore;
mod suppliers;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write};
use std::path::PathBuf;

use strum::VariantNames;

use bitdust_model::{DeviceId, Policy, Sequence, Tick};

use super::{Moment, name};

/// Rounds of the walk; every machine's longest way is shorter.
const ROUNDS: usize = 14;
/// States of one machine, data included, that are walked at most.
const STATES_MAX: usize = 1_500;

/// What a walk found.
struct Walk {
    edges: BTreeSet<(usize, &'static str, &'static str, String)>,
    order: Vec<&'static str>,
    /// The first so many of the order are where the machine begins.
    begins: usize,
}

/// Steps every state found so far with every event in every situation.
fn walk<S, E, A, C>(
    firsts: &[S],
    events: &[E],
    situations: &[C],
    step: impl Fn(S, E, &C, &mut Vec<A>) -> S,
) -> Walk
where
    S: Clone + Debug + VariantNames,
    E: Clone + Debug + VariantNames,
    for<'a> &'a S: Into<&'static str>,
    for<'a> &'a E: Into<&'static str>,
    for<'a> &'a A: Into<&'static str>,
{
    let mut order: Vec<_> = firsts.iter().map(|first| name(first)).collect();
    let begins = order.len();
    let mut seen: BTreeSet<_> = firsts.iter().map(|first| format!("{first:?}")).collect();
    let mut fresh = firsts.to_vec();
    let mut edges = BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut found = Vec::new();
        for state in &fresh {
            for (event, situation) in events
                .iter()
                .flat_map(|event| situations.iter().map(move |it| (event, it)))
            {
                let mut out = Vec::new();
                let next = step(state.clone(), event.clone(), situation, &mut out);
                let (from, to) = (name(state), name(&next));
                if !order.contains(&to) {
                    order.push(to);
                }
                if from != to || !out.is_empty() {
                    edges.insert((place(&order, from), to, name(event), label(&out)));
                }
                if seen.len() < STATES_MAX && seen.insert(format!("{next:?}")) {
                    found.push(next);
                }
            }
        }
        fresh = found;
    }
    let missed: Vec<_> = S::VARIANTS
        .iter()
        .filter(|state| !order.contains(state))
        .collect();
    assert!(
        missed.is_empty(),
        "states that nothing leads to: {missed:?}"
    );
    let names: BTreeSet<_> = events.iter().map(|event| name(event)).collect();
    let missed: Vec<_> = E::VARIANTS
        .iter()
        .filter(|event| !names.contains(*event))
        .collect();
    assert!(missed.is_empty(), "events without a sample: {missed:?}");
    Walk {
        edges,
        order,
        begins,
    }
}

fn place(order: &[&'static str], state: &str) -> usize {
    order
        .iter()
        .position(|it| *it == state)
        .expect("every state is put in order when found")
}

/// The actions of a step, each kind once.
fn label<A>(out: &[A]) -> String
where
    for<'a> &'a A: Into<&'static str>,
{
    let mut actions: Vec<&'static str> = Vec::new();
    for action in out {
        let action = name(action);
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    actions.join(", ")
}

/// Compares a walk with its page, or writes it anew.
fn check_page(page: &str, title: &str, intro: &str, walk: &Walk) {
    let mut text = format!(
        "# {title}\n\n{intro}\n\nDrawn by a test from what `step` returns; `UPDATE=1 cargo test \
         -p bitdust-engine diagram` draws it anew. A label is the event and, after the slash, \
         what the machine wants done. Events that change nothing are left out.\n\n\
         ```mermaid\nstateDiagram-v2\n"
    );
    for first in &walk.order[..walk.begins] {
        writeln!(text, "    [*] --> {first}").expect("writing to a string");
    }
    let mut arrows: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
    for (from, to, event, actions) in &walk.edges {
        let slash = if actions.is_empty() { "" } else { " / " };
        let ends = (*from, place(&walk.order, to));
        arrows
            .entry(ends)
            .or_default()
            .insert(format!("{event}{slash}{actions}"));
    }
    for ((from, to), labels) in arrows {
        for label in labels {
            writeln!(
                text,
                "    {} --> {}: {label}",
                walk.order[from], walk.order[to]
            )
            .expect("writing to a string");
        }
    }
    text.push_str("```\n");
    compare(page, &text);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test that compares committed pages"
)]
fn compare(page: &str, text: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/fsm");
    let path = folder.join(format!("{page}.md"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).expect("docs/fsm can be written");
    }
    let committed = std::fs::read_to_string(&path)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    assert!(
        committed == text,
        "docs/fsm/{page}.md is not what the machine does; UPDATE=1 draws it anew"
    );
}

/// Early: no deadline has passed. Late: all have.
fn moments(policy: &Policy) -> [Moment<'_>; 2] {
    [Tick(1_000), Tick(u64::MAX / 2)].map(|now| Moment {
        now,
        policy,
        random: 0,
    })
}

/// Each moment with a flag off and on.
fn flagged(policy: &Policy) -> Vec<(Moment<'_>, bool)> {
    moments(policy)
        .into_iter()
        .flat_map(|at| [(at, false), (at, true)])
        .collect()
}

const ONE: DeviceId = DeviceId([1; 32]);
const TWO: DeviceId = DeviceId([2; 32]);
const THREE: DeviceId = DeviceId([3; 32]);
const FIRST: Sequence = Sequence(1);
const SECOND: Sequence = Sequence(2);
