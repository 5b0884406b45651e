//! The verdict of the engine on what a status says: facts in, and what it says of them out.
//!
//! Nothing is decided here. Whatever a front end is told of how things stand went through this.

use bitdust_api::view::{
    FindingView, FolderState, FolderVerdictView, FolderView, JobPhase, JobTask, JobView,
    StatusView, VerdictView,
};
use bitdust_engine::{
    Finding, FolderHealth, Health, Surroundings, Trouble, folder_verdict, verdict,
};
use bitdust_model::FolderId;
use bitdust_model::status::Protection;
use bitdust_model::verdict::{Asks, FolderSaid, Level, Said};

use crate::front::sentence::sentence;

/// The scope whose suppliers are all on this machine.
const PRACTICE: &str = "loopback";

/// What is said of everything as long as nobody was asked.
pub(super) const fn unknown() -> VerdictView {
    VerdictView {
        first: FindingView {
            says: Said::Unknown,
            level: Level::Bad,
            asks: Asks::Nothing,
            folders: Vec::new(),
        },
        also: Vec::new(),
        oldest_backup: None,
        within_reach: None,
    }
}

/// What is said of a folder as long as nobody was asked.
pub(super) const fn unknown_folder() -> FolderVerdictView {
    FolderVerdictView {
        says: FolderSaid::Unknown,
        level: Level::Bad,
    }
}

/// Has everything in a status judged, folder by folder and as a whole, and says it in a sentence.
pub(crate) fn judge(view: &mut StatusView) {
    let failed = view.last_verify.as_ref();
    let of_jobs = surroundings(view.enough, &view.jobs);
    let around = Surroundings {
        is_damaged: view.protection == Protection::Unknown,
        is_restore_only: view.is_restore_only,
        is_replaced: view.is_replaced,
        is_behind: view.is_behind,
        is_catching_up: view.is_catching_up,
        is_practice: view.scope == PRACTICE,
        words_checked: view.phrase_confirmed,
        test_failed: failed.map_or(0, |test| test.result.failed),
        within_reach: view.reach.map(|reach| reach.spare.is_some()),
        survival: view.survival,
        ..of_jobs
    };
    judge_folders(&mut view.folders, &view.jobs, &around);
    let folders = view.folders.iter();
    let folders = folders
        .map(|folder| health_of(folder, &view.jobs))
        .collect();
    let told = verdict(&Health { folders, around });
    view.verdict = VerdictView {
        first: finding_view(told.first),
        also: told.also.into_iter().map(finding_view).collect(),
        oldest_backup: told.oldest_backup,
        within_reach: told.within_reach,
    };
    view.sentence = sentence(view);
}

/// Has each folder judged.
pub(super) fn judge_folders(folders: &mut [FolderView], jobs: &[JobView], around: &Surroundings) {
    for view in folders {
        let told = folder_verdict(&health_of(view, jobs), around);
        view.verdict = FolderVerdictView {
            says: told.says,
            level: told.level,
        };
    }
}

/// What is so beside the folders as far as these say it, and nothing else.
pub(super) fn surroundings(enough: Option<u8>, jobs: &[JobView]) -> Surroundings {
    let backups = jobs.iter().filter_map(|job| paths_of(job).map(|_| job));
    Surroundings {
        is_damaged: false,
        is_restore_only: false,
        is_replaced: false,
        is_behind: false,
        is_catching_up: false,
        is_practice: false,
        words_checked: false,
        test_failed: 0,
        enough,
        within_reach: None,
        survival: None,
        is_sending: backups.clone().any(|job| moves(&job.phase)),
        awaited: backups.clone().find_map(awaited_by),
    }
}

/// The folders of a backup.
fn paths_of(job: &JobView) -> Option<&[String]> {
    match &job.task {
        JobTask::Backup { folders, .. } => Some(folders),
        JobTask::Restore { .. } | JobTask::Verify { .. } | JobTask::Recovery => None,
    }
}

/// How many suppliers a job has and how many it takes to begin, where it waits for that.
const fn awaited_by(job: &JobView) -> Option<(u8, u8)> {
    if let JobPhase::WaitingForSuppliers { have, need } = job.phase {
        Some((have, need))
    } else {
        None
    }
}

/// Whether a job in this phase gets forward by itself: one that waits for others may wait for days.
const fn moves(phase: &JobPhase) -> bool {
    match phase {
        JobPhase::WaitingForSuppliers { .. }
        | JobPhase::WaitingForSpool
        | JobPhase::WaitingForDisk
        | JobPhase::WaitingForConfirmations { .. }
        | JobPhase::WaitingForPieces
        | JobPhase::Waiting => false,
        // A slow supplier holds up what is read, not what is sent.
        JobPhase::WaitingForSupplier { .. }
        | JobPhase::Reading
        | JobPhase::Sending
        | JobPhase::WritingLists
        | JobPhase::Publishing
        | JobPhase::Seeking
        | JobPhase::AskingHeads
        | JobPhase::LoadingLists
        | JobPhase::Fetching => true,
    }
}

fn health_of(view: &FolderView, jobs: &[JobView]) -> FolderHealth {
    let trouble = match view.state {
        FolderState::Quiet | FolderState::Changed { .. } | FolderState::BackingUp => None,
        FolderState::Failed { .. } => Some(Trouble::Failed),
        FolderState::Away => Some(Trouble::Away),
        FolderState::AwaitsRestore => Some(Trouble::AwaitsRestore),
    };
    let mut running = jobs.iter().filter(|job| awaited_by(job).is_none());
    let is_on_its_way =
        running.any(|job| paths_of(job).is_some_and(|paths| paths.contains(&view.path)));
    FolderHealth {
        folder: view.id.parse().expect("the node wrote it"),
        protection: view.protection,
        last_backup: view.last_backup,
        problems: view.problems,
        trouble,
        is_on_its_way,
    }
}

fn finding_view(finding: Finding) -> FindingView {
    FindingView {
        says: finding.says,
        level: finding.level,
        asks: finding.asks,
        folders: finding.folders.iter().map(FolderId::to_hex).collect(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What the window's mock says of each of its scenes, with the verdicts it gives them.
    const SCENES: &str = include_str!("../../../../ui/src/backend/scenes/told.json");

    pub(in crate::front) fn scenes() -> Vec<StatusView> {
        serde_json::from_str(SCENES).expect("statuses")
    }

    #[test]
    fn the_mock_of_the_window_says_of_its_scenes_what_the_engine_does() {
        let mut kinds = HashSet::new();
        for told in scenes() {
            let mut view = told.clone();
            view.verdict = unknown();
            for folder in &mut view.folders {
                folder.verdict = unknown_folder();
            }
            judge(&mut view);
            assert_eq!(view.verdict, told.verdict, "{view:#?}");
            assert_eq!(view.folders, told.folders);
            kinds.insert(std::mem::discriminant(&told.verdict.first.says));
        }
        assert!(kinds.len() > 10, "the scenes show most of what may be said");
    }

    #[test]
    fn a_list_that_is_damaged_takes_every_verdict_with_it() {
        for mut view in scenes() {
            view.protection = Protection::Unknown;
            judge(&mut view);
            assert_eq!(view.verdict.first.says, Said::Unknown);
            let mut folders = view.folders.iter();
            assert!(folders.all(|folder| folder.verdict == unknown_folder()));
            assert!(
                view.sentence.contains("damaged or gone"),
                "{}",
                view.sentence
            );
        }
    }
}
