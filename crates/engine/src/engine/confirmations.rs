//! Confirmations that packs have, against those that somebody waits for.
//!
//! It counts and changes nothing. A holder that is condemned counts nowhere.

use bitdust_model::DeviceId;
use bitdust_model::manifest::PackKind;

use super::Engine;
use super::entries::{Pack, PackGroup};
use crate::fsm::{backup, pack, transfer};
use crate::io::JobId;
use crate::rules::settled_at;

impl Engine {
    /// Positions of a pack confirmed by holders that are not condemned.
    pub(crate) fn confirmed(&self, pack: &Pack) -> u8 {
        self.count_positions(pack, |transfer| {
            matches!(transfer, transfer::State::Confirmed)
        })
    }

    /// The most confirmations that the weakest unsettled commit pack can still get.
    pub(super) fn lists_within_reach(&self) -> u8 {
        let lists = self
            .packs
            .values()
            .filter(|pack| PackGroup::Lists.has(pack.kind));
        let reach = lists.map(|pack| {
            let owed = |transfer: &transfer::State| !matches!(transfer, transfer::State::Owed);
            self.count_positions(pack, owed)
        });
        reach.min().unwrap_or(0)
    }

    /// Positions that wait in the spool for holders that are not condemned.
    pub(super) fn spooled(&self, pack: &Pack) -> u8 {
        self.count_positions(pack, |transfer| {
            matches!(
                transfer,
                transfer::State::Spooled | transfer::State::Sending { spooled: true, .. }
            )
        })
    }

    /// The supplier that most packs in memory wait for.
    #[must_use]
    pub fn held_up_by(&self) -> Option<DeviceId> {
        let holders = &self.set.as_ref()?.holders;
        let mut waiting = vec![0_usize; holders.len()];
        for pack in self.packs.values().filter(|pack| pack.state.is_held()) {
            let kept = pack.transfers.iter().map(|transfer| transfer.is_kept());
            for (count, is_kept) in waiting.iter_mut().zip(kept) {
                *count += usize::from(!is_kept);
            }
        }
        let most = (0..holders.len()).max_by_key(|&at| (waiting[at], std::cmp::Reverse(at)))?;
        (waiting[most] > 0).then(|| holders[most])
    }

    fn count_positions(&self, pack: &Pack, is_counted: impl Fn(&transfer::State) -> bool) -> u8 {
        let holders = self.set.iter().flat_map(|set| &set.holders);
        let counted = pack
            .transfers
            .iter()
            .zip(holders)
            .filter(|(transfer, holder)| is_counted(transfer) && self.is_trusted(**holder));
        u8::try_from(counted.count()).expect("a set has at most 30 positions")
    }

    /// What a backup needs of one pack, against what it has.
    fn quorum_of(&self, pack: &Pack) -> backup::Quorum {
        let Some(code) = self.set.as_ref().map(|set| set.code) else {
            return backup::Quorum::Reached;
        };
        let need = settled_at(pack.kind, code);
        let confirmed = self.confirmed(pack);
        if confirmed >= need {
            // What is sealed next describes only packs that the catalogue knows as committed.
            return match pack.state {
                pack::State::Committed { .. } | pack::State::Settled => backup::Quorum::Reached,
                pack::State::Placing { .. }
                | pack::State::Committing { .. }
                | pack::State::Uncommitted { .. } => backup::Quorum::Short {
                    confirmed,
                    need,
                    moving: true,
                },
            };
        }
        let moving = self.count_positions(pack, |transfer| transfer.is_moving());
        backup::Quorum::Short {
            confirmed,
            need,
            moving: confirmed + moving >= need,
        }
    }

    /// The weakest of a job's packs of a group; with `None`, of all packs of that group.
    /// Settled packs have every position but the condemned ones.
    pub(super) fn quorum(&self, job: Option<JobId>, group: PackGroup) -> backup::Quorum {
        let mut weakest = self.quorum_of_settled(group);
        for pack in self.packs.values() {
            if group.has(pack.kind) && (job.is_none() || pack.job == job) {
                weakest = weaker(weakest, self.quorum_of(pack));
            }
        }
        weakest
    }

    fn quorum_of_settled(&self, group: PackGroup) -> backup::Quorum {
        let Some(set) = &self.set else {
            return backup::Quorum::Reached;
        };
        let trusted = set
            .holders
            .iter()
            .filter(|device| self.is_trusted(**device))
            .count();
        let confirmed = u8::try_from(trusted).expect("a set has at most 30 positions");
        let kinds = match group {
            PackGroup::Contents => &[PackKind::Data, PackKind::Tree][..],
            PackGroup::Lists => &[PackKind::Commit][..],
        };
        let need = kinds
            .iter()
            .map(|kind| settled_at(*kind, set.code))
            .max()
            .unwrap_or(0);
        if confirmed >= need {
            return backup::Quorum::Reached;
        }
        backup::Quorum::Short {
            confirmed,
            need,
            moving: false,
        }
    }

    /// Confirmations of the weakest data pack that counts for what was published, by fresh
    /// and trusted holders.
    pub(crate) fn weakest_fresh(&self) -> u8 {
        let Some(set) = &self.set else {
            return 0;
        };
        let is_fresh = |device: &DeviceId| {
            self.suppliers
                .get(device)
                .is_some_and(|supplier| supplier.is_fresh(self.now))
        };
        let fresh = set.holders.iter().filter(|device| is_fresh(device)).count();
        let mut weakest = fresh;
        for pack in self.packs.values() {
            let is_running = pack.job.is_some_and(|job| self.jobs.contains_key(&job));
            if pack.kind != PackKind::Data || is_running {
                continue;
            }
            let confirmed = pack
                .transfers
                .iter()
                .zip(&set.holders)
                .filter(|(state, device)| {
                    matches!(state, transfer::State::Confirmed) && is_fresh(device)
                });
            weakest = weakest.min(confirmed.count());
        }
        u8::try_from(weakest).expect("a set has at most 30 positions")
    }
}

fn weaker(left: backup::Quorum, right: backup::Quorum) -> backup::Quorum {
    match (left, right) {
        (backup::Quorum::Reached, quorum) | (quorum, backup::Quorum::Reached) => quorum,
        (
            backup::Quorum::Short {
                confirmed: some,
                need,
                moving,
            },
            backup::Quorum::Short {
                confirmed: other,
                need: other_need,
                moving: other_moving,
            },
        ) => {
            let moving = moving && other_moving;
            // The one that lacks more is what people are told.
            if need.saturating_sub(some) >= other_need.saturating_sub(other) {
                backup::Quorum::Short {
                    confirmed: some,
                    need,
                    moving,
                }
            } else {
                backup::Quorum::Short {
                    confirmed: other,
                    need: other_need,
                    moving,
                }
            }
        }
    }
}
