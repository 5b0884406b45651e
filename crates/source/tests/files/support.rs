//! What the tests of this suite share.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Output;

use bitdust_model::status::Problem;
use bitdust_model::tree::{Entry, Meta, Node, TreePage};
use bitdust_model::{ErrorCode, decode, encode};
use bitdust_source::{
    Excludes, FileSeen, FileStart, FileWanted, FolderHandle, RelativePath, RestoreOptions,
    RestoreReport, RestoreTarget, Stamp, Walk, WalkEvent, open_file,
};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

/// Everything a test may ask: a failure says what went wrong by itself.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A path from text.
pub(crate) fn path(text: &str) -> RelativePath {
    RelativePath::parse(text.as_bytes()).expect("tests name valid paths")
}

/// Metadata of a private file with a time of its own.
pub(crate) fn meta(mode: u32, mtime_seconds: i64) -> Meta {
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    Meta {
        mode,
        mtime_seconds,
        mtime_nanos: 123_456_789,
        uid: user,
        gid: group,
        xattrs: Vec::new(),
    }
}

/// Sets both times of a thing, a link itself included.
pub(crate) fn set_times(path: &Path, seconds: i64, nanos: i64) {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanos,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).expect("times can be set");
}

/// All events of a walk without excludes.
pub(crate) fn walk_all(root: &Path) -> Vec<WalkEvent> {
    Walk::new(root, &Excludes::none())
        .expect("the root opens")
        .collect()
}

/// One line an event, for comparisons.
pub(crate) fn lines(events: &[WalkEvent]) -> Vec<String> {
    events
        .iter()
        .map(|event| match event {
            WalkEvent::Enter { path, .. } => format!("enter {path}"),
            WalkEvent::File(file) => format!("file {}", file.path),
            WalkEvent::Other { path, node, .. } => format!("{} {path}", node_name(node)),
            WalkEvent::Leave {
                path,
                is_complete: true,
            } => format!("leave {path}"),
            WalkEvent::Leave {
                path,
                is_complete: false,
            } => format!("leave {path} incomplete"),
            WalkEvent::Problem(problem) => format!("problem {:?}", problem.code),
        })
        .collect()
}

/// The problems among events.
pub(crate) fn problems(events: &[WalkEvent]) -> Vec<Problem> {
    let problem = |event: &WalkEvent| match event {
        WalkEvent::Problem(problem) => Some(problem.clone()),
        WalkEvent::Enter { .. }
        | WalkEvent::File(_)
        | WalkEvent::Other { .. }
        | WalkEvent::Leave { .. } => None,
    };
    events.iter().filter_map(problem).collect()
}

/// Writes a file in one go through a target.
pub(crate) fn restore_file(
    target: &mut RestoreTarget,
    at: &RelativePath,
    bytes: &[u8],
    meta: &Meta,
) {
    restore_wanted(target, at, bytes, ordinary(bytes.len() as u64, meta));
}

/// The same for a file of which more is known.
pub(crate) fn restore_wanted(
    target: &mut RestoreTarget,
    at: &RelativePath,
    bytes: &[u8],
    wanted: FileWanted<'_>,
) {
    if let FileStart::Write(mut writer) = target.begin_file(at, wanted) {
        match writer.write_at(0, bytes) {
            Ok(()) => {
                let _the_report_knows = target.finish_file(writer, wanted.meta);
            }
            Err(error) => target.abandon_file(writer, &error),
        }
    }
}

/// A file of `size` bytes with one name and no holes.
pub(crate) const fn ordinary(size: u64, meta: &Meta) -> FileWanted<'_> {
    FileWanted {
        size,
        meta,
        is_sparse: false,
        link_group: None,
    }
}

/// Of what kind the problems are that a report lists.
pub(crate) fn codes(report: &RestoreReport) -> Vec<ErrorCode> {
    let listed = report.problems.listed.iter();
    listed.map(|problem| problem.code).collect()
}

