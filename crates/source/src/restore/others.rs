//! Symbolic links, named pipes, sockets and devices.

use bitdust_model::limits;
use bitdust_model::tree::{Meta, Node};
use rustix::fs::{FileType, Mode, Stat, mknodat, readlinkat, symlinkat};
use rustix::io::Errno;

use crate::folder::FolderHandle;
use crate::relative::RelativePath;
use crate::restore::place::{self, Choice};
use crate::restore::{Placed, RestoreError, RestoreTarget, metadata, part};

impl RestoreTarget {
    /// Makes a symbolic link, named pipe, socket or device; the last two only as root.
    pub fn create_other(&mut self, path: &RelativePath, node: &Node, meta: &Meta) -> Placed {
        match self.try_create_other(path, node, meta) {
            Ok(Placed::Done) => {
                self.report.others_made += 1;
                Placed::Done
            }
            Ok(Placed::Kept) => {
                self.report.kept += 1;
                Placed::Kept
            }
            Ok(placed @ (Placed::Waiting | Placed::Failed)) => placed,
            Err(error) => {
                self.fail(path, &error);
                Placed::Failed
            }
        }
    }

    fn try_create_other(
        &mut self,
        path: &RelativePath,
        node: &Node,
        meta: &Meta,
    ) -> Result<Placed, RestoreError> {
        self.check_possible(node)?;
        let folder = self.place_of(path)?;
        let choice = place::choose(&folder, path.name(), self.options.conflict, |name, stat| {
            is_same(&folder, name, stat, node)
        })?;
        let name = match choice {
            Choice::Write(name) => name,
            Choice::Same(_) | Choice::Keep => return Ok(Placed::Kept),
        };
        let (part_name, ()) = part::with_fresh_name(|part_name| make(&folder, part_name, node))
            .map_err(|errno| RestoreError::of("making it", errno))?;
        let is_link = matches!(node, Node::Symlink { .. });
        let applied =
            metadata::apply_named(&folder, &part_name, meta, is_link, self.owner_of(meta));
        let placed = self.publish_part(&folder, &part_name, &path.parent(), &name)?;
        if placed == Placed::Done {
            self.note_applied(path, applied);
        }
        Ok(placed)
    }

    fn check_possible(&self, node: &Node) -> Result<(), RestoreError> {
        match node {
            Node::File { .. } => Err(RestoreError::WrongKind { what: "a file" }),
            Node::Directory { .. } => Err(RestoreError::WrongKind { what: "a folder" }),
            Node::Symlink { target } if target.len() > limits::LINK_BYTES_MAX => {
                Err(RestoreError::TooMany {
                    what: "bytes of link target",
                    max: limits::LINK_BYTES_MAX,
                })
            }
            Node::Symlink { .. } | Node::Fifo => Ok(()),
            Node::Socket if !self.is_root_user => Err(RestoreError::OnlyRoot { what: "a socket" }),
            Node::Device { .. } if !self.is_root_user => {
                Err(RestoreError::OnlyRoot { what: "a device" })
            }
            Node::Socket | Node::Device { .. } => Ok(()),
        }
    }
}

fn make(folder: &FolderHandle, name: &[u8], node: &Node) -> Result<(), Errno> {
    let mode = Mode::RUSR | Mode::WUSR;
    match node {
        Node::Symlink { target } => symlinkat(target.as_slice(), folder, name),
        Node::Fifo => mknodat(folder, name, FileType::Fifo, mode, 0),
        Node::Socket => mknodat(folder, name, FileType::Socket, mode, 0),
        Node::Device { block, rdev } => mknodat(folder, name, device_type(*block), mode, *rdev),
        Node::File { .. } | Node::Directory { .. } => Err(Errno::INVAL),
    }
}

fn is_same(folder: &FolderHandle, name: &[u8], stat: &Stat, node: &Node) -> bool {
    let kind = FileType::from_raw_mode(stat.st_mode);
    match node {
        Node::Symlink { target } => {
            kind == FileType::Symlink
                && readlinkat(folder, name, Vec::new())
                    .is_ok_and(|present| present.as_bytes() == target.as_slice())
        }
        Node::Fifo => kind == FileType::Fifo,
        Node::Socket => kind == FileType::Socket,
        Node::Device { block, rdev } => kind == device_type(*block) && stat.st_rdev == *rdev,
        Node::File { .. } | Node::Directory { .. } => false,
    }
}

const fn device_type(is_block: bool) -> FileType {
    if is_block {
        FileType::BlockDevice
    } else {
        FileType::CharacterDevice
    }
}
