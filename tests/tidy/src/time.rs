//! Where durations are written down: what peers live by in `Policy`, the rest in `intervals`.
//! A number that is a time by its name is a duration too.

use crate::tree::RustFile;

/// Files that name durations.
const HOMES: [&str; 2] = [
    "crates/model/src/policy.rs",
    "crates/model/src/intervals.rs",
];
/// A world in virtual time has an hour of its own.
const FREE: &str = "crates/sim/";
/// What makes a duration of a number.
const MAKERS: [&str; 2] = ["Duration::from_", "Duration::new"];

/// Files with constants whose names say that they are times, each with the reason.
const NAMED: [(&str, &str); 3] = [
    (
        "crates/cli/src/demo/acts.rs",
        "a setting of the demo's homes, as text",
    ),
    (
        "crates/model/src/limits.rs",
        "limits that FORMAT.md states; `intervals` makes durations of them",
    ),
    (
        "crates/model/src/schedule.rs",
        "what a person may choose, in the unit of the setting",
    ),
];
/// How such names end.
const UNITS: [&str; 9] = [
    "_NANOS", "_MICROS", "_MS", "_MILLIS", "_SECS", "_SECONDS", "_MINUTES", "_HOURS", "_DAYS",
];

/// Durations that are written as numbers elsewhere.
#[must_use]
pub fn written_elsewhere(files: &[RustFile]) -> Vec<String> {
    let mut offences = Vec::new();
    let mut idle: Vec<&str> = NAMED.iter().map(|(file, _)| *file).collect();
    for rust in files.iter().filter(|rust| !rust.is_test) {
        let path = &rust.file.path;
        if rust.file.text.lines().any(names_a_time) {
            idle.retain(|file| file != path);
        }
        if HOMES.contains(&path.as_str()) || path.starts_with(FREE) {
            continue;
        }
        for (line, text) in (1..).zip(rust.file.text.lines()) {
            let is_test = rust
                .code
                .test_lines
                .iter()
                .any(|lines| lines.contains(&line));
            let is_named = names_a_time(text) && !NAMED.iter().any(|(file, _)| file == path);
            if !is_test && (is_named || makes_of_a_number(text)) {
                offences.push(format!("{path}:{line} writes a duration: {}", text.trim()));
            }
        }
    }
    // A twin is one file; the tree has all of them.
    if files.len() > 1 {
        let reason = "is listed and has no such constant";
        offences.extend(idle.iter().map(|file| format!("{file} {reason}")));
    }
    offences
}

fn names_a_time(line: &str) -> bool {
    let declared = ["const ", "static "].iter();
    let mut rests = declared.filter_map(|word| line.split_once(word));
    rests.any(|(_, rest)| {
        let name = rest.split_once(':').map_or("", |(name, _)| name);
        UNITS.iter().any(|unit| name.ends_with(unit))
    })
}

fn makes_of_a_number(line: &str) -> bool {
    let mut calls = MAKERS.iter().flat_map(|maker| line.split(maker).skip(1));
    calls.any(|rest| {
        let argument = rest.split_once('(').map_or("", |(_, argument)| argument);
        argument.starts_with(|first: char| first.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;
    use crate::tree::File;
    use crate::{assert_clean, tree};

    #[test]
    fn durations_are_written_in_one_place() {
        assert_clean("durations", &written_elsewhere(&tree::real_rust()));
    }

    #[test]
    fn a_duration_elsewhere_is_caught() {
        let count = |path: &str, text: &str| {
            let rust = RustFile {
                file: File::new(path, text),
                code: Code::read(text).expect("tokens"),
                is_test: false,
            };
            written_elsewhere(&[rust]).len()
        };
        let made = "const A: Duration = Duration::from_secs(3);";
        assert_eq!(count("crates/x/src/a.rs", made), 1);
        let new = "const A: Duration = Duration::new(3, 0);";
        assert_eq!(count("crates/x/src/a.rs", new), 1);
        assert_eq!(count(HOMES[0], made), 0);
        assert_eq!(count("crates/sim/src/a.rs", made), 0);
        let named = "const KEPT_DAYS: u64 = 30;";
        assert_eq!(count("crates/x/src/a.rs", named), 1);
        assert_eq!(count(NAMED[0].0, named), 0);
        assert_eq!(count("crates/x/src/a.rs", "const DAYS_MAX: u64 = 30;"), 0);
        let read = "fn a(b: u64) -> Duration { Duration::from_secs(b) }";
        assert_eq!(count("crates/x/src/a.rs", read), 0, "what somebody gave");
        let tested = format!("#[cfg(test)]\nmod tests {{ {made} }}");
        assert_eq!(count("crates/x/src/a.rs", &tested), 0);
    }
}
