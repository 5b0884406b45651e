//! `folder add`, `folder list` and `folder remove`.

use std::fmt::Write as _;

use bitdust_api::view::{FolderView, Schedule};
use bitdust_api::{Answer, Call};
use bitdust_model::ByteCount;
use bitdust_model::verdict::FolderSaid;
use serde_json::json;

use super::context::{Context, ask, order};
use crate::escape::shown_path;
use crate::failure::{Exit, Failure};
use crate::text::{count, folder_said, minute};

pub(super) async fn add(
    context: &Context,
    path: String,
    excludes: Vec<String>,
    crosses_mounts: bool,
    schedule: Option<Schedule>,
) -> Result<Exit, Failure> {
    let added = Call::FolderAdd {
        path,
        excludes: excludes.clone(),
        crosses_mounts,
    };
    let Answer::Folder(mut folder) = ask(context, added).await? else {
        return Err(Failure::odd_answer());
    };
    if let Some(schedule) = schedule {
        let change = Call::FolderChange {
            folder: folder.id.clone(),
            excludes,
            crosses_mounts,
            schedule,
        };
        let Answer::Folder(changed) = ask(context, change).await? else {
            return Err(Failure::odd_answer());
        };
        folder = changed;
    }
    context.output.result(&json!({ "folder": folder }), || {
        format!(
            "{} will be backed up from now on; `bitdust backup` does it at once.\n",
            shown_path(&folder.path)
        )
    })?;
    Ok(Exit::Done)
}

pub(super) async fn list(context: &Context) -> Result<Exit, Failure> {
    let Answer::Folders(folders) = ask(context, Call::FolderList).await? else {
        return Err(Failure::odd_answer());
    };
    context.output.result(&json!({ "folders": folders }), || {
        if folders.is_empty() {
            return "No folder is backed up yet. `bitdust folder add DIR` names one.\n".to_owned();
        }
        folders.iter().map(folder_line).collect()
    })?;
    Ok(Exit::Done)
}

pub(super) async fn remove(context: &Context, folder: String) -> Result<Exit, Failure> {
    order(
        context,
        Call::FolderRemove {
            folder: folder.clone(),
        },
    )
    .await?;
    context
        .output
        .result(&json!({ "done": true, "folder": folder }), || {
            format!(
                "{} is backed up no more. Its stored versions stay and can be restored.\n",
                shown_path(&folder)
            )
        })?;
    Ok(Exit::Done)
}

/// A folder on one line.
pub(super) fn folder_line(folder: &FolderView) -> String {
    let mut line = format!(
        "  {}  {}",
        shown_path(&folder.path),
        folder_said(folder.verdict.says)
    );
    if let Some(last) = folder.last_backup {
        let files = count(folder.files, "file", "files");
        write!(
            line,
            ", {files}, {}, backed up {}",
            ByteCount(folder.bytes),
            minute(last)
        )
        .expect("writing to a string cannot fail");
    }
    let is_told = matches!(folder.verdict.says, FolderSaid::Problems { .. });
    if folder.problems > 0 && !is_told {
        let problems = count(folder.problems, "thing", "things");
        write!(line, ", {problems} in it could not be backed up")
            .expect("writing to a string cannot fail");
    }
    line.push('\n');
    line
}
