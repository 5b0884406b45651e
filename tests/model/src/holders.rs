//! What holders do with a head, and what may happen to them and to the writer.

use bitdust_engine::{DraftFact, SealedPackFact, SetFact, packs_at_start};
use bitdust_model::manifest::PackKind;
use bitdust_model::{DeviceId, PackId, Position, Sequence, SetId};

use crate::protocol::{Protocol, bit, each};
use crate::rules::Rule;
use crate::state::{Devices, Placed, Stage, State, Version};

/// The set of which packs are in a model: there is one as far as a start is concerned.
const SET: SetId = SetId([1; 32]);

impl Protocol {
    /// A holder is given a head, and with it those before it that were sent.
    pub(crate) fn take_head(&self, state: &mut State, device: u8, index: usize) {
        let holder = bit(device);
        let follows = index > 0 && state.versions[0].stage >= Stage::Sent;
        let has_former = state.versions[0].head.kept & holder != 0;
        let is_gap = follows && !has_former && !self.has(Rule::HeadsChain);
        if is_gap || state.versions[index].stray & holder != 0 {
            state.marks.refused = true;
            return;
        }
        state.versions[index].head.kept |= holder;
        if follows {
            state.versions[0].head.kept |= holder;
        }
    }

    /// A holder is given the newest head. Once that is published, its receipt comes at once: whoever
    /// keeps it and is not known to do so is as good as one who is.
    pub(crate) fn put_head(&self, state: &mut State, device: u8, index: usize) {
        self.take_head(state, device, index);
        if state.versions[index].stage == Stage::Published {
            self.tell(state, device, index);
        }
    }

    /// A head arrives that a former process of the writer sent.
    pub(crate) fn take_late_head(&self, state: &mut State, device: u8) {
        let index = usize::from(state.late_second);
        state.late &= !bit(device);
        state.late_second &= state.late != 0;
        if state.versions[index].stage >= Stage::Sent {
            self.take_head(state, device, index);
        } else {
            state.versions[index].stray |= bit(device);
        }
    }

    /// A receipt for a head comes, and counts for those before it where their lists are there.
    pub(crate) fn tell(&self, state: &mut State, device: u8, index: usize) {
        for of in 0..=index {
            let told = bit(device) & self.with_lists(state, of) & state.versions[of].head.kept;
            state.versions[of].head.told |= told;
        }
    }

    /// A device goes away, with whatever was under way to it.
    pub(crate) fn leave(&self, state: &mut State, device: u8) {
        state.away |= bit(device);
        state.trips += u8::from(self.budget.trips != u8::MAX);
        Self::lose_late(state, bit(device));
    }

    /// A device loses everything and begins anew; its connections end with that.
    pub(crate) fn lose(state: &mut State, device: u8) {
        state.losses += 1;
        state.unasked |= bit(device);
        state.clear_kept(bit(device));
        Self::lose_late(state, bit(device));
    }

    /// The former holder of a position is let go.
    pub(crate) fn release(state: &mut State) {
        let former = bit(0);
        state.clear_kept(former);
        Self::lose_late(state, former);
        for version in &mut state.versions {
            for placed in [&mut version.data, &mut version.lists, &mut version.head] {
                placed.told &= !former;
            }
        }
        state.unasked &= !former;
    }

    fn lose_late(state: &mut State, devices: Devices) {
        state.late &= !devices;
        state.late_second &= state.late != 0;
    }

    /// The writer's process ends and begins again, with what its disk has; the newest head may still
    /// be under way to somebody.
    pub(crate) fn crash(&self, state: &mut State, late: Option<u8>) {
        if let (Some(device), Some(index)) = (late, state.newest_sent()) {
            state.late = bit(device);
            state.late_second = index > 0;
        }
        for version in &mut state.versions {
            version.in_memory = false;
        }
        if !self.has(Rule::SentIsKept) {
            state.versions.iter_mut().for_each(abandon);
        }
        self.start(state);
    }

    /// What becomes of packs is decided by the function that decides it for homes.
    fn start(&self, state: &mut State) {
        let holders = 0..self.code.n();
        let holders = holders.map(|device| DeviceId([device; 32]));
        let sets = [SetFact::formed(SET, self.code, holders)];
        let mut sealed = Vec::new();
        let mut spooled = Vec::new();
        let mut draft = None;
        for (index, version) in state.versions.iter().enumerate() {
            let keeps_published = self.has(Rule::StartKeepsPublished);
            let is_open = |placed: &Placed, is_committed: bool| {
                !is_committed || (!keeps_published && placed.spooled != 0)
            };
            let (data, lists) = (pack(index, PackKind::Data), pack(index, PackKind::Commit));
            if version.stage >= Stage::Sealed
                && is_open(&version.data, version.stage >= Stage::Listed)
            {
                sealed.push(self.fact(data, PackKind::Data, version.data));
            }
            if version.stage == Stage::Listed {
                sealed.push(self.fact(lists, PackKind::Commit, version.lists));
                draft = Some(DraftFact {
                    sequence: Sequence(index as u64),
                    lists: vec![lists],
                });
            }
            for (id, placed) in [(data, version.data), (lists, version.lists)] {
                spooled.extend(each(placed.spooled).map(|device| (id, self.position(device))));
            }
        }
        let packs = packs_at_start(sealed, &spooled, &sets, draft.as_ref());
        for (index, version) in state.versions.iter_mut().enumerate() {
            if packs.abandoned == Some(Sequence(index as u64)) {
                Self::fail_version(version);
            }
            if packs.dropped.contains(&pack(index, PackKind::Data)) {
                if version.stage == Stage::Published {
                    state.marks.dropped = true;
                }
                if version.stage == Stage::Sealed {
                    *version = Version::default();
                }
            }
        }
    }

    fn fact(&self, pack: PackId, kind: PackKind, placed: Placed) -> SealedPackFact {
        let confirmed = each(placed.told).map(|device| {
            let position = self.position(device);
            (position, DeviceId([position.0; 32]))
        });
        SealedPackFact {
            pack,
            kind,
            set: SET,
            confirmed: confirmed.collect(),
        }
    }

    /// The new device has the position of device 0.
    const fn position(&self, device: u8) -> Position {
        Position(device % self.code.n())
    }
}

/// Forgets a head that was given out and is not published, so that another gets its number.
fn abandon(version: &mut Version) {
    if version.stage == Stage::Sent {
        version.stray |= version.head.kept;
        version.head = Placed::default();
        Protocol::fail_version(version);
    }
}

/// A name for a pack of a version.
fn pack(index: usize, kind: PackKind) -> PackId {
    let number = match kind {
        PackKind::Data => 2 * index,
        PackKind::Tree | PackKind::Commit => 2 * index + 1,
    };
    // There are four of them.
    PackId([u8::try_from(number).unwrap_or(u8::MAX); 32])
}
