//! The verdict in sentences for people: words for each kind, and no decision.

use bitdust_api::view::{FindingView, JobTask, StatusView};
use bitdust_model::verdict::Said;

use crate::shared::words::{self, listed};

/// What is said first, then what is wrong besides.
pub(super) fn sentence(view: &StatusView) -> String {
    let mut text = of_finding(&view.verdict.first, view);
    for finding in &view.verdict.also {
        text.push(' ');
        text.push_str(&of_finding(finding, view));
    }
    if view.scope == "loopback" {
        text.push_str(" (practice)");
    }
    if view.is_clock_wrong {
        text.push_str(words::CLOCK_WRONG);
    }
    text
}

fn of_finding(finding: &FindingView, view: &StatusView) -> String {
    let names = || named(finding, view);
    let is_plural = finding.folders.len() > 1;
    let is = if is_plural { "are" } else { "is" };
    match finding.says {
        Said::Unknown => words::CATALOGUE_DAMAGED.to_owned(),
        Said::RestoreOnly => words::RESTORE_ONLY.to_owned(),
        Said::Replaced => words::REPLACED.to_owned(),
        Said::Behind => words::BEHIND.to_owned(),
        Said::CatchingUp => words::CATCHING_UP.to_owned(),
        Said::NothingChosen => "Nothing is protected yet: add a folder.".to_owned(),
        Said::WouldLose { confirmed, enough } => lost(confirmed, enough),
        Said::TestFailed { files } => {
            let files = counted(files, "file", "files");
            format!(
                "In the last test restore {files} did not come back. What is on this computer is untouched: see who is missing, then test again."
            )
        }
        Said::WaitsForPeople { have, need } => waits(view.peers, !view.suppliers.is_empty(), have, need),
        Said::FirstBackup => {
            "The first backup is under way: nothing is safe before it is done.".to_owned()
        }
        Said::NeverBackedUp => "Nothing is stored yet: run a backup.".to_owned(),
        Said::PartlyBackedUp { missing } => {
            let count = view.folders.len();
            let is = if missing == 1 { "is" } else { "are" };
            let mut jobs = view.jobs.iter();
            let is_running = jobs.any(|job| matches!(job.task, JobTask::Backup { .. }));
            let goes_on = if is_running {
                "it is under way"
            } else {
                "run a backup"
            };
            format!("{missing} of {count} folders {is} not backed up yet: {goes_on}.")
        }
        Said::Stored { confirmed, needed } => words::not_safe_yet(confirmed, needed, &owed(view)),
        Said::WordsUnchecked => {
            "Your 24 words are not confirmed yet: without them nobody can restore on another computer. Once they are on paper: `bitdust set phrase_confirmed true`."
                .to_owned()
        }
        Said::FolderFailed => format!(
            "{} cannot be backed up now and {is} tried again. Finished versions stay stored.",
            names()
        ),
        Said::FolderAway => format!(
            "{} {is} not there now. Finished versions stay stored.",
            names()
        ),
        Said::AwaitsRestore => awaiting(&names(), is_plural),
        Said::Problems { things } => {
            let things = counted(things, "thing", "things");
            format!("Stored, except for {things} that could not be backed up.")
        }
        Said::Practice => stored("stored with practice suppliers", view),
        Said::Safe => stored("stored safely with your suppliers", view),
        Said::Protected => stored("protected", view),
    }
}

fn awaiting(names: &str, is_plural: bool) -> String {
    let (wait, they_are) = if is_plural {
        ("wait", "They are")
    } else {
        ("waits", "It is")
    };
    format!(
        "{names} {wait} to be restored. {they_are} backed up from this computer from then on, or once you ask for a backup by name (`bitdust backup FOLDER`)."
    )
}

fn lost(confirmed: u8, enough: u8) -> String {
    let confirmed = match confirmed {
        0 => "no supplier has".to_owned(),
        1 => "only 1 supplier has".to_owned(),
        many => format!("only {many} suppliers have"),
    };
    let are = if enough == 1 { "is" } else { "are" };
    format!(
        "Your data could be lost: {confirmed} confirmed it lately, and {enough} {are} needed to restore. What is on this computer is the only sure copy now: see who is missing."
    )
}

