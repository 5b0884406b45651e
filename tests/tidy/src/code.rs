//! What the tokens of one Rust file say: its paths, functions and test parts.
//!
//! Rules read tokens and not text, so that a word in a comment or in a string is no
//! offence and a `use` tree hides nothing. It is no parser: it knows attributes,
//! items that end in `;` or `}`, and paths, and needs no more.

use std::ops::RangeInclusive;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What the tokens of one file say.
#[derive(Debug, Default)]
pub struct Code {
    /// Every path, in order, with `use` trees written out.
    pub paths: Vec<Spot>,
    /// Every function with a body.
    pub functions: Vec<Function>,
    /// Lines of attributes that allow a lint.
    pub allows: Vec<usize>,
    /// Lines of items that are compiled for tests only.
    pub test_lines: Vec<RangeInclusive<usize>>,
    /// Modules in files of their own that are compiled for tests only.
    pub test_modules: Vec<String>,
    /// Whether the file starts with a `//!` comment.
    pub has_file_comment: bool,
    /// Whether a `pub use` is being read.
    in_handing_on: bool,
}

/// One path, such as `std::fs::read`, at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The path with `::` between its segments.
    pub path: String,
    /// The line on which it starts, from 1.
    pub line: usize,
    /// What stands before it.
    pub before: Before,
    /// What stands after it.
    pub after: After,
    /// Whether it stands in an item that is compiled for tests only.
    pub is_test: bool,
    /// Whether a `pub use` hands it on.
    pub is_handed_on: bool,
}

impl Spot {
    /// The last segment.
    #[must_use]
    pub fn last(&self) -> &str {
        self.path
            .rsplit_once("::")
            .map_or(&self.path, |(_, last)| last)
    }

    /// Whether the path is `start` or lies below it.
    #[must_use]
    pub fn is_below(&self, start: &str) -> bool {
        self.path
            .strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// What stands before a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// A dot: the path is a method or a field.
    Dot,
    /// The word `fn`: the path is a name being defined.
    Definition,
    /// Anything else.
    Other,
}

/// What stands after a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Parentheses: a call.
    Call,
    /// An exclamation mark: a macro.
    Bang,
    /// Anything else.
    Other,
}

/// One function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of the word `fn`.
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub line_count: usize,
    /// Whether it is compiled for tests only.
    pub is_test: bool,
}

impl Code {
    /// Reads the tokens of `text`.
    ///
    /// # Errors
    ///
    /// When the text is not made of Rust tokens.
    pub fn read(text: &str) -> Result<Self> {
        let stream: TokenStream = text
            .parse()
            .map_err(|error| anyhow!("not Rust tokens: {error}"))?;
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut code = Self {
            has_file_comment: starts_with_comment(&tokens),
            ..Self::default()
        };
        code.items(&tokens, false);
        Ok(code)
    }

    /// Lines of code that are not compiled for tests only.
    #[must_use]
    pub fn product_lines(&self, text: &str) -> usize {
        (1..=text.lines().count())
            .filter(|line| !self.is_for_tests(*line))
            .count()
    }

