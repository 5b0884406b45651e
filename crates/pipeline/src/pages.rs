//! Builds the encoding of `struct { items: Vec<T> }` item by item, and cuts it into pages.
//!
//! Each item is encoded once and its length is known at once, so that a page never exceeds
//! its limit and nothing is encoded twice to find out. The result is what
//! `bitdust_model::encode` would have written.

use serde::Serialize;

/// Room for the version byte and the number of items in front of a page.
const PAGE_HEADER_BYTES: usize = 1 + 5;

/// A page in the making.
pub(crate) struct PageBuffer {
    version: u8,
    bytes_max: usize,
    items_max: usize,
    items: Vec<u8>,
    count: usize,
}

/// An item that would exceed the limit even alone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ItemTooLong;

impl PageBuffer {
    pub(crate) const fn new(version: u8, bytes_max: usize, items_max: usize) -> Self {
        Self {
            version,
            bytes_max,
            items_max,
            items: Vec::new(),
            count: 0,
        }
    }

    /// Adds an item. Gives the page before it if that is to be `closed`, or if there is no
    /// room for the item. An item that is too long changes nothing.
    pub(crate) fn push<T: Serialize>(
        &mut self,
        item: &T,
        closed: bool,
    ) -> Result<Option<Vec<u8>>, ItemTooLong> {
        let before = self.items.len();
        self.append(item);
        let room = self.bytes_max - PAGE_HEADER_BYTES;
        if self.items.len() - before > room {
            self.items.truncate(before);
            return Err(ItemTooLong);
        }
        let is_over = self.items.len() > room || self.count == self.items_max;
        let mut page = None;
        if self.count > 0 && (closed || is_over) {
            page = Some(self.page_of(before));
            self.items.drain(..before);
            self.count = 0;
        }
        self.count += 1;
        Ok(page)
    }

    /// The last page, if there is anything in it.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        (self.count > 0).then(|| self.page_of(self.items.len()))
    }

    fn append<T: Serialize>(&mut self, item: &T) {
        let items = std::mem::take(&mut self.items);
        self.items = postcard::to_extend(item, items).expect("plain data always serialises");
    }

    fn page_of(&self, bytes: usize) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE_HEADER_BYTES + bytes);
        page.push(self.version);
        page = postcard::to_extend(&self.count, page).expect("a number always serialises");
        page.extend_from_slice(&self.items[..bytes]);
        page
    }
}
