//! What is said of how things stand: the kinds of verdicts, how bad each is, and what a person can do.
//!
//! The engine alone chooses among them; front ends have words for each and decide nothing.

use serde::{Deserialize, Serialize};

/// How bad it is, from the best to the worst.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing is wrong: the only one that may be green.
    Good,
    /// Nothing is wrong, and nothing is called safe.
    Plain,
    /// Not as it shall be, and a backup that runs now mends it.
    Working,
    /// Somebody has to look.
    Attention,
    /// Data may be lost.
    Bad,
}

/// What a person can do about it.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Nothing that only a person can do.
    Nothing,
    /// Check the 24 words.
    Words,
    /// Find people who keep data.
    People,
    /// Choose a folder.
    Folder,
    /// See which suppliers are missing.
    Suppliers,
    /// Bring files back.
    Restore,
}

/// What is said of everything.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Said {
    /// It cannot be known: the list of what is stored is damaged or gone.
    Unknown,
    /// This machine only restores: nothing is backed up from it.
    RestoreOnly,
    /// Another machine took the place of this one: nothing more is backed up.
    Replaced,
    /// Suppliers keep newer versions that this machine does not know: nothing more is backed up.
    Behind,
    /// They do, and this machine is taking them in: nothing is backed up before.
    CatchingUp,
    /// No folder was chosen.
    NothingChosen,
    /// Fewer suppliers prove to have it than are needed to get it back.
    WouldLose {
        /// Suppliers that hold fresh confirmations.
        confirmed: u8,
        /// Suppliers that are needed to get it back.
        enough: u8,
    },
    /// The last test restore did not bring everything back.
    TestFailed {
        /// Files that could not be had whole.
        files: u64,
    },
    /// Folders have no backup, and one waits for suppliers.
    WaitsForPeople {
        /// Signed and usable.
        have: u8,
        /// Needed to begin.
        need: u8,
    },
    /// No folder has a backup, and one runs.
    FirstBackup,
    /// No folder has a backup.
    NeverBackedUp,
    /// Some folders have no backup; the others have one.
    PartlyBackedUp {
        /// How many.
        missing: u32,
    },
    /// It can be had, and more suppliers are needed before it can be called safe.
    Stored {
        /// Suppliers that hold fresh confirmations.
        confirmed: u8,
        /// Suppliers that are needed.
        needed: u8,
    },
    /// Nobody checked that the 24 words are on paper.
    WordsUnchecked,
    /// The last backup of folders failed.
    FolderFailed,
    /// Folders are not there, for example a disk that is not plugged in.
    FolderAway,
    /// Folders of the machine before this one are not backed up before they were restored.
    AwaitsRestore,
    /// Folders were backed up but for some things in them.
    Problems {
        /// How many.
        things: u64,
    },
    /// All of it is stored, on this machine only.
    Practice,
    /// All of it is safe.
    Safe,
    /// All of it is safe, and was measured to last.
    Protected,
}

/// What is said of one folder.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FolderSaid {
    /// It cannot be known: the list of what is stored is damaged or gone.
    Unknown,
    /// Another machine took the place of this one, which backs it up no more.
    Replaced,
    /// Suppliers keep newer versions that this machine does not know.
    Behind,
    /// They do, and this machine is taking them in.
    CatchingUp,
    /// It has no backup.
    NeverBackedUp,
    /// It has no backup, and one runs.
    FirstBackup,
    /// Fewer suppliers prove to have it than are needed to get it back.
    WouldLose {
        /// Suppliers that hold fresh confirmations.
        confirmed: u8,
        /// Suppliers that are needed to get it back.
        enough: u8,
    },
    /// Its last backup failed; what was stored before stays.
    Failed,
    /// It is not there; what was stored before stays.
    Away,
    /// The machine before this one backed it up; this one does once it was restored.
    AwaitsRestore,
    /// It can be had, and more suppliers are needed before it can be called safe.
    Stored {
        /// Suppliers that hold fresh confirmations.
        confirmed: u8,
        /// Suppliers that are needed.
        needed: u8,
    },
    /// It was backed up but for some things in it.
    Problems {
        /// How many.
        things: u64,
    },
    /// It is stored, on this machine only.
    Practice,
    /// It is safe.
    Safe,
    /// It is safe, and was measured to last.
    Protected,
}
