//! One backup: read, place, settle, seal the lists, place them, publish the head, record it.
//!
//! The order is the promise: nothing is built on a pack before enough suppliers have
//! receipted it. One backup runs at a time, and none while a head is on its way.

use bitdust_model::{ErrorCode, FolderId, Sequence};

use crate::io::{Phase, VersionFact};
use crate::safety::Quorum;

/// Where the backup stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Another backup, or a head, comes first.
    #[default]
    Queued,
    /// There is no set yet.
    WaitingForSuppliers,
    /// Folders are being read; packs are sealed and sent.
    Scanning,
    /// All is read; packs wait for confirmations.
    Settling,
    /// Index segment, manifest and head are being made.
    SealingMetadata,
    /// The commit pack waits for confirmations.
    PlacingMetadata {
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// The head is being given to the holders.
    Publishing {
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// The catalogue is being told.
    Recording {
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// Published and recorded.
    Done,
    /// It could not be done.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// A person stopped it.
    Cancelled,
}

impl State {
    /// Whether the job is over.
    pub(crate) const fn is_over(self) -> bool {
        match self {
            Self::Done | Self::Failed { .. } | Self::Cancelled => true,
            Self::Queued
            | Self::WaitingForSuppliers
            | Self::Scanning
            | Self::Settling
            | Self::SealingMetadata
            | Self::PlacingMetadata { .. }
            | Self::Publishing { .. }
            | Self::Recording { .. } => false,
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// Its turn came.
    TurnCame,
    /// There is a set.
    SetFormed,
    /// The walk is over.
    ScanFinished,
    /// It is over and found nothing to store.
    NothingChanged,
    /// The walk could not be done.
    ScanFailed {
        /// Why.
        code: ErrorCode,
    },
    /// Confirmations were counted.
    Counted {
        /// Packs of contents and trees.
        contents: Quorum,
        /// Commit packs; `None`: none was sealed yet.
        lists: Option<Quorum>,
    },
    /// Commit pack and head are sealed.
    MetadataSealed {
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// They could not be.
    MetadataFailed {
        /// Why.
        code: ErrorCode,
    },
    /// Enough suppliers keep the head.
    HeadKept {
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// Too many refuse it.
    HeadRefused {
        /// Why.
        code: ErrorCode,
    },
    /// The catalogue knows.
    CommitRecorded {
        /// The head's place in the lane.
        sequence: Sequence,
    },
    /// A person stops it.
    Cancel,
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Walk the folders.
    Scan,
    /// Make lists and head.
    SealMetadata,
    /// The commit pack is placed: give the head out.
    PublishHead,
    /// Tell people that it ended.
    End {
        /// Why not done.
        failure: Option<ErrorCode>,
        /// Whether there was nothing to do.
        unchanged: bool,
    },
}

/// The folders of which versions are made. One that would be the same as the newest is made where
/// a person asked for it. It needs no pack of its own: the same pages have the same names.
pub(crate) fn to_be_made(is_scheduled: bool, found: &[VersionFact]) -> Vec<FolderId> {
    let wanted = found
        .iter()
        .filter(|version| version.is_changed || !is_scheduled);
    wanted.map(|version| version.folder).collect()
}

/// The folders of which the walk gave no version.
pub(crate) fn unread(folders: &[FolderId], found: &[VersionFact]) -> Vec<FolderId> {
    let is_read = |folder: &FolderId| found.iter().any(|version| version.folder == *folder);
    let unread = folders.iter().filter(|folder| !is_read(folder));
    unread.copied().collect()
}

/// One step.
pub(crate) fn step(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match state {
        State::Queued => match event {
            Event::TurnCame => State::WaitingForSuppliers,
            Event::Cancel => cancel(out),
            Event::SetFormed
            | Event::ScanFinished
            | Event::NothingChanged
            | Event::ScanFailed { .. }
            | Event::Counted { .. }
            | Event::MetadataSealed { .. }
            | Event::MetadataFailed { .. }
            | Event::HeadKept { .. }
            | Event::HeadRefused { .. }
            | Event::CommitRecorded { .. } => state,
        },
        State::WaitingForSuppliers => match event {
            Event::SetFormed => {
                out.push(Action::Scan);
                State::Scanning
            }
            Event::Cancel => cancel(out),
            Event::TurnCame
            | Event::ScanFinished
            | Event::NothingChanged
            | Event::ScanFailed { .. }
            | Event::Counted { .. }
            | Event::MetadataSealed { .. }
            | Event::MetadataFailed { .. }
            | Event::HeadKept { .. }
            | Event::HeadRefused { .. }
            | Event::CommitRecorded { .. } => state,
        },
        State::Scanning => in_scanning(state, event, out),
        State::Settling => in_settling(state, event, out),
        State::SealingMetadata => in_sealing_metadata(state, event, out),
        State::PlacingMetadata { sequence } => in_placing_metadata(state, sequence, event, out),
        State::Publishing { sequence } => step_publishing(sequence, event, out),
        State::Recording { sequence } => in_recording(state, sequence, event, out),
        State::Done | State::Failed { .. } | State::Cancelled => match event {
            Event::TurnCame
            | Event::SetFormed
            | Event::ScanFinished
            | Event::NothingChanged
            | Event::ScanFailed { .. }
            | Event::Counted { .. }
            | Event::MetadataSealed { .. }
            | Event::MetadataFailed { .. }
            | Event::HeadKept { .. }
            | Event::HeadRefused { .. }
            | Event::CommitRecorded { .. }
            | Event::Cancel => state,
        },
    }
}

fn in_scanning(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::ScanFinished => State::Settling,
        Event::NothingChanged => {
            out.push(Action::End {
                failure: None,
                unchanged: true,
            });
            State::Done
        }
        Event::ScanFailed { code } => fail(code, out),
        Event::Cancel => cancel(out),
        Event::TurnCame
        | Event::SetFormed
        | Event::Counted { .. }
        | Event::MetadataSealed { .. }
        | Event::MetadataFailed { .. }
        | Event::HeadKept { .. }
        | Event::HeadRefused { .. }
        | Event::CommitRecorded { .. } => state,
    }
}

fn in_settling(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::Counted {
            contents: Quorum::Reached,
            ..
        } => {
            out.push(Action::SealMetadata);
            State::SealingMetadata
        }
        Event::Cancel => cancel(out),
        Event::Counted { .. }
        | Event::TurnCame
        | Event::SetFormed
        | Event::ScanFinished
        | Event::NothingChanged
        | Event::ScanFailed { .. }
        | Event::MetadataSealed { .. }
        | Event::MetadataFailed { .. }
        | Event::HeadKept { .. }
        | Event::HeadRefused { .. }
        | Event::CommitRecorded { .. } => state,
    }
}

fn in_sealing_metadata(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::MetadataSealed { sequence } => State::PlacingMetadata { sequence },
        Event::MetadataFailed { code } => fail(code, out),
        Event::Cancel => cancel(out),
        Event::TurnCame
        | Event::SetFormed
        | Event::ScanFinished
        | Event::NothingChanged
        | Event::ScanFailed { .. }
        | Event::Counted { .. }
        | Event::HeadKept { .. }
        | Event::HeadRefused { .. }
        | Event::CommitRecorded { .. } => state,
    }
}

fn in_placing_metadata(
    state: State,
    sequence: Sequence,
    event: Event,
    out: &mut Vec<Action>,
) -> State {
    match event {
        Event::Counted {
            lists: Some(Quorum::Reached),
            ..
        } => {
            out.push(Action::PublishHead);
            State::Publishing { sequence }
        }
        Event::Cancel => cancel(out),
        Event::Counted { .. }
        | Event::TurnCame
        | Event::SetFormed
        | Event::ScanFinished
        | Event::NothingChanged
        | Event::ScanFailed { .. }
        | Event::MetadataSealed { .. }
        | Event::MetadataFailed { .. }
        | Event::HeadKept { .. }
        | Event::HeadRefused { .. }
        | Event::CommitRecorded { .. } => state,
    }
}

fn in_recording(state: State, sequence: Sequence, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::CommitRecorded { sequence: recorded } if recorded == sequence => {
            end(None, out);
            State::Done
        }
        // Too late to stop: the suppliers have the head.
        Event::Cancel
        | Event::CommitRecorded { .. }
        | Event::TurnCame
        | Event::SetFormed
        | Event::ScanFinished
        | Event::NothingChanged
        | Event::ScanFailed { .. }
        | Event::Counted { .. }
        | Event::MetadataSealed { .. }
        | Event::MetadataFailed { .. }
        | Event::HeadKept { .. }
        | Event::HeadRefused { .. } => state,
    }
}

fn step_publishing(sequence: Sequence, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::HeadKept { sequence: kept } if kept == sequence => State::Recording { sequence },
        Event::HeadRefused { code } => fail(code, out),
        // The job ends; the head goes its way, and the next backup waits for it.
        Event::Cancel => cancel(out),
        Event::HeadKept { .. }
        | Event::TurnCame
        | Event::SetFormed
        | Event::ScanFinished
        | Event::NothingChanged
        | Event::ScanFailed { .. }
        | Event::Counted { .. }
        | Event::MetadataSealed { .. }
        | Event::MetadataFailed { .. }
        | Event::CommitRecorded { .. } => State::Publishing { sequence },
    }
}

fn end(failure: Option<ErrorCode>, out: &mut Vec<Action>) {
    out.push(Action::End {
        failure,
        unchanged: false,
    });
}

fn cancel(out: &mut Vec<Action>) -> State {
    end(Some(ErrorCode::Cancelled), out);
    State::Cancelled
}

fn fail(code: ErrorCode, out: &mut Vec<Action>) -> State {
    end(Some(code), out);
    State::Failed { code }
}

/// Suppliers that have signed, and those that a set needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hired {
    /// Signed.
    pub(crate) have: u8,
    /// Needed.
    pub(crate) need: u8,
}

/// What people are told in a state.
pub(crate) fn phase(
    state: State,
    contents: Quorum,
    hired: Hired,
    refused: Option<ErrorCode>,
) -> Option<Phase> {
    match state {
        State::Queued => Some(Phase::Publishing),
        State::WaitingForSuppliers => Some(Phase::WaitingForSuppliers {
            have: hired.have,
            need: hired.need,
        }),
        State::Scanning => Some(match refused {
            Some(code) => Phase::WaitingForSpool { code },
            None => Phase::Reading,
        }),
        State::Settling => Some(match contents {
            Quorum::Reached | Quorum::Short { moving: true, .. } => Phase::Sending,
            Quorum::Short {
                confirmed,
                need,
                moving: false,
            } => Phase::WaitingForConfirmations { confirmed, need },
        }),
        State::SealingMetadata | State::PlacingMetadata { .. } => Some(Phase::WritingLists),
        State::Publishing { .. } | State::Recording { .. } => Some(Phase::Publishing),
        State::Done | State::Failed { .. } | State::Cancelled => None,
    }
}
