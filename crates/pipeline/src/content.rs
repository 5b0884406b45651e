//! The chunk ids of a file: in its entry while they are few, in list chunks when not.
//!
//! Lists are cut by content, so that a change at the front of a big file does not make all
//! its lists new.
//!
//! Memory: one list; the ids of a file are never held whole.

use bitdust_model::limits::{
    ENTRY_CHUNKS_INLINE_MAX, LIST_CHUNKS_AVERAGE, LIST_CHUNKS_MAX, LIST_CHUNKS_MIN,
};
use bitdust_model::tree::{ChunkList, Content};
use bitdust_model::{ChunkId, DecodeError, decode, encode};

/// Why bytes are not accepted as a list of chunks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The bytes are no list.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Empty, or longer than `LIST_CHUNKS_MAX`.
    #[error("a chunk list has {chunks} chunks, 1 to {LIST_CHUNKS_MAX} are allowed")]
    Count {
        /// How many it has.
        chunks: usize,
    },
}

/// Collects the chunk ids of one file in order.
#[derive(Debug, Default)]
pub struct ContentWriter {
    chunks: Vec<ChunkId>,
    has_lists: bool,
}

/// What remains when a file ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentEnd {
    /// The file has few chunks, and the entry holds them.
    Inline(Content),
    /// The file has lists; this is the last one, if one is not yet given out. The entry
    /// holds `Content::Lists` of the ids of all lists.
    Lists(Option<Vec<u8>>),
}

/// The contents of a file whose ids are all at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WholeContent {
    /// The entry holds the chunks.
    Inline(Content),
    /// Encoded [`ChunkList`]s to store; the entry holds `Content::Lists` of their ids.
    Lists(Vec<Vec<u8>>),
}

impl ContentWriter {
    /// A file without chunks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next chunk; gives an encoded [`ChunkList`] when one is complete.
    pub fn push(&mut self, chunk: ChunkId) -> Option<Vec<u8>> {
        self.chunks.push(chunk);
        let count = self.chunks.len();
        let is_end = count >= LIST_CHUNKS_MIN && is_boundary(chunk);
        if !is_end && count < LIST_CHUNKS_MAX {
            return None;
        }
        self.has_lists = true;
        Some(list_of(&mut self.chunks))
    }

    /// Ends the file.
    #[must_use]
    pub fn finish(mut self) -> ContentEnd {
        if !self.has_lists && self.chunks.len() <= ENTRY_CHUNKS_INLINE_MAX {
            return ContentEnd::Inline(Content::Chunks(self.chunks));
        }
        ContentEnd::Lists((!self.chunks.is_empty()).then(|| list_of(&mut self.chunks)))
    }
}

/// Inline, or the encoded lists to store, for ids that are all at hand.
#[must_use]
pub fn content_of(chunks: &[ChunkId]) -> WholeContent {
    let mut writer = ContentWriter::new();
    let mut lists: Vec<_> = chunks
        .iter()
        .filter_map(|&chunk| writer.push(chunk))
        .collect();
    match writer.finish() {
        ContentEnd::Inline(content) => WholeContent::Inline(content),
        ContentEnd::Lists(last) => {
            lists.extend(last);
            WholeContent::Lists(lists)
        }
    }
}

/// Reads a list of chunks.
pub fn read_list(bytes: &[u8]) -> Result<ChunkList, ListError> {
    let list: ChunkList = decode(bytes)?;
    let chunks = list.chunks.len();
    if chunks == 0 || chunks > LIST_CHUNKS_MAX {
        return Err(ListError::Count { chunks });
    }
    Ok(list)
}

fn list_of(chunks: &mut Vec<ChunkId>) -> Vec<u8> {
    encode(&ChunkList {
        chunks: std::mem::take(chunks),
    })
}

/// Ids are hashes under a secret key, so their first bits are as good as random.
fn is_boundary(chunk: ChunkId) -> bool {
    let [first, second, ..] = chunk.0;
    usize::from(u16::from_le_bytes([first, second])).is_multiple_of(LIST_CHUNKS_AVERAGE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::noise;

    #[test]
    fn few_chunks_stay_in_the_entry() {
        for count in [0, 1, ENTRY_CHUNKS_INLINE_MAX] {
            let ids = ids(count);
            assert_eq!(content_of(&ids), WholeContent::Inline(Content::Chunks(ids)));
        }
    }

    #[test]
    fn many_chunks_become_lists_in_order() {
        for count in [ENTRY_CHUNKS_INLINE_MAX + 1, LIST_CHUNKS_MIN, 200_000] {
            let ids = ids(count);
            let lists = lists_of(&ids);
            let read: Vec<_> = lists
                .iter()
                .flat_map(|list| read_list(list).expect("a sound list").chunks)
                .collect();
            assert!(read == ids, "{count} ids");
        }
    }

    #[test]
    fn a_new_chunk_in_front_changes_one_list() {
        let mut ids = ids(200_000);
        let before: BTreeSet<_> = lists_of(&ids).into_iter().collect();
        assert!(before.len() > 5);
        ids.insert(0, ChunkId([1; 32]));
        let after: BTreeSet<_> = lists_of(&ids).into_iter().collect();
        assert!((1..=2).contains(&after.difference(&before).count()));
    }

    #[test]
    fn one_chunk_repeated_makes_no_lists_of_one() {
        let lists = lists_of(&vec![ChunkId([0; 32]); 10 * LIST_CHUNKS_MIN]);
        assert_eq!(lists.len(), 10);
        let lists = lists_of(&vec![ChunkId([1; 32]); 2 * LIST_CHUNKS_MAX]);
        assert_eq!(lists.len(), 2);
    }

    #[test]
    fn lists_out_of_bounds_are_refused() {
        for chunks in [0, LIST_CHUNKS_MAX + 1] {
            let list = ChunkList {
                chunks: vec![ChunkId([1; 32]); chunks],
            };
            assert_eq!(read_list(&encode(&list)), Err(ListError::Count { chunks }));
        }
    }

    proptest! {
        #[test]
        fn garbage_is_refused_or_within_bounds(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            count in 0_u8..12,
        ) {
            for front in [&[][..], &[1], &[1, count]] {
                let bytes = [front, &bytes].concat();
                if let Ok(list) = read_list(&bytes) {
                    prop_assert!((1..=bytes.len() / 32).contains(&list.chunks.len()));
                }
            }
        }
    }

    fn lists_of(ids: &[ChunkId]) -> Vec<Vec<u8>> {
        match content_of(ids) {
            WholeContent::Lists(lists) => lists,
            WholeContent::Inline(_) => panic!("{} ids are too many for an entry", ids.len()),
        }
    }

    fn ids(count: usize) -> Vec<ChunkId> {
        let bytes = noise(1, 32 * count);
        let (ids, _) = bytes.as_chunks();
        ids.iter().copied().map(ChunkId).collect()
    }
}
