//! Buffers for the contents of data frames that serve again.
//!
//! A fresh one would have to be zeroed for each frame. They begin where disks want what goes
//! around the page cache to begin.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitdust_model::limits;

/// Shorter contents are not worth a buffer that serves again.
const SHORT_BYTES: usize = limits::DATA_FRAME_BYTES / 2;
/// Room for a frame's contents wherever they have to begin.
const MEMORY_BYTES: usize = limits::DATA_FRAME_BYTES + limits::DISK_ALIGN_BYTES;

/// The buffers of all bulk streams of a node that wait for their next use.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    idle: Mutex<Vec<Vec<u8>>>,
}

impl Buffers {
    /// A buffer of so many bytes, whatever they are.
    pub(crate) fn take(self: &Arc<Self>, length: usize) -> Buffer {
        if !(SHORT_BYTES..=limits::DATA_FRAME_BYTES).contains(&length) {
            return Buffer {
                memory: vec![0; length],
                start: 0,
                length,
                home: None,
            };
        }
        let idle = self.lock().pop();
        let memory = idle.unwrap_or_else(|| vec![0; MEMORY_BYTES]);
        let start = memory.as_ptr().align_offset(limits::DISK_ALIGN_BYTES);
        Buffer {
            start: start.min(limits::DISK_ALIGN_BYTES),
            memory,
            length,
            home: Some(Arc::clone(self)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer that goes back when nobody holds it any more.
#[derive(Debug)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    start: usize,
    length: usize,
    home: Option<Arc<Buffers>>,
}

impl Buffer {
    /// Its bytes, to be filled.
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.length]
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            let mut idle = home.lock();
            if idle.len() < limits::BULK_BUFFERS_IDLE_MAX {
                idle.push(std::mem::take(&mut self.memory));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_buffer_serves_again_once_the_last_part_of_it_is_gone() {
        let home = Arc::new(Buffers::default());
        let mut buffer = home.take(limits::DATA_FRAME_BYTES);
        buffer.as_mut().fill(7);
        let place = buffer.as_ref().as_ptr();
        assert_eq!(place.align_offset(limits::DISK_ALIGN_BYTES), 0);
        let all = Bytes::from_owner(buffer);
        let part = all.slice(2..4);
        drop(all);
        let other = home.take(limits::DATA_FRAME_BYTES);
        assert_ne!(other.as_ref().as_ptr(), place, "a part is still in use");
        assert_eq!(part, [7, 7][..]);
        drop(part);
        let same = home.take(limits::DATA_FRAME_BYTES - 1);
        assert_eq!(same.as_ref().as_ptr(), place);
        assert_eq!(same.as_ref().len(), limits::DATA_FRAME_BYTES - 1);
    }

    #[test]
    fn what_is_kept_has_a_bound_and_odd_sizes_are_not_kept() {
        let home = Arc::new(Buffers::default());
        let bound = limits::BULK_BUFFERS_IDLE_MAX;
        let all: Vec<_> = (0..=bound)
            .map(|_| home.take(limits::DATA_FRAME_BYTES))
            .collect();
        drop(all);
        assert_eq!(home.lock().len(), bound);
        for length in [0, 8, SHORT_BYTES - 1, limits::FRAME_BYTES_MAX] {
            assert_eq!(home.take(length).as_ref().len(), length);
        }
        assert_eq!(home.lock().len(), bound);
    }
}
