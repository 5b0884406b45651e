//! Files of a walk: read and cut unless they are known, read again where they change meanwhile.

use std::io::Read;

use tracing::debug;

use bitdust_model::manifest::{FolderRecord, PackKind};
use bitdust_model::status::Problem;
use bitdust_model::tree::{Content, Entry, Meta, Node};
use bitdust_model::{ChunkId, ErrorCode, UnixMillis, limits};
use bitdust_pipeline::content::{WholeContent, content_of};
use bitdust_source::{FileReader, FileSeen, Stamp, Stretch, open_file};

use super::{Scanner, Stop, Tally};
use crate::backup::file_cache::{FileCache, KnownFile};
use crate::shared::context::wall_clock;
use crate::shared::job::problem;

impl Scanner<'_> {
    pub(super) fn file(
        &mut self,
        seen: &FileSeen,
        folder: &FolderRecord,
        cache: &mut FileCache<'_>,
        tally: &mut Tally,
    ) -> Result<Option<Entry>, Stop> {
        self.counters.saw_file(seen.stamp.size_bytes);
        let name = seen.path.name();
        let group_of = |stamp: &Stamp| {
            let group = stamp.inode ^ stamp.device.rotate_left(40);
            seen.has_other_names.then_some(group)
        };
        if let Some(KnownFile { chunks, meta, .. }) = cache.unchanged(name, &seen.stamp)? {
            let node = Node::File {
                size: seen.stamp.size_bytes,
                content: self.content(&chunks)?,
                link_group: group_of(&seen.stamp),
                is_sparse: seen.is_sparse,
            };
            self.counters.did_file(seen.stamp.size_bytes);
            tally.files += 1;
            tally.bytes += seen.stamp.size_bytes;
            return Ok(Some(Entry {
                name: name.to_vec(),
                meta,
                node,
            }));
        }
        self.counters
            .works_on(seen.path.as_bytes(), seen.stamp.size_bytes);
        let Some(read) = self.read(seen, folder, tally)? else {
            return Ok(None);
        };
        self.counters.did_file(0);
        tally.files += 1;
        tally.bytes += read.stamp.size_bytes;
        let node = Node::File {
            size: read.bytes,
            content: self.content(&read.chunks)?,
            link_group: group_of(&read.stamp),
            is_sparse: read.is_sparse,
        };
        if read.is_whole && read.stamp.is_settled(seconds(wall_clock())) {
            cache.remember(
                name,
                KnownFile {
                    stamp: read.stamp,
                    meta: read.meta.clone(),
                    chunks: read.chunks,
                },
            );
        }
        Ok(Some(Entry {
            name: name.to_vec(),
            meta: read.meta,
            node,
        }))
    }

    /// Reads a file, again when it changes meanwhile.
    fn read(
        &mut self,
        seen: &FileSeen,
        folder: &FolderRecord,
        tally: &mut Tally,
    ) -> Result<Option<FileRead>, Stop> {
        let path = seen.path.below(&folder.path);
        let mut expected = seen.stamp;
        for retake in 0..=limits::FILE_RETAKES_MAX {
            let counts = retake == 0;
            match self.read_once(seen, &path, &expected, counts) {
                Ok(read) if read.is_whole || retake == limits::FILE_RETAKES_MAX => {
                    if !read.is_whole {
                        tally.problems += 1;
                        self.problems.push(problem(
                            &path,
                            ErrorCode::Changed,
                            "it changed each time it was read; the stored copy may mix older and newer parts, \
                             the next backup takes it again",
                        ));
                    }
                    return Ok(Some(read));
                }
                Ok(read) => expected = read.stamp,
                Err(ReadStop::File(found)) => {
                    tally.problems += 1;
                    self.problems.push(found);
                    return Ok(None);
                }
                Err(ReadStop::Job(code)) => return Err(Stop::Job(code)),
            }
        }
        Ok(None)
    }

    fn read_once(
        &mut self,
        seen: &FileSeen,
        path: &[u8],
        expected: &Stamp,
        counts: bool,
    ) -> Result<FileRead, ReadStop> {
        let as_problem =
            |error: bitdust_source::FileError| ReadStop::File(error.into_problem(path.to_vec()));
        let mut reader = open_file(&seen.folder, seen.path.name(), expected).map_err(as_problem)?;
        let meta = reader.meta().map_err(as_problem)?;
        let opened = reader.stamp();
        let is_sparse = reader.is_sparse();
        let mut taken = Taken {
            path,
            counts,
            ids: Vec::new(),
            bytes: 0,
        };
        if is_sparse {
            self.take_stretches(&mut reader, &mut taken)?;
        } else {
            let bytes = opened.size_bytes;
            self.take_bytes(&mut reader, bytes, &mut taken)?;
        }
        let Taken { ids, bytes, .. } = taken;
        match reader.finish() {
            Ok(stamp) => Ok(FileRead {
                meta,
                stamp,
                bytes,
                chunks: ids,
                is_whole: true,
                is_sparse,
            }),
            Err(changed) => {
                debug!("A file changed while it was read");
                let stamp = changed.after.unwrap_or(opened);
                Ok(FileRead {
                    meta,
                    stamp,
                    bytes,
                    chunks: ids,
                    is_whole: false,
                    is_sparse,
                })
            }
        }
    }

    /// Takes a file with holes; long ones cost neither reading nor space.
    fn take_stretches(
        &mut self,
        reader: &mut FileReader,
        taken: &mut Taken<'_>,
    ) -> Result<(), ReadStop> {
        const ZEROS: u64 = limits::CHUNK_BYTES_MAX as u64;
        while let Some(next) = reader
            .next_stretch(ZEROS)
            .map_err(|error| taken.failed(&error))?
        {
            match next {
                Stretch::Bytes(bytes) => {
                    let before = taken.bytes;
                    self.take_bytes(reader.by_ref().take(bytes), bytes, taken)?;
                    if taken.bytes - before < bytes {
                        // It became shorter, as its reader will say.
                        return Ok(());
                    }
                }
                Stretch::Hole(bytes) => {
                    let zeros = match self.zeros {
                        Some(zeros) => zeros,
                        None => self
                            .packing
                            .store(PackKind::Data, &vec![0; limits::CHUNK_BYTES_MAX])
                            .map_err(ReadStop::Job)?,
                    };
                    self.zeros = Some(zeros);
                    let count = bytes / ZEROS;
                    taken.ids.extend((0..count).map(|_| zeros));
                    taken.bytes += count * ZEROS;
                    reader
                        .pass_hole(count * ZEROS)
                        .map_err(|error| taken.failed(&error))?;
                    if taken.counts {
                        self.counters.did_bytes(count * ZEROS);
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes what a reader gives, probably so many bytes.
    fn take_bytes(
        &mut self,
        reader: impl Read + Send,
        bytes: u64,
        taken: &mut Taken<'_>,
    ) -> Result<(), ReadStop> {
        let (packing, counters) = (&mut self.packing, &self.counters);
        let mut take = |chunk: std::io::Result<&[u8]>| {
            if counters.is_cancelled() {
                return Err(ReadStop::Job(ErrorCode::Cancelled));
            }
            let chunk = chunk.map_err(|error| taken.failed(&error))?;
            let id = packing
                .store(PackKind::Data, chunk)
                .map_err(ReadStop::Job)?;
            taken.ids.push(id);
            taken.bytes += chunk.len() as u64;
            if taken.counts {
                counters.did_bytes(chunk.len() as u64);
            }
            Ok(())
        };
        if bytes > limits::CHUNKER_BUFFER_BYTES as u64 {
            return self.cutter.cut_ahead(reader, take);
        }
        let mut chunks = self.cutter.chunks(reader);
        while let Some(chunk) = chunks.next_chunk().transpose() {
            take(chunk)?;
        }
        Ok(())
    }

    /// The chunk list of a file, in list chunks where it is long.
    fn content(&mut self, chunks: &[ChunkId]) -> Result<Content, Stop> {
        match content_of(chunks) {
            WholeContent::Inline(content) => Ok(content),
            WholeContent::Lists(pages) => {
                let mut lists = Vec::with_capacity(pages.len());
                for page in pages {
                    lists.push(self.packing.store(PackKind::Tree, &page)?);
                }
                Ok(Content::Lists(lists))
            }
        }
    }
}

struct FileRead {
    meta: Meta,
    stamp: Stamp,
    bytes: u64,
    chunks: Vec<ChunkId>,
    is_whole: bool,
    is_sparse: bool,
}

/// What was taken of a file so far.
struct Taken<'a> {
    path: &'a [u8],
    counts: bool,
    ids: Vec<ChunkId>,
    bytes: u64,
}

impl Taken<'_> {
    fn failed(&self, error: &std::io::Error) -> ReadStop {
        let detail = format!("reading it failed: {error}");
        ReadStop::File(problem(self.path, ErrorCode::Unreadable, detail))
    }
}

enum ReadStop {
    File(Problem),
    Job(ErrorCode),
}

fn seconds(at: UnixMillis) -> i64 {
    i64::try_from(at.0 / 1000).unwrap_or(i64::MAX)
}
