//! What the ends of jobs leave for people: what is not protected, and the last test restore.
//!
//! Kept in the catalogue as text; a value that cannot be read counts as none.

use bitdust_api::view::{LastVerifyView, UnprotectedView};
use bitdust_api::{ApiError, JobOutcome, JobReport};
use bitdust_model::manifest::FolderRecord;
use bitdust_model::{FolderId, limits};
use bitdust_store::{Catalogue, CatalogueError};
use serde::{Serialize, de::DeserializeOwned};

use crate::shared::answer::catalogue_error;
use crate::shared::context::wall_clock;
use crate::shared::job::JobWork;
use crate::shared::text::escape;

const LAST_VERIFY_KEY: &str = "last_verify";

/// A value for people, under its key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeptValue {
    key: String,
    text: Vec<u8>,
}

/// What the end of a job leaves beyond its report.
pub(super) fn left_by(work: &JobWork, report: &JobReport) -> Vec<KeptValue> {
    let is_done = matches!(report.outcome, JobOutcome::Complete | JobOutcome::Partial);
    match work {
        JobWork::Backup { folders, .. } if is_done => folders
            .iter()
            .map(|folder| remembered(unprotected_key(folder.folder), &below(folder, report)))
            .collect(),
        JobWork::Verify {
            result: Some(result),
        } => {
            let (at, result) = (wall_clock(), result.clone());
            let last = LastVerifyView { at, result };
            vec![remembered(LAST_VERIFY_KEY.to_owned(), &last)]
        }
        JobWork::Backup { .. }
        | JobWork::Verify { result: None }
        | JobWork::Restore
        | JobWork::Recovery => Vec::new(),
    }
}

fn remembered<T: Serialize>(key: String, value: &T) -> KeptValue {
    let text = serde_json::to_vec(value).unwrap_or_default();
    KeptValue { key, text }
}

/// Writes values at once, but for those that are there already.
pub(super) fn keep(catalogue: &Catalogue, values: Vec<KeptValue>) -> Result<(), CatalogueError> {
    let mut new = Vec::new();
    for KeptValue { key, text } in values {
        if catalogue.get_meta(&key)?.as_ref() != Some(&text) {
            new.push((key, text));
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    catalogue.set_metas(new)
}

/// What of a folder's newest version is not protected.
pub(crate) fn unprotected(
    catalogue: &Catalogue,
    folder: FolderId,
) -> Result<Vec<UnprotectedView>, ApiError> {
    Ok(kept(catalogue, &unprotected_key(folder))?.unwrap_or_default())
}

/// The last real test restore.
pub(crate) fn last_verify(catalogue: &Catalogue) -> Result<Option<LastVerifyView>, ApiError> {
    kept(catalogue, LAST_VERIFY_KEY)
}

fn kept<T: DeserializeOwned>(catalogue: &Catalogue, key: &str) -> Result<Option<T>, ApiError> {
    let text = catalogue.get_meta(key).map_err(catalogue_error)?;
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// Whether a path is a folder's own or inside of it.
fn lies_below(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || folder.ends_with(b"/"))
}

fn below(folder: &FolderRecord, report: &JobReport) -> Vec<UnprotectedView> {
    let problems = report
        .problems
        .iter()
        .filter(|problem| lies_below(&problem.path, &folder.path));
    problems
        .take(limits::UNPROTECTED_LISTED_MAX)
        .map(|problem| UnprotectedView {
            path: escape(&problem.path),
            code: problem.code,
            detail: problem.detail.clone(),
        })
        .collect()
}

fn unprotected_key(folder: FolderId) -> String {
    format!("unprotected/{}", folder.to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_what_is_below_it_and_not_its_namesakes() {
        for (path, folder, expected) in [
            (&b"/home/a/Mail/new"[..], &b"/home/a/Mail"[..], true),
            (b"/home/a/Mail", b"/home/a/Mail", true),
            (b"/home/a/Mail2/new", b"/home/a/Mail", false),
            (b"/srv", b"/", true),
        ] {
            assert_eq!(lies_below(path, folder), expected, "{path:?} in {folder:?}");
        }
    }
}
