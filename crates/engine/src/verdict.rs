//! The verdict: what may be said of each folder and of everything, how bad it is, and what to do.
//!
//! Decided here and nowhere else; whoever shows it has words for each kind. Good is only what has
//! nothing against it: what is worse is said first, and everything else that is wrong beside it.

use std::cmp::Reverse;

use bitdust_model::status::Protection;
use bitdust_model::verdict::{Asks, FolderSaid, Level, Said};
use bitdust_model::{FolderId, UnixMillis};

/// From this chance on everything counts as protected, where it is measured.
const PROTECTED_FROM: f64 = 0.999;

/// What keeps a folder from being backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The last backup failed.
    Failed,
    /// It is not there.
    Away,
    /// It was taken over from another machine, and was not restored yet.
    AwaitsRestore,
}

/// What is known of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderHealth {
    /// Which it is.
    pub folder: FolderId,
    /// How well its versions are kept; nothing where there is none.
    pub protection: Protection,
    /// When the newest version was taken.
    pub last_backup: Option<UnixMillis>,
    /// Things in it that are not in that version.
    pub problems: u64,
    /// What keeps it from being backed up again.
    pub trouble: Option<Trouble>,
    /// Whether a backup of it runs that has suppliers.
    pub is_on_its_way: bool,
}

/// What is known beside the folders.
#[derive(Debug, Clone, PartialEq)]
pub struct Surroundings {
    /// Whether the list of what is stored is damaged or gone.
    pub is_damaged: bool,
    /// Whether this machine only restores.
    pub is_restore_only: bool,
    /// Whether another machine took the place of this one.
    pub is_replaced: bool,
    /// Whether suppliers keep newer versions that this machine does not know.
    pub is_behind: bool,
    /// Whether they do, and it is taking them in.
    pub is_catching_up: bool,
    /// Whether all suppliers are on this machine.
    pub is_practice: bool,
    /// Whether somebody checked that the 24 words are on paper.
    pub words_checked: bool,
    /// Files that the last test restore could not bring back.
    pub test_failed: u64,
    /// Confirmations with which everything can still be had; `None`: nothing is stored.
    pub enough: Option<u8>,
    /// Whether everything can be had from suppliers that are there now; `None`: nothing is stored.
    pub within_reach: Option<bool>,
    /// The chance that everything lasts, where it is measured.
    pub survival: Option<f64>,
    /// Whether some backup runs that waits for nobody.
    pub is_sending: bool,
    /// How many suppliers signed and how many it takes to begin, where a backup waits for that.
    pub awaited: Option<(u8, u8)>,
}

/// What is known of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Folders that were chosen.
    pub folders: Vec<FolderHealth>,
    /// What is known beside them.
    pub around: Surroundings,
}

/// One thing that is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub says: Said,
    /// How bad it is.
    pub level: Level,
    /// What a person can do about it.
    pub asks: Asks,
    /// Folders concerned, where not all are alike.
    pub folders: Vec<FolderId>,
}

/// What is said of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What is said first: nothing is worse.
    pub first: Finding,
    /// What is wrong besides, what is worse first.
    pub also: Vec<Finding>,
    /// When the newest version of the folder was taken whose newest is the oldest.
    pub oldest_backup: Option<UnixMillis>,
    /// Whether everything can be had from suppliers that are there now.
    pub within_reach: Option<bool>,
}

/// What is said of one folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderVerdict {
    /// What.
    pub says: FolderSaid,
    /// How bad it is.
    pub level: Level,
}

/// What is said of everything.
#[must_use]
pub fn verdict(health: &Health) -> Verdict {
    let mut findings = findings(health);
    // Of what is equally bad, what was looked for first.
    findings.sort_by_key(|finding| Reverse(finding.level));
    let mut findings = findings.into_iter();
    Verdict {
        first: findings.next().unwrap_or_else(|| well(&health.around)),
        also: findings.collect(),
        oldest_backup: oldest_backup(health),
        within_reach: health.around.within_reach,
    }
}

/// What is said of one folder: the worst of it.
#[must_use]
pub fn folder_verdict(folder: &FolderHealth, around: &Surroundings) -> FolderVerdict {
    let (says, level) = folder_finding(folder, around);
    FolderVerdict { says, level }
}

