//! Rules that need no machine: confirmations that a pack needs, which heads are believed, which wait
//! is shown.

use std::time::Duration;

use bitdust_model::intervals::WAIT_TOLD_AFTER;
use bitdust_model::limits::PROOFS_OF_TRUST;
use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, DeviceId, IdentityId, Policy, Sequence, Tick};

use crate::io::{ClaimedHead, Phase, Wait};

/// Copies of metadata, and of a head, that a version needs to be published where two suppliers are
/// there: one alone is enough only where nobody else is.
const COPIES_MIN: u8 = 2;

/// Confirmations at which a pack may be committed: its chunks count as known, since they can be had
/// again.
#[must_use]
pub const fn known_at(kind: PackKind, code: Code) -> u8 {
    match kind {
        PackKind::Data => code.known_at(),
        PackKind::Tree | PackKind::Commit => 1,
    }
}

/// Confirmations without which no version is made of a pack; `there`: holders that confirmed it or
/// answer now. Whoever is away is not waited for.
#[must_use]
pub fn published_at(kind: PackKind, code: Code, there: u8) -> u8 {
    match kind {
        PackKind::Data => code.known_at(),
        PackKind::Tree | PackKind::Commit => COPIES_MIN.min(there).max(1),
    }
}

/// Confirmations that a backup waits for as long as they come, where so many positions are active: the
/// safe number for contents (a lone supplier is all there is at n = 1), the quorum for metadata, which
/// is as if all were active while they are too few for any.
#[must_use]
pub(crate) fn awaited_at(kind: PackKind, code: Code, active: u8) -> u8 {
    match kind {
        PackKind::Data => code.safe_at().unwrap_or(1),
        PackKind::Tree | PackKind::Commit => {
            let quorum = code.metadata_quorum_of(active);
            quorum.unwrap_or(code.metadata_quorum())
        }
    }
}

/// Which of so many shards is asked for as number `turn` of a row of proofs that begins at `pick`: each
/// of them once where a row has as many, and else others each time, evenly spread. None of none.
#[must_use]
pub fn sample(pick: u64, turn: u8, count: u64) -> Option<u64> {
    let first = pick.checked_rem(count)?;
    let row = u64::from(PROOFS_OF_TRUST);
    let (turn, whole, rest) = (u64::from(turn), count / row, count % row);
    // turn × count / row without what a product could exceed.
    let ahead = if count < row {
        turn % count
    } else {
        turn * whole + turn * rest / row
    };
    // Both are below the count.
    Some(if first >= count - ahead {
        first - (count - ahead)
    } else {
        first + ahead
    })
}

/// Until when those are waited for who were asked at `began` and have not answered, if the last who
/// did answered at `last`: for twice as long as that took, within bounds.
#[must_use]
pub(crate) fn stragglers_until(policy: &Policy, began: Tick, last: Tick) -> Tick {
    let last = last.max(began);
    let longest = policy.request_timeout.max(policy.straggler_wait);
    last + (2 * last.since(began)).clamp(policy.straggler_wait, longest)
}

/// What a holder told of the newest head of a device's own lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToldHead {
    /// It has none.
    Nothing,
    /// None, or an older one than it signed for: it has lost something.
    Less,
    /// One that the device knows.
    Known,
    /// One that it does not: another machine with the same keys wrote it, or this one did and forgot.
    Unknown,
}

/// Whether a device may write into its own lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneStand {
    /// Too few holders have told what they have.
    Unheard,
    /// It knows all that it has to.
    Abreast,
    /// Somebody has what it does not know.
    Behind,
}

/// Judges what holders told, of whom so many are active and so many keep whatever is settled: any
/// `active - quorum + 1` of them include one that keeps it (P7). One that has lost something is not among
/// these (P9), unless there is nobody else to ask.
pub(crate) fn lane_stand(told: &[ToldHead], active: usize, quorum: usize) -> LaneStand {
    let counted = told.iter().filter(|head| **head != ToldHead::Less).count();
    if told.contains(&ToldHead::Unknown) {
        LaneStand::Behind
    } else if counted > active.saturating_sub(quorum) || (active > 0 && told.len() >= active) {
        LaneStand::Abreast
    } else {
        LaneStand::Unheard
    }
}

