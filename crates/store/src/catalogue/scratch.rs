//! A catalogue for as long as one job needs it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Catalogue, CatalogueError};
use crate::database::{DatabaseError, remove_database};
use crate::durable::create_private_dir;

/// Numbers of the files that this process has made.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// An empty catalogue whose file goes with it. What a crash leaves of it is removed when the home is
/// opened.
pub struct ScratchCatalogue {
    catalogue: Catalogue,
    path: PathBuf,
}

impl ScratchCatalogue {
    /// Makes one in a folder, which is made where it is missing; `pack_header_bytes` as in
    /// [`Catalogue::open`].
    pub fn create(folder: &Path, pack_header_bytes: u32) -> Result<Self, CatalogueError> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{number}.db"));
        let unusable = |path: &Path| {
            let path = path.to_path_buf();
            move |source| DatabaseError::Unusable { path, source }
        };
        create_private_dir(folder).map_err(unusable(folder))?;
        // A crash may have left one.
        remove_database(&path).map_err(unusable(&path))?;
        Ok(Self {
            catalogue: Catalogue::open(&path, pack_header_bytes)?,
            path,
        })
    }

    /// What it holds.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }
}

impl Drop for ScratchCatalogue {
    fn drop(&mut self) {
        // Where somebody still reads it, its name goes first. What does not go is removed at the next start.
        let _left = remove_database(&self.path);
    }
}
