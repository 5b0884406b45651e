//! Regular files and their further names.

use bitdust_model::limits;
use bitdust_model::tree::Meta;
use rustix::fs::{AtFlags, linkat};

use crate::folder::{FolderHandle, identity_of, stamp_of};
use crate::read::open_file;
use crate::relative::RelativePath;
use crate::restore::metadata::Applied;
use crate::restore::place::{self, Choice};
use crate::restore::{
    Durability, FileStart, FileWriter, Placed, RestoreError, RestoreTarget, part,
};

impl RestoreTarget {
    /// Begins a file of `size` bytes; `meta` is what it will have in the end.
    pub fn start_file(&mut self, path: &RelativePath, size: u64, meta: &Meta) -> FileStart {
        match self.try_start_file(path, size, meta) {
            Ok(start) => start,
            Err(error) => {
                self.fail(path, &error);
                FileStart::Failed
            }
        }
    }

    /// After [`FileStart::Compare`]: what is there is the same and stays.
    pub const fn keep_file(&mut self) {
        self.report.kept += 1;
    }

    /// After [`FileStart::Compare`]: what is there has other contents in spite of its size
    /// and time, and is dealt with as any other conflict.
    pub fn rewrite_file(&mut self, path: &RelativePath, size: u64) -> FileStart {
        let started = self.place_of(path).and_then(|folder| {
            let choice = place::choose(&folder, path.name(), self.options.conflict, |_, _| false)?;
            self.start_chosen(path, folder, choice, size)
        });
        match started {
            Ok(start) => start,
            Err(error) => {
                self.fail(path, &error);
                FileStart::Failed
            }
        }
    }

    /// Ends a file: checks that it is complete, gives it its metadata and its name.
    pub fn finish_file(&mut self, writer: FileWriter, meta: &Meta) -> Placed {
        let path = writer.path().clone();
        if let Err(error) = self.prepare_file(&writer) {
            self.fail(&path, &error);
            return Placed::Failed;
        }
        let applied = self.apply_open(writer.fd(), meta, false);
        match self.options.durability {
            Durability::Batches => {
                self.batch.push((writer, applied));
                if self.batch.len() >= limits::RESTORE_BATCH_MAX {
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

    /// Gives the file at `existing`, restored before, a further name.
    pub fn link_file(&mut self, existing: &RelativePath, path: &RelativePath) -> Placed {
        self.flush();
        match self.try_link_file(existing, path) {
            Ok(Placed::Done) => {
                self.report.files_written += 1;
                Placed::Done
            }
            Ok(placed @ (Placed::Waiting | Placed::Failed)) => placed,
            Ok(Placed::Kept) => {
                self.report.kept += 1;
                Placed::Kept
            }
            Err(error) => {
                self.fail(path, &error);
                Placed::Failed
            }
        }
    }

    fn try_start_file(
        &mut self,
        path: &RelativePath,
        size: u64,
        meta: &Meta,
    ) -> Result<FileStart, RestoreError> {
        let folder = self.place_of(path)?;
        let choice = place::choose(&folder, path.name(), self.options.conflict, |_, stat| {
            place::looks_like_file(stat, size, meta)
        })?;
        self.start_chosen(path, folder, choice, size)
    }

    fn start_chosen(
        &mut self,
        path: &RelativePath,
        folder: FolderHandle,
        choice: Choice,
        size: u64,
    ) -> Result<FileStart, RestoreError> {
        match choice {
            Choice::Write(name) => {
                let path = path.parent().join(&name)?;
                Ok(FileStart::Write(FileWriter::create(path, folder, size)?))
            }
            Choice::Same(name) if self.options.compares_contents => {
                let stat = folder
                    .stat_of(&name)
                    .map_err(|errno| RestoreError::of("looking at its place", errno))?;
                Ok(FileStart::Compare(open_file(
                    &folder,
                    &name,
                    &stamp_of(&stat),
                )?))
            }
            Choice::Same(_) | Choice::Keep => {
                self.report.kept += 1;
                Ok(FileStart::Kept)
            }
        }
    }

    fn prepare_file(&self, writer: &FileWriter) -> Result<(), RestoreError> {
        writer.check_complete()?;
        if self.options.durability == Durability::EachFile {
            writer.sync()?;
        }
        Ok(())
    }

    fn place_file(&mut self, mut writer: FileWriter, applied: Applied) -> Placed {
        let path = writer.path().clone();
        let published = place::publish(
            writer.folder(),
            writer.part_name(),
            path.name(),
            self.options.conflict,
        );
        match published {
            Ok(true) => {
                writer.set_placed();
                self.report.files_written += 1;
                self.note_applied(&path, applied);
                Placed::Done
            }
            Ok(false) => {
                self.report.kept += 1;
                Placed::Kept
            }
            Err(error) => {
                self.abandon_file(writer, &error);
                Placed::Failed
            }
        }
    }

    fn try_link_file(
        &mut self,
        existing: &RelativePath,
        path: &RelativePath,
    ) -> Result<Placed, RestoreError> {
        let source = self.root.descend(&existing.parent())?;
        let wanted = source
            .stat_of(existing.name())
            .map_err(|errno| RestoreError::of("finding the first name", errno))?;
        if place::is_folder(&wanted) {
            return Err(RestoreError::WrongKind {
                what: "a further name of a folder",
            });
        }
        let folder = self.place_of(path)?;
        let choice = place::choose(&folder, path.name(), self.options.conflict, |_, stat| {
            identity_of(stat) == identity_of(&wanted)
        })?;
        let name = match choice {
            Choice::Write(name) => name,
            Choice::Same(_) | Choice::Keep => return Ok(Placed::Kept),
        };
        let (part_name, ()) = part::with_fresh_name(|part_name| {
            linkat(
                &source,
                existing.name(),
                &folder,
                part_name,
                AtFlags::empty(),
            )
        })
        .map_err(|errno| RestoreError::of("making a further name", errno))?;
        self.publish_part(&folder, &part_name, &name)
    }

    /// Gives a finished part its name, or removes it.
    pub(super) fn publish_part(
        &self,
        folder: &FolderHandle,
        part_name: &[u8],
        name: &[u8],
    ) -> Result<Placed, RestoreError> {
        match place::publish(folder, part_name, name, self.options.conflict) {
            Ok(true) => Ok(Placed::Done),
            other => {
                part::remove(folder, part_name)
                    .map_err(|errno| RestoreError::of("removing a temporary name", errno))?;
                other.map(|_| Placed::Kept)
            }
        }
    }
}