    /// Whether a line is compiled for tests only.
    #[must_use]
    pub fn is_for_tests(&self, line: usize) -> bool {
        self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// Reads one level of tokens and everything inside it.
    fn items(&mut self, tokens: &[TokenTree], is_test: bool) {
        let mut test_from: Option<usize> = None; // first line of an item for tests
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let inside = is_test || test_from.is_some();
            if let Some((attribute, next)) = attribute_at(tokens, at) {
                self.attribute(attribute, inside);
                if is_for_tests(attribute) && !is_test {
                    test_from = test_from.or(Some(line_of(token)));
                }
                at = next;
                continue;
            }
            self.function_at(tokens, at, inside);
            self.in_handing_on |= is_handing_on(tokens, at);
            at = match token {
                TokenTree::Ident(_) => self.path_at(tokens, at, "", inside),
                TokenTree::Group(group) => {
                    self.items(&inner(group), inside);
                    at + 1
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => at + 1,
            };
            let end = tokens.get(at - 1).filter(|last| ends_item(last));
            self.in_handing_on &= end.is_none();
            if let Some(end) = end
                && let Some(start) = test_from.take()
            {
                self.test_lines.push(start..=end.span().end().line);
                self.test_modules.extend(module_before(tokens, at - 1));
            }
        }
    }

    fn attribute(&mut self, attribute: &Group, is_test: bool) {
        if allows_a_lint(&inner(attribute)) {
            self.allows.push(attribute.span_open().start().line);
        }
        self.items(&inner(attribute), is_test);
    }

    /// Notes the path that starts at `at`, with `use` trees written out, and says
    /// where reading goes on.
    fn path_at(
        &mut self,
        tokens: &[TokenTree],
        start: usize,
        prefix: &str,
        is_test: bool,
    ) -> usize {
        let mut path = prefix.to_owned();
        let mut at = start;
        while let Some(TokenTree::Ident(segment)) = tokens.get(at) {
            if !path.is_empty() {
                path.push_str("::");
            }
            path.push_str(&segment.to_string());
            at += 1;
            if !(is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')) {
                break;
            }
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(_)) => at += 2,
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.use_tree(group, &path, is_test);
                    return at + 3;
                }
                Some(_) | None => break, // a glob or a turbofish
            }
        }
        let before = match start.checked_sub(1).and_then(|i| tokens.get(i)) {
            Some(TokenTree::Ident(word)) if word == "fn" => Before::Definition,
            token if is_punct(token, '.') => Before::Dot,
            Some(_) | None => Before::Other,
        };
        self.paths.push(Spot {
            path,
            line: tokens.get(start).map_or(0, line_of),
            before,
            after: after(tokens, at),
            is_test,
            is_handed_on: self.in_handing_on,
        });
        at
    }

    fn use_tree(&mut self, group: &Group, prefix: &str, is_test: bool) {
        let tokens = inner(group);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at = match token {
                TokenTree::Ident(_) => self.path_at(&tokens, at, prefix, is_test),
                TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => at + 1,
            };
        }
    }

    fn function_at(&mut self, tokens: &[TokenTree], at: usize, is_test: bool) {
        let (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(name))) =
            (tokens.get(at), tokens.get(at + 1))
        else {
            return;
        };
        if word != "fn" {
            return;
        }
        let end = tokens.iter().skip(at + 2).find(|token| ends_item(token));
        let Some(TokenTree::Group(body)) = end else {
            return; // a declaration ends in a semicolon
        };
        let line = word.span().start().line;
        self.functions.push(Function {
            name: name.to_string(),
            line,
            line_count: body.span_close().end().line + 1 - line,
            is_test,
        });
    }
}

fn starts_with_comment(tokens: &[TokenTree]) -> bool {
    attribute_at(tokens, 0).is_some_and(|(attribute, _)| {
        is_punct(tokens.get(1), '!')
            && matches!(inner(attribute).first(), Some(TokenTree::Ident(word)) if word == "doc")
    })
}

/// The attribute that starts at `at`, and where reading goes on after it.
fn attribute_at(tokens: &[TokenTree], at: usize) -> Option<(&Group, usize)> {
    if !is_punct(tokens.get(at), '#') {
        return None;
    }
    let open = if is_punct(tokens.get(at + 1), '!') {
        at + 2
    } else {
        at + 1
    };
    match tokens.get(open) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            Some((group, open + 1))
        }
        Some(_) | None => None,
    }
}

/// Whether a `use` with a visibility stands at `at`.
fn is_handing_on(tokens: &[TokenTree], at: usize) -> bool {
    let before = |count: usize| at.checked_sub(count).and_then(|at| tokens.get(at));
    let is_restricted = matches!(before(1), Some(TokenTree::Group(_))) && is_word(before(2), "pub");
    is_word(tokens.get(at), "use") && (is_word(before(1), "pub") || is_restricted)
}

