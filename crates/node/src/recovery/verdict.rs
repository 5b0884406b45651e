//! What the engine decided of a recovery, in the heads that were told: what is taken over, where lanes
//! end, and what people are told of newer versions.

use std::collections::BTreeMap;

use bitdust_api::host::MissedVersion;
use bitdust_engine::{RecoveryFound, ToldVersion};
use bitdust_model::head::{Head, HeadBundle};
use bitdust_model::{DeviceId, HeadHash, HeadRef, UnixMillis};

use crate::shared::recovery_found::{MissingLists, NewestFound};

/// All heads that were told, verified, by lane and hash.
pub(super) type ToldHeads = BTreeMap<(DeviceId, HeadHash), (Head, HeadBundle)>;

/// The heads of the lanes that are known now: those that are taken over, and newer ones that could not
/// be read.
pub(super) fn known_heads(found: &RecoveryFound, told: &ToldHeads) -> Vec<HeadBundle> {
    let known = found.taken.iter().chain(&found.unread);
    let known = known.filter_map(|version| told.get(&(version.lane, version.head.hash)));
    known.map(|(_, bundle)| bundle.clone()).collect()
}

/// The last head of each lane that was told: the newest that anything names, whether or not it could be
/// read. A fence before it would hide it from every later recovery.
pub(super) fn ends(
    found: &RecoveryFound,
    named: &BTreeMap<DeviceId, HeadRef>,
) -> BTreeMap<DeviceId, HeadRef> {
    let mut ends = BTreeMap::new();
    for version in found.taken.iter().chain(&found.unread) {
        let ends_at = ends.entry(version.lane).or_insert(version.head);
        let named = named.get(&version.lane).copied();
        for head in named.into_iter().chain([version.head]) {
            if ends_at.sequence < head.sequence {
                *ends_at = head;
            }
        }
    }
    ends
}

/// What people are told.
pub(super) fn newest_found(
    found: &RecoveryFound,
    told: &ToldHeads,
    missing: MissingLists,
) -> NewestFound {
    let written_at = |version: &ToldVersion| -> Option<UnixMillis> {
        let (head, _) = told.get(&(version.lane, version.head.hash))?;
        Some(head.written_at)
    };
    let newest = found.taken.iter().max_by_key(|version| written_at(version));
    let lane = newest.map(|version| version.lane);
    // One that few have says how well all of it is known.
    let worst = found.taken.iter().min_by_key(|version| version.confirmed);
    let unread = found.unread.iter().map(|version| {
        let sequence = version.head.sequence;
        (version.lane, sequence, written_at(version))
    });
    let unheard = found.unheard.iter();
    let unheard = unheard.map(|(lane, sequence)| (*lane, *sequence, None));
    let missed = |versions: Vec<(DeviceId, bitdust_model::Sequence, Option<UnixMillis>)>| {
        let of_another = |version: &(DeviceId, _, _)| Some(version.0) != lane;
        let first = versions.into_iter().min_by_key(of_another)?;
        Some(MissedVersion {
            number: first.1.0,
            written_at: first.2,
            is_of_another: of_another(&first),
        })
    };
    NewestFound {
        newest: newest.and_then(written_at),
        number: newest.map(|version| version.head.sequence.0),
        confirmed: worst.map_or(0, |version| version.confirmed),
        of: worst.map_or(0, |version| version.of),
        newer: missed(unheard.collect()),
        unread: missed(unread.collect()),
        index_missing: missing.index,
        older_missing: missing.older,
        is_sure: found.is_sure,
    }
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::DeviceKeys;
    use bitdust_model::Sequence;

    use super::*;
    use crate::shared::testing::{TestHome, head};

    /// Versions of some lanes as they were told, each by so many of three.
    fn versions(
        home: &TestHome,
        wanted: &[(&DeviceKeys, u64, u32)],
    ) -> (Vec<ToldVersion>, ToldHeads) {
        let mut told = ToldHeads::new();
        let versions = wanted.iter().map(|(device, number, confirmed)| {
            let mut head = head(home.context.identity, device.device(), *number);
            head.written_at = UnixMillis(1_000 * number);
            let bundle = home.bundle(device, &head, Vec::new());
            let version = ToldVersion {
                lane: head.lane,
                head: crate::recovery::lanes::head_ref(&head, &bundle),
                confirmed: *confirmed,
                of: 3,
            };
            told.insert((head.lane, version.head.hash), (head, bundle));
            version
        });
        (versions.collect(), told)
    }

    #[tokio::test]
    async fn what_is_known_of_newer_versions_is_named() {
        let home = TestHome::new().await;
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let all = [(&laptop, 16, 2), (&desktop, 4, 1), (&laptop, 17, 1)];
        let (versions, told) = versions(&home, &all);
        let found = RecoveryFound {
            taken: versions[..2].to_vec(),
            unread: versions[2..].to_vec(),
            unheard: vec![
                (desktop.device(), Sequence(5)),
                (laptop.device(), Sequence(18)),
            ],
            is_sure: true,
        };
        let missed = |number, written_at| MissedVersion {
            number,
            written_at,
            is_of_another: false,
        };
        let newest = newest_found(&found, &told, MissingLists { index: 1, older: 2 });
        let expected = NewestFound {
            newest: Some(UnixMillis(16_000)),
            number: Some(16),
            confirmed: 1,
            of: 3,
            newer: Some(missed(18, None)),
            unread: Some(missed(17, Some(UnixMillis(17_000)))),
            index_missing: 1,
            older_missing: 2,
            is_sure: true,
        };
        assert_eq!(newest, expected, "the worst lane, and the newest machine");
        let of_another = RecoveryFound {
            unheard: found.unheard[..1].to_vec(),
            ..found
        };
        let newer = newest_found(&of_another, &told, MissingLists::default()).newer;
        assert!(newer.is_some_and(|newer| newer.is_of_another && newer.number == 5));
    }

    #[tokio::test]
    async fn a_lane_ends_behind_all_that_is_known_of_it() {
        let home = TestHome::new().await;
        let laptop = DeviceKeys::generate();
        let (versions, told) = versions(&home, &[(&laptop, 16, 2), (&laptop, 17, 1)]);
        let found = RecoveryFound {
            taken: versions[..1].to_vec(),
            unread: versions[1..].to_vec(),
            ..RecoveryFound::default()
        };
        let named = |number| {
            let hash = HeadHash([7; 32]);
            let sequence = Sequence(number);
            BTreeMap::from([(laptop.device(), HeadRef { sequence, hash })])
        };
        let end = |named| ends(&found, &named)[&laptop.device()];
        assert_eq!(end(BTreeMap::new()), versions[1].head);
        assert_eq!(end(named(15)), versions[1].head);
        assert_eq!(end(named(18)), named(18)[&laptop.device()]);
        assert_eq!(known_heads(&found, &told).len(), 2);
    }
}
