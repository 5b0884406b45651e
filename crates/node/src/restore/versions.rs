//! Versions as people name them.

use bitdust_api::ApiError;
use bitdust_model::ErrorCode;
use bitdust_model::manifest::SnapshotRecord;
use bitdust_store::Catalogue;

use crate::shared::answer::catalogue_error;
use crate::shared::context::{Context, wall_clock};
use crate::shared::text::{snapshot_at, split_target, unescape};

/// `SNAPSHOT[:PATH]`: a version by id, prefix, time or `latest`, and a path in it.
pub(crate) fn resolve(
    catalogue: &Catalogue,
    target: &str,
) -> Result<(SnapshotRecord, Vec<u8>), ApiError> {
    let snapshots = catalogue.snapshots(wall_clock()).map_err(catalogue_error)?;
    let (name, path) = split_target(target);
    let found = if name == "latest" {
        snapshots.last()
    } else if let Some(at) = snapshot_at(name) {
        snapshots
            .iter()
            .filter(|snapshot| snapshot.taken_at <= at)
            .max_by_key(|snapshot| snapshot.taken_at)
    } else {
        let mut matching = snapshots
            .iter()
            .filter(|snapshot| name.len() >= 4 && snapshot.snapshot.to_hex().starts_with(name));
        match (matching.next(), matching.next()) {
            (Some(_), Some(_)) => {
                let message = format!("{name} fits several versions; give more of the id");
                return Err(ApiError::new(ErrorCode::BadRequest, message));
            }
            (found, _) => found,
        }
    };
    let Some(snapshot) = found else {
        let message = format!("there is no version {name:?}; `bitdust snapshots` lists them");
        return Err(ApiError::new(ErrorCode::NotFound, message));
    };
    Ok((snapshot.clone(), unescape(path)))
}

/// All versions, the newest first.
pub(crate) fn newest_first(catalogue: &Catalogue) -> Result<Vec<SnapshotRecord>, ApiError> {
    let snapshots = catalogue.snapshots(wall_clock());
    let mut snapshots = snapshots.map_err(catalogue_error)?;
    snapshots.reverse();
    Ok(snapshots)
}

/// The newest version of each folder.
pub(crate) fn newest_of_each(context: &Context) -> Result<Vec<SnapshotRecord>, ErrorCode> {
    let all = context.catalogue.snapshots(wall_clock());
    let mut newest: Vec<SnapshotRecord> = Vec::new();
    for snapshot in all.map_err(|error| error.code())? {
        let known = newest
            .iter_mut()
            .find(|known| known.folder == snapshot.folder);
        match known {
            Some(known) => *known = snapshot,
            None => newest.push(snapshot),
        }
    }
    Ok(newest)
}
