//! A backup, from the folder that changed to the head that is published.

use std::collections::BTreeSet;

use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, ErrorCode, Policy, Schedule, Tick};

use super::{FIRST, ONE, SECOND, TWO, check_page, moments, walk};
use crate::fsm::{backup, disk, folder_watch, head, pack, schedule, transfer};

#[test]
fn folder_watch_is_drawn() {
    use folder_watch::Event;
    let policy = Policy::default();
    let events = [
        Event::Begin,
        Event::End,
        Event::Watched,
        Event::Unwatchable,
        Event::Changed,
        Event::Gone,
        Event::Wake,
    ];
    let walk = walk(
        &[folder_watch::State::default()],
        &events,
        &moments(&policy),
        |state, event, at, out| folder_watch::step(state, event, at, out),
    );
    let intro = "One folder: being told of changes, and waiting until it has been still.";
    check_page("folder-watch", "Folder watch", intro, &walk);
}

#[test]
fn schedule_is_drawn() {
    use schedule::Event;
    let policy = Policy::default();
    let events = [
        Event::Scheduled {
            backed_up_ago_ms: None,
        },
        Event::Scheduled {
            backed_up_ago_ms: Some(1_000),
        },
        Event::ChangeSeen,
        Event::TurnCame,
        Event::Began,
        Event::Ended,
        Event::Failed {
            code: ErrorCode::Unreadable,
        },
        Event::Failed {
            code: ErrorCode::Cancelled,
        },
        Event::Resumed,
        Event::Wake,
    ];
    let situations: Vec<_> = [
        Schedule::Manual,
        Schedule::OnChange,
        Schedule::Every { minutes: 60 },
    ]
    .into_iter()
    .flat_map(|rule| moments(&policy).map(|at| (at, rule)))
    .collect();
    let walk = walk(
        &[schedule::State::default()],
        &events,
        &situations,
        |state, event, (at, rule), out| schedule::step(state, event, at, *rule, out),
    );
    let intro = "One folder: when it is backed up without being asked.";
    check_page("schedule", "Schedule", intro, &walk);
}

#[test]
fn disk_is_drawn() {
    use disk::Event;
    let policy = Policy::default();
    let events = [
        Event::NoSpace,
        Event::NoneWaits,
        Event::SomeWait,
        Event::Wake,
    ];
    let walk = walk(
        &[disk::State::default()],
        &events,
        &moments(&policy),
        |state, event, at, out| disk::step(state, event, at.now, out),
    );
    let intro = "The own disk: when writes that found no room on it are tried again.";
    check_page("disk", "Disk", intro, &walk);
}

#[test]
fn pack_is_drawn() {
    use pack::{Confirmations, Event, State};
    let code = Code::new(2, 4).expect("a code");
    let changed = |confirmed: u8, kept: bool| Event::ConfirmationsChanged {
        confirmations: Confirmations {
            confirmed,
            kept,
            complete: confirmed == 4,
            resting: kept && confirmed == 3,
        },
    };
    let events = [
        changed(0, false),
        changed(1, true),
        changed(3, false),
        changed(3, true),
        changed(4, true),
        Event::Recorded,
        Event::NotRecorded,
        Event::Wake,
    ];
    let policy = Policy::default();
    let walk = walk(
        &[State::Placing { held: true }],
        &events,
        &moments(&policy),
        |state, event, at, out| pack::step(state, event, at, PackKind::Data, code, out),
    );
    let intro = "One pack: when its chunks count as known, and when its memory is free.";
    check_page("pack", "Pack", intro, &walk);
}

#[test]
fn transfer_is_drawn() {
    use transfer::{Event, State};
    let policy = Policy::default();
    let events = [
        Event::Begin,
        Event::SupplierReady,
        Event::SupplierGone,
        Event::Stored,
        Event::SendFailed {
            code: ErrorCode::Interrupted,
        },
        Event::SendFailed {
            code: ErrorCode::QuotaExceeded,
        },
        Event::Spooled,
        Event::SpoolFailed {
            code: ErrorCode::DiskFull,
        },
        Event::Loaded,
        Event::Remade,
        Event::Lost,
        Event::Withdrawn,
        Event::Committed,
        Event::Wake,
    ];
    // A pack of an earlier run begins with what the catalogue and the spool have of it.
    let firsts = [State::Queued, State::Spooled, State::Confirmed, State::Owed];
    let ways = [(false, false), (false, true), (true, false), (true, true)];
    let ways = ways.map(|(is_ready, is_committed)| transfer::Way {
        is_ready,
        is_committed,
    });
    let situations: Vec<_> = moments(&policy)
        .into_iter()
        .flat_map(|at| ways.map(|way| (at, way)))
        .collect();
    let walk = walk(
        &firsts,
        &events,
        &situations,
        |state, event, (at, way), out| transfer::step(state, event, at, *way, out),
    );
    let intro = "One shard on its way to one supplier.";
    check_page("transfer", "Transfer", intro, &walk);
}

