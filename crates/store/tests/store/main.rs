//! The crate from outside, with real files and databases.

mod cache;
mod catalogue;
mod crash;
mod customers;
mod documents;
mod golden;
mod groups;
mod lane;
mod packs;
mod ranges;
mod resolution;
mod shards;
mod spool;
mod support;
mod withdrawals;