/// Nobody is asked as long as nobody is connected, which is said then.
fn waits(peers: u32, is_anybody_known: bool, have: u8, need: u8) -> String {
    match (peers, is_anybody_known) {
        (0, false) => "Not backed up yet: you are not connected to anyone. Invite a friend (`bitdust invite`), accept an invitation (`bitdust accept`), or use a second computer of yours.".to_owned(),
        (0, true) => "Not backed up yet: you are not connected to anyone now. Check the internet connection of this computer.".to_owned(),
        (_, _) => format!(
            "Waiting for suppliers: {have} of {need} have signed. The backup begins once there are enough."
        ),
    }
}

fn stored(how: &str, view: &StatusView) -> String {
    match view.folders.len() {
        1 => format!("Your folder is {how}."),
        count => format!("All {count} folders are {how}."),
    }
}

/// The paths of the folders concerned.
fn named(finding: &FindingView, view: &StatusView) -> String {
    let of_id = |id: &String| view.folders.iter().find(move |folder| folder.id == *id);
    let folders = finding.folders.iter().filter_map(of_id);
    let paths: Vec<String> = folders.map(|folder| folder.path.clone()).collect();
    listed(&paths, "folders")
}

/// Names of suppliers who do not have all of it yet.
fn owed(view: &StatusView) -> Vec<String> {
    let owed = view.suppliers.iter().filter(|supplier| supplier.is_owed);
    owed.map(|supplier| supplier.name.clone()).collect()
}

fn counted(number: u64, one: &str, many: &str) -> String {
    let what = if number == 1 { one } else { many };
    format!("{number} {what}")
}

#[cfg(test)]
mod tests {
    use bitdust_api::view::JobView;
    use bitdust_model::verdict::{Asks, Level};

    use super::*;
    use crate::front::verdict::tests::scenes;

    /// A status of three folders, of which nothing is said yet, with somebody connected.
    fn status() -> StatusView {
        let mut all = scenes().into_iter();
        let is_fit = |view: &StatusView| view.scope == "internet" && view.folders.len() == 3;
        let mut view = all.find(is_fit).expect("a scene with three folders");
        view.peers = 1;
        view
    }

    fn finding(says: Said, level: Level, folders: &[String]) -> FindingView {
        FindingView {
            says,
            level,
            asks: Asks::Nothing,
            folders: folders.to_vec(),
        }
    }

    fn told(says: Said, level: Level, folders: usize) -> String {
        let mut view = status();
        let ids: Vec<String> = view
            .folders
            .iter()
            .map(|folder| folder.id.clone())
            .collect();
        view.verdict.first = finding(says, level, &ids[..folders]);
        view.verdict.also = Vec::new();
        sentence(&view)
    }

    #[track_caller]
    fn check(says: Said, folders: usize, wanted: &str) {
        assert_eq!(told(says, Level::Attention, folders), wanted);
    }

