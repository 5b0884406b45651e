//! A supplier's database that is damaged is put aside and made anew: what is kept for others lies
//! in files that say whose they are, and the own backups of a home do not depend on it.
//!
//! What is put aside stays for whoever wants to look, a few of them at most. A database of another version of this program is no damage: it is refused
//! and left where it is, and so is one that cannot be read for want of space or rights.

use std::fs;
use std::path::{Path, PathBuf};

use bitdust_model::limits::DAMAGED_KEPT_MAX;

use super::ShardError;
use super::schema::SCHEMA;
use crate::database::{Database, DatabaseError, PARTS};
use crate::durable;

/// Opens or creates the database, in place of one that is damaged; says whether it was.
pub(super) fn open_or_replace(path: &Path) -> Result<(Database, bool), ShardError> {
    match open_whole(path) {
        Ok(database) => Ok((database, false)),
        Err(damage) if damage.is_damage() => {
            let aside = put_aside(path)?;
            tracing::warn!(%damage, aside = %aside.display(), "Put a damaged database aside");
            Ok((open_whole(path)?, true))
        }
        Err(error) => Err(error.into()),
    }
}

fn open_whole(path: &Path) -> Result<Database, DatabaseError> {
    let database = Database::open(path, "supplier database", &SCHEMA)?;
    database.quick_check()?;
    Ok(database)
}

/// Moves the files of a database to the first name that is free, or in place of the last that was put
/// aside where there are many; the companions first: the next start finds the database itself as long as
/// the move is not complete.
fn put_aside(path: &Path) -> Result<PathBuf, ShardError> {
    let is_taken = |aside: &PathBuf| PARTS.iter().any(|part| ending(aside, part).exists());
    let names = (1..=DAMAGED_KEPT_MAX).map(|number| ending(path, &format!(".damaged-{number}")));
    let mut names = names.skip_while(is_taken);
    let aside = names
        .next()
        .unwrap_or_else(|| ending(path, &format!(".damaged-{DAMAGED_KEPT_MAX}")));
    for part in PARTS.iter().rev() {
        let (source, target) = (ending(path, part), ending(&aside, part));
        if source.exists() {
            fs::rename(&source, &target).map_err(ShardError::disk(&source))?;
        } else if target.exists() {
            // It belongs to the one whose place is taken.
            fs::remove_file(&target).map_err(ShardError::disk(&target))?;
        }
    }
    let dir = durable::parent_of(path);
    durable::sync_dir(dir).map_err(ShardError::disk(dir))?;
    Ok(aside)
}

fn ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(ending);
    PathBuf::from(name)
}
