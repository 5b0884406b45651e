//! The engine as people see it.

use std::collections::BTreeSet;
use std::time::Duration;

use bitdust_model::status::Protection;
use bitdust_model::{DeviceId, FolderId, PositionMask};

use super::Engine;
use super::entries::{Folder, Job, Membership, Supplier, Work};
use crate::fsm::{folder_watch, name, schedule};
use crate::io::{JobId, SetFact};
use crate::safety;
use crate::view::{
    CustomerView, EngineView, FolderView, FolderWork, HeadStand, JobView, Reach, SupplierView,
};

impl Engine {
    /// What the status screen shows, as of the last input.
    #[must_use]
    pub fn view(&self) -> EngineView {
        let leading = self.head_positions();
        let suppliers = self
            .suppliers
            .iter()
            .map(|(device, it)| self.supplier_view(*device, it, leading));
        let customers = self.customers.iter().filter_map(|(&lane, customer)| {
            let account = customer.link.account()?;
            Some(CustomerView {
                identity: customer.identity,
                lane,
                contract: account.agreed,
                used: account.used,
                reserved: account.reserved(),
            })
        });
        EngineView {
            set_up: name(&self.set_up),
            supplier_search: name(&self.search),
            holder_set: name(&self.holder_set),
            head: name(&self.head),
            lane: name(&self.lane),
            is_restore_only: self.membership == Membership::Reader,
            is_replaced: self.membership == Membership::Replaced,
            is_behind: self.lane.is_behind(),
            is_catching_up: self.lane.is_catching_up(),
            deposits: name(&self.deposits),
            protection: self.protection(),
            enough: self.enough(),
            set: self.sets.home().map(|set| set.set),
            code: self.sets.home().map(|set| set.code),
            published: self.head_recorded,
            head_kept: leading.count(),
            settled: self.settled,
            reach: self.reach(),
            suppliers_wanted: self.suppliers_wanted,
            suppliers: suppliers.collect(),
            jobs: self
                .jobs
                .iter()
                .map(|(job, entry)| job_view(*job, entry))
                .collect(),
            folders: self
                .folders
                .iter()
                .map(|(folder, entry)| self.folder_view(*folder, entry))
                .collect(),
            customers: customers.collect(),
            offered: self.offered,
            promised: self.promised(),
            packs_unsettled: self.packs.len(),
            fetches: self.fetches.len(),
            deadlines: self.timers.len(),
        }
    }

    /// Of all sets in which something published lies, what can be had of the one that is worst off.
    fn reach(&self) -> Option<Reach> {
        self.head_recorded?;
        let all = self.head.being_recorded().is_some();
        let spare = |set: &SetFact| {
            // One that is there and has proved nothing lately may have nothing.
            let holders = self.reachable(set).and(self.fresh(set));
            let weakest = self.ledger.weakest(self.count(set, holders), all)?;
            Some(weakest.checked_sub(set.code.k()))
        };
        let spare = self.sets.all().filter_map(spare).min()?;
        let online = self.sets.all().map(|set| self.trusted_holders(set).1);
        let online: BTreeSet<_> = online.flatten().collect();
        Some(Reach {
            online: u8::try_from(online.len()).unwrap_or(u8::MAX),
            spare,
        })
    }

    /// How well everything is kept: as the set that is worst off.
    pub(super) fn protection(&self) -> Protection {
        if self.is_catalogue_damaged {
            return Protection::Unknown;
        }
        safety::protection(self.head_recorded.is_some(), &self.weakest_fresh())
    }

    fn enough(&self) -> Option<u8> {
        let is_known = !self.is_catalogue_damaged && self.head_recorded.is_some();
        is_known.then(|| safety::enough(&self.weakest_fresh()))
    }

    fn folder_view(&self, folder: FolderId, entry: &Folder) -> FolderView {
        let work = match (entry.schedule, entry.watch) {
            (schedule::State::Running { .. }, _) => FolderWork::Running,
            (schedule::State::Retrying { retry_at, code, .. }, _) => FolderWork::Retrying {
                retry_in: retry_at.since(self.now),
                code,
            },
            (_, folder_watch::State::Settling { still_at, .. }) => FolderWork::Changed {
                due_in: still_at.since(self.now),
            },
            (schedule::State::Due { .. }, _) => FolderWork::Changed {
                due_in: Duration::ZERO,
            },
            (schedule::State::Resting { due_at }, _) => FolderWork::Resting {
                due_in: due_at.since(self.now),
            },
            (schedule::State::Manual, _) => FolderWork::Manual,
        };
        FolderView {
            folder,
            watch: name(&entry.watch),
            schedule: name(&entry.schedule),
            work,
        }
    }

    fn supplier_view(
        &self,
        device: DeviceId,
        supplier: &Supplier,
        leading: PositionMask,
    ) -> SupplierView {
        let confirmed = supplier.is_fresh(self.now);
        let home = self.sets.home();
        SupplierView {
            device,
            identity: supplier.identity,
            friend: supplier.friend,
            link: name(&supplier.link),
            check: name(&supplier.check),
            tip: name(&supplier.tip),
            unspool: name(&supplier.unspool),
            online: self.online.contains(&device),
            contract: supplier.contract,
            position: home.and_then(|home| home.position_of(device)),
            confirmed,
            confirmed_for: supplier
                .fresh_until
                .filter(|_| confirmed)
                .map(|until| until.since(self.now)),
            suspect: supplier.is_suspect(),
            owed: !supplier.is_suspect() && self.is_owed(device),
            head: self.head_stand(device, leading),
        }
    }

    fn head_stand(&self, device: DeviceId, leading: PositionMask) -> HeadStand {
        let mut counted = self.sets.home().into_iter().flat_map(SetFact::counted);
        let position = counted.find(|(_, holder)| *holder == device);
        match position {
            Some((position, _)) if leading.has(position) => HeadStand::Leading,
            Some(_) if self.is_trusted(device) => {
                if self.has_newest_head(device) {
                    HeadStand::WithoutLists
                } else {
                    HeadStand::Lacking
                }
            }
            Some(_) | None => HeadStand::Uncounted,
        }
    }

    fn has_newest_head(&self, device: DeviceId) -> bool {
        let keepers = self.head_recorded.and_then(|head| self.kept.get(&head));
        keepers.is_some_and(|keepers| keepers.contains(&device))
    }

    /// Whether somebody lacks something where it counts: the newest published head in the home set, or
    /// some published pack in any.
    fn is_owed(&self, device: DeviceId) -> bool {
        if self.head_recorded.is_none() {
            return false;
        }
        let home = self.sets.home().map(|home| home.set);
        let has_head = self.has_newest_head(device);
        let places = self.sets.places_of(device);
        let mut counted = places.filter(|(set, position)| set.position(*position).counts());
        counted.any(|(set, position)| {
            let lacks_head = Some(set.set) == home && !has_head;
            lacks_head || self.ledger.is_owed_of_published(set.set, position)
        })
    }
}

fn job_view(job: JobId, entry: &Job) -> JobView {
    let (kind, state) = match &entry.work {
        Work::Backup { state, .. } => ("backup", name(state)),
        Work::Restore(state) => ("restore", name(state)),
        Work::Recovery(state) => ("recovery", name(state)),
    };
    JobView {
        job,
        kind,
        state,
        phase: entry.told,
    }
}
