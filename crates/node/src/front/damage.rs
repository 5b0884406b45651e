//! What is said where the catalogue is damaged.

use bitdust_api::view::StatusView;
use bitdust_model::status::Protection;

/// Says nothing by a catalogue that is damaged.
pub(super) fn forget(view: &mut StatusView) {
    view.protection = Protection::Unknown;
    view.enough = None;
    view.head = None;
    view.reach = None;
    view.last_verify = None;
    (view.kept_bytes, view.metadata_kept_bytes) = (0, 0);
    for folder in &mut view.folders {
        folder.protection = Protection::Unknown;
    }
    for supplier in &mut view.suppliers {
        supplier.confirmed = false;
    }
}