fn folder_finding(folder: &FolderHealth, around: &Surroundings) -> (FolderSaid, Level) {
    if around.is_damaged {
        return (FolderSaid::Unknown, Level::Bad);
    }
    if folder.awaits_restore() && folder.protection != Protection::Unknown {
        return (FolderSaid::AwaitsRestore, Level::Attention);
    }
    if around.is_replaced && folder.protection != Protection::Unknown {
        return (FolderSaid::Replaced, Level::Bad);
    }
    let few = match folder.protection {
        Protection::Unknown => return (FolderSaid::Unknown, Level::Bad),
        Protection::Nothing
        | Protection::Partly { .. }
        | Protection::Stored { .. }
        | Protection::Safe
            if around.is_behind =>
        {
            return (FolderSaid::Behind, Level::Bad);
        }
        Protection::Nothing
        | Protection::Partly { .. }
        | Protection::Stored { .. }
        | Protection::Safe
            if around.is_catching_up =>
        {
            return (FolderSaid::CatchingUp, Level::Attention);
        }
        Protection::Nothing | Protection::Partly { .. } => {
            return if folder.is_on_its_way {
                (FolderSaid::FirstBackup, around.level_of_unfinished())
            } else {
                (FolderSaid::NeverBackedUp, Level::Attention)
            };
        }
        Protection::Stored { confirmed, needed } => Some((confirmed, needed)),
        Protection::Safe => None,
    };
    match (few, folder.trouble) {
        (Some((confirmed, needed)), trouble) => match (around.lacking(confirmed), trouble) {
            (Some(enough), _) => (FolderSaid::WouldLose { confirmed, enough }, Level::Bad),
            (None, Some(trouble)) => troubled_folder(trouble),
            (None, None) => {
                let says = FolderSaid::Stored { confirmed, needed };
                (says, around.level_of_unfinished())
            }
        },
        (None, Some(trouble)) => troubled_folder(trouble),
        (None, None) if folder.problems > 0 => {
            let things = folder.problems;
            (FolderSaid::Problems { things }, Level::Attention)
        }
        (None, None) if around.is_practice => (FolderSaid::Practice, Level::Plain),
        (None, None) if around.is_lasting() => (FolderSaid::Protected, Level::Good),
        (None, None) => (FolderSaid::Safe, Level::Good),
    }
}

const fn troubled_folder(trouble: Trouble) -> (FolderSaid, Level) {
    match trouble {
        Trouble::Failed => (FolderSaid::Failed, Level::Attention),
        Trouble::Away => (FolderSaid::Away, Level::Attention),
        Trouble::AwaitsRestore => (FolderSaid::AwaitsRestore, Level::Attention),
    }
}

/// All that is wrong.
fn findings(health: &Health) -> Vec<Finding> {
    if health.around.is_damaged || has(health, Protection::Unknown) {
        return vec![Finding::of(Said::Unknown, Level::Bad)];
    }
    if health.around.is_restore_only {
        return vec![Finding::of(Said::RestoreOnly, Level::Plain)];
    }
    let around = &health.around;
    let is_known = !around.is_replaced && !around.is_behind && !around.is_catching_up;
    if health.folders.is_empty() && is_known {
        let nothing = Finding::of(Said::NothingChosen, Level::Plain);
        return vec![nothing.asking(Asks::Folder)];
    }
    let stored = stored(health);
    let found = [
        replaced(health),
        behind(health),
        catching_up(health),
        lost(health, stored),
        test_failed(health),
        missing(health),
        awaiting(health),
        too_few(health, stored),
        words(health),
        troubled(health, Trouble::Failed, Said::FolderFailed),
        troubled(health, Trouble::Away, Said::FolderAway),
        problems(health),
    ];
    found.into_iter().flatten().collect()
}

/// What is said where nothing is wrong.
fn well(around: &Surroundings) -> Finding {
    if around.is_practice {
        Finding::of(Said::Practice, Level::Plain)
    } else if around.is_lasting() {
        Finding::of(Said::Protected, Level::Good)
    } else {
        Finding::of(Said::Safe, Level::Good)
    }
}

fn has(health: &Health, protection: Protection) -> bool {
    let mut folders = health.folders.iter();
    folders.any(|folder| folder.protection == protection)
}

/// Of folders that are not safe, what holds of the one with the fewest confirmations.
fn stored(health: &Health) -> Option<(u8, u8)> {
    let stored = health.folders.iter().map(|folder| match folder.protection {
        Protection::Stored { confirmed, needed } => Some((confirmed, needed)),
        Protection::Unknown
        | Protection::Nothing
        | Protection::Partly { .. }
        | Protection::Safe => None,
    });
    stored.flatten().min()
}

fn replaced(health: &Health) -> Option<Finding> {
    let is_replaced = health.around.is_replaced;
    is_replaced.then(|| Finding::of(Said::Replaced, Level::Bad))
}

fn behind(health: &Health) -> Option<Finding> {
    let is_behind = health.around.is_behind;
    is_behind.then(|| Finding::of(Said::Behind, Level::Bad))
}

fn catching_up(health: &Health) -> Option<Finding> {
    let is_catching_up = health.around.is_catching_up;
    is_catching_up.then(|| Finding::of(Said::CatchingUp, Level::Attention))
}

fn lost(health: &Health, stored: Option<(u8, u8)>) -> Option<Finding> {
    let (confirmed, _) = stored?;
    let enough = health.around.lacking(confirmed)?;
    let lost = Finding::of(Said::WouldLose { confirmed, enough }, Level::Bad);
    Some(lost.asking(Asks::Suppliers))
}

