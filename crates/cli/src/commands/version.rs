//! `snapshots` and `ls`: which versions there are, and what is in one.

use std::fmt::Write as _;

use bitdust_api::view::{EntryView, KeptView, ListingView, SnapshotView};
use bitdust_api::{Answer, Call};
use bitdust_model::ByteCount;
use bitdust_node::Connection;
use serde_json::json;

use super::context::{Context, ask, close, open};
use crate::escape::{escaped, shown_path};
use crate::failure::{Exit, Failure};
use crate::output::failure_object;
use crate::text::{count, minute, minute_of_seconds};

pub(super) async fn snapshots(context: &Context) -> Result<Exit, Failure> {
    let Answer::Snapshots(snapshots) = ask(context, Call::Snapshots).await? else {
        return Err(Failure::odd_answer());
    };
    context
        .output
        .result(&json!({ "snapshots": snapshots }), || {
            if snapshots.is_empty() {
                return "There is no version yet. `bitdust backup` makes one of each folder.\n"
                    .to_owned();
            }
            snapshots.iter().map(snapshot_line).collect()
        })?;
    Ok(Exit::Done)
}

/// Prints a folder of a version page by page, so that no listing is held whole.
pub(super) async fn list(context: &Context, target: String) -> Result<Exit, Failure> {
    let mut connection = open(context).await?;
    let listed = print_pages(context, &mut connection, target).await;
    close(connection, listed).await
}

async fn print_pages(
    context: &Context,
    connection: &mut Connection,
    target: String,
) -> Result<Exit, Failure> {
    let mut page = page_after(connection, &target, None).await?;
    let mut printed = 0_u64;
    if context.output.is_json() {
        context.output.text("{\"entries\":[")?;
    }
    loop {
        context
            .output
            .text(&page_text(&page, context.output.is_json(), printed == 0)?)?;
        printed += page.entries.len() as u64;
        // A page without entries has no last name to go on from: it is the end.
        let Some(last) = page
            .entries
            .last()
            .filter(|_| page.more)
            .map(|entry| entry.name.clone())
        else {
            break;
        };
        page = match page_after(connection, &target, Some(last)).await {
            Ok(page) => page,
            Err(failure) => return broken_off(context, failure),
        };
    }
    if context.output.is_json() {
        context.output.text("]}\n")?;
    } else if printed == 0 {
        context.output.note("There is nothing in it.");
    }
    Ok(Exit::Done)
}

/// A listing that broke in the middle is still one whole JSON object, with the error in it.
fn broken_off(context: &Context, failure: Failure) -> Result<Exit, Failure> {
    if !context.output.is_json() {
        return Err(failure);
    }
    let error = &failure_object(&failure)["error"];
    context.output.text(&format!("],\"error\":{error}}}\n"))?;
    Ok(failure.exit())
}

async fn page_after(
    connection: &mut Connection,
    target: &str,
    after: Option<String>,
) -> Result<ListingView, Failure> {
    let Answer::Listing(page) = connection
        .call(Call::List {
            target: target.to_owned(),
            after,
        })
        .await?
    else {
        return Err(Failure::odd_answer());
    };
    Ok(page)
}

fn page_text(page: &ListingView, is_json: bool, is_first: bool) -> Result<String, Failure> {
    let mut text = String::new();
    for (place, entry) in page.entries.iter().enumerate() {
        if is_json {
            if place > 0 || !is_first {
                text.push(',');
            }
            let entry = serde_json::to_string(entry).map_err(|_| Failure::odd_answer())?;
            text.push_str(&entry);
        } else {
            text.push_str(&entry_line(entry));
        }
    }
    Ok(text)
}

fn snapshot_line(snapshot: &SnapshotView) -> String {
    let mut line = format!(
        "{}  {}  {}  {}, {}",
        escaped(snapshot.id.get(..8).unwrap_or(&snapshot.id)),
        minute(snapshot.taken_at),
        shown_path(&snapshot.path),
        count(snapshot.files, "file", "files"),
        ByteCount(snapshot.bytes),
    );
    if let Some(KeptView { confirmed, of }) = snapshot.kept {
        write!(line, ", confirmed by {confirmed} of {of} suppliers")
            .expect("writing to a string cannot fail");
    }
    if snapshot.is_clock_suspect {
        line.push_str(", taken while the clock was wrong");
    }
    if snapshot.problems > 0 {
        write!(
            line,
            ", without {} that could not be protected",
            count(snapshot.problems, "thing", "things")
        )
        .expect("writing to a string cannot fail");
    }
    line.push('\n');
    line
}

fn entry_line(entry: &EntryView) -> String {
    let kind = match entry.kind.as_str() {
        "file" => '-',
        "directory" => 'd',
        "symlink" => 'l',
        "fifo" => 'p',
        "socket" => 's',
        "device" => 'b',
        _ => '?',
    };
    let target = entry
        .target
        .as_deref()
        .map(|target| format!(" -> {}", escaped(target)))
        .unwrap_or_default();
    format!(
        "{kind}{}  {:>7}  {}  {}{target}\n",
        mode_text(entry.mode),
        ByteCount(entry.bytes).to_string(),
        minute_of_seconds(entry.mtime_seconds),
        escaped(&entry.name),
    )
}

/// Permission bits as `ls -l` shows them.
fn mode_text(mode: u32) -> String {
    let mut letters: Vec<char> = "rwxrwxrwx".chars().collect();
    for (place, letter) in letters.iter_mut().enumerate() {
        if mode & (0o400 >> place) == 0 {
            *letter = '-';
        }
    }
    for (bit, place, set, unset) in [
        (0o4000, 2, 's', 'S'),
        (0o2000, 5, 's', 'S'),
        (0o1000, 8, 't', 'T'),
    ] {
        if mode & bit != 0 {
            letters[place] = if letters[place] == 'x' { set } else { unset };
        }
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> EntryView {
        EntryView {
            name: name.to_owned(),
            kind: "symlink".to_owned(),
            bytes: 0,
            mode: 0o777,
            mtime_seconds: 0,
            target: Some("a\u{1b}b".to_owned()),
        }
    }

    #[test]
    fn modes_are_shown_as_everywhere() {
        let check = |mode: u32, shown: &str| assert_eq!(mode_text(mode), shown);
        check(0o644, "rw-r--r--");
        check(0o4755, "rwsr-xr-x");
        check(0o2644, "rw-r-Sr--");
        check(0o1777, "rwxrwxrwt");
        check(0o1770, "rwxrwx--T");
    }

    #[test]
    fn names_from_outside_cannot_disturb_the_terminal() {
        let line = entry_line(&entry("evil\u{1b}]0;x\u{7}\nname"));
        assert!(
            !line.trim_end_matches('\n').chars().any(char::is_control),
            "{line:?}"
        );
        assert!(line.contains("-> a\\u{1b}b"), "{line:?}");
    }

    #[test]
    fn pages_join_into_one_json_array() {
        let first = ListingView {
            entries: vec![entry("a"), entry("b")],
            more: true,
        };
        let second = ListingView {
            entries: vec![entry("c")],
            more: false,
        };
        let text = |page: &ListingView, is_first: bool| {
            page_text(page, true, is_first).expect("it serialises")
        };
        let text = format!("[{}{}]", text(&first, true), text(&second, false));
        let names: Vec<EntryView> = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(
            names
                .iter()
                .map(|entry| entry.name.as_str())
                .collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
    }
}
