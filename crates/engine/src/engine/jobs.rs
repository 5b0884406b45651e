//! Jobs: backups, restores and recoveries, their turns and what people are told of them.

use std::collections::BTreeSet;

use bitdust_model::limits::JOBS_MAX;
use bitdust_model::manifest::PackKind;
use bitdust_model::{ErrorCode, FolderId, Sequence};

use super::entries::{Job, Membership, PackGroup, Work};
use super::{Engine, Step, Task};
use crate::fsm::{Moment, backup, head, holder_set, name, recovery, restore};
use crate::io::{JobId, Output, SetFact, VersionFact};
use crate::rules::stragglers_until;
use crate::safety::Quorum;
use crate::timer::WakeReason;
use crate::transition::{Machine, Subject};

impl Engine {
    /// From now on nothing is known for sure: no backup goes on, and none begins. What others keep is
    /// given back as far as it is found.
    pub(super) fn catalogue_is_damaged(&mut self) {
        self.is_catalogue_damaged = true;
        self.stop_backups(ErrorCode::CatalogueDamaged);
    }

    /// Nobody takes anything more of this machine: what it would back up from now on nobody would find.
    pub(super) fn lane_closed(&mut self) {
        self.membership = Membership::Replaced;
        self.stop_backups(ErrorCode::Fenced);
    }

    pub(super) fn ask_backup(&mut self, job: JobId, folders: Vec<FolderId>, is_scheduled: bool) {
        if let Some(code) = self.refusal()
            && !self.jobs.contains_key(&job)
        {
            self.end(job, Some(code));
            self.folders_failed(&folders, code);
            return;
        }
        let begun = folders.clone();
        let work = Work::Backup {
            folders,
            is_scheduled,
            versions: Vec::new(),
            unread: Vec::new(),
            state: backup::State::default(),
            contents: false,
            lists: false,
            has_lost: false,
            left: BTreeSet::new(),
            sealed_at: self.now,
            receipted_at: self.now,
        };
        if self.add_job(job, work) {
            // The set is formed when it is needed.
            self.census_due = true;
            self.folders_begin(&begun);
        } else if !self.jobs.contains_key(&job) {
            self.folders_failed(&begun, ErrorCode::Busy);
        }
    }

    /// Whether a backup runs or waits.
    pub(super) fn has_backup(&self) -> bool {
        self.jobs
            .values()
            .any(|job| matches!(job.work, Work::Backup { .. }))
    }

    pub(super) fn ask_restore(&mut self, job: JobId) {
        if self.add_job(job, Work::Restore(restore::State::default())) {
            self.tasks
                .push_back(Task::Restore(job, restore::Event::Begin));
        }
    }

    pub(super) fn ask_recovery(&mut self, job: JobId) {
        if self.add_job(job, Work::Recovery(recovery::State::default())) {
            self.tasks
                .push_back(Task::Recovery(job, recovery::Event::Begin));
        }
    }

    fn add_job(&mut self, job: JobId, work: Work) -> bool {
        let refusal = if self.jobs.contains_key(&job) {
            // The one that runs under this number goes on.
            return false;
        } else if self.jobs.len() >= JOBS_MAX {
            Some(ErrorCode::Busy)
        } else {
            None
        };
        if refusal.is_some() {
            self.end(job, refusal);
            return false;
        }
        self.jobs.insert(job, Job { work, told: None });
        self.jobs_due = true;
        true
    }

    pub(super) fn cancel(&mut self, job: JobId) {
        let task = match self.jobs.get(&job).map(|job| &job.work) {
            Some(Work::Backup { .. }) => {
                let code = ErrorCode::Cancelled;
                Task::Backup(job, backup::Event::Stop { code })
            }
            Some(Work::Restore(_)) => Task::Restore(job, restore::Event::Cancel),
            Some(Work::Recovery(_)) => Task::Recovery(job, recovery::Event::Cancel),
            None => return,
        };
        self.tasks.push_back(task);
    }

