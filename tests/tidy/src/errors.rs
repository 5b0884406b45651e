//! No error is only logged, and none is dropped by a call that gives one.
//!
//! Where an error is met (an arm, a branch or a closure for it) and all that happens is a line in
//! the log, or nothing, whoever asked waits for an answer that never comes, or believes that all is
//! well. So such a place is an offence unless it is listed with the reason why nobody misses the
//! error. It reads tokens: a block that does anything else besides (answers, counts, gives a value)
//! passes, and so does an arm without a body for one kind of error, which is a case like others.
//! Whether that is the right thing is for people to judge.

mod harmless;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::code::{call_at, group_at, inner, is_punct, is_word, line_of};
use crate::tree::RustFile;
use harmless::HARMLESS;

/// Macros that write a line into the log.
const LOGS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];
/// Words that leave a block and bring nothing along.
const LEAVES: [&str; 3] = ["return", "continue", "break"];
/// Methods that turn an error into something else; the first leaves it as it is.
const RECOVERS: [&str; 3] = ["inspect_err", "unwrap_or_else", "or_else"];
/// Methods after which an error is no more.
const ENDS: [&str; 4] = ["ok", "unwrap_or", "unwrap_or_default", "unwrap_or_else"];
/// Calls that may be dropped: what is sent to somebody who has left is missed by nobody, and the
/// others give no error.
const DROPPABLE: [&str; 4] = ["blocking_send", "insert", "send", "spawn"];

/// A place at which an error may go missing without anybody noticing.
struct Harmless {
    path: &'static str,
    /// A part of what stands there: the message of the log, or the call.
    what: &'static str,
    /// Why nobody misses the error.
    reason: &'static str,
}

/// An error that nobody hears of.
struct Lost {
    line: usize,
    /// The tokens of the place, without spaces.
    text: String,
}

/// Places where an error goes missing and that are not listed, and listed ones that are no more.
#[must_use]
pub fn only_logged(files: &[RustFile]) -> Vec<String> {
    unlisted(files, HARMLESS)
}

fn unlisted(files: &[RustFile], harmless: &[Harmless]) -> Vec<String> {
    let mut used = vec![false; harmless.len()];
    let mut offences = Vec::new();
    for rust in files.iter().filter(|rust| rust.is_product()) {
        let path = &rust.file.path;
        for lost in lost_in(rust) {
            let listed = harmless
                .iter()
                .position(|it| it.path == path && lost.text.contains(&without_spaces(it.what)));
            match listed {
                Some(at) => used[at] = true,
                None => offences.push(format!(
                    "{path}:{} loses an error: {}",
                    lost.line, lost.text
                )),
            }
        }
    }
    for (entry, used) in harmless.iter().zip(used) {
        let Harmless { path, what, reason } = entry;
        if !used || reason.is_empty() {
            offences.push(format!(
                "{path}: {what:?} is listed, and is not there or has no reason"
            ));
        }
    }
    offences
}

fn lost_in(rust: &RustFile) -> Vec<Lost> {
    let stream: TokenStream = rust.file.text.parse().expect("tokens were read before");
    let mut lost = Vec::new();
    read(&stream.into_iter().collect::<Vec<_>>(), &mut lost);
    lost.retain(|it| !rust.code.is_for_tests(it.line));
    lost
}

/// Reads one level of tokens and everything inside it.
fn read(tokens: &[TokenTree], lost: &mut Vec<Lost>) {
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            read(&inner(group), lost);
            continue;
        }
        let place = arm(tokens, at)
            .or_else(|| branch(tokens, at))
            .or_else(|| otherwise(tokens, at))
            .or_else(|| closure(tokens, at))
            .or_else(|| dropped(tokens, at));
        if let Some(range) = place {
            lost.push(Lost {
                line: line_of(token),
                text: text(&tokens[range]),
            });
        }
    }
}

type Range = std::ops::Range<usize>;