/// What a command that runs this program again for one test has to say.
pub(crate) fn ran_the_test(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed"), "the test ran: {said}");
}

/// Restores one tree from another as the node would, pieces of files last to first.
pub(crate) fn restore_tree(source: &Path, place: &Path, options: RestoreOptions) -> RestoreReport {
    let mut target = RestoreTarget::open(place, options).expect("the target opens");
    restore_into(&mut target, source);
    target.finish()
}

/// The same without its end.
pub(crate) fn restore_into(target: &mut RestoreTarget, source: &Path) {
    for event in walk_all(source) {
        match event {
            WalkEvent::Enter { path, meta } => {
                let pages = Vec::new();
                let (meta, _) = recorded(meta, Node::Directory { pages });
                let _the_report_knows = target.create_folder(&path, &meta);
            }
            WalkEvent::Other { path, meta, node } => {
                let (meta, node) = recorded(meta, node);
                let _the_report_knows = target.create_other(&path, &node, &meta);
            }
            WalkEvent::Leave { .. } => {}
            WalkEvent::Problem(problem) => panic!("the source can be read: {problem:?}"),
            WalkEvent::File(file) => {
                let (meta, _) = recorded(meta_of_file(&file), Node::Fifo);
                let wanted = FileWanted {
                    size: file.stamp.size_bytes,
                    meta: &meta,
                    is_sparse: file.is_sparse,
                    link_group: file.has_other_names.then_some(file.stamp.inode),
                };
                let bytes = read_all(&file.folder, file.path.name(), &file.stamp);
                let mut start = target.begin_file(&file.path, wanted);
                if let FileStart::Later = start {
                    target.flush();
                    start = target.begin_file(&file.path, wanted);
                }
                let FileStart::Write(mut writer) = start else {
                    continue;
                };
                for (index, piece) in bytes.chunks(1000).enumerate().rev() {
                    writer
                        .write_at(index as u64 * 1000, piece)
                        .expect("the piece fits");
                }
                let _the_report_knows = target.finish_file(writer, &meta);
            }
        }
    }
}

/// The metadata of a file that stands still.
pub(crate) fn meta_of_file(seen: &FileSeen) -> Meta {
    let reader = open_file(&seen.folder, seen.path.name(), &seen.stamp);
    let meta = reader.expect("the file can be opened").meta();
    meta.expect("its metadata can be read")
}

/// What is left of a thing after it was written into a page and read again.
fn recorded(meta: Meta, node: Node) -> (Meta, Node) {
    let name = b"name".to_vec();
    let page = TreePage {
        entries: vec![Entry { name, meta, node }],
        ..TreePage::default()
    };
    let read: TreePage = decode(&encode(&page)).expect("a page is read");
    let entry = read.entries.into_iter().next().expect("as it was written");
    (entry.meta, entry.node)
}

/// The bytes of a file that stands still.
pub(crate) fn read_all(folder: &FolderHandle, name: &[u8], stamp: &Stamp) -> Vec<u8> {
    let mut reader = open_file(folder, name, stamp).expect("the file opens");
    let mut bytes = Vec::new();
    reader
        .read_to_end(&mut bytes)
        .expect("the file can be read");
    reader.finish().expect("nobody writes to it");
    bytes
}

/// A file with these bytes.
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a test may write where it works");
}

/// A named pipe.
pub(crate) fn make_fifo(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(CWD, path, rustix::fs::FileType::Fifo, mode, 0)
        .expect("anybody may make a pipe");
}

/// Opens a file of the system, as a control that it can or cannot be opened.
pub(crate) fn opens(path: &Path) -> bool {
    File::open(path).is_ok()
}

const fn node_name(node: &Node) -> &'static str {
    match node {
        Node::File { .. } => "file",
        Node::Directory { .. } => "folder",
        Node::Symlink { .. } => "link",
        Node::Fifo => "fifo",
        Node::Socket => "socket",
        Node::Device { block: true, .. } => "block",
        Node::Device { block: false, .. } => "character",
    }
}
