//! Buffers that serve again, for the next stretch or the next stream.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Buffers that lie idle.
#[derive(Default)]
pub(super) struct Slabs(Mutex<Vec<Slab>>);

impl Slabs {
    pub(super) fn take(&self) -> Slab {
        self.lock().pop().unwrap_or_default()
    }

    pub(super) fn give(&self, slab: Slab) {
        self.lock().push(slab);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Slab>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stretch of a stream and the ends of the chunks in it.
#[derive(Default)]
pub(super) struct Slab {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<usize>,
}

impl Slab {
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.bytes[start..end])
    }
}
