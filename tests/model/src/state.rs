//! Everything that is remembered somewhere: by the writer, by the holders, and by nobody but the
//! checker.
//!
//! Devices are bits of a byte: those of the first version of the set from bit 0 on, then the one that
//! takes the place of device 0. What the writer holds here is what its disk holds, apart from
//! `in_memory`; what it does in one transaction is one step.

use crate::recovery::number;

/// Devices, one a bit.
pub type Devices = u8;

/// How far a version has come, on the writer's disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Nothing of it is there.
    #[default]
    Unmade,
    /// Its pack of contents is recorded as intent.
    Sealed,
    /// The contents are committed, the lists sealed, the head signed and recorded as a draft.
    Listed,
    /// It is recorded that the head may be given out.
    Sent,
    /// It is recorded as published.
    Published,
}

/// A pack, or a head: who keeps it, and what of that the writer knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Placed {
    /// Who keeps it.
    pub kept: Devices,
    /// Whose receipt the catalogue has.
    pub told: Devices,
    /// For whom it lies in the spool.
    pub spooled: Devices,
}

impl Placed {
    /// Devices get it, and their receipts are recorded.
    pub fn place(&mut self, devices: Devices) {
        self.kept |= devices;
        self.told |= devices;
        self.spooled &= !devices;
    }
}

/// A version: one pack of contents, its lists as one pack, and a head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Version {
    /// How far it has come.
    pub stage: Stage,
    /// Whether what was sealed of it is in memory still.
    pub in_memory: bool,
    /// Whether it names the contents of the version before it; else they are sealed again with it.
    pub names_former: bool,
    /// Whether its files need contents of the version before that it does not name.
    pub omits_former: bool,
    /// Whether its lists lead on to those of the version before it.
    pub reaches_former: bool,
    /// Whether its head names the new set.
    pub names_new_set: bool,
    /// Its contents.
    pub data: Placed,
    /// Its lists.
    pub lists: Placed,
    /// Its head.
    pub head: Placed,
    /// Who keeps another head under its number, which the writer has abandoned.
    pub stray: Devices,
}

/// How far the change of the set has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetStage {
    /// Nobody thinks of one.
    #[default]
    Old,
    /// The record of the new version is signed and recorded, and may have been sent.
    Recorded,
    /// The new version is in force.
    InForce,
    /// The former holder has let go of everything.
    Released,
}

/// What a lane record says, as somebody read it: what is so now, or was once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct LaneRecord {
    /// Whether it names the new set as the one in force.
    pub new_set: bool,
    /// The newest published version, from 1 on.
    pub published: u8,
}

/// What must never happen and leaves no other trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Marks {
    /// The writer forgot a pack of a published version.
    pub dropped: bool,
    /// A holder refused an honest head for good.
    pub refused: bool,
    /// Contents with k confirmations were sealed again.
    pub resealed: bool,
}

/// A state of the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// The versions, oldest first.
    pub versions: [Version; 2],
    /// The set.
    pub set: SetStage,
    /// Who is away.
    pub away: Devices,
    /// Who has lost everything, and was not asked for its tip since.
    pub unasked: Devices,
    /// To whom a head is under way that a former process of the writer sent.
    pub late: Devices,
    /// Whether that head is the one of the second version.
    pub late_second: bool,
    /// The versions of which people were told that they are settled, one a bit.
    pub settled: u8,
    /// How often holders have gone away, where that is limited.
    pub trips: u8,
    /// How many holders have lost everything.
    pub losses: u8,
    /// What must never happen.
    pub marks: Marks,
}

impl State {
    /// Numbers of the versions whose contents a version needs, itself included.
    pub fn data_of(&self, index: usize) -> impl Iterator<Item = usize> {
        let former = index > 0 && self.versions[index].names_former;
        former.then_some(0).into_iter().chain([index])
    }

    /// Numbers of the versions whose lists a version leads to, its own included.
    pub fn lists_of(&self, index: usize) -> impl Iterator<Item = usize> {
        let former = index > 0 && self.versions[index].reaches_former;
        former.then_some(0).into_iter().chain([index])
    }

    /// The newest version whose head may have been given out.
    #[must_use]
    pub fn newest_sent(&self) -> Option<usize> {
        self.newest(Stage::Sent)
    }

    /// The newest version that is published.
    #[must_use]
    pub fn newest_published(&self) -> Option<usize> {
        self.newest(Stage::Published)
    }

    /// The newest version of which people were told that it is settled, from 1 on; 0: none.
    #[must_use]
    pub fn newest_settled(&self) -> u8 {
        let is_settled = |index: &usize| self.settled >> index & 1 != 0;
        [1, 0].into_iter().find(is_settled).map_or(0, number)
    }

    fn newest(&self, stage: Stage) -> Option<usize> {
        let is_there = |index: &usize| self.versions[*index].stage >= stage;
        [1, 0].into_iter().find(is_there)
    }

    /// Who keeps any head.
    #[must_use]
    pub fn with_head(&self) -> Devices {
        let [first, second] = &self.versions;
        first.head.kept | second.head.kept | first.stray | second.stray
    }

    /// Takes everything from devices that they keep.
    pub fn clear_kept(&mut self, devices: Devices) {
        for version in &mut self.versions {
            for placed in [&mut version.data, &mut version.lists, &mut version.head] {
                placed.kept &= !devices;
            }
            version.stray &= !devices;
        }
        self.late &= !devices;
    }
}
