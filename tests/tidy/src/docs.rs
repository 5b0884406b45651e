//! Links between the documents of the tree lead somewhere.
//!
//! Addresses on the web are not followed: no test needs the network for that.

use crate::tree::File;

/// Links of Markdown files that lead to no file, folder or heading.
#[must_use]
pub fn dead_links(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.extension() == "md") {
        for (line, target) in links(&file.text) {
            if !leads_somewhere(files, file, &target) {
                offences.push(format!("{}:{line} leads nowhere: {target}", file.path));
            }
        }
    }
    offences
}

fn leads_somewhere(files: &[File], from: &File, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = resolve(from, path) else {
        return false; // above the root
    };
    let Some(file) = files.iter().find(|file| file.path == path) else {
        let folder = format!("{path}/");
        return heading.is_empty() && files.iter().any(|file| file.path.starts_with(&folder));
    };
    heading.is_empty()
        || file.extension() != "md"
        || headings(&file.text).iter().any(|slug| slug == heading)
}

/// The path from the root that `path` means inside `from`.
fn resolve(from: &File, path: &str) -> Option<String> {
    if path.is_empty() {
        return Some(from.path.clone());
    }
    let mut parts: Vec<&str> = from
        .folder()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Targets of inline links and of link definitions, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let without_code: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        let inline = without_code
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        for (target, _) in inline {
            // A title may follow the target after a space.
            let target = target.split_whitespace().next().unwrap_or_default();
            found.push((number, target.to_owned()));
        }
        if line.starts_with('[')
            && let Some((_, target)) = line.split_once("]: ")
        {
            found.push((number, target.trim().to_owned()));
        }
    }
    found
}

/// Anchors of the headings, as code hosts make them.
fn headings(text: &str) -> Vec<String> {
    let lines = prose(text)
        .into_iter()
        .filter(|(_, line)| line.starts_with('#'));
    lines
        .map(|(_, line)| slug(line.trim_start_matches('#').trim()))
        .collect()
}

fn slug(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c })
        .collect::<String>()
        .to_lowercase()
}

/// Lines outside of code fences, numbered from 1.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            found.push((index + 1, line));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assert_clean, tree};

    #[test]
    fn links_between_documents_lead_somewhere() {
        assert_clean("links", &dead_links(&tree::real()));
    }

    #[test]
    fn a_dead_link_is_caught() {
        let rows = [
            ("[a](../README.md)", 0),
            ("[a](../README.md#two-words)", 0),
            ("[a](../README.md#other)", 1),
            ("[a](missing.md) and [b](B.md)", 1),
            ("[a](fsm/)", 0),
            ("[a](../../outside.md)", 1),
            ("[a](https://example.org/x)", 0),
            ("[a][b]\n\n[b]: missing.md", 1),
            ("## Here\n[a](#here)", 0),
            ("[a](#there)", 1),
            ("```\n[a](missing.md)\n```\n`[a](missing.md)`", 0),
            ("[a](B.md \"a title\")", 0),
        ];
        for (text, expected) in rows {
            let files = [
                File::new("README.md", "# Two words!"),
                File::new("docs/A.md", text),
                File::new("docs/B.md", ""),
                File::new("docs/fsm/c.md", ""),
            ];
            let offences = dead_links(&files);
            assert_eq!(offences.len(), expected, "{text}: {offences:?}");
        }
    }
}
