//! Looking into versions: names that are searched, versions of one file, previews.
//!
//! Each question is a look-up of its own, so that what it fetches ends with it. Trees are
//! walked page by page; a page that two versions share is read once.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use bitdust_api::view::{FileVersionView, FoundView, PreviewView};
use bitdust_api::{Answer, ApiError};
use bitdust_engine::JobId;
use bitdust_model::manifest::SnapshotRecord;
use bitdust_model::tree::{Entry, Node as TreeNode};
use bitdust_model::{ChunkId, ErrorCode, limits};
use bitdust_store::Catalogue;

use super::Restore;
use super::listing::entry_view;
use super::reader::{Reader, StoredItem};
use super::versions::{newest_first, resolve};
use crate::shared::answer::Reported;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::fetching::fetch_chunks;
use crate::shared::text::escape;
use crate::shared::words;

/// Sealed bytes read ahead of pages: a search walks whole trees.
const READ_AHEAD: u32 = 1024 * 1024;
/// Pages that a search reads at most: some gigabytes of lists.
const PAGES_MAX: usize = 100_000;
/// Versions of a file that are looked for at most.
const VERSIONS_MAX: usize = 1_000;

/// A question with all it needs.
enum LookUp {
    Search {
        text: String,
        snapshots: Vec<SnapshotRecord>,
    },
    Versions {
        path: Vec<u8>,
        snapshots: Vec<SnapshotRecord>,
    },
    Preview {
        path: Vec<u8>,
        snapshot: Box<SnapshotRecord>,
    },
}

impl Restore {
    /// Answers a search by name, in one version or in all, from a task.
    pub(crate) fn search(
        &mut self,
        driver: &mut Driver,
        text: &str,
        version: Option<String>,
        reply: oneshot::Sender<Reported>,
    ) {
        let text = text.trim().to_lowercase();
        self.browse(driver, reply, move |catalogue| {
            let snapshots = match version {
                Some(name) => vec![resolve(catalogue, &name)?.0],
                None => newest_first(catalogue)?,
            };
            if text.is_empty() {
                let message = "type a part of the name that is looked for";
                return Err(ApiError::new(ErrorCode::BadRequest, message));
            }
            Ok(LookUp::Search { text, snapshots })
        });
    }

    /// Answers with the versions of a file, from a task.
    pub(crate) fn file_versions(
        &mut self,
        driver: &mut Driver,
        target: String,
        reply: oneshot::Sender<Reported>,
    ) {
        self.browse(driver, reply, move |catalogue| {
            let (snapshot, path) = resolve(catalogue, &target)?;
            let mut snapshots = newest_first(catalogue)?;
            snapshots.retain(|it| it.folder == snapshot.folder);
            snapshots.truncate(VERSIONS_MAX);
            Ok(LookUp::Versions { path, snapshots })
        });
    }

    /// Answers with the beginning of a file, from a task.
    pub(crate) fn preview(
        &mut self,
        driver: &mut Driver,
        target: String,
        reply: oneshot::Sender<Reported>,
    ) {
        self.browse(driver, reply, move |catalogue| {
            let (snapshot, path) = resolve(catalogue, &target)?;
            let snapshot = Box::new(snapshot);
            Ok(LookUp::Preview { path, snapshot })
        });
    }

    fn browse(
        &mut self,
        driver: &mut Driver,
        reply: oneshot::Sender<Reported>,
        question: impl FnOnce(&Catalogue) -> Result<LookUp, ApiError> + Send + 'static,
    ) {
        let runtime = Handle::current();
        self.look_up(driver, reply, move |context, lookup| {
            let question = question(&context.catalogue)?;
            look(context, lookup, question, runtime).map_err(|code| {
                let message = format!("it cannot be shown: {}", words::failure(code));
                ApiError::new(code, message)
            })
        });
    }
}

fn look(
    context: &Context,
    job: JobId,
    question: LookUp,
    runtime: Handle,
) -> Result<Answer, ErrorCode> {
    match question {
        LookUp::Search { text, snapshots } => {
            let mut search = Search {
                reader: Reader::new(context, runtime, job, READ_AHEAD),
                text,
                read: BTreeSet::new(),
                found: Vec::new(),
            };
            for snapshot in &snapshots {
                if search.is_over() {
                    break;
                }
                search.version(snapshot)?;
            }
            Ok(Answer::Found(search.found))
        }
        LookUp::Versions { path, snapshots } => {
            let mut reader = Reader::new(context, runtime, job, 0);
            versions(&mut reader, &path, &snapshots).map(Answer::FileVersions)
        }
        LookUp::Preview { path, snapshot } => {
            let mut reader = Reader::new(context, runtime.clone(), job, 0);
            let StoredItem::Entry(entry) = reader.find(&snapshot, &path)? else {
                return Ok(Answer::Preview(PreviewView::None { bytes: 0 }));
            };
            preview(context, job, &mut reader, &runtime, &entry).map(Answer::Preview)
        }
    }
}