/// `Err(..) => body`.
fn arm(tokens: &[TokenTree], at: usize) -> Option<Range> {
    if !(is_punct(tokens.get(at), '=') && is_punct(tokens.get(at + 1), '>')) {
        return None;
    }
    let start = arm_start(tokens, at);
    let mut parts = tokens[start..at].split(|token| is_word(Some(token), "if"));
    let (pattern, guard) = (parts.next()?, parts.next());
    if !names(pattern, "Err") {
        return None;
    }
    let any = guard.is_none() && takes_any(pattern);
    let body = at + 2;
    if let Some(block) = block_at(tokens, body) {
        return loses(&inner(block), any).then_some(start..body + 1);
    }
    let rest = &tokens[body..];
    let length = rest.iter().position(|token| is_punct(Some(token), ','));
    let end = body + length.unwrap_or(rest.len());
    loses(&tokens[body..end], any).then_some(start..end)
}

/// Whether a pattern has an `Err(_)` or `Err(name)`: errors of every kind.
fn takes_any(pattern: &[TokenTree]) -> bool {
    (0..pattern.len()).any(|at| {
        let TokenTree::Group(group) = &pattern[at] else {
            return false;
        };
        let is_error = at > 0 && is_word(pattern.get(at - 1), "Err");
        let inside = inner(group);
        (is_error && matches!(inside[..], [TokenTree::Ident(_)])) || takes_any(&inside)
    })
}

/// Where the pattern of the arm begins whose arrow is at `arrow`.
fn arm_start(tokens: &[TokenTree], arrow: usize) -> usize {
    let is_before = |at: usize| {
        let ends_block = block_at(tokens, at).is_some()
            && at >= 2
            && is_punct(tokens.get(at - 2), '=')
            && is_punct(tokens.get(at - 1), '>');
        ends_block || is_punct(tokens.get(at), ',')
    };
    (0..arrow)
        .rev()
        .find(|at| is_before(*at))
        .map_or(0, |at| at + 1)
}

/// `if let Err(..) = .. { body }`, `if a.is_err() { body }`, and the `else` of their opposites.
fn branch(tokens: &[TokenTree], at: usize) -> Option<Range> {
    if !is_word(tokens.get(at), "if") {
        return None;
    }
    let block = (at..tokens.len()).find(|at| block_at(tokens, *at).is_some())?;
    let condition = &tokens[at + 1..block];
    if asks(condition, "Err", "is_err") && loses(&inner(block_at(tokens, block)?), true) {
        return Some(at..block + 1);
    }
    let is_opposite = asks(condition, "Ok", "is_ok") && is_word(tokens.get(block + 1), "else");
    let other = block_at(tokens, block + 2).filter(|_| is_opposite)?;
    loses(&inner(other), true).then_some(at..block + 3)
}

/// Whether a condition has a pattern with this name, or calls this method.
fn asks(condition: &[TokenTree], name: &str, method: &str) -> bool {
    let mut lets = condition.split(|token| is_word(Some(token), "let")).skip(1);
    let is_pattern = lets.any(|rest| {
        let mut parts = rest.split(|token| is_punct(Some(token), '='));
        parts.next().is_some_and(|pattern| names(pattern, name))
    });
    let mut words = condition
        .iter()
        .filter(|token| is_word(Some(token), method));
    is_pattern || words.next().is_some()
}

/// `let Ok(..) = .. else { body };`.
fn otherwise(tokens: &[TokenTree], at: usize) -> Option<Range> {
    let is_start = |at: usize| is_punct(tokens.get(at), ';') || block_at(tokens, at).is_some();
    if !is_word(tokens.get(at), "let") || !(at == 0 || is_start(at - 1)) {
        return None;
    }
    let rest = &tokens[at..];
    let end = at + rest.iter().position(|token| is_punct(Some(token), ';'))?;
    let body = block_at(tokens, end.checked_sub(1)?)?;
    let is_else = is_word(tokens.get(end.checked_sub(2)?), "else");
    let pattern = rest.split(|token| is_punct(Some(token), '=')).next()?;
    (is_else && names(pattern, "Ok") && loses(&inner(body), false)).then_some(at..end)
}

/// `.unwrap_or_else(|error| { log; value })` and its like.
fn closure(tokens: &[TokenTree], at: usize) -> Option<Range> {
    let is_method = at > 0 && is_punct(tokens.get(at - 1), '.');
    let method = RECOVERS.iter().position(|it| is_word(tokens.get(at), it));
    let method = method.filter(|_| is_method)?;
    let body = inner(call_at(tokens, at + 1)?);
    let goes_on = method == 0 && !ENDS.iter().any(|end| is_word(tokens.get(at + 3), end));
    (logs(&body) && !goes_on).then_some(at..at + 2)
}