    pub(super) fn step_backup(&mut self, job: JobId, event: backup::Event) {
        let random = self.draw(Machine::Backup, Subject::Job(job));
        let Some(Job {
            work: Work::Backup { state, .. },
            ..
        }) = self.jobs.get_mut(&job)
        else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::Backup, Subject::Job(job), state, &event);
        let moment = Moment {
            now: self.now,
            policy: &self.policy,
            random,
        };
        *state = backup::step(*state, event, &moment, &mut out);
        let (to, is_over, deadline) = (name(state), state.is_over(), state.deadline());
        let moved = step.from != to;
        if moved && matches!(state, backup::State::Spreading { .. }) {
            self.restart_clock(job);
        }
        self.noted(step, to, !out.is_empty(), deadline);
        self.jobs_due |= moved;
        for action in out {
            match action {
                backup::Action::Scan => {
                    let at_hand = self.lists_at_hand();
                    self.emit(Output::StartScan { job, at_hand });
                }
                backup::Action::PassOver => {
                    self.pass_over(self.stragglers(job));
                    self.pass_over(self.coming());
                }
                backup::Action::SealMetadata => self.seal_metadata(job),
                backup::Action::PublishHead => {
                    self.tasks.push_back(Task::Head(head::Event::PackPlaced));
                }
                backup::Action::End { failure, unchanged } => {
                    self.folders_end(job, failure);
                    self.emit(Output::JobEnded {
                        job,
                        failure,
                        unchanged,
                    });
                }
            }
        }
        if is_over {
            self.end_job(job);
        }
    }

    pub(super) fn step_restore(&mut self, job: JobId, event: restore::Event) {
        let Some(Job {
            work: Work::Restore(state),
            ..
        }) = self.jobs.get_mut(&job)
        else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::Restore, Subject::Job(job), state, &event);
        *state = restore::step(*state, event, &mut out);
        let (to, is_over) = (name(state), state.is_over());
        self.noted(step, to, !out.is_empty(), None);
        for action in out {
            match action {
                restore::Action::Start => self.emit(Output::StartRestore { job }),
                restore::Action::End { failure } => self.end(job, failure),
            }
        }
        if is_over {
            self.end_job(job);
        }
    }

    pub(super) fn step_recovery(&mut self, job: JobId, event: recovery::Event) {
        let random = self.draw(Machine::Recovery, Subject::Job(job));
        let Some(Job {
            work: Work::Recovery(state),
            ..
        }) = self.jobs.get_mut(&job)
        else {
            return;
        };
        let mut out = Vec::new();
        let step = Step::of(Machine::Recovery, Subject::Job(job), state, &event);
        let before = std::mem::take(state);
        let after = recovery::step(before, event, &self.moment(random), &self.online, &mut out);
        self.noted(step, name(&after), !out.is_empty(), after.deadline());
        let is_over = after.is_over();
        if let Some(job) = self.jobs.get_mut(&job) {
            job.work = Work::Recovery(after);
        }
        for action in out {
            self.do_recovery(job, action);
        }
        if is_over {
            self.end_job(job);
        }
    }

    fn do_recovery(&mut self, job: JobId, action: recovery::Action) {
        match action {
            recovery::Action::SeekRoot => self.emit(Output::SeekRoot { job }),
            recovery::Action::SeekLanes { devices } => {
                self.emit(Output::SeekLanes { job, devices });
            }
            recovery::Action::Dial { device } => {
                if self.dial(device) {
                    let event = recovery::Event::PeerUp { device };
                    self.tasks.push_back(Task::Recovery(job, event));
                }
            }
            recovery::Action::Ask { device } => self.emit(Output::AskHeads { job, device }),
            recovery::Action::Rebuild { wanted } => {
                self.emit(Output::RebuildCatalogue { job, wanted });
            }
            recovery::Action::Enter { found } => self.emit(Output::EnterDevice { job, found }),
            recovery::Action::End { failure } => self.end(job, failure),
        }
    }

    /// Tells people that a job ended.
    fn end(&mut self, job: JobId, failure: Option<ErrorCode>) {
        self.emit(Output::JobEnded {
            job,
            failure,
            unchanged: false,
        });
    }

    /// All folders of a backup are read, but those that could not be.
    pub(super) fn scan_finished(&mut self, job: JobId, found: &[VersionFact]) {
        let Some(Job {
            work:
                Work::Backup {
                    folders,
                    is_scheduled,
                    versions,
                    unread,
                    state: backup::State::Scanning,
                    ..
                },
            ..
        }) = self.jobs.get_mut(&job)
        else {
            return;
        };
        *versions = backup::to_be_made(*is_scheduled, found);
        *unread = backup::unread(folders, found);
        let event = if versions.is_empty() {
            backup::Event::NothingChanged
        } else {
            backup::Event::ScanFinished
        };
        self.tasks.push_back(Task::Backup(job, event));
    }

    fn seal_metadata(&mut self, job: JobId) {
        if let Some(Job {
            work: Work::Backup { versions, .. },
            ..
        }) = self.jobs.get(&job)
        {
            let folders = versions.clone();
            let at_hand = self.lists_at_hand();
            self.sealing.insert(job, false);
            self.emit(Output::SealMetadata {
                job,
                folders,
                at_hand,
            });
        }
    }

    fn end_job(&mut self, job: JobId) {
        self.jobs.remove(&job);
        self.leave_packs(job);
        let subject = Subject::Job(job);
        for machine in [Machine::Backup, Machine::Recovery] {
            self.timers.set(WakeReason { machine, subject }, None);
        }
        self.drop_fetches(job);
        self.jobs_due = true;
    }

    /// A head was signed, also when its job was stopped meanwhile. Nobody knows whether its segment has a
    /// pack that got lost meanwhile: kept again, such a pack would be named by a version and described
    /// nowhere.
    pub(super) fn metadata_sealed(&mut self, job: JobId, sequence: Sequence) {
        self.has_written = true;
        let has_lost = self.sealing_ended(job);
        self.tasks
            .push_back(Task::Head(head::Event::Signed { sequence }));
        if has_lost {
            self.tasks.push_back(Task::Head(head::Event::PackLost));
        }
        self.tasks.push_back(Task::Backup(
            job,
            backup::Event::MetadataSealed { sequence },
        ));
        self.jobs_due = true;
    }

    pub(super) fn tell_backups(&mut self, event: backup::Event) {
        for (&job, entry) in &self.jobs {
            if matches!(entry.work, Work::Backup { .. }) {
                self.tasks.push_back(Task::Backup(job, event));
            }
        }
    }

    /// Tells jobs what they wait for: their turn, the set, confirmations, pieces.
    pub(super) fn count_for_jobs(&mut self) {
        let mut tasks = Vec::new();
        let mut first_backup = None;
        let mut running = None;
        for (&job, entry) in &self.jobs {
            match &entry.work {
                Work::Backup {
                    state: backup::State::Queued,
                    ..
                } => {
                    first_backup = first_backup.or(Some(job));
                }
                Work::Backup { state, .. } => {
                    running = Some(*state);
                    self.count_for_backup(job, entry, &mut tasks);
                }
                Work::Restore(_) => {
                    let event = if self.is_stuck(job) {
                        restore::Event::PiecesMissing
                    } else {
                        restore::Event::PiecesComing
                    };
                    tasks.push(Task::Restore(job, event));
                }
                Work::Recovery(_) => {}
            }
        }
        let may_begin = self.head.is_settled() && !self.may_lane_move();
        if let (Some(job), None, true) = (first_backup, running, may_begin) {
            tasks.push(Task::Backup(job, backup::Event::TurnCame));
        }
        if running.is_none() {
            self.count_for_draft(first_backup.is_some(), &mut tasks);
        }
        self.tasks.extend(tasks);
    }

    fn count_for_backup(&self, job: JobId, entry: &Job, tasks: &mut Vec<Task>) {
        let Work::Backup {
            state,
            contents,
            lists,
            sealed_at,
            receipted_at,
            ..
        } = &entry.work
        else {
            return;
        };
        // Where too few count, nothing that is sealed would ever be known.
        let takes_packs = |set: &SetFact| set.quorum().is_some();
        if *state == backup::State::WaitingForSuppliers
            && self.sets.for_new_packs().is_some_and(takes_packs)
        {
            tasks.push(Task::Backup(job, backup::Event::SetFormed));
        }
        let event = backup::Event::Counted {
            contents: self.quorum_of_contents(job, *contents),
            lists: lists.then(|| self.quorum(Some(job), PackGroup::Lists)),
            published: if matches!(state, backup::State::Spreading { .. }) {
                self.quorum_of_published()
            } else {
                Quorum::Reached
            },
            until: stragglers_until(&self.policy, *sealed_at, *receipted_at),
        };
        tasks.push(Task::Backup(job, event));
    }

    /// A draft without a running backup to drive it: of an earlier run, or of a stopped job.
    /// It was given to nobody yet. When a backup waits behind it and its pack does not move,
    /// it is dropped: that backup makes a better one, and a supplier that is away must not
    /// block everything.
    fn count_for_draft(&self, is_awaited: bool, tasks: &mut Vec<Task>) {
        let head::State::Drafted { .. } = self.head else {
            return;
        };
        if self.refusal().is_some() || self.lane.is_catching_up() {
            // What it was made from is not believed any more.
            return tasks.push(Task::Head(head::Event::PackLost));
        }
        let is_known = |set, kind| self.is_known_by_now(set, kind);
        let mut sets = self.sets.all();
        if !sets.all(|set| is_known(set, PackKind::Data) && is_known(set, PackKind::Tree)) {
            // Whose they are is not known here: the next backup makes another head.
            tasks.push(Task::Head(head::Event::PackLost));
            return;
        }
        match self.quorum(None, PackGroup::Lists) {
            Quorum::Reached | Quorum::Enough { .. } => {
                tasks.push(Task::Head(head::Event::PackPlaced));
            }
            Quorum::Short { moving, .. } if moving || !is_awaited => {}
            Quorum::Short { .. } | Quorum::Lost => {
                tasks.push(Task::Head(head::Event::PackLost));
            }
        }
    }

    fn quorum_of_contents(&self, job: JobId, has_contents: bool) -> Quorum {
        let entry = self.jobs.get(&job);
        let has_lost =
            entry.is_some_and(|entry| matches!(entry.work, Work::Backup { has_lost: true, .. }));
        if has_lost {
            Quorum::Lost
        } else if has_contents {
            self.quorum(Some(job), PackGroup::Contents)
        } else {
            Quorum::Reached
        }
    }

    /// Tells people what moved.
    pub(super) fn tell_phases(&mut self) {
        let mut moved = Vec::new();
        let hired = self.hired();
        for (&job, entry) in &self.jobs {
            let phase = match &entry.work {
                Work::Backup {
                    state, contents, ..
                } => {
                    let contents = self.quorum_of_contents(job, *contents);
                    backup::phase(*state, contents, hired, self.refused(job))
                }
                Work::Restore(state) => restore::phase(*state),
                Work::Recovery(state) => recovery::phase(state),
            };
            if let Some(phase) = phase
                && entry.told != Some(phase)
            {
                moved.push((job, phase));
            }
        }
        for (job, phase) in moved {
            if let Some(entry) = self.jobs.get_mut(&job) {
                entry.told = Some(phase);
            }
            self.emit(Output::JobMoved { job, phase });
        }
    }

    /// Why the spool does not take a shard of the job.
    fn refused(&self, job: JobId) -> Option<ErrorCode> {
        let packs = self.packs.values().filter(|pack| pack.job == Some(job));
        packs
            .flat_map(|pack| &pack.transfers)
            .find_map(|transfer| transfer.refused())
    }

    fn hired(&self) -> backup::Hired {
        let signed = self.suppliers.values();
        let have = signed
            .filter(|supplier| supplier.link.has_contract())
            .count();
        backup::Hired {
            have: u8::try_from(have).unwrap_or(u8::MAX),
            need: holder_set::need(self.suppliers_wanted, self.code_wanted),
        }
    }
}
