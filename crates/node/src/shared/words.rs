//! Sentences for people: what happened, what is safe, what to do.

use bitdust_api::view::JobPhase;
use bitdust_model::ErrorCode;

/// Said behind the status.
pub(crate) const CLOCK_WRONG: &str =
    " The clock of this computer is wrong: please set its date and time.";

/// Suppliers keep what this machine does not know.
pub(crate) const BEHIND: &str = "Your suppliers have newer versions that this computer does not know: its own list \
     is older, or another computer uses the same keys. Nothing was overwritten, and nothing more is backed up. \
     Recover with your 24 words into another folder (`bitdust --home FOLDER recover`).";

/// Suppliers keep what this machine did not know, and it is taking that in.
pub(crate) const CATCHING_UP: &str = "Your suppliers have newer versions than this computer knows, as after an older \
     copy of its disk was put back. It is taking them in, for which enough suppliers must be online. Nothing was \
     overwritten, and nothing is backed up before that.";

/// A recovery closed the lane of this machine.
pub(crate) const REPLACED: &str = "Another computer took the place of this one: it was recovered with your 24 words, \
     and this one was called gone. Nothing more is backed up from here; what was stored before stays. To back up from \
     here again, recover with your 24 words into another folder (`bitdust --home FOLDER recover`).";

/// Nobody was told of this machine.
pub(crate) const RESTORE_ONLY: &str = "This computer only restores: nothing is backed up from it. `bitdust snapshots` \
     lists what can be restored. To back up from it too, run `bitdust recover` again, with your 24 words and without \
     --restore-only.";

/// Said in place of the status.
pub(crate) const CATALOGUE_DAMAGED: &str = "The list of what is stored is damaged or gone on this computer: nothing \
     is backed up, and nothing is called safe. Your suppliers still have what they had. Start BitDust again; if \
     it says so again, recover with your 24 words into another folder (`bitdust --home FOLDER recover`). This home goes on keeping what it keeps for \
     others.";

const LIST_DAMAGED: &str = "the list of what is stored is damaged or gone on this computer; your suppliers still have \
     what they had; start BitDust again; if it says so again, recover with your 24 words into another folder \
     (`bitdust --home FOLDER recover`)";

const ONLY_RESTORES: &str = "this computer only restores: nobody was told of it, so that nobody would find what it \
     backed up or kept; nothing was changed; to back up from it too, run `bitdust recover` again, with your 24 words \
     and without --restore-only";

const TAKING_IN: &str = "your suppliers have newer versions than this computer knew; it is taking them in, and nothing \
     was overwritten; back up again in a moment";

const NO_VERSION: &str = "nobody who answered keeps a version of this identity; nothing was changed; try again when \
     more of your suppliers are online";

/// Why a job failed.
pub(crate) const fn failure(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Unreachable | ErrorCode::TimedOut | ErrorCode::Interrupted => {
            "the suppliers cannot be reached; what was stored before is as safe as it was; try again when they are online"
        }
        ErrorCode::Busy => "the other side is busy; try again in a while",
        ErrorCode::QuotaExceeded => {
            "the suppliers have no room left; what was stored before is safe; hire more, or ask them for more space"
        }
        ErrorCode::NoContract => {
            "there is no contract with the supplier; accept an invitation or hire one"
        }
        ErrorCode::Expired => "it has expired; ask for a new one",
        ErrorCode::NotAuthentic => {
            "a signature or key is wrong; nothing was believed and nothing was changed"
        }
        ErrorCode::NotAllowed => "this may only be done by the owner",
        ErrorCode::Replayed => "the other side repeated an old message; it was refused",
        ErrorCode::NotFound => "it is not there",
        ErrorCode::Corrupt => "bytes came back wrong and were not used",
        ErrorCode::Malformed => "the other side sent something that makes no sense; it was refused",
        ErrorCode::Incompatible => {
            "the other side speaks another version or belongs to another network"
        }
        ErrorCode::DiskFull => {
            "the disk is full; nothing that was safe before is less safe; make room and try again"
        }
        ErrorCode::DiskFailed => "the disk failed; nothing that was safe before is less safe",
        ErrorCode::CatalogueDamaged => LIST_DAMAGED,
        ErrorCode::Stale => TAKING_IN,
        ErrorCode::Forked => {
            "your suppliers have newer versions that this computer does not know: its own list is older, or another computer uses the same keys; nothing was overwritten; recover with your 24 words into another folder (`bitdust --home FOLDER recover`)"
        }
        ErrorCode::VersionsMissing => NO_VERSION,
        ErrorCode::RestoreOnly => ONLY_RESTORES,
        ErrorCode::Fenced => {
            "another computer took the place of this one by a recovery, so that nobody takes more of it; what was stored before stays; recover with your 24 words into another folder (`bitdust --home FOLDER recover`)"
        }
        ErrorCode::TooFewSuppliers => {
            "there are not enough suppliers; accept invitations or hire some, then try again"
        }
        ErrorCode::TooFewShards => {
            "too few suppliers that hold the data can be reached; nothing was changed; try again when more are online"
        }
        ErrorCode::Unreadable => "it cannot be read",
        ErrorCode::Changed => "it changed all the time while it was read",
        ErrorCode::BadPath => "the path cannot be used",
        ErrorCode::HomeHeld => "another process holds this home",
        ErrorCode::Cancelled => "it was stopped; nothing that was safe before is less safe",
        ErrorCode::BadRequest => "the request makes no sense as given",
        ErrorCode::NotYet => "this belongs to a later release",
        ErrorCode::Internal => {
            "a defect in this program; what was stored before is safe; please report it"
        }
        ErrorCode::TooMany => {
            "there are more versions, folders or patterns than can be kept; what was stored before is as safe as it was; protect fewer folders, or leave out less"
        }
    }
}

