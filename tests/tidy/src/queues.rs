//! Every queue has a bound, and the bound is a limit of the model.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use crate::code::{call_at, inner, is_punct, is_word, line_of};
use crate::tree::RustFile;

/// Where limits are written down.
const LIMITS: &str = "crates/model/src/limits.rs";
/// What makes a queue of the capacity that it is given.
const MAKERS: [&str; 2] = ["channel", "sync_channel"];
/// Places of a queue that is no store: one is handed over, or waits.
const HAND_OVER: [&str; 2] = ["0", "1"];

/// Queues whose bound is not a limit of the model.
#[must_use]
pub fn unlimited(files: &[RustFile]) -> Vec<String> {
    let limits: BTreeSet<&str> = files
        .iter()
        .filter(|rust| rust.file.path == LIMITS)
        .flat_map(|rust| rust.file.text.lines())
        .filter_map(|line| line.strip_prefix("pub const ")?.split(':').next())
        .collect();
    let mut offences = Vec::new();
    for rust in files.iter().filter(|rust| rust.is_product()) {
        let stream: TokenStream = rust.file.text.parse().expect("tokens were read before");
        let mut bounds = Vec::new();
        read(&stream.into_iter().collect::<Vec<_>>(), &mut bounds);
        for (line, bound) in bounds {
            let is_limit = bound
                .split(|sign: char| !(sign.is_alphanumeric() || sign == '_'))
                .any(|word| limits.contains(word));
            let is_test = rust.code.is_for_tests(line);
            if !is_test && !is_limit && !HAND_OVER.contains(&bound.as_str()) {
                let path = &rust.file.path;
                offences.push(format!("{path}:{line} bounds a queue by {bound}: {LIMITS}"));
            }
        }
    }
    offences
}

/// The line and the argument of each call that makes a queue.
fn read(tokens: &[TokenTree], bounds: &mut Vec<(usize, String)>) {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => read(&inner(group), bounds),
            TokenTree::Ident(name)
                if MAKERS.iter().any(|maker| name == maker) && !is_of_one(tokens, at) =>
            {
                // Behind the name, or behind the type of what is queued.
                let call = (at + 1..tokens.len())
                    .take_while(|at| !is_punct(tokens.get(*at), ';'))
                    .filter(|next| *next == at + 1 || is_punct(tokens.get(next - 1), '>'))
                    .find_map(|next| call_at(tokens, next));
                bounds.extend(call.map(|call| (line_of(token), call.stream().to_string())));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Whether the name at `at` is `oneshot::…` or `watch::…`: one message, or the newest value.
fn is_of_one(tokens: &[TokenTree], at: usize) -> bool {
    let module = at.checked_sub(3).and_then(|at| tokens.get(at));
    ["oneshot", "watch"]
        .iter()
        .any(|name| is_word(module, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::tree::{self, File};

    #[test]
    fn every_queue_is_bounded_by_a_limit() {
        assert_clean("bounds of queues", &unlimited(&tree::real_rust()));
    }

    #[test]
    fn a_bound_elsewhere_is_caught() {
        let rows = [
            ("let a = mpsc::channel(limits::QUEUE_MAX);", 0),
            ("let a = mpsc::channel::<Bytes>(QUEUE_MAX + 1);", 0),
            ("let a = mpsc::channel(1);", 0),
            ("let a = oneshot::channel();", 0),
            ("let a = watch::channel(None);", 0),
            ("let a = sync_channel::<(A, B)>(limits::QUEUE_MAX);", 0),
            ("let a = mpsc::channel(64);", 1),
            ("let a = mpsc::channel::<Vec<u8>>(OWN_MAX);", 1),
            ("let a = broadcast::channel(16);", 1),
            ("let a = sync_channel(count);", 1),
        ];
        for (statement, expected) in rows {
            let files = [
                File::new(LIMITS, "pub const QUEUE_MAX: usize = 8;"),
                File::new("crates/x/src/a.rs", &format!("fn a() {{ {statement} }}")),
                File::new("crates/x/tests/a.rs", "fn a() { mpsc::channel(64); }"),
            ];
            let files = tree::rust_files(&files).expect("the twin is Rust");
            let offences = unlimited(&files);
            assert_eq!(offences.len(), expected, "{statement}: {offences:?}");
        }
    }
}
