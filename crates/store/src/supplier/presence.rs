//! Whether the folder of shards is there at all: its disk may be away for a while.
//!
//! A file in it says so. Where that is not to be found, nothing is known of any shard: none of them is
//! lost, and none is written, which would come to lie where the disk is to be mounted.

use std::path::{Path, PathBuf};
use std::{fs, io};

use bitdust_model::IdentityId;

use super::files::ShardFiles;
use super::{ShardError, ShardStore};
use crate::durable;

/// The file that says that the folder is there.
const MARK: &str = "shards-are-here.txt";
/// For those who look into the folder.
const TEXT: &[u8] =
    b"BitDust keeps data of other people in this folder. While this file is missing, \
it takes the disk of the folder to be away, and waits.\n";

impl ShardFiles {
    /// Refuses while the folder of shards is away.
    pub(super) fn expect_there(&self) -> Result<(), ShardError> {
        let mark = self.mark();
        if self.is_unmarked() {
            return Ok(());
        }
        match mark.try_exists() {
            Ok(true) => Ok(()),
            Ok(false) => {
                let path = self.shards_dir().to_path_buf();
                tracing::warn!("The folder of shards is away");
                Err(ShardError::FolderAway { path })
            }
            Err(error) => Err(ShardError::disk(&mark)(error)),
        }
    }

    fn mark(&self) -> PathBuf {
        self.shards_dir().join(MARK)
    }
}

impl ShardStore {
    /// Marks the folder of shards at a start, where it is new or holds anything. Says whether it is
    /// there.
    pub(super) fn mark_folder(&self) -> Result<bool, ShardError> {
        let (dir, mark) = (self.files().shards_dir(), self.files().mark());
        if mark.try_exists().map_err(ShardError::disk(&mark))? {
            return Ok(true);
        }
        let holds_any = holds_any(dir).map_err(ShardError::disk(dir))?;
        if !holds_any && self.has_rows()? {
            tracing::warn!("The folder of shards is away");
            return Ok(false);
        }
        durable::create_private_dir(dir).map_err(ShardError::disk(dir))?;
        if let Err(error) = durable::write_durably(&mark, TEXT) {
            // What is there can be read, if nothing more.
            tracing::warn!(%error, "The folder of shards takes no mark");
            self.files().go_unmarked();
        }
        Ok(true)
    }

    fn has_rows(&self) -> Result<bool, ShardError> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT 1 FROM shards LIMIT 1")?;
            Ok(statement.exists([])?)
        })
    }
}

/// Whether some identity has a folder in the folder of shards.
fn holds_any(dir: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        let identity = name
            .to_str()
            .and_then(|name| name.parse::<IdentityId>().ok());
        if identity.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
