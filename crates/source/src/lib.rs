//! The user's files: walked, excluded, read, and written back.
//!
//! - [`walk`] gives a folder as a stream of events from which directory pages can be built
//!   bottom-up;
//! - [`excludes`] decides what is left out, and says so;
//! - [`read`] opens one file and knows afterwards whether it changed meanwhile;
//! - [`restore`] writes a tree back, never outside its target and never half a file;
//! - [`watch`] says which folders are worth a walk; the walk stays what decides.
//!
//! It refuses to follow symbolic links, except the one a person named as the root. It knows
//! nothing of chunks, suppliers or the catalogue.

pub mod excludes;
pub mod relative;
pub mod stamp;

#[cfg(target_os = "linux")]
pub mod accounts;
#[cfg(target_os = "linux")]
mod attributes;
#[cfg(target_os = "linux")]
pub mod failure;
#[cfg(target_os = "linux")]
mod flags;
#[cfg(target_os = "linux")]
pub mod folder;
#[cfg(target_os = "linux")]
pub mod read;
#[cfg(target_os = "linux")]
pub mod restore;
#[cfg(target_os = "linux")]
pub mod walk;
#[cfg(target_os = "linux")]
pub mod watch;

#[cfg(not(target_os = "linux"))]
compile_error!(
    "bitdust-source reads and restores files through Linux system calls; this system needs \
     its own folder, read, walk, attributes and restore modules"
);

pub use excludes::{DropReason, Dropped, ExcludeError, Excludes};
pub use relative::{BadPath, RelativePath};
pub use stamp::Stamp;

#[cfg(target_os = "linux")]
pub use accounts::{Accounts, Owners};
#[cfg(target_os = "linux")]
pub use attributes::sees_root_attributes;
#[cfg(target_os = "linux")]
pub use failure::FileError;
#[cfg(target_os = "linux")]
pub use folder::FolderHandle;
#[cfg(target_os = "linux")]
pub use read::{Changed, FileReader, Stretch, open_file};
#[cfg(target_os = "linux")]
pub use restore::{
    Conflict, Durability, FileStart, FileWanted, FileWriter, Placed, RestoreError, RestoreOptions,
    RestoreReport, RestoreTarget, Undone,
};
#[cfg(target_os = "linux")]
pub use walk::{FileSeen, Walk, WalkEvent, WalkOptions};
#[cfg(target_os = "linux")]
pub use watch::{FolderWatch, Noticed, WatchError};
