//! Large buffers that serve again: memory fresh from the system costs more time than coding
//! what goes into it.
//!
//! A buffer serves for what fills at least half of it. Otherwise each that once held a pack
//! would hold a shard next, and all of them would come to take a pack's memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitdust_model::limits;

/// Below so many bytes a buffer is not worth keeping; what others are rounded up to.
const SHORT_BYTES: usize = limits::MIB;
/// A pack and what coding adds to it.
const LONG_BYTES: usize = limits::PACK_BYTES_MAX + limits::MIB;
/// Bytes that may be idle while none of them fits.
const IDLE_BYTES: usize = LONG_BYTES;

/// Buffers that wait for their next use.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    idle: Mutex<Vec<Vec<u8>>>,
}

impl Buffers {
    /// A buffer with room for so many bytes and whatever is in it.
    pub(crate) fn take(&self, bytes: usize) -> Vec<u8> {
        if bytes < SHORT_BYTES {
            return Vec::with_capacity(bytes);
        }
        let mut idle = self.lock();
        let fitting = idle
            .iter()
            .enumerate()
            .filter(|(_, buffer)| (bytes..=bytes * 2).contains(&buffer.capacity()))
            .min_by_key(|(_, buffer)| buffer.capacity())
            .map(|(at, _)| at);
        if let Some(at) = fitting {
            return idle.remove(at);
        }
        // Those that have waited longest make room, so that idle buffers of all sizes do not
        // add up.
        while bytes_of(&idle) > IDLE_BYTES {
            idle.remove(0);
        }
        Vec::with_capacity(bytes.next_multiple_of(SHORT_BYTES))
    }

    /// A buffer for a pack or its shards.
    pub(crate) fn take_long(&self) -> Vec<u8> {
        self.take(LONG_BYTES)
    }

    /// Takes a buffer back; one that is short, or too many, goes.
    pub(crate) fn give(&self, buffer: Vec<u8>) {
        if !(SHORT_BYTES..=LONG_BYTES).contains(&buffer.capacity()) {
            return;
        }
        let mut idle = self.lock();
        if bytes_of(&idle) + buffer.capacity() <= limits::BUFFERS_IDLE_BYTES_MAX {
            idle.push(buffer);
        }
    }

    /// Gives the idle ones back to the system: nobody works.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes_of(buffers: &[Vec<u8>]) -> usize {
    buffers.iter().map(Vec::capacity).sum()
}

/// A filled buffer that goes back when nobody holds it any more.
#[derive(Debug)]
pub(crate) struct Lent {
    bytes: Vec<u8>,
    home: Arc<Buffers>,
}

impl Lent {
    /// Lends a buffer that belongs to `home`.
    pub(crate) const fn new(bytes: Vec<u8>, home: Arc<Buffers>) -> Self {
        Self { bytes, home }
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.give(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_buffer_serves_again_once_the_last_part_of_it_is_gone() {
        let home = Arc::new(Buffers::default());
        let mut buffer = home.take_long();
        buffer.extend_from_slice(b"shards");
        let place = buffer.as_ptr();
        let all = Bytes::from_owner(Lent::new(buffer, home.clone()));
        let part = all.slice(2..4);
        drop(all);
        let other = home.take_long();
        assert_ne!(other.as_ptr(), place, "a part is still being sent");
        drop(part);
        let same = home.take_long();
        assert_eq!(same.as_ptr(), place);
    }

    #[test]
    fn a_buffer_serves_only_for_what_fills_half_of_it() {
        let home = Buffers::default();
        let (long, shard) = (home.take_long(), home.take(5_600_000));
        let places = (long.as_ptr(), shard.as_ptr());
        assert_eq!(shard.capacity(), 6 * limits::MIB);
        home.give(long);
        home.give(shard);
        let again = home.take(5_000_000);
        assert_eq!(again.as_ptr(), places.1);
        let long = home.take_long();
        assert_eq!(long.as_ptr(), places.0);
    }

    #[test]
    fn buffers_that_do_not_fit_make_room() {
        let home = Buffers::default();
        let shards = [8, 7, 6, 5, 4].map(|mib| mib * limits::MIB);
        for bytes in shards {
            home.give(Vec::with_capacity(bytes));
        }
        let long = home.take_long();
        assert_eq!(long.capacity(), LONG_BYTES);
        let left: Vec<_> = home.lock().iter().map(Vec::capacity).collect();
        assert_eq!(left, shards[1..]);
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let home = Buffers::default();
        let bound = limits::BUFFERS_IDLE_BYTES_MAX / LONG_BYTES;
        let all: Vec<_> = (0..=bound).map(|_| home.take_long()).collect();
        all.into_iter().for_each(|buffer| home.give(buffer));
        home.give(Vec::with_capacity(10));
        assert_eq!(home.lock().len(), bound);
        home.clear();
        assert!(home.lock().is_empty());
    }
}