/// What a device can tell of a head of its own lane that it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneTold {
    /// Its own newest head that was published.
    pub published: Option<Sequence>,
    /// The place of the other in the lane.
    pub sequence: Sequence,
    /// Whether this catalogue wrote it, as far as it says itself.
    pub is_own_writer: bool,
    /// Whether this device signed a head since it runs.
    pub has_written: bool,
    /// Whether it lists every version that this device published.
    pub lists_all: bool,
}

/// Whether a device goes on from a head of its own lane that it does not have (P7): nothing that it published
/// is lost with that, and no other machine writes beside it. That one does is known where a head comes from
/// another writer after this one began to write; before that its own disk may have been laid back to a copy
/// that is older than its last new beginning.
#[must_use]
pub fn may_go_on(told: &LaneTold) -> bool {
    let is_ahead = Some(told.sequence) > told.published;
    is_ahead && told.lists_all && (told.is_own_writer || !told.has_written)
}

/// Whether a head whose signature is good is one of an identity's: a device of it wrote it into
/// its own lane, and no fence closes the lane before it.
#[must_use]
pub fn is_believed(
    head: &ClaimedHead,
    identity: IdentityId,
    devices: &[DeviceId],
    fences: &[(DeviceId, Sequence)],
) -> bool {
    let is_fenced = fences
        .iter()
        .any(|(lane, last)| *lane == head.lane && *last < head.sequence);
    head.owner == identity && head.signer == head.lane && devices.contains(&head.lane) && !is_fenced
}

