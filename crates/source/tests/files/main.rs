//! Walks, reads and restores with real files.

mod flags;
mod generated;
mod holes;
mod hostile;
mod linking;
mod mounted;
mod reading;
mod restoring;
mod support;
mod trees;
mod undoing;
mod unprivileged;
mod walking;
