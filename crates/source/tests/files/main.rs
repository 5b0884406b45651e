//! Walks, reads and restores with real files.

mod holes;
mod hostile;
mod linking;
mod reading;
mod restoring;
mod support;
mod undoing;
mod unprivileged;
mod walking;
