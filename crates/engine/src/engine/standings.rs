//! How packs stand: the confirmations they have, against those that somebody waits for.
//!
//! It counts and changes nothing. A holder that is doubted counts nowhere.

use bitdust_model::DeviceId;
use bitdust_model::manifest::PackKind;

use super::Engine;
use super::entries::{Pack, PackGroup};
use crate::fsm::{backup, pack, transfer};
use crate::io::JobId;
use crate::rules::settled_at;

impl Engine {
    /// Positions of a pack confirmed by holders that are not doubted.
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

    /// Positions that wait in the spool for holders that are not doubted.
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

    /// How one pack stands against what a backup needs of it.
    fn standing_of(&self, pack: &Pack) -> backup::Standing {
        let Some(code) = self.set.as_ref().map(|set| set.code) else {
            return backup::Standing::Enough;
        };
        let need = settled_at(pack.kind, code);
        let confirmed = self.confirmed(pack);
        if confirmed >= need {
            // What is sealed next describes only packs that the catalogue knows as committed.
            return match pack.state {
                pack::State::Committed { .. } | pack::State::Settled => backup::Standing::Enough,
                pack::State::Placing { .. }
                | pack::State::Committing { .. }
                | pack::State::Uncommitted { .. } => backup::Standing::Short {
                    confirmed,
                    need,
                    moving: true,
                },
            };
        }
        let moving = self.count_positions(pack, |transfer| transfer.is_moving());
        backup::Standing::Short {
            confirmed,
            need,
            moving: confirmed + moving >= need,
        }
    }

    /// The weakest of a job's packs of a group; with `None`, of all packs of that group.
    /// Settled packs have every position but the doubted ones.
    pub(super) fn standing(&self, job: Option<JobId>, group: PackGroup) -> backup::Standing {
        let mut weakest = self.standing_of_settled(group);
        for pack in self.packs.values() {
            if group.has(pack.kind) && (job.is_none() || pack.job == job) {
                weakest = weaker(weakest, self.standing_of(pack));
            }
        }
        weakest
    }

    fn standing_of_settled(&self, group: PackGroup) -> backup::Standing {
        let Some(set) = &self.set else {
            return backup::Standing::Enough;
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
            return backup::Standing::Enough;
        }
        backup::Standing::Short {
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

fn weaker(left: backup::Standing, right: backup::Standing) -> backup::Standing {
    match (left, right) {
        (backup::Standing::Enough, standing) | (standing, backup::Standing::Enough) => standing,
        (
            backup::Standing::Short {
                confirmed: some,
                need,
                moving,
            },
            backup::Standing::Short {
                confirmed: other,
                need: other_need,
                moving: other_moving,
            },
        ) => {
            let moving = moving && other_moving;
            // The one that lacks more is what people are told.
            if need.saturating_sub(some) >= other_need.saturating_sub(other) {
                backup::Standing::Short {
                    confirmed: some,
                    need,
                    moving,
                }
            } else {
                backup::Standing::Short {
                    confirmed: other,
                    need: other_need,
                    moving,
                }
            }
        }
    }
}