/// Whether an attribute is `#[test]`, `#[…::test]` or `#[cfg(test)]`.
fn is_for_tests(attribute: &Group) -> bool {
    let words: String = inner(attribute).iter().map(ToString::to_string).collect();
    let words = words.replace(' ', "");
    let name = words.split('(').next().unwrap_or_default();
    name == "test"
        || name.ends_with("::test")
        || words == "cfg(test)"
        || words.starts_with("cfg(all(test,")
}

fn allows_a_lint(tokens: &[TokenTree]) -> bool {
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) => word == "allow" && after(tokens, at + 1) == After::Call,
        TokenTree::Group(group) => allows_a_lint(&inner(group)),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// The name in `mod name;` when the semicolon stands at `end`.
fn module_before(tokens: &[TokenTree], end: usize) -> Option<String> {
    let word = tokens.get(end.checked_sub(2)?)?.to_string();
    let name = tokens.get(end - 1)?.to_string();
    (word == "mod" && is_punct(tokens.get(end), ';')).then_some(name)
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    }
}

fn after(tokens: &[TokenTree], at: usize) -> After {
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => After::Call,
        token if is_punct(token, '!') && !is_punct(tokens.get(at + 1), '=') => After::Bang,
        Some(_) | None => After::Other,
    }
}

pub(crate) fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

pub(crate) fn is_word(token: Option<&TokenTree>, text: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(word)) if word == text)
}

/// The group that stands at `at`, if it is of this kind.
pub(crate) fn group_at(tokens: &[TokenTree], at: usize, delimiter: Delimiter) -> Option<&Group> {
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group),
        Some(_) | None => None,
    }
}

/// The arguments that stand at `at`.
pub(crate) fn call_at(tokens: &[TokenTree], at: usize) -> Option<&Group> {
    group_at(tokens, at, Delimiter::Parenthesis)
}

pub(crate) fn inner(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

pub(crate) fn line_of(token: &TokenTree) -> usize {
    token.span().start().line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_tree_is_written_out() -> Result<()> {
        let code =
            Code::read("use std::{fs::{self, File}, io};\nfn f() { ::std::net::x::<u8>(); }")?;
        let paths: Vec<&str> = code.paths.iter().map(|spot| spot.path.as_str()).collect();
        for expected in ["std::fs::self", "std::fs::File", "std::io", "std::net::x"] {
            assert!(
                paths.contains(&expected),
                "{expected} is missing in {paths:?}"
            );
        }
        Ok(())
    }

    #[test]
    fn words_in_comments_and_strings_are_no_paths() -> Result<()> {
        let code = Code::read("// std::fs\n/// HashMap\nconst A: &str = \"tokio\";")?;
        assert!(
            !code
                .paths
                .iter()
                .any(|s| s.path.contains("fs") || s.path == "HashMap"),
            "comment"
        );
        assert!(!code.paths.iter().any(|s| s.path == "tokio"), "string");
        Ok(())
    }

    #[test]
    fn a_function_is_measured_from_its_name_to_its_closing_brace() -> Result<()> {
        let code =
            Code::read("\nfn long(\n  a: u8,\n) -> u8\n{\n  a\n}\ntrait T { fn declared(); }")?;
        let [function] = code.functions.as_slice() else {
            panic!("one body, found {:?}", code.functions);
        };
        assert_eq!((function.line, function.line_count), (2, 6), "lines 2 to 7");
        Ok(())
    }

    #[test]
    fn test_parts_are_known() -> Result<()> {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n  use x::y;\n}\nfn b() { c(); }\n#[tokio::test]\nasync fn d() {\n}\n";
        let code = Code::read(text)?;
        assert_eq!(code.test_lines, [2..=5, 7..=9], "module and function");
        assert_eq!(code.product_lines(text), 2, "a and b");
        let y = code.paths.iter().find(|spot| spot.path == "x::y");
        assert!(y.is_some_and(|spot| spot.is_test), "inside the module");
        let c = code.paths.iter().find(|spot| spot.path == "c");
        assert!(c.is_some_and(|spot| !spot.is_test), "after the module");
        Ok(())
    }
}
