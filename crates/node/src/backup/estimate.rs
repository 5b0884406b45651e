//! How much a folder would be, before it is added: a walk that opens no file.

use std::path::Path;

use tokio::sync::oneshot;

use bitdust_api::view::EstimateView;
use bitdust_api::{Answer, ApiError};
use bitdust_model::limits;
use bitdust_source::{DropReason, Excludes, Walk, WalkEvent, WalkOptions};

use super::Backup;
use super::folders::work::{check_excludes, existing_folder};
use crate::shared::answer::Reported;
use crate::shared::driver::Driver;
use crate::shared::task::blocking;
use crate::shared::text::escape;

impl Backup {
    /// Walks a folder on a blocking thread and answers with what it found.
    pub(crate) fn estimate_folder(
        &self,
        driver: &mut Driver,
        path: String,
        patterns: Vec<String>,
        options: WalkOptions,
        reply: oneshot::Sender<Reported>,
    ) {
        let home_place = self.home_place;
        driver.spawn(async move {
            let estimated = blocking(move || {
                let folder = existing_folder(&path)?;
                let mut rules = check_excludes(&patterns)?;
                if let Some((device, inode)) = home_place {
                    rules = rules.without_place(device, inode);
                }
                estimate(&folder, &rules, options)
            });
            let answer = estimated.await;
            let answer = answer
                .map_err(|code| ApiError::new(code, crate::shared::words::failure(code)))
                .and_then(|estimated| estimated)
                .map(Answer::Estimate);
            // A front end that left does not wait for its answer.
            drop(reply.send(answer));
        });
    }
}

fn estimate(
    folder: &Path,
    rules: &Excludes,
    options: WalkOptions,
) -> Result<EstimateView, ApiError> {
    let mut walk = Walk::with_options(folder, rules, options).map_err(|error| {
        let message = format!("{} cannot be walked: {error}", folder.display());
        ApiError::new(error.code(), message)
    })?;
    let mut view = EstimateView {
        files: 0,
        bytes: 0,
        excluded: Vec::new(),
        excluded_count: 0,
        unreadable: Vec::new(),
        unreadable_count: 0,
        is_cut: false,
    };
    let mut entries = 0;
    for event in walk.by_ref() {
        entries += 1;
        if entries > limits::ESTIMATE_ENTRIES_MAX {
            view.is_cut = true;
            break;
        }
        match event {
            WalkEvent::File(seen) => {
                view.files += 1;
                view.bytes += seen.stamp.size_bytes;
            }
            WalkEvent::Problem(found) => {
                view.unreadable_count += 1;
                if view.unreadable.len() < limits::ESTIMATE_NAMES_MAX {
                    view.unreadable.push(escape(&found.path));
                }
            }
            WalkEvent::Enter { .. } | WalkEvent::Other { .. } | WalkEvent::Leave { .. } => {}
        }
    }
    let dropped = walk.dropped();
    // The node's own folder and views of the kernel are nobody's loss.
    let by_rule = |reason: &DropReason| match reason {
        DropReason::Pattern(_) | DropReason::CacheTag | DropReason::OtherFileSystem => true,
        DropReason::KernelView | DropReason::Place => false,
    };
    let named = dropped.listed.iter().filter(|(_, reason)| by_rule(reason));
    view.excluded_count = named.clone().count() as u64 + dropped.unlisted;
    view.excluded = named
        .take(limits::ESTIMATE_NAMES_MAX)
        .map(|(path, _)| escape(path.as_bytes()))
        .collect();
    Ok(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_patterns_drop_is_named_and_not_counted() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("build/deep")).expect("made");
        std::fs::write(dir.path().join("build/deep/object"), [0; 100]).expect("written");
        std::fs::write(dir.path().join("letter"), [0; 7]).expect("written");
        std::fs::write(dir.path().join("half.tmp"), [0; 9]).expect("written");
        let none = Excludes::none();
        let all = estimate(dir.path(), &none, WalkOptions::default()).expect("walked");
        assert_eq!((all.files, all.bytes, all.excluded_count), (3, 116, 0));
        let rules = Excludes::only(&["build/", "*.tmp"]).expect("patterns");
        let some = estimate(dir.path(), &rules, WalkOptions::default()).expect("walked");
        assert_eq!((some.files, some.bytes), (1, 7));
        assert_eq!(some.excluded, ["build", "half.tmp"]);
        assert!(!some.is_cut);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().expect("a folder");
        let nothing = dir.path().join("none");
        assert!(estimate(&nothing, &Excludes::none(), WalkOptions::default()).is_err());
    }
}
