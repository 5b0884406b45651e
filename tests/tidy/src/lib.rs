//! The house rules of the source tree, as tests.
//!
//! Each module holds one family of rules as plain functions from a tree or a list
//! of packages to a list of offences, and tests them twice: the real tree has to be
//! clean, and a small bad input has to be caught. A rule without such a twin is not
//! trusted. Nothing here is shipped, and nothing here changes a file.

#[cfg(all(test, unix))]
mod ci;
pub mod code;
pub mod docs;
pub mod edges;
pub mod errors;
pub mod fixtures;
pub mod licences;
pub mod locks;
#[cfg(all(test, unix))]
mod machine;
pub mod machines;
pub mod manifests;
pub mod owners;
pub mod privacy;
pub mod purity;
pub mod queues;
pub mod rooms;
#[cfg(all(test, unix))]
mod scripts;
#[cfg(all(test, unix))]
mod setup;
pub mod shape;
pub mod time;
pub mod tree;
pub mod unused;
pub mod words;
pub mod workspace;

/// Fails with one offence a line when there are any.
///
/// # Panics
///
/// When the list is not empty: this is how a rule speaks.
pub fn assert_clean(rule: &str, offences: &[String]) {
    assert!(
        offences.is_empty(),
        "{rule}: {} offence(s)\n  {}",
        offences.len(),
        offences.join("\n  ")
    );
}
