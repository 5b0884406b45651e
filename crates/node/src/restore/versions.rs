//! Versions as people name them.

use bitdust_api::ApiError;
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::{ErrorCode, UnixMillis};
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
        as_of(&snapshots, at)
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

/// The newest version that was there at some time. One whose own time cannot be right is taken only where
/// no other is as old.
fn as_of(snapshots: &[SnapshotRecord], at: UnixMillis) -> Option<&SnapshotRecord> {
    let is_old = |snapshot: &&SnapshotRecord| snapshot.taken_at <= at;
    let mut sure = snapshots.iter().filter(|it| !it.is_clock_suspect);
    let newest = sure.rfind(is_old);
    newest.or_else(|| snapshots.iter().rfind(is_old))
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

#[cfg(test)]
mod tests {
    use bitdust_model::tree::Meta;
    use bitdust_model::{DeviceId, FolderId, SnapshotId};

    use super::*;

    /// Versions in their order: when they were taken, and whether that cannot be right.
    fn versions<const N: usize>(taken: [(u64, bool); N]) -> Vec<SnapshotRecord> {
        let version = |(order, (taken_at, is_clock_suspect))| SnapshotRecord {
            snapshot: SnapshotId([0; 32]),
            folder: FolderId([1; 32]),
            path: b"/home/alice".to_vec(),
            device: DeviceId([2; 32]),
            order,
            taken_at: UnixMillis(taken_at),
            is_clock_suspect,
            root: Meta::default(),
            pages: Vec::new(),
            files: 0,
            bytes: 0,
            problems: 0,
        };
        (0..).zip(taken).map(version).collect()
    }

    #[test]
    fn a_time_that_cannot_be_right_leads_to_no_version() {
        // The third was made by a clock that was set back.
        let all = versions([(10, false), (20, false), (15, true), (30, false)]);
        for (at, expected) in [
            (9, None),
            (12, Some(0)),
            (17, Some(0)),
            (25, Some(1)),
            (99, Some(3)),
        ] {
            let found = as_of(&all, UnixMillis(at)).map(|it| it.order);
            assert_eq!(found, expected, "at {at}");
        }
        let only = versions([(15, true)]);
        let found = as_of(&only, UnixMillis(17)).map(|it| it.order);
        assert_eq!(found, Some(0), "there is no other");
    }
}
