//! The world of engines in virtual time: network, disks, people.
//!
//! Real engines, several in one process; everything around them is a model: connections
//! that break, answers that get lost, disks that fill, nodes that crash and lie. Time is a
//! queue, chance a seed, so a run replays exactly. After every step the checker compares
//! what engines do with the world's own books.

mod backup;
mod books;
mod call;
mod catching_up;
mod checker;
mod clocks;
mod customer;
mod failure;
mod folder;
mod id;
mod image;
mod network;
mod node;
mod people;
mod remaking;
mod restore;
mod sabotage;
mod sets;
mod space;
mod supplier;
mod tips;
mod trust;
mod versions;
mod world;

pub use failure::Failure;
pub use id::NodeId;
pub use image::Image;
pub use node::Lie;
pub use sabotage::Sabotage;
pub use world::{World, WorldOptions};
