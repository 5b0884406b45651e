//! Walks, reads and restores with real files.

mod hostile;
mod reading;
mod restoring;
mod support;
mod unprivileged;
mod walking;
