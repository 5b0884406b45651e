//! Buffers of the size of a pack that serve again: memory fresh from the system costs more
//! time than coding what goes into it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitdust_model::limits;

/// Below so many bytes a buffer is not worth keeping.
const SHORT_BYTES: usize = limits::MIB;
/// What a kept buffer has room for: a pack and what coding adds to it.
const LONG_BYTES: usize = limits::PACK_BYTES_MAX + limits::MIB;

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
        let idle = self.lock().pop();
        let mut buffer = idle.unwrap_or_else(|| Vec::with_capacity(LONG_BYTES));
        buffer.reserve(bytes.saturating_sub(buffer.len()));
        buffer
    }

    /// A buffer for a pack or its shards.
    pub(crate) fn take_long(&self) -> Vec<u8> {
        self.take(LONG_BYTES)
    }

    /// Takes a buffer back; one of another size goes.
    pub(crate) fn give(&self, buffer: Vec<u8>) {
        let mut idle = self.lock();
        if buffer.capacity() == LONG_BYTES && idle.len() < limits::PACK_BUFFERS_IDLE_MAX {
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
}
