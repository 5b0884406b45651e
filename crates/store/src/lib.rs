//! What this machine keeps: the home, the catalogue, shards kept for others, the spool.
//!
//! Everything here is synchronous and owns its files alone: the home's lock sees to it that
//! no second process writes them. It checks lengths, hashes and order of durability; it
//! believes that signatures were verified by the caller, and decides nothing about quotas.

mod database;
mod durable;
mod row;

pub mod catalogue;
pub mod home;
pub mod migrate;
pub mod spool;
pub mod supplier;

pub use catalogue::{Catalogue, CatalogueError};
pub use database::DatabaseError;
pub use durable::{code_of as disk_error_code, remove_durably, write_durably};
pub use home::{Home, HomeError, HomePaths};
pub use migrate::MigrateError;
pub use spool::{Spool, SpoolError};
pub use supplier::{Begin, ShardError, ShardStore, ShardWriter};
