//! Regular files and their further names.

use bitdust_model::tree::Meta;
use bitdust_model::{ErrorCode, limits};
use rustix::fs::{AtFlags, Stat, fstat, linkat};
use rustix::io::Errno;

use crate::flags::Flags;
use crate::folder::{FolderHandle, identity_of};
use crate::relative::RelativePath;
use crate::restore::links::{FirstName, Known, LinkKey};
use crate::restore::metadata::Applied;
use crate::restore::place::{self, Choice, Published};
use crate::restore::{
    Conflict, Durability, FileStart, FileWriter, Placed, RestoreError, RestoreTarget, part,
};

/// What is known of a file before its bytes come.
#[derive(Debug, Clone, Copy)]
pub struct FileWanted<'a> {
    /// Bytes it will have.
    pub size: u64,
    /// What it will have in the end.
    pub meta: &'a Meta,
    /// Whether its blocks of zeros become holes.
    pub is_sparse: bool,
    /// The number that all names of one file share, where it has several.
    pub link_group: Option<u64>,
}

/// What a file is made with.
struct NewFile {
    size: u64,
    is_sparse: bool,
    key: Option<LinkKey>,
}

impl RestoreTarget {
    /// Begins a file. Of several names of one file the first that comes is written, and the
    /// others become further names of it.
    pub fn begin_file(&mut self, path: &RelativePath, wanted: FileWanted<'_>) -> FileStart {
        let FileWanted { size, meta, .. } = wanted;
        let mut key = wanted
            .link_group
            .map(|group| LinkKey::new(group, size, meta));
        if let Some(key) = &key {
            match self.links.find(key) {
                Known::Nothing => {}
                Known::Claimed => return FileStart::Later,
                Known::Placed(first) => match self.try_link_name(&first, path, size, meta) {
                    Ok(Some(start)) => return start,
                    Ok(None) => {}
                    Err(error) => return self.failed_start(path, &error),
                },
            }
        }
        if key.take_if(|key| !self.links.has_room_for(key)).is_some() {
            self.say_links_are_full(path);
        }
        match self.try_start_file(path, wanted, key) {
            Ok(start) => start,
            Err(error) => self.failed_start(path, &error),
        }
    }

    fn failed_start(&mut self, path: &RelativePath, error: &RestoreError) -> FileStart {
        self.fail(path, error);
        FileStart::Failed
    }

    /// Says once that names are no longer joined.
    fn say_links_are_full(&mut self, path: &RelativePath) {
        if std::mem::replace(&mut self.links_are_full, true) {
            return;
        }
        let max = limits::RESTORE_LINK_GROUPS_MAX;
        self.add_problem(
            path,
            ErrorCode::TooMany,
            format!(
                "restored, but from here on names of one file come back as files of their own: \
                 more than {max} files with several names in one restore"
            ),
        );
    }

    /// Ends a file: checks that it is complete, gives it its metadata and its name.
    pub fn finish_file(&mut self, mut writer: FileWriter, meta: &Meta) -> Placed {
        let applied = match self.prepare_file(&mut writer, meta) {
            Ok(applied) => applied,
            Err(error) => {
                self.fail(writer.path(), &error);
                return Placed::Failed;
            }
        };
        match self.options.durability {
            Durability::Batches => {
                self.batch_bytes += writer.size();
                self.batch.push((writer, applied));
                if self.batch.len() >= limits::RESTORE_BATCH_MAX
                    || self.batch_bytes >= limits::RESTORE_BATCH_BYTES
                {
                    self.flush();
                }
                Placed::Waiting
            }
            Durability::EachFile | Durability::Never => self.place_file(writer, applied),
        }
    }

    /// Gives up a file, for a reason the caller knows (its bytes cannot be had, say).
    pub fn abandon_file(&mut self, writer: FileWriter, error: &RestoreError) {
        let path = writer.path().clone();
        drop(writer);
        self.fail(&path, error);
    }