    #[test]
    fn each_kind_has_a_sentence() {
        let (confirmed, enough, needed) = (1, 2, 5);
        assert!(told(Said::Unknown, Level::Bad, 0).contains("damaged or gone"));
        assert!(told(Said::RestoreOnly, Level::Plain, 0).contains("only restores"));
        assert!(told(Said::Replaced, Level::Bad, 0).contains("took the place of this one"));
        assert!(told(Said::Behind, Level::Bad, 0).contains("newer versions that this computer"));
        assert!(told(Said::CatchingUp, Level::Attention, 0).contains("is taking them in"));
        check(
            Said::NothingChosen,
            0,
            "Nothing is protected yet: add a folder.",
        );
        check(
            Said::WouldLose { confirmed, enough },
            0,
            "Your data could be lost: only 1 supplier has confirmed it lately, and 2 are needed to restore. What is on this computer is the only sure copy now: see who is missing.",
        );
        check(
            Said::TestFailed { files: 2 },
            0,
            "In the last test restore 2 files did not come back. What is on this computer is untouched: see who is missing, then test again.",
        );
        check(
            Said::WaitsForPeople { have: 1, need: 4 },
            1,
            "Waiting for suppliers: 1 of 4 have signed. The backup begins once there are enough.",
        );
        check(
            Said::FirstBackup,
            3,
            "The first backup is under way: nothing is safe before it is done.",
        );
        check(
            Said::NeverBackedUp,
            3,
            "Nothing is stored yet: run a backup.",
        );
        check(
            Said::Stored { confirmed, needed },
            0,
            "Backed up, but not safe yet: 1 of the 5 suppliers it takes have confirmed lately.",
        );
        check(
            Said::WordsUnchecked,
            0,
            "Your 24 words are not confirmed yet: without them nobody can restore on another computer. Once they are on paper: `bitdust set phrase_confirmed true`.",
        );
        check(
            Said::FolderFailed,
            1,
            "/home/alice/Pictures cannot be backed up now and is tried again. Finished versions stay stored.",
        );
        check(
            Said::FolderAway,
            2,
            "/home/alice/Pictures and /home/alice/Documents are not there now. Finished versions stay stored.",
        );
        check(
            Said::AwaitsRestore,
            1,
            "/home/alice/Pictures waits to be restored. It is backed up from this computer from then on, or once you ask for a backup by name (`bitdust backup FOLDER`).",
        );
        check(
            Said::Problems { things: 1 },
            1,
            "Stored, except for 1 thing that could not be backed up.",
        );
        check(
            Said::Practice,
            0,
            "All 3 folders are stored with practice suppliers.",
        );
        check(
            Said::Safe,
            0,
            "All 3 folders are stored safely with your suppliers.",
        );
        check(Said::Protected, 0, "All 3 folders are protected.");
    }

    #[test]
    fn who_is_connected_to_nobody_is_told_so_and_waits_for_no_signature() {
        assert_eq!(
            waits(0, false, 0, 4),
            "Not backed up yet: you are not connected to anyone. Invite a friend (`bitdust invite`), accept an invitation (`bitdust accept`), or use a second computer of yours."
        );
        assert_eq!(
            waits(0, true, 0, 4),
            "Not backed up yet: you are not connected to anyone now. Check the internet connection of this computer."
        );
        for is_known in [false, true] {
            assert!(waits(1, is_known, 0, 4).starts_with("Waiting for suppliers: 0 of 4"));
        }
    }

    #[test]
    fn folders_without_a_backup_are_counted() {
        let partly = |missing, jobs| {
            let mut view = status();
            view.jobs = jobs;
            view.verdict.first = finding(Said::PartlyBackedUp { missing }, Level::Attention, &[]);
            view.verdict.also = Vec::new();
            sentence(&view)
        };
        assert_eq!(
            partly(1, Vec::new()),
            "1 of 3 folders is not backed up yet: run a backup."
        );
        let is_backup = |job: &JobView| matches!(job.task, JobTask::Backup { .. });
        let mut scenes = scenes().into_iter();
        let running = scenes.find(|view| view.jobs.iter().any(is_backup));
        assert_eq!(
            partly(2, running.expect("a scene with a backup").jobs),
            "2 of 3 folders are not backed up yet: it is under way."
        );
    }

    #[test]
    fn what_is_wrong_besides_follows() {
        let mut view = status();
        let id = view.folders[1].id.clone();
        view.verdict.first = finding(Said::FolderAway, Level::Attention, &[id]);
        view.verdict.also = vec![finding(Said::Problems { things: 3 }, Level::Attention, &[])];
        view.scope = "loopback".to_owned();
        view.is_clock_wrong = true;
        let wanted = format!(
            "/home/alice/Documents is not there now. Finished versions stay stored. Stored, except for 3 things that could not be backed up. (practice){}",
            words::CLOCK_WRONG
        );
        assert_eq!(sentence(&view), wanted);
    }
}
