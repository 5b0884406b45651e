//! The contract in TypeScript: written from the types, committed, and compared here.
//!
//! `UPDATE=1 cargo test -p bitdust-api` writes the file anew; read the difference.

use std::path::Path;

use bitdust_api::call::{CallName, Conflict};
use bitdust_api::event::{JobOutcome, JobReport, Remark};
use bitdust_api::history::{Happening, HistoryLine, HistoryView};
use bitdust_api::host::{
    CreatedView, GuardChoice, HostCallName, MissedVersion, PracticeSupplierView, PracticeView,
    RecoverAs, RecoveredView,
};
use bitdust_api::view::{
    ContractView, DeviceView, EntryView, EstimateView, FileVersionView, FindingView, FolderState,
    FolderVerdictView, FolderView, FoundView, HeadView, JobPhase, JobTask, JobView, KeptView,
    LastVerifyView, ListingView, PreviewView, ReachView, Schedule, SettingView, SnapshotView,
    StatusView, SupplierView, UnprotectedView, VerdictView, VerifyView,
};
use bitdust_api::{
    Answer, ApiError, Call, Event, HostAnswer, HostCall, HostEvent, HostState, HostView, JobId,
};
use bitdust_model::status::{Problem, Progress, Protection};
use bitdust_model::verdict::{Asks, FolderSaid, Level, Said};
use bitdust_model::{ByteCount, Code, ErrorCode, Severity, UnixMillis};
use strum::IntoEnumIterator as _;
use ts_rs::{Config, TS};

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../ui/src/backend/bindings.ts"
);

const OPENING: &str = "// Written by `UPDATE=1 cargo test -p bitdust-api`; do not edit. Numbers of 64 bits stay far below 2^53.\n";

#[test]
fn the_bindings_are_what_the_types_say() {
    let wanted = bindings();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(Path::new(FILE).parent().expect("a folder")).expect("made");
        std::fs::write(FILE, &wanted).expect("written");
    }
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        committed == wanted,
        "ui/src/backend/bindings.ts is old: run `UPDATE=1 cargo test -p bitdust-api` and read the difference"
    );
}

macro_rules! declare {
    ($text:ident, $config:ident, $($type:ty),* $(,)?) => {
        $(
            if let Some(docs) = <$type as TS>::docs() {
                $text.push_str(&docs);
            }
            $text.push_str("export ");
            $text.push_str(&<$type as TS>::decl(&$config));
            $text.push_str("\n\n");
        )*
    };
}

fn bindings() -> String {
    let config = Config::new().with_large_int("number");
    let mut text = format!("{OPENING}\n");
    declare!(
        text,
        config,
        ByteCount,
        UnixMillis,
        Code,
        ErrorCode,
        Severity,
        Protection,
        Level,
        Asks,
        Said,
        FolderSaid,
        Progress,
        Problem,
        ApiError,
        JobId,
        Conflict,
        Call,
        Answer,
        JobOutcome,
        Remark,
        JobReport,
        Happening,
        HistoryLine,
        HistoryView,
        StatusView,
        VerdictView,
        FindingView,
        FolderVerdictView,
        JobView,
        JobTask,
        JobPhase,
        Schedule,
        FolderState,
        FolderView,
        UnprotectedView,
        HeadView,
        ReachView,
        SupplierView,
        ContractView,
        SnapshotView,
        KeptView,
        ListingView,
        EntryView,
        EstimateView,
        FoundView,
        FileVersionView,
        PreviewView,
        DeviceView,
        SettingView,
        VerifyView,
        LastVerifyView,
        Event,
        GuardChoice,
        HostCall,
        HostAnswer,
        CreatedView,
        MissedVersion,
        RecoverAs,
        RecoveredView,
        HostView,
        HostState,
        PracticeView,
        PracticeSupplierView,
        HostEvent,
    );
    text.push_str("/** Which answer each call has, by name. */\nexport type AnswerNames = {\n");
    for name in CallName::iter() {
        let (call, answer): (&str, &str) = (name.into(), name.answer().into());
        text.push_str(&format!("  {call}: \"{answer}\";\n"));
    }
    text.push_str("};\n\n/** Which answer each call to the host has, by name. */\nexport type HostAnswerNames = {\n");
    for name in HostCallName::iter() {
        let (call, answer): (&str, &str) = (name.into(), name.answer().into());
        text.push_str(&format!("  {call}: \"{answer}\";\n"));
    }
    text.push_str("};\n");
    text
}
