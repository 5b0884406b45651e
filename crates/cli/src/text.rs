//! Small pieces of sentences: counts, times, durations, names of people and machines.

use std::time::Duration;

use bitdust_model::verdict::{FolderSaid, Level};
use bitdust_model::{Code, UnixMillis};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::escape::escaped;

/// `1 file`, `3 files`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// The local time of a moment, to the minute.
pub(crate) fn minute(moment: UnixMillis) -> String {
    i64::try_from(moment.0)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .map_or_else(|| "unknown time".to_owned(), local_minute)
}

/// The local time of a file's modification, to the minute.
pub(crate) fn minute_of_seconds(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| "unknown time    ".to_owned(), local_minute)
}

fn local_minute(moment: Timestamp) -> String {
    moment
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// `7f3a 91c2`: the first digits of a full id, as people compare them.
pub(crate) fn fingerprint(id: &str) -> String {
    match (id.get(..4), id.get(4..8)) {
        (Some(first), Some(second)) => escaped(&format!("{first} {second}")),
        _ => escaped(id),
    }
}

/// A duration that is over: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`.
pub(crate) fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A duration to come, no finer than it can be known.
pub(crate) fn remaining(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=5 => "a few seconds left".to_owned(),
        6..60 => format!("about {} s left", seconds.div_ceil(5) * 5),
        60..3600 => format!("about {} min left", seconds.div_ceil(60)),
        3600..172_800 => format!(
            "about {} h {} min left",
            seconds / 3600,
            seconds % 3600 / 60
        ),
        _ => format!("about {} days left", seconds / 86_400),
    }
}

/// How bad it is, in words.
pub(crate) const fn level(level: Level) -> &'static str {
    match level {
        Level::Good => "good",
        Level::Plain => "nothing is wrong, and nothing is called safe",
        Level::Working => "not yet good, and under way",
        Level::Attention => "needs attention",
        Level::Bad => "bad",
    }
}

/// What is said of a folder.
pub(crate) fn folder_said(said: FolderSaid) -> String {
    match said {
        FolderSaid::Unknown => {
            "not known: the list of what is stored is damaged or gone".to_owned()
        }
        FolderSaid::Replaced => {
            "backed up no more: another computer took the place of this one".to_owned()
        }
        FolderSaid::Behind => {
            "your suppliers have newer versions that this computer does not know".to_owned()
        }
        FolderSaid::CatchingUp => {
            "your suppliers have newer versions, which this computer is taking in".to_owned()
        }
        FolderSaid::NeverBackedUp => "not backed up yet".to_owned(),
        FolderSaid::FirstBackup => "not backed up yet, the first backup is under way".to_owned(),
        FolderSaid::WouldLose { confirmed, enough } => {
            format!("could be lost ({confirmed} confirmed, {enough} needed to restore)")
        }
        FolderSaid::Failed => "cannot be backed up now, tried again".to_owned(),
        FolderSaid::Away => "not there now".to_owned(),
        FolderSaid::AwaitsRestore => {
            "waits to be restored, and is backed up from then on".to_owned()
        }
        FolderSaid::Stored { confirmed, needed } => {
            format!("stored, more suppliers needed ({confirmed} of {needed} confirmed)")
        }
        FolderSaid::Problems { things } => {
            let things = count(things, "thing", "things");
            format!("stored, except for {things} that could not be backed up")
        }
        FolderSaid::Practice => "stored for practice".to_owned(),
        FolderSaid::Safe => "safe".to_owned(),
        FolderSaid::Protected => "protected".to_owned(),
    }
}

/// What a code means to a person.
pub(crate) fn code(code: Code) -> String {
    match (code.k(), code.n()) {
        (1, 1) => "one supplier keeps everything".to_owned(),
        (1, n) => format!("any one of {n} suppliers gives everything back"),
        (k, n) => format!("any {k} of {n} suppliers give everything back"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_no_finer_than_they_are_known() {
        let check = |seconds: u64, past: &str, future: &str| {
            assert_eq!(elapsed(Duration::from_secs(seconds)), past);
            assert_eq!(remaining(Duration::from_secs(seconds)), future);
        };
        check(0, "0.0 s", "a few seconds left");
        check(12, "12 s", "about 15 s left");
        check(185, "3 min 5 s", "about 4 min left");
        check(7_800, "2 h 10 min", "about 2 h 10 min left");
        check(400_000, "111 h 6 min", "about 4 days left");
    }

    #[test]
    fn what_is_said_of_a_folder_fits_on_its_line() {
        let (confirmed, enough, needed) = (1, 2, 5);
        let said = [
            FolderSaid::Unknown,
            FolderSaid::Replaced,
            FolderSaid::Behind,
            FolderSaid::CatchingUp,
            FolderSaid::NeverBackedUp,
            FolderSaid::FirstBackup,
            FolderSaid::WouldLose { confirmed, enough },
            FolderSaid::Failed,
            FolderSaid::Away,
            FolderSaid::AwaitsRestore,
            FolderSaid::Stored { confirmed, needed },
            FolderSaid::Problems { things: 1 },
            FolderSaid::Practice,
            FolderSaid::Safe,
            FolderSaid::Protected,
        ];
        insta::assert_snapshot!(said.map(folder_said).join("\n"));
    }

    #[test]
    fn ids_are_shown_as_people_compare_them() {
        assert_eq!(fingerprint("7f3a91c2deadbeef"), "7f3a 91c2");
        assert_eq!(fingerprint("x\u{1b}"), "x\\u{1b}");
    }

    #[test]
    fn odd_times_are_no_reason_to_panic() {
        assert_eq!(minute(UnixMillis(u64::MAX)), "unknown time");
        assert_eq!(minute_of_seconds(i64::MIN).trim(), "unknown time");
        assert_eq!(
            minute(UnixMillis(1_700_000_000_000)).len(),
            "2023-11-14 22:13".len()
        );
    }

    #[test]
    fn codes_are_told_without_words_of_the_workshop() {
        let check =
            |k: u8, n: u8, text: &str| assert_eq!(code(Code::new(k, n).expect("a code")), text);
        check(1, 1, "one supplier keeps everything");
        check(1, 3, "any one of 3 suppliers gives everything back");
        check(2, 6, "any 2 of 6 suppliers give everything back");
    }
}