/// `let _ = call();`, `call().ok();` and `drop(call())`.
fn dropped(tokens: &[TokenTree], at: usize) -> Option<Range> {
    if is_word(tokens.get(at), "let") && is_word(tokens.get(at + 1), "_") {
        let length = tokens[at..]
            .iter()
            .position(|token| is_punct(Some(token), ';'))?;
        return gives_result(&tokens[at..at + length]).then_some(at..at + length);
    }
    let is_method = at > 0 && is_punct(tokens.get(at - 1), '.');
    if is_word(tokens.get(at), "ok") && is_method && is_punct(tokens.get(at + 2), ';') {
        let start = statement_start(tokens, at);
        let is_bound = tokens[start..at]
            .iter()
            .any(|token| is_punct(Some(token), '='));
        let is_given = is_word(tokens.get(start), "return");
        return (!is_bound && !is_given).then_some(start..at + 2);
    }
    if is_word(tokens.get(at), "drop") && !is_method {
        let what = inner(call_at(tokens, at + 1)?);
        return gives_result(&what).then_some(at..at + 2);
    }
    None
}

fn statement_start(tokens: &[TokenTree], end: usize) -> usize {
    let is_before = |at: &usize| is_punct(tokens.get(*at), ';') || block_at(tokens, *at).is_some();
    (0..end).rev().find(is_before).map_or(0, |at| at + 1)
}

/// Whether an expression ends in a call that may fail, by its looks: not one that sends.
fn gives_result(tokens: &[TokenTree]) -> bool {
    let call = (0..tokens.len())
        .rev()
        .find(|at| call_at(tokens, *at).is_some());
    let Some(call) = call.filter(|call| *call > 0) else {
        return false;
    };
    let name = tokens[call - 1].to_string();
    !DROPPABLE.contains(&name.as_str())
}

/// Whether a block for an error does nothing about it. Where `silent`, one that is empty counts.
fn loses(body: &[TokenTree], silent: bool) -> bool {
    let mut at = 0;
    let mut has_log = false;
    while at < body.len() {
        if let Some(end) = log_at(body, at) {
            has_log = true;
            at = end;
            continue;
        }
        let is_leaving = LEAVES.iter().any(|word| is_word(body.get(at), word));
        if !(is_leaving || is_punct(body.get(at), ';')) {
            return false;
        }
        at += 1;
    }
    has_log || (silent && body.is_empty())
}

