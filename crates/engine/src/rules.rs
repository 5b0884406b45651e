//! Rules that need no machine: confirmations that a pack needs, which heads are believed, which wait
//! is shown.

use std::time::Duration;

use bitdust_model::intervals::WAIT_TOLD_AFTER;
use bitdust_model::manifest::PackKind;
use bitdust_model::{Code, DeviceId, IdentityId, Sequence};

use crate::io::{ClaimedHead, Phase, Wait};

/// Confirmations at which a pack may be committed: its chunks count as known.
#[must_use]
pub fn known_at(kind: PackKind, code: Code) -> u8 {
    match kind {
        PackKind::Data => code.known_at(),
        PackKind::Tree | PackKind::Commit => code.metadata_quorum(),
    }
}

/// Confirmations that a backup waits for before it builds on the pack: the safe number for
/// contents (a lone supplier is all there is at n = 1), the quorum for metadata.
#[must_use]
pub fn settled_at(kind: PackKind, code: Code) -> u8 {
    match kind {
        PackKind::Data => code.safe_at().unwrap_or(1),
        PackKind::Tree | PackKind::Commit => code.metadata_quorum(),
    }
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
