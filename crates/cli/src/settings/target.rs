//! Which version a command means, and what in it.

use std::ffi::OsStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::escape::percent_escaped;
use crate::failure::Failure;

/// A version, or a path in one, as the node takes it.
pub(super) fn check_target(target: &OsStr) -> Result<String, Failure> {
    // Names come as `ls` shows them, so a percent sign in text is left alone.
    let text = match target.to_str() {
        Some(text) => text.to_owned(),
        None => percent_escaped(target.as_encoded_bytes()),
    };
    if text.is_empty() || text.starts_with(':') {
        return Err(Failure::usage(
            "Name a version by id, by time or as `latest`; `bitdust snapshots` lists them.",
        ));
    }
    Ok(with_exact_time(&text).unwrap_or(text))
}

/// Local times as `bitdust snapshots` prints them become exact ones; a minute or a day means
/// its end, so that the version of that minute is found.
fn with_exact_time(target: &str) -> Option<String> {
    let is_plain = |time: &str| {
        time.bytes()
            .all(|byte| byte.is_ascii_digit() || b"-: T".contains(&byte))
    };
    let (time, rest) = [19, 16, 10]
        .into_iter()
        .filter_map(|length| target.split_at_checked(length))
        .find(|(time, _)| {
            is_plain(time) && time.get(4..5) == Some("-") && time.parse::<DateTime>().is_ok()
        })?;
    if !rest.is_empty() && !rest.starts_with(':') {
        // It goes on, with a zone for example, and is exact already.
        return None;
    }
    let start: DateTime = time.parse().ok()?;
    let end = match time.len() {
        10 => start
            .with()
            .hour(23)
            .minute(59)
            .second(59)
            .millisecond(999)
            .build()
            .ok()?,
        16 => start.with().second(59).millisecond(999).build().ok()?,
        _ => start.with().millisecond(999).build().ok()?,
    };
    let exact = end.to_zoned(TimeZone::system()).ok()?.timestamp();
    Some(format!("{exact}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_become_exact_and_everything_else_is_left_alone() {
        let check = |target: &str, seconds: i64, rest: &str| {
            let exact = with_exact_time(target).expect("a time");
            let local: DateTime = "2026-11-23T00:00:00".parse().expect("a time");
            let midnight = local
                .to_zoned(TimeZone::system())
                .expect("a local time")
                .timestamp();
            let expected =
                jiff::Timestamp::from_millisecond((midnight.as_second() + seconds) * 1000 + 999);
            assert_eq!(
                exact,
                format!("{}{rest}", expected.expect("a time in range")),
                "{target}"
            );
        };
        check("2026-11-23 08:15", 8 * 3600 + 15 * 60 + 59, "");
        check(
            "2026-11-23 08:15:07:docs/a",
            8 * 3600 + 15 * 60 + 7,
            ":docs/a",
        );
        check("2026-11-23T08:15:docs", 8 * 3600 + 15 * 60 + 59, ":docs");
        check("2026-11-23", 24 * 3600 - 1, "");
        check("2026-11-23:12", 24 * 3600 - 1, ":12");
        for other in [
            "latest",
            "latest:2026-11-23",
            "7f3a91c2",
            "20261123deadbeef",
            "2026-11-23T08:15:00Z:x",
            "2026-11-23T08:15+05:00",
            "2026-13-01",
        ] {
            assert_eq!(with_exact_time(other), None, "{other}");
        }
    }
}
