//! What a version holds: page by page, or brought back.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use bitdust_api::call::Conflict;
use bitdust_api::view::{EntryView, ListingView};
use bitdust_api::{Answer, ApiError};
use bitdust_engine::JobId;
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::tree::{Entry, Node as TreeNode};
use bitdust_model::{ErrorCode, limits};
use bitdust_store::Catalogue;

use super::reader::{Reader, StoredItem};
use super::versions::resolve;
use super::{JobKind, Restore};
use crate::shared::answer::Reported;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::job::Begun;
use crate::shared::restore_request::{Destination, RestoreRequest};
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;
use crate::shared::text::{escape, unescape};
use crate::shared::words;

/// Entries in one page of a listing.
const LISTING_PAGE: usize = 1_000;

impl Restore {
    /// Finds what a target names, which comes back as [`TaskEvent::RestoreFound`] to be brought back.
    pub(crate) fn ask_restore(
        &mut self,
        driver: &mut Driver,
        target: String,
        only: Vec<String>,
        to: Option<String>,
        conflict: Conflict,
        reply: oneshot::Sender<Reported>,
    ) {
        if self.finding >= limits::LOOKUPS_MAX {
            let message = "too much is being looked up already; try again in a moment";
            return drop(reply.send(Err(ApiError::new(ErrorCode::Busy, message))));
        }
        self.finding += 1;
        let context = self.context.clone();
        driver.spawn(async move {
            let catalogue = context.catalogue.clone();
            let request = blocking(move || {
                let to = to.as_deref();
                find_request(&catalogue, &target, &only, to, conflict)
            });
            let defect = |code| Err(ApiError::new(code, words::failure(code)));
            let request = request.await.unwrap_or_else(defect).map(Box::new);
            let found = TaskEvent::RestoreFound { request, reply };
            // A loop that has ended begins nothing any more.
            drop(context.task_events.send(found).await);
        });
    }

    /// Begins to bring back what was found.
    ///
    /// # Errors
    /// If nothing was.
    pub(crate) fn restore_found(
        &mut self,
        driver: &mut Driver,
        request: Result<Box<RestoreRequest>, ApiError>,
    ) -> Result<Begun, ApiError> {
        self.finding = self.finding.saturating_sub(1);
        Ok(self.begin(driver, JobKind::Restore(request?)))
    }

    /// Answers with a page of a folder's listing.
    pub(crate) fn list(
        &mut self,
        driver: &mut Driver,
        target: String,
        after: Option<String>,
        reply: oneshot::Sender<Reported>,
    ) {
        let after = after.map(|after| unescape(&after));
        let runtime = Handle::current();
        self.look_up(driver, reply, move |context, lookup| {
            let (snapshot, path) = resolve(&context.catalogue, &target)?;
            listing(context, lookup, &snapshot, &path, after.as_deref(), runtime)
                .map(Answer::Listing)
                .map_err(|code| {
                    let message = if code == ErrorCode::NotFound {
                        format!("{target} is not in this version")
                    } else {
                        let reason = words::failure(code);
                        format!("{target} cannot be listed: {reason}")
                    };
                    ApiError::new(code, message)
                })
        });
    }
}

fn find_request(
    catalogue: &Catalogue,
    target: &str,
    only: &[String],
    to: Option<&str>,
    conflict: Conflict,
) -> Result<RestoreRequest, ApiError> {
    let (snapshot, path) = resolve(catalogue, target)?;
    let conflict = match conflict {
        Conflict::Replace => bitdust_source::Conflict::Replace,
        Conflict::KeepBoth => bitdust_source::Conflict::KeepBoth,
        Conflict::Skip => bitdust_source::Conflict::Skip,
    };
    if only.len() > limits::RESTORE_SELECTED_MAX {
        let message = format!(
            "at most {} things can be chosen at once; choose the folder they are in",
            limits::RESTORE_SELECTED_MAX
        );
        return Err(ApiError::new(ErrorCode::BadRequest, message));
    }
    let place = match to {
        Some(to) => Destination::Into(PathBuf::from(OsString::from_vec(unescape(to)))),
        None => Destination::Original,
    };
    let only = only.iter().map(|path| unescape(path)).collect();
    Ok(RestoreRequest::new(snapshot, path, only, place, conflict))
}

fn listing(
    context: &Context,
    job: JobId,
    snapshot: &SnapshotRecord,
    path: &[u8],
    after: Option<&[u8]>,
    runtime: Handle,
) -> Result<ListingView, ErrorCode> {
    let mut reader = Reader::new(context, runtime, job, 0);
    let pages = match reader.find(snapshot, path)? {
        StoredItem::Folder { pages, .. } => pages,
        StoredItem::Entry(entry) => {
            return Ok(ListingView {
                entries: vec![entry_view(&entry)],
                more: false,
            });
        }
    };
    let mut entries = Vec::new();
    for page in pages {
        for entry in reader.page(page)? {
            if after.is_some_and(|after| entry.name.as_slice() <= after) {
                continue;
            }
            if entries.len() == LISTING_PAGE {
                return Ok(ListingView {
                    entries,
                    more: true,
                });
            }
            entries.push(entry_view(&entry));
        }
    }
    Ok(ListingView {
        entries,
        more: false,
    })
}

pub(crate) fn entry_view(entry: &Entry) -> EntryView {
    let (kind, bytes, target) = match &entry.node {
        TreeNode::File { size, .. } => ("file", *size, None),
        TreeNode::Directory { .. } => ("directory", 0, None),
        TreeNode::Symlink { target } => ("symlink", 0, Some(escape(target))),
        TreeNode::Fifo => ("fifo", 0, None),
        TreeNode::Socket => ("socket", 0, None),
        TreeNode::Device { .. } => ("device", 0, None),
    };
    EntryView {
        name: escape(&entry.name),
        kind: kind.to_owned(),
        bytes,
        mode: entry.meta.mode,
        mtime_seconds: entry.meta.mtime_seconds,
        target,
    }
}
