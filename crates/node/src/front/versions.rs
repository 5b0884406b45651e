//! Who has which version: those who signed for a head that lists it.

use std::collections::BTreeMap;

use bitdust_api::view::KeptView;
use bitdust_engine::{EngineView, HeadStand, SetFact};
use bitdust_model::{DeviceId, Sequence, SnapshotId};
use bitdust_store::CatalogueError;

use crate::shared::context::Context;

/// What is known of that for all versions of this machine.
pub(super) struct Keepers {
    own: DeviceId,
    newest: Sequence,
    /// The first head that lists a version, of those where that is known.
    since: BTreeMap<SnapshotId, Sequence>,
    /// For each supplier that counts the newest head that it keeps with all that it leads to.
    kept: Vec<Sequence>,
    of: u32,
}

impl Keepers {
    /// `None`: nothing is published, or suppliers keep more of this machine than is known.
    pub(super) fn of(
        context: &Context,
        engine: &EngineView,
        set: Option<&SetFact>,
    ) -> Result<Option<Self>, CatalogueError> {
        let is_known = !engine.is_behind && !engine.is_catching_up;
        let (Some(newest), Some(set)) = (engine.published.filter(|_| is_known), set) else {
            return Ok(None);
        };
        let catalogue = &context.catalogue;
        let mut kept = Vec::new();
        for supplier in &engine.suppliers {
            kept.extend(match supplier.head {
                HeadStand::Leading => Some(newest),
                // It keeps what it signed before; only what came later is owed to it.
                HeadStand::Lacking => catalogue.last_kept_with_lists(supplier.device)?,
                HeadStand::WithoutLists | HeadStand::Uncounted => None,
            });
        }
        Ok(Some(Self {
            own: context.device,
            newest,
            since: catalogue.listed_since()?,
            kept,
            of: u32::from(set.code.n()),
        }))
    }

    /// Who has a version that a device made; `None`: that is another one.
    pub(super) fn kept(&self, version: SnapshotId, device: DeviceId) -> Option<KeptView> {
        if device != self.own {
            return None;
        }
        // One of before that was noted is listed by the newest head in any case.
        let since = self.since.get(&version);
        let since = since.copied().unwrap_or(self.newest);
        let confirmed = self.kept.iter().filter(|kept| **kept >= since).count();
        Some(KeptView {
            confirmed: u32::try_from(confirmed).unwrap_or(u32::MAX),
            of: self.of,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: DeviceId = DeviceId([1; 32]);

    #[test]
    fn a_version_counts_those_who_signed_for_a_head_that_lists_it() {
        let keepers = Keepers {
            own: OWN,
            newest: Sequence(5),
            since: BTreeMap::from([
                (SnapshotId([1; 32]), Sequence(2)),
                (SnapshotId([2; 32]), Sequence(4)),
            ]),
            kept: [5, 5, 3].map(Sequence).to_vec(),
            of: 4,
        };
        let confirmed = |number, device| {
            let kept = keepers.kept(SnapshotId([number; 32]), device);
            kept.map(|kept| (kept.confirmed, kept.of))
        };
        assert_eq!(
            confirmed(1, OWN),
            Some((3, 4)),
            "also by who lacks the newest"
        );
        assert_eq!(confirmed(2, OWN), Some((2, 4)));
        assert_eq!(
            confirmed(3, OWN),
            Some((2, 4)),
            "listed by the newest in any case"
        );
        assert_eq!(confirmed(1, DeviceId([2; 32])), None, "another machine's");
    }
}
