//! Paths, names and addresses are logged at DEBUG or lower: a log of the usual level can be shown
//! to somebody else.

use proc_macro2::{TokenStream, TokenTree};

use crate::code::{call_at, inner, is_punct, is_word, line_of};
use crate::tree::RustFile;

/// Macros whose lines are written unless somebody asks for less.
const LOUD: [&str; 3] = ["info", "warn", "error"];
/// Fields that say who somebody is, where they are, and what they have.
const PRIVATE: [&str; 10] = [
    "address",
    "addresses",
    "email",
    "file",
    "folder",
    "home",
    "host",
    "nickname",
    "path",
    "words",
];

/// Loud lines of the log with private fields.
#[must_use]
pub fn told_in_logs(files: &[RustFile]) -> Vec<String> {
    let mut offences = Vec::new();
    for rust in files.iter().filter(|rust| rust.is_product()) {
        let stream: TokenStream = rust.file.text.parse().expect("tokens were read before");
        let mut told = Vec::new();
        read(&stream.into_iter().collect::<Vec<_>>(), &mut told);
        told.retain(|(line, _)| !rust.code.is_for_tests(*line));
        let path = &rust.file.path;
        let lines = told.into_iter();
        offences.extend(lines.map(|(line, field)| format!("{path}:{line} tells {field}: debug!")));
    }
    offences
}

fn read(tokens: &[TokenTree], told: &mut Vec<(usize, String)>) {
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            read(&inner(group), told);
        }
        let is_loud = LOUD.iter().any(|name| is_word(Some(token), name));
        if !is_loud || !is_punct(tokens.get(at + 1), '!') {
            continue;
        }
        let Some(arguments) = call_at(tokens, at + 2) else {
            continue;
        };
        let arguments = inner(arguments);
        for argument in arguments.split(|token| is_punct(Some(token), ',')) {
            // `field`, `%field` or `field = value`.
            let field = argument.iter().find_map(|token| match token {
                TokenTree::Ident(name) => Some(name.to_string()),
                TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
            });
            let private = field.filter(|name| PRIVATE.contains(&name.as_str()));
            told.extend(private.map(|name| (line_of(token), name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assert_clean;
    use crate::tree::{self, File};

    #[test]
    fn no_loud_line_tells_what_is_private() {
        assert_clean("privacy of logs", &told_in_logs(&tree::real_rust()));
    }

    #[test]
    fn a_private_field_is_caught() {
        let rows = [
            ("info!(%path, \"Read\");", 1),
            ("tracing::warn!(count, address = text, \"Dialed\");", 1),
            ("error!(?folder, nickname, \"Both\");", 2),
            ("debug!(%path, \"Read\");", 0),
            ("info!(%device, \"The path is read\");", 0),
            ("info!(output = path, \"It was given up\");", 0),
        ];
        for (statement, expected) in rows {
            let text = format!("fn a() {{ {statement} }}");
            let files = [
                File::new("crates/x/src/a.rs", &text),
                File::new("crates/x/tests/a.rs", &text),
            ];
            let files = tree::rust_files(&files).expect("the twin is Rust");
            let offences = told_in_logs(&files);
            assert_eq!(offences.len(), expected, "{statement}: {offences:?}");
        }
    }
}
