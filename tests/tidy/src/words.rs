//! Words that do not pass: unfinished work, silenced lints, unbounded queues, sleep.

use crate::code::{After, Before, Spot};
use crate::tree::{File, RustFile};

/// Macros that are left behind by unfinished work.
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// Macros that print, which is the business of the command line alone.
const PRINTING: [&str; 2] = ["print", "println"];
/// Channels without a bound.
const UNBOUNDED: [&str; 3] = ["unbounded_channel", "UnboundedSender", "UnboundedReceiver"];
/// Names of a dialect that was spoken here once, each with the word of the field.
const DIALECT: [(&str, &str); 27] = [
    ("Back", "TaskEvent"),
    ("Came", "FetchedPart"),
    ("Coming", "PartStream"),
    ("Courier", "supplier worker"),
    ("Door", "client"),
    ("Errand", "request"),
    ("News", "PendingEvent"),
    ("Parcel", "PackerMessage"),
    ("Say", "QueuedFrame"),
    ("Seat", "OpenHome"),
    ("Will", "JobState"),
    ("courier", "worker"),
    ("door", "client"),
    ("errand", "request"),
    ("heed", "on_…_event"),
    ("knock", "connect"),
    ("obey", "handle_command"),
    ("of_older", "migrate"),
    ("parcel", "message"),
    ("seat", "opened home"),
    ("sit_down", "open_or_attach"),
    ("acts_by_itself", "daemon mode"),
    ("by_itself", "is_scheduled"),
    ("deed", "effect"),
    ("doubted", "condemned"),
    ("Standing", "Confirmations"),
    ("Stood", "ConfirmationsChanged"),
];
/// Words of that dialect that nothing else is called by, in comments and in the window's code too.
const DEAD: [&str; 5] = ["courier", "deed", "errand", "parcel", "seat"];
/// Where they are named, so that they are found.
const NAMED_IN: &str = "tests/tidy/src/words.rs";
/// Kinds of files whose comments are read.
const SOURCE_KINDS: [&str; 8] = ["rs", "sh", "toml", "ts", "js", "svelte", "css", "yml"];
const PRINTER: &str = "crates/cli/";

/// Banned words among the tokens of Rust files.
#[must_use]
pub fn banned_tokens(files: &[RustFile]) -> Vec<String> {
    let mut offences = Vec::new();
    for rust in files {
        let path = &rust.file.path;
        for line in &rust.code.allows {
            offences.push(format!(
                "{path}:{line} allows a lint; #[expect(lint, reason = \"…\")] instead"
            ));
        }
        for spot in &rust.code.paths {
            let is_test = rust.is_test || spot.is_test;
            if let Some(reason) = why_banned(spot, path, is_test) {
                offences.push(format!("{path}:{} {}: {reason}", spot.line, spot.path));
            }
        }
    }
    offences
}

fn why_banned(spot: &Spot, path: &str, is_test: bool) -> Option<&'static str> {
    let last = spot.last();
    let is_macro = spot.after == After::Bang;
    if is_macro && UNFINISHED.contains(&last) {
        return Some("unfinished work");
    }
    if is_macro && PRINTING.contains(&last) && !is_test && !path.starts_with(PRINTER) {
        return Some("only the command line prints");
    }
    let segments = || spot.path.split("::");
    if DIALECT
        .iter()
        .any(|(word, _)| segments().any(|segment| is_made_of(segment, word)))
    {
        return Some("a name of our own; the field has one (tests/tidy/src/words.rs, DIALECT)");
    }
    if UNBOUNDED.contains(&last) {
        return Some("channels are bounded");
    }
    if last == "unwrap" && spot.before == Before::Dot && spot.after == After::Call && !is_test {
        return Some("say in expect why this cannot fail, or return the error");
    }
    if is_test && sleeps(spot) {
        return Some("tests wait for an event, never for a time");
    }
    None
}

/// Whether a name is a word, or one of its words is.
fn is_made_of(name: &str, word: &str) -> bool {
    name == word || name.split('_').any(|part| part == word)
}

/// The words of a line in small letters, those inside of `camelCase` and `snake_case` too.
fn words_of(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in line.chars() {
        let starts = !letter.is_alphanumeric() || (was_small && letter.is_uppercase());
        if starts {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            let last = words.last_mut().expect("there is always one");
            last.extend(letter.to_lowercase());
        }
        was_small = letter.is_lowercase();
    }
    words
}

fn sleeps(spot: &Spot) -> bool {
    if !matches!(spot.last(), "sleep" | "sleep_until") {
        return false;
    }
    let is_bare_call =
        spot.path == spot.last() && spot.before == Before::Other && spot.after == After::Call;
    let parent = spot.path.rsplit("::").nth(1);
    is_bare_call || matches!(parent, Some("thread" | "time"))
}