fn test_failed(health: &Health) -> Option<Finding> {
    let files = health.around.test_failed;
    let failed = Finding::of(Said::TestFailed { files }, Level::Bad);
    (files > 0).then(|| failed.asking(Asks::Suppliers))
}

/// Folders without a backup.
fn missing(health: &Health) -> Option<Finding> {
    let around = &health.around;
    let folders = health.folders.iter();
    let without = folders.filter(|folder| !folder.has_backup() && !folder.awaits_restore());
    let folders: Vec<FolderId> = without.clone().map(|folder| folder.folder).collect();
    if folders.is_empty() {
        return None;
    }
    let mut on_their_way = without.map(|folder| folder.is_on_its_way);
    let is_all = folders.len() == health.folders.len();
    let missing = u32::try_from(folders.len()).unwrap_or(u32::MAX);
    let finding = if on_their_way.clone().all(|is_so| is_so) {
        Finding::of(missing_of(is_all, missing), around.level_of_unfinished())
    } else if let Some((have, need)) = around.awaited {
        let waits = Finding::of(Said::WaitsForPeople { have, need }, Level::Attention);
        waits.asking(Asks::People)
    } else if is_all && !on_their_way.any(|is_so| is_so) {
        Finding::of(Said::NeverBackedUp, Level::Attention)
    } else {
        Finding::of(missing_of(is_all, missing), Level::Attention)
    };
    Some(Finding { folders, ..finding })
}

const fn missing_of(is_all: bool, missing: u32) -> Said {
    if is_all {
        Said::FirstBackup
    } else {
        Said::PartlyBackedUp { missing }
    }
}

/// Folders that were taken over, and are backed up once they are here again.
fn awaiting(health: &Health) -> Option<Finding> {
    let awaiting = troubled(health, Trouble::AwaitsRestore, Said::AwaitsRestore)?;
    Some(awaiting.asking(Asks::Restore))
}

/// What is stored and not safe, as long as it is not worse than that.
fn too_few(health: &Health, stored: Option<(u8, u8)>) -> Option<Finding> {
    let (confirmed, needed) = stored?;
    let is_lost = health.around.lacking(confirmed).is_some();
    let says = Said::Stored { confirmed, needed };
    (!is_lost).then(|| Finding::of(says, health.around.level_of_unfinished()))
}

/// Words that lead to something, and that nobody checked.
fn words(health: &Health) -> Option<Finding> {
    let leads_somewhere = health.folders.iter().any(FolderHealth::has_backup);
    let is_due = leads_somewhere && !health.around.words_checked && !health.around.is_practice;
    let unchecked = Finding::of(Said::WordsUnchecked, Level::Attention);
    is_due.then(|| unchecked.asking(Asks::Words))
}

fn troubled(health: &Health, trouble: Trouble, says: Said) -> Option<Finding> {
    let troubled = health.folders.iter();
    let troubled = troubled.filter(|folder| folder.trouble == Some(trouble));
    let folders: Vec<FolderId> = troubled.map(|folder| folder.folder).collect();
    let finding = Finding::of(says, Level::Attention);
    (!folders.is_empty()).then_some(Finding { folders, ..finding })
}

fn problems(health: &Health) -> Option<Finding> {
    let with = health.folders.iter().filter(|folder| folder.problems > 0);
    let things = with.clone().map(|folder| folder.problems).sum();
    let finding = Finding::of(Said::Problems { things }, Level::Attention);
    let folders = with.map(|folder| folder.folder).collect();
    (things > 0).then_some(Finding { folders, ..finding })
}

/// The backup of the folder whose newest one is the oldest: everything is at least as fresh.
fn oldest_backup(health: &Health) -> Option<UnixMillis> {
    let backups = health
        .folders
        .iter()
        .filter_map(|folder| folder.last_backup);
    backups.min()
}

impl Finding {
    const fn of(says: Said, level: Level) -> Self {
        Self {
            says,
            level,
            asks: Asks::Nothing,
            folders: Vec::new(),
        }
    }

    fn asking(self, asks: Asks) -> Self {
        Self { asks, ..self }
    }
}

impl FolderHealth {
    fn awaits_restore(&self) -> bool {
        self.trouble == Some(Trouble::AwaitsRestore)
    }

    const fn has_backup(&self) -> bool {
        matches!(
            self.protection,
            Protection::Stored { .. } | Protection::Safe
        )
    }
}

impl Surroundings {
    /// Confirmations that it takes, where these are too few to get everything back.
    fn lacking(&self, confirmed: u8) -> Option<u8> {
        self.enough.filter(|enough| confirmed < *enough)
    }

    /// How bad it is that a backup is not done: one that waits for others may wait for days.
    fn level_of_unfinished(&self) -> Level {
        if self.is_sending {
            Level::Working
        } else {
            Level::Attention
        }
    }

    /// Whether what is safe was measured to last, for whoever holds the words.
    fn is_lasting(&self) -> bool {
        let lasts = self.survival.is_some_and(|chance| chance >= PROTECTED_FROM);
        lasts && self.words_checked && !self.is_practice
    }
}
