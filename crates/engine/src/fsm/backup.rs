//! One backup: read, place, settle, seal the lists, place them, publish the head, record it.
//!
//! The order is the promise: nothing is built on a pack before enough suppliers have
//! receipted it. One backup runs at a time, and none while a head is on its way. Suppliers that
//! are away are not waited for: what is owed to them comes later. Those that are there are, until
//! the version is safe, but not for long once there are enough for it to be made.

mod state;

use bitdust_model::{ErrorCode, FolderId, Sequence, Tick};

use super::Moment;
use crate::io::VersionFact;
use crate::safety::Quorum;

pub(crate) use state::{Hired, State, phase};

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
        /// All that is published: reached where it is safe.
        published: Quorum,
        /// Until when others are waited for where there are enough.
        until: Tick,
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
    /// A person stops it, or it must not go on.
    Stop {
        /// Which: `Cancelled` is a person's word.
        code: ErrorCode,
    },
}

/// What it wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Walk the folders.
    Scan,
    /// Go on without those that were waited for.
    PassOver,
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
pub(crate) fn step(state: State, event: Event, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    match state {
        State::Queued => match event {
            Event::TurnCame => State::WaitingForSuppliers,
            Event::Stop { code } => stop(code, out),
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
            Event::Stop { code } => stop(code, out),
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
        State::Settling { .. } => in_settling(state, event, at.now, out),
        State::SealingMetadata => in_sealing_metadata(state, event, out),
        State::PlacingMetadata { sequence, .. } => {
            in_placing_metadata(state, sequence, event, at.now, out)
        }
        State::Publishing { sequence } => step_publishing(sequence, event, out),
        State::Recording { sequence } => in_recording(state, sequence, event, at),
        State::Spreading { end, .. } => in_spreading(state, end, event, at.now, out),
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
            | Event::Stop { .. } => state,
        },
    }
}

fn in_scanning(state: State, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::ScanFinished => State::Settling { until: None },
        Event::NothingChanged => {
            out.push(Action::End {
                failure: None,
                unchanged: true,
            });
            State::Done
        }
        Event::ScanFailed { code } => fail(code, out),
        Event::Stop { code } => stop(code, out),
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

fn in_settling(state: State, event: Event, now: Tick, out: &mut Vec<Action>) -> State {
    match event {
        Event::Counted {
            contents, until, ..
        } => match wait(contents, until, now, out) {
            Wait::Over => {
                out.push(Action::SealMetadata);
                State::SealingMetadata
            }
            // The next one seals it anew.
            Wait::Lost => fail(ErrorCode::TooFewShards, out),
            Wait::Until(until) => State::Settling { until },
        },
        Event::Stop { code } => stop(code, out),
        Event::TurnCame
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
        Event::MetadataSealed { sequence } => State::PlacingMetadata {
            sequence,
            until: None,
        },
        Event::MetadataFailed { code } => fail(code, out),
        Event::Stop { code } => stop(code, out),
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

/// Whether confirmations are still waited for.
enum Wait {
    Over,
    /// For nothing: what was sealed is lost.
    Lost,
    /// They are: not beyond a time, where there are enough.
    Until(Option<Tick>),
}

/// Waits for as many as are needed, and for some time for as many as make a version safe.
fn wait(quorum: Quorum, until: Tick, now: Tick, out: &mut Vec<Action>) -> Wait {
    match quorum {
        Quorum::Reached | Quorum::Enough { moving: false } => Wait::Over,
        Quorum::Enough { moving: true } if now >= until => {
            out.push(Action::PassOver);
            Wait::Over
        }
        Quorum::Enough { moving: true } => Wait::Until(Some(until)),
        Quorum::Short { .. } => Wait::Until(None),
        Quorum::Lost => Wait::Lost,
    }
}

fn in_placing_metadata(
    state: State,
    sequence: Sequence,
    event: Event,
    now: Tick,
    out: &mut Vec<Action>,
) -> State {
    match event {
        // Contents were lost since the index of them was sealed.
        Event::Counted {
            contents: Quorum::Short { moving: false, .. } | Quorum::Lost,
            ..
        } => fail(ErrorCode::TooFewShards, out),
        // Somebody who confirmed contents is proving that they are still there.
        Event::Counted {
            contents: Quorum::Short { moving: true, .. },
            ..
        } => State::PlacingMetadata {
            sequence,
            until: None,
        },
        Event::Counted {
            lists: Some(lists),
            until,
            ..
        } => match wait(lists, until, now, out) {
            Wait::Over => {
                out.push(Action::PublishHead);
                State::Publishing { sequence }
            }
            Wait::Lost => fail(ErrorCode::TooFewShards, out),
            Wait::Until(until) => State::PlacingMetadata { sequence, until },
        },
        Event::Stop { code } => stop(code, out),
        Event::Counted { lists: None, .. }
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

fn in_recording(state: State, sequence: Sequence, event: Event, at: &Moment<'_>) -> State {
    match event {
        Event::CommitRecorded { sequence: recorded } if recorded == sequence => State::Spreading {
            until: None,
            end: at.now + at.policy.request_timeout,
        },
        // Too late to stop: the suppliers have the head.
        Event::Stop { .. }
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

fn in_spreading(state: State, last: Tick, event: Event, now: Tick, out: &mut Vec<Action>) -> State {
    match event {
        Event::Counted {
            published, until, ..
        } => match wait(published, until.min(last), now, out) {
            Wait::Over | Wait::Lost => {
                end(None, out);
                State::Done
            }
            Wait::Until(until) => State::Spreading { until, end: last },
        },
        // There is nothing to stop any more.
        Event::Stop { .. } => {
            end(None, out);
            State::Done
        }
        Event::TurnCame
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

fn step_publishing(sequence: Sequence, event: Event, out: &mut Vec<Action>) -> State {
    match event {
        Event::HeadKept { sequence: kept } if kept == sequence => State::Recording { sequence },
        Event::HeadRefused { code } => fail(code, out),
        // The job ends; the head goes its way, and the next backup waits for it.
        Event::Stop { code } => stop(code, out),
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

fn stop(code: ErrorCode, out: &mut Vec<Action>) -> State {
    if code != ErrorCode::Cancelled {
        return fail(code, out);
    }
    end(Some(code), out);
    State::Cancelled
}

fn fail(code: ErrorCode, out: &mut Vec<Action>) -> State {
    end(Some(code), out);
    State::Failed { code }
}