/// Why a backup failed that had to give up what it had sealed.
pub(crate) const LOST_BEFORE_SPREAD: &str = "a supplier lost what it had confirmed, before others had it; \
     what was backed up before is unaffected; back up again: it is sent anew then";

/// How many names are told in one sentence.
const NAMES_TOLD: usize = 3;

/// That what is published is not safe yet, and who lacks something of it.
pub(crate) fn not_safe_yet(confirmed: u8, needed: u8, owed: &[String]) -> String {
    let mut text = format!(
        "Backed up, but not safe yet: {confirmed} of the {needed} suppliers it takes have confirmed lately."
    );
    if !owed.is_empty() {
        let gets = if owed.len() == 1 { "gets" } else { "get" };
        let names = listed(owed, "suppliers");
        text.push_str(&format!(" {names} {gets} the rest once online."));
    }
    text
}

/// A few names in a row, or how many there are of what.
pub(crate) fn listed(names: &[String], what: &str) -> String {
    match names {
        [] => String::new(),
        [name] => name.clone(),
        [first @ .., last] if names.len() <= NAMES_TOLD => {
            let first = first.join(", ");
            format!("{first} and {last}")
        }
        names => format!("{} {what}", names.len()),
    }
}

/// What a job does or waits for.
pub(crate) fn phase(phase: &JobPhase) -> String {
    match phase {
        JobPhase::Waiting => String::new(),
        JobPhase::WaitingForSuppliers { have, need } => {
            format!("waiting for suppliers: {have} of {need} have agreed")
        }
        JobPhase::Reading => "reading, sealing and sending".to_owned(),
        JobPhase::WaitingForSpool => {
            "paused: the space reserved for offline suppliers is full".to_owned()
        }
        JobPhase::WaitingForDisk => {
            "paused: the disk of this machine is full or fails; make room or check it".to_owned()
        }
        JobPhase::WaitingForSupplier { name } => {
            format!("waiting: {name} takes no pieces at the moment")
        }
        JobPhase::Sending => "sending the rest".to_owned(),
        JobPhase::WaitingForConfirmations {
            confirmed,
            need,
            away,
        } => {
            let whom = match away.as_slice() {
                [] => "suppliers".to_owned(),
                names if names.len() <= NAMES_TOLD => names.join(", "),
                names => format!("{} suppliers", names.len()),
            };
            format!(
                "waiting for {whom} to come online ({confirmed} of {need} that it takes have confirmed)"
            )
        }
        JobPhase::WritingLists => "storing the lists of files".to_owned(),
        JobPhase::Publishing => "giving the new version to the suppliers".to_owned(),
        JobPhase::Seeking => "looking for your suppliers".to_owned(),
        JobPhase::AskingHeads => "asking suppliers for the newest version".to_owned(),
        JobPhase::LoadingLists => "loading the lists of files".to_owned(),
        JobPhase::Fetching => "fetching and writing files".to_owned(),
        JobPhase::WaitingForPieces => "waiting for suppliers that hold what is missing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lacks_something_is_named() {
        let after = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            let text = not_safe_yet(3, 5, &names);
            let (said, rest) = text.split_once("lately.").expect("it says how many");
            assert!(said.contains("3 of the 5"), "{said}");
            rest.trim().to_owned()
        };
        assert_eq!(after(&[]), "");
        assert_eq!(after(&["bob"]), "bob gets the rest once online.");
        let three = after(&["ann", "bob", "cy"]);
        assert_eq!(three, "ann, bob and cy get the rest once online.");
        let many = after(&["a", "b", "c", "d"]);
        assert_eq!(many, "4 suppliers get the rest once online.");
    }
}
