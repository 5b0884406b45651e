//! What running backups have sealed, and when somebody last got something of it: how long others are
//! waited for follows from that.

use bitdust_model::PackId;
use bitdust_model::ledger::{Group, GroupChange};
use bitdust_model::limits::GROUPS_MAX;
use bitdust_model::manifest::PackKind;

use super::entries::{Job, Resting, Work};
use super::{Engine, Task};
use crate::fsm::{backup, head};
use crate::io::JobId;
use crate::rules::known_at;

impl Engine {
    /// A pack of a job was sealed.
    pub(super) fn note_sealed(&mut self, job: JobId, kind: PackKind) {
        if let Some(Job {
            work:
                Work::Backup {
                    contents,
                    lists,
                    sealed_at,
                    ..
                },
            ..
        }) = self.jobs.get_mut(&job)
        {
            *sealed_at = self.now;
            match kind {
                PackKind::Data | PackKind::Tree => *contents = true,
                PackKind::Commit => *lists = true,
            }
        }
    }

    /// A shard of a pack was receipted: the job that sealed it goes forward.
    pub(super) fn note_receipted(&mut self, pack: PackId) {
        let job = self.packs.get(&pack).and_then(|pack| pack.job);
        if let Some(Job {
            work: Work::Backup { receipted_at, .. },
            ..
        }) = job.and_then(|job| self.jobs.get_mut(&job))
        {
            *receipted_at = self.now;
        }
    }

    /// Packs moved since a supplier became suspect: a running backup may name one that nobody can give
    /// back any more, and must not make a version of that.
    pub(super) fn note_lost(&mut self, moved: &[GroupChange]) {
        self.note_left(moved);
        let is_lost = |change: &GroupChange| {
            let Group {
                kind, confirmed, ..
            } = change.to;
            let is_named = kind != PackKind::Commit && !change.to.is_published;
            let set = self.sets.get(change.to.set).filter(|_| is_named);
            set.is_some_and(|set| confirmed.and(set.active()).count() < known_at(kind, set.code))
        };
        if !moved.iter().any(is_lost) {
            return;
        }
        // A draft that nobody has been given may have passed over what is lost, also one that is being
        // sealed: kept again, that would be named by a version and described nowhere.
        self.tasks.push_back(Task::Head(head::Event::PackLost));
        for has_lost in self.sealing.values_mut() {
            *has_lost = true;
        }
        for job in self.jobs.values_mut() {
            if let Work::Backup {
                state, has_lost, ..
            } = &mut job.work
            {
                *has_lost |= !matches!(
                    state,
                    backup::State::Queued | backup::State::WaitingForSuppliers
                );
            }
        }
        self.jobs_due = true;
    }

    /// Packs to which no head leads yet have fewer confirmations than a job that left them behind may
    /// have noted.
    fn note_left(&mut self, moved: &[GroupChange]) {
        let open = moved.iter().filter(|change| !change.to.is_published);
        let resting = |change: &GroupChange| Resting {
            set: change.to.set,
            kind: change.to.kind,
            confirmed: change.to.confirmed,
        };
        let open: Vec<_> = open.map(resting).collect();
        for job in self.jobs.values_mut() {
            if let Work::Backup { left, .. } = &mut job.work {
                let room = GROUPS_MAX.saturating_sub(left.len());
                left.extend(open.iter().copied().take(room));
            }
        }
        self.jobs_due = true;
    }

    /// From here on a job waits for something new.
    pub(super) fn restart_clock(&mut self, job: JobId) {
        if let Some(Job {
            work:
                Work::Backup {
                    sealed_at,
                    receipted_at,
                    ..
                },
            ..
        }) = self.jobs.get_mut(&job)
        {
            *sealed_at = self.now;
            *receipted_at = self.now;
        }
    }

    /// Somebody got something of what is published: backups that wait for that go forward.
    pub(super) fn note_spread(&mut self) {
        for job in self.jobs.values_mut() {
            if let Work::Backup {
                state: backup::State::Spreading { .. },
                receipted_at,
                ..
            } = &mut job.work
            {
                *receipted_at = self.now;
                self.jobs_due = true;
            }
        }
    }
}