/// Whether a line of the log is written anywhere below.
fn logs(tokens: &[TokenTree]) -> bool {
    (0..tokens.len()).any(|at| match &tokens[at] {
        TokenTree::Group(group) => logs(&inner(group)),
        TokenTree::Ident(_) => log_at(tokens, at).is_some(),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The end of a logging macro that starts at `at`.
fn log_at(tokens: &[TokenTree], at: usize) -> Option<usize> {
    let is_path = is_word(tokens.get(at), "tracing") && is_punct(tokens.get(at + 1), ':');
    let name = if is_path { at + 3 } else { at };
    let is_log = LOGS.iter().any(|log| is_word(tokens.get(name), log));
    (is_log && is_punct(tokens.get(name + 1), '!')).then_some(())?;
    call_at(tokens, name + 2).map(|_| name + 3)
}

/// Whether `name(..)` stands in a pattern.
fn names(pattern: &[TokenTree], name: &str) -> bool {
    (0..pattern.len()).any(|at| match &pattern[at] {
        TokenTree::Group(group) => names(&inner(group), name),
        TokenTree::Ident(word) => word == name && call_at(pattern, at + 1).is_some(),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn block_at(tokens: &[TokenTree], at: usize) -> Option<&Group> {
    group_at(tokens, at, Delimiter::Brace)
}

/// What is written there, however it is laid out.
fn text(tokens: &[TokenTree]) -> String {
    let stream: TokenStream = tokens.iter().cloned().collect();
    without_spaces(&stream.to_string())
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::tree::{self, File};

    #[test]
    fn no_error_is_only_logged() {
        assert_clean("lost errors", &only_logged(&tree::real_rust()));
    }

    #[test]
    fn an_error_that_is_only_logged_is_caught() {
        let rows = [
            ("match b() { Ok(c) => d(c), Err(e) => warn!(%e, \"E\") }", 1),
            (
                "match b() { Err(e) => { tracing::debug!(%e, \"E\"); return; } Ok(c) => c }",
                1,
            ),
            ("match b() { Ok(Err(_)) => {} Ok(Ok(c)) | Err(c) => c }", 1),
            (
                "match b() { Err(e) => { debug!(%e, \"E\"); f = e; } Ok(c) => c }",
                0,
            ),
            (
                "match b() { Err(e) => { debug!(%e, \"E\"); None } Ok(c) => c }",
                0,
            ),
            (
                "match b() { Err(E::Gone { .. }) => {} Ok(c) | Err(c) => c }",
                0,
            ),
            (
                "match b() { Err(e) if e.is_gone() => {} Ok(c) | Err(c) => c }",
                0,
            ),
            (
                "match b() { Err(E::Gone) => info!(\"E\"), Ok(c) | Err(c) => c }",
                1,
            ),
            ("if let Err(e) = b() { error!(%e, \"E\"); }", 1),
            ("if d && let Ok(Err(e)) = b() { debug!(%e, \"E\"); }", 1),
            (
                "if let Err(e) = b() { debug!(%e, \"E\"); told.push(e); }",
                0,
            ),
            ("if b().is_err() { warn!(\"E\"); }", 1),
            ("if let Ok(c) = b() { d(c) } else { warn!(\"E\"); }", 1),
            ("if b().is_ok() { d() } else { f() }", 0),
            ("if b() { warn!(\"E\"); }", 0),
            ("let Ok(c) = b() else { debug!(\"E\"); return; };", 1),
            ("let Ok(c) = b() else { debug!(\"E\"); return Err(f); };", 0),
            ("let Some(c) = b() else { debug!(\"E\"); return; };", 0),
            (
                "let c = b().unwrap_or_else(|e| { warn!(%e, \"E\"); 1 });",
                1,
            ),
            (
                "let c = b().map_err(|e| { debug!(%e, \"E\"); e.code() })?;",
                0,
            ),
            ("let c = b().inspect_err(|e| debug!(%e, \"E\")).ok();", 1),
            ("b().inspect_err(|e| debug!(%e, \"E\"))?;", 0),
        ];
        for (statement, expected) in rows {
            check(statement, expected);
        }
    }

    #[test]
    fn a_result_that_is_dropped_is_caught() {
        let rows = [
            ("let _ = b();", 1),
            ("let _ = b().await;", 1),
            ("let _ = writeln!(c, \"d\");", 1),
            ("let _ = b;", 0),
            ("b().ok();", 1),
            ("let c = b().ok();", 0),
            ("return b().ok();", 0),
            ("drop(b());", 1),
            ("drop(b.put(c).await);", 1),
            ("drop(b.send(c).await);", 0),
            ("drop(map.insert(c, d));", 0),
            ("drop(b);", 0),
        ];
        for (statement, expected) in rows {
            check(statement, expected);
        }
    }

    #[test]
    fn a_listed_place_passes_as_long_as_it_is_there() {
        let list = [Harmless {
            path: "crates/x/src/a.rs",
            what: "drop(b.close())",
            reason: "it is gone",
        }];
        let offences = |text: &str| {
            let file = File::new("crates/x/src/a.rs", text);
            unlisted(&tree::rust_files(&[file]).expect("the twin is Rust"), &list).len()
        };
        assert_eq!(offences("fn a() { drop(b.close()); }"), 0);
        assert_eq!(offences("fn a() { drop(b.close()); drop(c.open()); }"), 1);
        assert_eq!(offences("fn a() {}"), 1, "it is listed for nothing");
    }

    fn check(statement: &str, expected: usize) {
        let text = format!("fn a() {{ {statement} }}");
        let tested = format!("#[cfg(test)] mod tests {{ {text} }}");
        let files = [
            File::new("crates/x/src/a.rs", &text),
            File::new("crates/x/src/b.rs", &tested),
            File::new("tests/x/src/a.rs", &text),
        ];
        let files = tree::rust_files(&files).expect("the twin is Rust");
        let offences = unlisted(&files, &[]);
        assert_eq!(offences.len(), expected, "{statement}: {offences:?}");
    }
}