    /// Forces the waiting files to the disk and gives them their names.
    pub fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let synced = rustix::fs::syncfs(&self.root);
        self.batch_bytes = 0;
        for (writer, applied) in std::mem::take(&mut self.batch) {
            match synced {
                Ok(()) => {
                    // Whatever came of it is in the report.
                    let _placed = self.place_file(writer, applied);
                }
                Err(errno) => self.abandon_file(
                    writer,
                    &RestoreError::of("forcing files to the disk", errno),
                ),
            }
        }
    }

    fn try_start_file(
        &mut self,
        path: &RelativePath,
        wanted: FileWanted<'_>,
        key: Option<LinkKey>,
    ) -> Result<FileStart, RestoreError> {
        let FileWanted {
            size,
            meta,
            is_sparse,
            ..
        } = wanted;
        let folder = self.place_of(path)?;
        let choice = place::choose(&folder, path.name(), self.options.conflict, |_, stat| {
            place::looks_like_file(stat, size, meta)
        })?;
        if let Choice::Same(name) = &choice {
            // A restore that was interrupted had not come to the flags.
            let identity = folder.stat_of(name).map(|stat| identity_of(&stat));
            let there = path.parent().join(name)?;
            self.wait_for_flags(&there, Flags::recorded_in(meta), identity);
        }
        let wanted = NewFile {
            size,
            is_sparse,
            key,
        };
        self.start_chosen(path, folder, choice, wanted)
    }

    fn start_chosen(
        &mut self,
        path: &RelativePath,
        folder: FolderHandle,
        choice: Choice,
        wanted: NewFile,
    ) -> Result<FileStart, RestoreError> {
        let NewFile {
            size,
            is_sparse,
            key,
        } = wanted;
        match choice {
            Choice::Write(name) => {
                let path = path.parent().join(&name)?;
                let mut writer = FileWriter::new(path, folder, size, is_sparse)?;
                if let Some(key) = key {
                    writer.set_claim(self.links.claim(key));
                }
                Ok(FileStart::Write(writer))
            }
            Choice::Same(name) => {
                if let Some(key) = key {
                    let stat = folder
                        .stat_of(&name)
                        .map_err(|errno| RestoreError::of("looking at its place", errno))?;
                    let first = FirstName {
                        path: path.parent().join(&name)?,
                        identity: identity_of(&stat),
                    };
                    self.links.place(key, first);
                }
                self.report.kept += 1;
                Ok(FileStart::Kept)
            }
            Choice::Keep => {
                self.report.kept += 1;
                Ok(FileStart::Kept)
            }
        }
    }

    fn prepare_file(&self, writer: &mut FileWriter, meta: &Meta) -> Result<Applied, RestoreError> {
        writer.check_complete()?;
        if self.options.durability == Durability::EachFile {
            writer.sync()?;
        }
        Ok(self.apply_open(writer.fd()?, meta, false))
    }

    fn place_file(&mut self, mut writer: FileWriter, applied: Applied) -> Placed {
        let path = writer.path().clone();
        let folder = writer.folder().clone();
        let published = writer.part_name().and_then(|part_name| {
            place::publish(&folder, part_name, path.name(), self.options.conflict)
        });
        match published {
            Ok(place @ (Published::New(_) | Published::Instead)) => {
                writer.set_placed();
                let mut placed = path.clone();
                if let Published::New(name) = place {
                    self.journal.made(&folder, &path.parent(), &name);
                    placed = path.parent().join(&name).unwrap_or(placed);
                }
                let identity = match writer.fd() {
                    Ok(fd) => fstat(fd).map(|stat| identity_of(&stat)),
                    // It has a name already; that it cannot be seen is said where it matters.
                    Err(_) => Err(Errno::IO),
                };
                self.wait_for_flags(&placed, applied.flags, identity);
                self.remember_first_name(&mut writer);
                self.report.files_written += 1;
                self.note_applied(&path, applied);
                Placed::Done
            }
            Ok(Published::Not) => {
                self.report.kept += 1;
                Placed::Kept
            }
            Err(error) => {
                self.abandon_file(writer, &error);
                Placed::Failed
            }
        }
    }

    /// From now on other names of this file are linked to it.
    fn remember_first_name(&mut self, writer: &mut FileWriter) {
        let Some(claim) = writer.take_claim() else {
            return;
        };
        // If the system does not say which file it is, the next name becomes the first.
        if let Ok(fd) = writer.fd()
            && let Ok(stat) = fstat(fd)
        {
            let first = FirstName {
                path: writer.path().clone(),
                identity: identity_of(&stat),
            };
            self.links.fulfil(claim, first);
        }
    }

    /// Makes `path` a further name of a file in its place; nothing where that cannot be and
    /// the file has to be written once more.
    fn try_link_name(
        &mut self,
        first: &FirstName,
        path: &RelativePath,
        size: u64,
        meta: &Meta,
    ) -> Result<Option<FileStart>, RestoreError> {
        let Ok(source) = self.root.descend(&first.path.parent()) else {
            return Ok(None);
        };
        let is_it = |stat: &Stat| identity_of(stat) == first.identity;
        if !source
            .stat_of(first.path.name())
            .is_ok_and(|stat| is_it(&stat))
        {
            return Ok(None);
        }
        let stays = self.options.conflict != Conflict::Replace;
        let folder = self.place_of(path)?;
        let choice = place::choose(&folder, path.name(), self.options.conflict, |_, stat| {
            is_it(stat) || stays && place::looks_like_file(stat, size, meta)
        })?;
        let name = match choice {
            Choice::Write(name) => name,
            Choice::Same(_) | Choice::Keep => {
                self.report.kept += 1;
                return Ok(Some(FileStart::Kept));
            }
        };
        match self.link_under(&source, first.path.name(), &folder, &path.parent(), &name) {
            Ok(Placed::Kept) => {
                self.report.kept += 1;
                Ok(Some(FileStart::Kept))
            }
            Ok(Placed::Done | Placed::Waiting | Placed::Failed) => {
                self.report.files_written += 1;
                Ok(Some(FileStart::Linked))
            }
            Err(RestoreError::System {
                errno:
                    errno @ (Errno::XDEV | Errno::MLINK | Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS),
                ..
            }) => {
                let detail = format!(
                    "restored as a file of its own and not as a further name of {}: {errno}",
                    first.path
                );
                self.add_problem(path, ErrorCode::NotAllowed, detail);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn link_under(
        &mut self,
        source: &FolderHandle,
        existing: &[u8],
        folder: &FolderHandle,
        parent: &RelativePath,
        name: &[u8],
    ) -> Result<Placed, RestoreError> {
        let (part_name, ()) = part::with_fresh_name(|part_name| {
            linkat(source, existing, folder, part_name, AtFlags::empty())
        })
        .map_err(|errno| RestoreError::of("making a further name", errno))?;
        self.publish_part(folder, &part_name, parent, name)
    }

    /// Gives a finished part its name, or removes it.
    pub(super) fn publish_part(
        &mut self,
        folder: &FolderHandle,
        part_name: &[u8],
        parent: &RelativePath,
        name: &[u8],
    ) -> Result<Placed, RestoreError> {
        match place::publish(folder, part_name, name, self.options.conflict) {
            Ok(Published::New(name)) => {
                self.journal.made(folder, parent, &name);
                Ok(Placed::Done)
            }
            Ok(Published::Instead) => Ok(Placed::Done),
            other => {
                part::remove(folder, part_name)
                    .map_err(|errno| RestoreError::of("removing a temporary name", errno))?;
                other.map(|_| Placed::Kept)
            }
        }
    }
}
