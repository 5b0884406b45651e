//! What all wings use: handles, tasks with their messages and answers, texts. No wing is known here.

pub(crate) mod answer;
pub(crate) mod bounded;
pub(crate) mod buffers;
pub(crate) mod clock_doubt;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod context;
pub(crate) mod deposit;
pub(crate) mod disk_space;
pub(crate) mod driver;
pub(crate) mod error;
pub(crate) mod fetch_request;
pub(crate) mod fetching;
pub(crate) mod folder_outcome;
pub(crate) mod folder_schedule;
pub(crate) mod foreign_lanes;
pub(crate) mod head_lists;
pub(crate) mod job;
pub(crate) mod lane_heads;
pub(crate) mod lane_taken;
pub(crate) mod names;
pub(crate) mod owed_shard;
pub(crate) mod question;
pub(crate) mod rate;
pub(crate) mod records;
pub(crate) mod recovery_found;
pub(crate) mod restore_request;
pub(crate) mod set_fact;
pub(crate) mod settings;
pub(crate) mod supplier_request;
pub(crate) mod task;
pub(crate) mod task_event;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text;
pub(crate) mod words;
