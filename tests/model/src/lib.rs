//! A model of commit, head and change of set, small enough that every state of it is met.
//!
//! One writer, its holders, a new device that takes the place of one of them, and somebody who
//! recovers at any moment and hears any of them. Where the product has a function that decides, the
//! model asks that function. Each rule can be put back to what it was before
//! ([`Rule`]): the tests show that the search then finds what the rule is there for.

mod check;
mod cover;
mod found;
mod holders;
mod packed;
pub mod promises;
mod protocol;
mod recovery;
mod rules;
mod search;
mod stand_in;
mod state;
mod writer;

pub use check::Action;
pub use cover::Cover;
pub use protocol::{Budget, Change, Protocol};
pub use recovery::{Answers, Verdict};
pub use rules::{Rule, Rules};
pub use search::{Broken, Report};
pub use state::{Devices, LaneRecord, Marks, Placed, SetStage, Stage, State, Version};
