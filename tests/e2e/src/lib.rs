//! Journeys through the real program: processes, sockets on the loopback interface, files.
//!
//! The tests lie in `tests`; here is what they stand on. A [`World`] is a practice network
//! in a temporary folder, a [`Machine`] is a home in it with the program run on it. What is
//! claimed is looked at from outside: `rsync`, `strace`, `/proc`, the kernel's own counters.
//! Nothing waits for a time; [`eventually`] waits for a fact, with a deadline.

pub mod bus;
pub mod clock;
pub mod compare;
pub mod corpus;
pub mod hosts;
pub mod interrupt;
pub mod ledger;
pub mod levels;
pub mod liar;
pub mod machine;
pub mod mounts;
pub mod opens;
pub mod peculiar;
pub mod ports;
pub mod process;
pub mod recording;
pub mod remains;
pub mod rot;
pub mod screen;
pub mod size;
pub mod somebody;
pub mod stage;
pub mod unshared;
pub mod wait;
pub mod whole;
pub mod window;
pub mod witness;
pub mod world;

pub use bus::Bus;
pub use clock::Clock;
pub use compare::differences;
pub use corpus::Random;
pub use machine::{Machine, Order, Reply, Running, texts};
pub use screen::Screen;
pub use size::sized;
pub use stage::Stage;
pub use wait::eventually;
pub use window::{Desktop, Window};
pub use world::{Transport, World};

/// What a journey gives back.
pub type Outcome = anyhow::Result<()>;