#[test]
fn head_is_drawn() {
    use head::{Event, Holders};
    let policy = Policy::default();
    let trusted = BTreeSet::from([ONE, TWO]);
    let online = BTreeSet::from([ONE]);
    let nobody = BTreeSet::new();
    let alone = Holders {
        trusted: &trusted,
        open: &trusted,
        is_behind: false,
        online: &nobody,
        connected: &nobody,
        passed_over: &nobody,
        code: Code::new(1, 2).expect("a code"),
        active: 2,
    };
    let one = Holders {
        online: &online,
        connected: &online,
        ..alone
    };
    let both = Holders {
        online: &trusted,
        connected: &trusted,
        ..alone
    };
    let situations: Vec<_> = moments(&policy)
        .into_iter()
        .flat_map(|at| [(at, one), (at, both), (at, alone)])
        .collect();
    let declined = |code| Event::Declined {
        device: ONE,
        sequence: FIRST,
        code,
    };
    let events = [
        Event::Known { sequence: FIRST },
        Event::Signed { sequence: FIRST },
        Event::PackPlaced,
        Event::PackLost,
        Event::HolderOnline { device: ONE },
        Event::ListsKept { device: ONE },
        Event::HoldersChanged,
        Event::HolderEmptied { device: ONE },
        Event::Kept {
            device: ONE,
            sequence: FIRST,
        },
        Event::Kept {
            device: TWO,
            sequence: FIRST,
        },
        declined(ErrorCode::Interrupted),
        declined(ErrorCode::Stale),
        Event::Recorded { sequence: FIRST },
        Event::NotRecorded { sequence: FIRST },
        Event::CaughtUp { sequence: FIRST },
        Event::Wake,
    ];
    let first = head::State::default();
    let walk = walk(
        &[first],
        &events,
        &situations,
        |state, event, (at, holders), out| head::step(state, event, at, holders, out),
    );
    let intro = "The newest head of the own lane: from draft to published, then to every holder.";
    check_page("head", "Head", intro, &walk);
}

#[test]
fn backup_is_drawn() {
    use crate::safety::Quorum;
    use backup::Event;
    let short = Quorum::Short {
        confirmed: 1,
        need: 2,
        moving: false,
    };
    let policy = Policy::default();
    let until = Tick(0) + policy.straggler_wait;
    let counted = |contents, lists| Event::Counted {
        contents,
        lists,
        published: contents,
        until,
    };
    let enough = |moving| Quorum::Enough { moving };
    let events = [
        Event::TurnCame,
        Event::SetFormed,
        Event::ScanFinished,
        Event::NothingChanged,
        Event::ScanFailed {
            code: ErrorCode::Unreadable,
        },
        counted(short, None),
        counted(enough(true), None),
        counted(enough(false), None),
        counted(Quorum::Lost, None),
        counted(Quorum::Reached, None),
        counted(Quorum::Reached, Some(Quorum::Lost)),
        counted(Quorum::Reached, Some(short)),
        counted(Quorum::Reached, Some(enough(true))),
        counted(Quorum::Reached, Some(Quorum::Reached)),
        Event::MetadataSealed { sequence: FIRST },
        Event::MetadataFailed {
            code: ErrorCode::DiskFailed,
        },
        Event::HeadKept { sequence: FIRST },
        Event::HeadKept { sequence: SECOND },
        Event::HeadRefused {
            code: ErrorCode::Stale,
        },
        Event::CommitRecorded { sequence: FIRST },
        Event::Stop {
            code: ErrorCode::Cancelled,
        },
        Event::Stop {
            code: ErrorCode::CatalogueDamaged,
        },
    ];
    let first = backup::State::default();
    let walk = walk(
        &[first],
        &events,
        &moments(&policy),
        |state, event, at, out| backup::step(state, event, at, out),
    );
    let intro = "One backup: read, place, settle, seal the lists, place them, publish, record.";
    check_page("backup", "Backup", intro, &walk);
}