/// A search by name. A page that was read in a newer version is skipped in an older one: what
/// it names was found there.
struct Search<'a> {
    reader: Reader<'a>,
    text: String,
    read: BTreeSet<ChunkId>,
    found: Vec<FoundView>,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.found.len() >= limits::FOUND_MAX || self.read.len() >= PAGES_MAX
    }

    fn version(&mut self, snapshot: &SnapshotRecord) -> Result<(), ErrorCode> {
        let mut waiting = vec![(Vec::new(), snapshot.pages.clone())];
        while let Some((path, pages)) = waiting.pop() {
            for page in pages {
                if self.is_over() {
                    return Ok(());
                }
                if !self.read.insert(page) {
                    continue;
                }
                for entry in self.reader.page(page)? {
                    let mut below: Vec<u8> = path.clone();
                    if !below.is_empty() {
                        below.push(b'/');
                    }
                    below.extend_from_slice(&entry.name);
                    self.note(snapshot, &below, &entry);
                    if let TreeNode::Directory { pages } = entry.node {
                        waiting.push((below, pages));
                    }
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, snapshot: &SnapshotRecord, path: &[u8], entry: &Entry) {
        let name = String::from_utf8_lossy(&entry.name).to_lowercase();
        if !name.contains(&self.text) || self.found.len() >= limits::FOUND_MAX {
            return;
        }
        let (folder, path) = (escape(&snapshot.path), escape(path));
        // A newer version has it already.
        if self
            .found
            .iter()
            .any(|found| found.folder == folder && found.path == path)
        {
            return;
        }
        self.found.push(FoundView {
            snapshot: snapshot.snapshot.to_hex(),
            folder,
            taken_at: snapshot.taken_at,
            path,
            entry: entry_view(entry),
        });
    }
}

/// Versions in which a thing differs from the next newer one.
fn versions(
    reader: &mut Reader<'_>,
    path: &[u8],
    snapshots: &[SnapshotRecord],
) -> Result<Vec<FileVersionView>, ErrorCode> {
    let mut views = Vec::new();
    let mut last: Option<TreeNode> = None;
    for snapshot in snapshots {
        let entry = match reader.find(snapshot, path) {
            Ok(StoredItem::Entry(entry)) => entry,
            Ok(StoredItem::Folder { meta, pages }) => Entry {
                name: path
                    .rsplit(|byte| *byte == b'/')
                    .next()
                    .unwrap_or_default()
                    .to_vec(),
                meta,
                node: TreeNode::Directory { pages },
            },
            Err(ErrorCode::NotFound) => {
                last = None;
                continue;
            }
            Err(code) => return Err(code),
        };
        if last.as_ref() == Some(&entry.node) {
            continue;
        }
        views.push(FileVersionView {
            snapshot: snapshot.snapshot.to_hex(),
            taken_at: snapshot.taken_at,
            entry: entry_view(&entry),
        });
        last = Some(entry.node);
    }
    Ok(views)
}

/// The beginning of a file, when it can be shown.
fn preview(
    context: &Context,
    job: JobId,
    reader: &mut Reader<'_>,
    runtime: &Handle,
    entry: &Entry,
) -> Result<PreviewView, ErrorCode> {
    let TreeNode::File { size, content, .. } = &entry.node else {
        return Ok(PreviewView::None { bytes: 0 });
    };
    let mut bytes = Vec::new();
    for id in reader.chunks_of(content)? {
        let is_image =
            image_media(&bytes).is_some() && *size <= limits::PREVIEW_IMAGE_BYTES_MAX as u64;
        if bytes.len() >= limits::PREVIEW_TEXT_BYTES_MAX && !is_image {
            break;
        }
        let place = reader.places(&[id])?.pop().flatten();
        let place = place.ok_or(ErrorCode::NotFound)?;
        let fetched = fetch_chunks(context, job, place.pack, vec![place.blob]);
        let chunks = runtime.block_on(fetched)?;
        chunks
            .iter()
            .for_each(|chunk| bytes.extend_from_slice(chunk));
    }
    Ok(shown(&bytes, *size))
}

fn shown(bytes: &[u8], size: u64) -> PreviewView {
    if let Some(media) = image_media(bytes)
        && bytes.len() as u64 == size
    {
        return PreviewView::Image {
            media: media.to_owned(),
            base64: BASE64.encode(bytes),
        };
    }
    let start = &bytes[..bytes.len().min(limits::PREVIEW_TEXT_BYTES_MAX)];
    // The cut may fall into a letter; anything else that is no UTF-8 is no text.
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && start.len() < bytes.len() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return PreviewView::None { bytes: size },
    };
    if text.contains('\0') {
        return PreviewView::None { bytes: size };
    }
    PreviewView::Text {
        text: text.to_owned(),
        is_cut: (text.len() as u64) < size,
    }
}

/// The kind of an image, by its first bytes. SVG is not among them: it can hold programs.
fn image_media(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_letters_and_images_are_whole() {
        let long = "ä".repeat(limits::PREVIEW_TEXT_BYTES_MAX);
        let odd = format!("x{long}");
        let PreviewView::Text { text, is_cut } = shown(odd.as_bytes(), odd.len() as u64) else {
            panic!("it is text");
        };
        assert!(
            is_cut && odd.starts_with(&text) && text.len() + 2 > limits::PREVIEW_TEXT_BYTES_MAX
        );
        let png = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3];
        assert!(
            matches!(shown(&png, 11), PreviewView::Image { media, .. } if media == "image/png")
        );
        assert_eq!(shown(&png, 5_000), PreviewView::None { bytes: 5_000 });
        assert_eq!(shown(b"a\0b", 3), PreviewView::None { bytes: 3 });
        assert_eq!(shown(&[0xc3], 1), PreviewView::None { bytes: 1 });
        let empty = PreviewView::Text {
            text: String::new(),
            is_cut: false,
        };
        assert_eq!(shown(b"", 0), empty);
    }
}
