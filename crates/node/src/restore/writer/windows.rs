//! Windows of files: their chunks are fetched together and written where they belong.

use std::collections::BTreeMap;

use bitdust_model::manifest::{BlobRef, PackRef};
use bitdust_model::tree::Content;
use bitdust_model::{ChunkId, ErrorCode, PackId, limits};
use bitdust_source::{FileStart, FileWanted, RelativePath};

use super::Writer;
use super::window::{
    File, FurtherName, OpenFile, WINDOW_BYTES_ENOUGH, WINDOW_BYTES_MAX, WindowInFlight,
};

impl Writer<'_> {
    pub(super) fn file(&mut self, path: RelativePath, file: File) -> Result<(), ErrorCode> {
        let File {
            size,
            content,
            link_group,
            is_sparse,
            meta,
        } = &file;
        let (size, is_sparse) = (*size, *is_sparse);
        self.counters.works_on(path.as_bytes(), size);
        let wanted = FileWanted {
            size,
            meta,
            is_sparse,
            link_group: *link_group,
        };
        match self.target.begin_file(&path, wanted) {
            FileStart::Write(writer) => {
                let file = OpenFile {
                    writer,
                    meta: meta.clone(),
                    size,
                    failure: None,
                    windows: 0,
                    is_open_ended: true,
                    is_sparse,
                };
                self.latest += 1;
                self.files.insert(self.latest, file);
                self.touch_latest();
            }
            FileStart::Later => {
                self.further_names.push(FurtherName { path, file });
                return Ok(());
            }
            FileStart::Kept | FileStart::Linked | FileStart::Failed => {
                self.counters.did_file(size);
                return Ok(());
            }
        }
        self.add_content(content)?;
        if let Some(file) = self.latest_file() {
            file.is_open_ended = false;
        }
        if self.window.is_full() {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn add_content(&mut self, content: &Content) -> Result<(), ErrorCode> {
        let mut offset = 0;
        match content {
            Content::Chunks(ids) => self.add_pieces(ids, &mut offset)?,
            Content::Lists(lists) => {
                for list in lists {
                    match self.reader.chunk_list(*list) {
                        Ok(ids) => self.add_pieces(&ids, &mut offset)?,
                        Err(code) => self.fail_last(code),
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks again for the names that waited: most become links now; where the first name of a
    /// file failed, the next one is written in its stead.
    pub(super) fn try_names_again(&mut self) -> Result<(), ErrorCode> {
        self.target.flush();
        for FurtherName { path, file } in std::mem::take(&mut self.further_names) {
            self.file(path, file)?;
        }
        Ok(())
    }

    /// Ends the files under way and the names that wait for them. With no file under way at
    /// least one name of each group is dealt with in each round, so this ends.
    pub(super) fn finish_names(&mut self) -> Result<(), ErrorCode> {
        self.settle()?;
        while !self.further_names.is_empty() {
            self.try_names_again()?;
            self.settle()?;
        }
        Ok(())
    }

    fn latest_file(&mut self) -> Option<&mut OpenFile> {
        self.files.get_mut(&self.latest)
    }

    /// The window has to do with the last file.
    fn touch_latest(&mut self) {
        let is_new = self.window.files.insert(self.latest);
        if let Some(file) = self.latest_file() {
            file.windows += u32::from(is_new);
        }
    }

    /// Adds chunks of the last file to the window; flushes it on the way when it is full.
    fn add_pieces(&mut self, ids: &[ChunkId], offset: &mut u64) -> Result<(), ErrorCode> {
        let is_sparse = self.latest_file().is_some_and(|file| file.is_sparse);
        for part in ids.chunks(limits::ENTRY_CHUNKS_INLINE_MAX) {
            if is_sparse && self.leave_holes(part, offset) {
                continue;
            }
            let places = self.reader.places(part)?;
            for (id, place) in part.iter().zip(places) {
                let Some(place) = place else {
                    self.fail_last(ErrorCode::NotFound);
                    continue;
                };
                let bytes = u64::from(place.blob.record.raw_bytes);
                let pack = Some(place.pack.pack);
                if self.window.bytes >= WINDOW_BYTES_ENOUGH && self.window.last_pack != pack {
                    self.flush()?;
                }
                self.window.last_pack = pack;
                self.touch_latest();
                let takers = self.window.takers.entry(*id).or_default();
                takers.push((self.latest, *offset));
                *offset += bytes;
                self.window.bytes += bytes;
                if self.window.bytes >= WINDOW_BYTES_MAX {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Leaves holes where all of these are chunks of zeros, without fetching any.
    fn leave_holes(&mut self, ids: &[ChunkId], offset: &mut u64) -> bool {
        let zeros = self.zeros.get_or_insert_with(|| {
            let epochs = self.context.secrets.epochs.iter();
            let zeros = vec![0; limits::CHUNK_BYTES_MAX];
            epochs.map(|epoch| epoch.chunk_id(&zeros)).collect()
        });
        if !ids.iter().all(|id| zeros.contains(id)) {
            return false;
        }
        let length = (ids.len() * limits::CHUNK_BYTES_MAX) as u64;
        if let Some(file) = self.latest_file()
            && let Err(error) = file.writer.leave_hole(*offset, length)
        {
            file.failure.get_or_insert(error.code());
        }
        self.counters.did_bytes(length);
        *offset += length;
        true
    }

    fn fail_last(&mut self, code: ErrorCode) {
        if let Some(file) = self.latest_file() {
            file.failure.get_or_insert(code);
        }
    }

    /// Lets the window be fetched; meanwhile what came of the one before is written.
    fn flush(&mut self) -> Result<(), ErrorCode> {
        let packs = self.window_packs()?;
        let coming = self.reader.begin_fetch(packs);
        let window = std::mem::take(&mut self.window);
        let before = self.flight.replace(WindowInFlight { window, coming });
        self.land(before)
    }

    /// The same until nothing is under way.
    pub(super) fn settle(&mut self) -> Result<(), ErrorCode> {
        self.flush()?;
        let last = self.flight.take();
        self.land(last)
    }

    /// Writes a window as it comes and finishes its files.
    fn land(&mut self, flight: Option<WindowInFlight>) -> Result<(), ErrorCode> {
        let Some(WindowInFlight { window, mut coming }) = flight else {
            return Ok(());
        };
        while let Some(came) = coming.next() {
            if self.counters.is_cancelled() {
                return Err(ErrorCode::Cancelled);
            }
            let takers = |blob: &BlobRef| window.takers.get(&blob.record.chunk);
            let blobs = &came.blobs;
            match &came.chunks {
                Ok(chunks) => {
                    for (blob, bytes) in blobs.iter().zip(chunks.iter()) {
                        for (number, offset) in takers(blob).into_iter().flatten() {
                            self.counters.did_bytes(bytes.len() as u64);
                            if let Some(file) = self.files.get_mut(number) {
                                file.write(*offset, bytes);
                            }
                        }
                    }
                }
                Err(ErrorCode::Cancelled) => return Err(ErrorCode::Cancelled),
                Err(code) => {
                    for (number, _) in blobs.iter().filter_map(takers).flatten() {
                        if let Some(file) = self.files.get_mut(number) {
                            file.failure.get_or_insert(*code);
                        }
                    }
                }
            }
        }
        if self.counters.is_cancelled() {
            return Err(ErrorCode::Cancelled);
        }
        for number in window.files {
            self.finish_file(number);
        }
        Ok(())
    }

    fn window_packs(&self) -> Result<BTreeMap<PackId, (PackRef, Vec<BlobRef>)>, ErrorCode> {
        let ids: Vec<ChunkId> = self.window.takers.keys().copied().collect();
        let mut packs: BTreeMap<PackId, (PackRef, Vec<BlobRef>)> = BTreeMap::new();
        for place in self.reader.places(&ids)?.into_iter().flatten() {
            packs
                .entry(place.pack.pack)
                .or_insert_with(|| (place.pack, Vec::new()))
                .1
                .push(place.blob);
        }
        for (_, blobs) in packs.values_mut() {
            blobs.sort_unstable_by_key(|blob| blob.offset);
        }
        Ok(packs)
    }

    /// A window with this file is through: it has all its bytes unless more windows follow.
    fn finish_file(&mut self, number: u64) {
        let Some(file) = self.files.get_mut(&number) else {
            return;
        };
        file.windows = file.windows.saturating_sub(1);
        if file.windows > 0 || file.is_open_ended {
            return;
        }
        let Some(file) = self.files.remove(&number) else {
            return;
        };
        match file.failure {
            None => {
                let _placed = self.target.finish_file(file.writer, &file.meta);
            }
            Some(code) => {
                let path = file.writer.path().clone();
                drop(file.writer);
                let detail = format!(
                    "it is not restored, {} bytes: {}",
                    file.size,
                    crate::shared::words::failure(code)
                );
                self.target.add_problem(&path, code, detail);
            }
        }
        self.counters.did_file(0);
    }
}