/// What a job is shown to do: a full disk before all else, since whatever else waits may wait for
/// that; a supplier only while folders are read, when memory is all that is short. Waits below
/// `WAIT_TOLD_AFTER` are the ordinary ones, and nobody needs to know why.
#[must_use]
pub fn shown_wait(
    phase: Option<Phase>,
    waits: impl Iterator<Item = (Wait, Duration)>,
) -> Option<Wait> {
    let long = waits.filter(|(_, lasted)| *lasted >= WAIT_TOLD_AFTER);
    let wait = long.map(|(wait, _)| wait).max()?;
    let is_shown = wait == Wait::Disk || phase == Some(Phase::Reading);
    is_shown.then_some(wait)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_head_is_believed_of_a_device_in_its_own_lane_before_its_fence() {
        let (identity, lane) = (IdentityId([1; 32]), DeviceId([2; 32]));
        let good = ClaimedHead {
            owner: identity,
            lane,
            signer: lane,
            sequence: Sequence(7),
        };
        let other = DeviceId([3; 32]);
        let believed = |head: &ClaimedHead, devices: &[DeviceId], fences: &[_]| {
            is_believed(head, identity, devices, fences)
        };
        assert!(believed(&good, &[lane], &[]));
        assert!(believed(
            &good,
            &[lane],
            &[(lane, Sequence(7)), (other, Sequence(1))]
        ));
        assert!(!believed(&good, &[lane], &[(lane, Sequence(6))]), "fenced");
        assert!(!believed(&good, &[other], &[]), "no device of ours");
        let stolen = ClaimedHead {
            signer: other,
            ..good
        };
        assert!(!believed(&stolen, &[lane, other], &[]), "another's lane");
        let foreign = ClaimedHead {
            owner: IdentityId([9; 32]),
            ..good
        };
        assert!(!believed(&foreign, &[lane], &[]), "another person's");
    }

    #[test]
    fn who_is_away_is_not_waited_for() {
        let code = Code::new(3, 6).expect("a code");
        for there in 0..=6 {
            assert_eq!(published_at(PackKind::Data, code, there), 3);
            let copies = if there < 2 { 1 } else { 2 };
            assert_eq!(published_at(PackKind::Tree, code, there), copies);
            assert_eq!(published_at(PackKind::Commit, code, there), copies);
        }
    }

    #[test]
    fn a_row_of_proofs_asks_for_no_shard_twice() {
        let row = u64::from(PROOFS_OF_TRUST);
        for count in (1..200).chain([3_999, 4_000, 60_000, u64::MAX]) {
            for pick in [0, 7, u64::MAX] {
                let asked = (0..PROOFS_OF_TRUST).map(|turn| sample(pick, turn, count));
                let asked: BTreeSet<_> = asked.map(|it| it.expect("there are some")).collect();
                assert_eq!(asked.len() as u64, row.min(count), "of {count}");
                assert!(asked.iter().all(|it| *it < count));
            }
        }
        assert_eq!(sample(7, 0, 0), None);
    }

    #[test]
    fn nothing_is_written_over_what_is_not_known() {
        use ToldHead::{Known, Less, Nothing, Unknown};
        // 3/6: four keep what is settled, and three of six include one of them.
        for (told, stand) in [
            (&[][..], LaneStand::Unheard),
            (&[Known, Nothing], LaneStand::Unheard),
            (&[Known, Nothing, Known], LaneStand::Abreast),
            (&[Known, Known, Known, Unknown], LaneStand::Behind),
            (&[Unknown], LaneStand::Behind),
            (&[Known, Less, Known], LaneStand::Unheard),
            (&[Known, Less, Less, Less, Less], LaneStand::Unheard),
            (&[Less, Less, Less, Less, Less, Less], LaneStand::Abreast),
        ] {
            assert_eq!(lane_stand(told, 6, 4), stand, "{told:?}");
        }
        assert_eq!(lane_stand(&[Nothing], 1, 1), LaneStand::Abreast);
    }

    #[test]
    fn a_device_goes_on_only_from_what_has_all_that_it_published() {
        let good = LaneTold {
            published: Some(Sequence(4)),
            sequence: Sequence(9),
            is_own_writer: true,
            has_written: true,
            lists_all: true,
        };
        let nothing = LaneTold {
            published: None,
            ..good
        };
        let before_it_wrote = LaneTold {
            is_own_writer: false,
            has_written: false,
            ..good
        };
        for told in [good, nothing, before_it_wrote] {
            assert!(may_go_on(&told), "{told:?}");
        }
        let another_writes = LaneTold {
            is_own_writer: false,
            ..good
        };
        let lost = LaneTold {
            lists_all: false,
            ..good
        };
        let beside = LaneTold {
            sequence: Sequence(4),
            ..good
        };
        for told in [another_writes, lost, beside] {
            assert!(!may_go_on(&told), "{told:?}");
        }
    }

    #[test]
    fn stragglers_get_twice_the_time_of_the_others() {
        let policy = Policy::default();
        let until = |last| stragglers_until(&policy, Tick(1_000), Tick(last)).0;
        let shortest = u64::try_from(policy.straggler_wait.as_millis()).expect("short");
        assert_eq!(until(1_000), 1_000 + shortest);
        assert_eq!(until(0), 1_000 + shortest, "nobody has answered");
        assert_eq!(until(5_000), 5_000 + 8_000);
        assert_eq!(until(101_000), 101_000 + 30_000, "no longer than a request");
    }

    #[test]
    fn the_longest_waits_are_shown_the_disk_first() {
        let (short, long) = (WAIT_TOLD_AFTER / 2, WAIT_TOLD_AFTER);
        let shown = |phase, waits: &[(Wait, Duration)]| shown_wait(phase, waits.iter().copied());
        let reading = Some(Phase::Reading);
        assert_eq!(shown(reading, &[(Wait::Pack, short)]), None, "not yet");
        assert_eq!(shown(reading, &[(Wait::Pack, long)]), Some(Wait::Pack));
        assert_eq!(shown(Some(Phase::Sending), &[(Wait::Pack, long)]), None);
        let both = [(Wait::Pack, long), (Wait::Disk, long)];
        assert_eq!(shown(reading, &both), Some(Wait::Disk));
        assert_eq!(shown(None, &both), Some(Wait::Disk), "whatever it does");
        let soon = [(Wait::Pack, long), (Wait::Disk, short)];
        assert_eq!(shown(reading, &soon), Some(Wait::Pack));
    }
}
