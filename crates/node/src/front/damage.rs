//! What is said where the catalogue is damaged.

use bitdust_api::view::StatusView;
use bitdust_model::status::Protection;

use crate::shared::words;

/// Says nothing by a catalogue that is damaged.
pub(super) fn forget(view: &mut StatusView) {
    words::CATALOGUE_DAMAGED.clone_into(&mut view.sentence);
    view.protection = Protection::Unknown;
    view.head = None;
    view.reach = None;
    view.last_verify = None;
    (view.kept_bytes, view.metadata_kept_bytes) = (0, 0);
    for supplier in &mut view.suppliers {
        supplier.confirmed = false;
    }
}