/// Banned words in the text of sources, comments included.
#[must_use]
pub fn banned_text(files: &[File]) -> Vec<String> {
    // Written in two parts, so that this file passes its own rule.
    let fix = concat!("FIX", "ME");
    let later = concat!("TO", "DO");
    let mut offences = Vec::new();
    let sources = files
        .iter()
        .filter(|file| SOURCE_KINDS.contains(&file.extension()) || file.name() == "Makefile");
    for file in sources {
        for (index, line) in file.text.lines().enumerate() {
            let place = format!("{}:{}", file.path, index + 1);
            let is_dead = |word: &String| DEAD.contains(&word.as_str());
            if file.path != NAMED_IN && words_of(line).iter().any(is_dead) {
                offences.push(format!("{place} speaks our old dialect ({NAMED_IN}, DEAD)"));
            }
            if line.contains(fix) {
                offences.push(format!("{place} {fix}: fix it, or open an issue"));
            }
            let mut parts = line.split(later);
            parts.next();
            if parts.any(|rest| !names_an_issue(rest)) {
                offences.push(format!("{place} {later} without an issue: {later}(#12)"));
            }
        }
    }
    offences
}

fn names_an_issue(rest: &str) -> bool {
    rest.strip_prefix("(#")
        .and_then(|rest| rest.split_once(')'))
        .is_some_and(|(number, _)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assert_clean, tree};

    const PRODUCT: &str = "crates/x/src/a.rs";
    const SUITE: &str = "crates/x/tests/a.rs";

    #[test]
    fn no_banned_word_is_in_the_sources() {
        assert_clean("banned tokens", &banned_tokens(&tree::real_rust()));
    }

    #[test]
    fn no_unfinished_work_is_in_the_sources() {
        assert_clean("banned text", &banned_text(&tree::real()));
    }

    #[test]
    fn each_banned_token_is_caught() {
        let rows = [
            (PRODUCT, "fn a() { todo!() }", 1),
            (PRODUCT, "fn a() { unimplemented!(\"later\") }", 1),
            (SUITE, "fn a() { dbg!(1); }", 1),
            (PRODUCT, "#[allow(dead_code)] fn a() {}", 1),
            (PRODUCT, "#![allow(dead_code)]", 1),
            (PRODUCT, "#[cfg_attr(test, allow(dead_code))] fn a() {}", 1),
            (
                PRODUCT,
                "#[expect(dead_code, reason = \"b\")] fn a() { allow(1) }",
                0,
            ),
            (PRODUCT, "fn a() { b().unwrap(); }", 1),
            (PRODUCT, "fn a() { b().unwrap_or_default(); unwrap(); }", 0),
            (PRODUCT, "#[test] fn a() { b().unwrap(); }", 0),
            (
                PRODUCT,
                "use tokio::sync::mpsc::{Sender, unbounded_channel};",
                1,
            ),
            (PRODUCT, "fn a() { println!(); }", 1),
            (PRODUCT, "fn a() { std::print!(); }", 1),
            ("crates/cli/src/a.rs", "fn a() { println!(); }", 0),
            (PRODUCT, "fn a() { println != 1; }", 0),
            (PRODUCT, "use crate::door::Knob;", 1),
            (PRODUCT, "struct Errand;", 1),
            (PRODUCT, "fn a() { b.knock() }", 1),
            (PRODUCT, "fn a() { b.indoor() }", 0),
            (PRODUCT, "fn a_deed_is_done() {}", 1),
        ];
        for (path, text, expected) in rows {
            check(path, text, expected);
        }
    }

    #[test]
    fn sleep_is_caught_in_tests_only() {
        let rows = [
            (SUITE, "fn a() { std::thread::sleep(b); }", 1),
            (SUITE, "async fn a() { tokio::time::sleep(b).await; }", 1),
            (SUITE, "use tokio::time::{timeout, sleep};", 1),
            (SUITE, "async fn a() { sleep(b).await; }", 1),
            (
                SUITE,
                "fn a() { world.laptop(3).sleep(); } fn sleep() {}",
                0,
            ),
            (
                PRODUCT,
                "#[cfg(test)] mod tests { fn a() { thread::sleep(b); } }",
                1,
            ),
            (PRODUCT, "async fn a() { tokio::time::sleep(b).await; }", 0),
        ];
        for (path, text, expected) in rows {
            check(path, text, expected);
        }
    }

    #[test]
    fn words_in_comments_are_caught() {
        let (fix, later) = (concat!("FIX", "ME"), concat!("TO", "DO"));
        check_text("a.rs", &format!("// {fix} b"), 1);
        check_text("Makefile", &format!("# {fix}"), 1);
        check_text("a.rs", &format!("// {later} b"), 1);
        check_text("a.rs", &format!("// {later}(#) b"), 1);
        check_text("a.rs", &format!("// {later}(#12): b"), 0);
        check_text("a.md", fix, 0);
        check_text("a.rs", "// What a courier carries.", 1);
        check_text("a.ts", "const key = text(\"suppliers.seat_free\");", 1);
        check_text("a.svelte", "<SeatMark />", 1);
        check_text("a.rs", "struct BigSeat;", 1);
        check_text("a.rs", "// indeed", 0);
    }

    fn check(path: &str, text: &str, expected: usize) {
        let files = tree::rust_files(&[File::new(path, text)]).expect("the twin is Rust");
        let offences = banned_tokens(&files);
        assert_eq!(offences.len(), expected, "{path}: {text}: {offences:?}");
    }

    fn check_text(path: &str, text: &str, expected: usize) {
        let offences = banned_text(&[File::new(path, text)]);
        assert_eq!(offences.len(), expected, "{text}: {offences:?}");
    }
}
