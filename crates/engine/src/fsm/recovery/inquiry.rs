//! The suppliers of a recovery: who was dialed, asked and heard, and what they told.
//!
//! It knows no states and wants nothing done: it says whom to dial and whom to ask, and counts.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::{DeviceId, Sequence, Tick};

use super::lanes::Lanes;
use crate::fsm::Moment;
use crate::rules::stragglers_until;

/// Who answered what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inquiry {
    k: u8,
    suppliers: BTreeMap<DeviceId, Answer>,
    /// The newest published head of each lane by its record.
    named: BTreeMap<DeviceId, Sequence>,
    began_at: Tick,
    /// When others had time enough beside those who answered.
    soon: Tick,
    /// When they had time enough who may tell what a record names and nobody told.
    wait_until: Tick,
    /// Until then suppliers that failed are asked again.
    give_up_at: Tick,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// Being dialed; so many failures before.
    Dialing { tries: u32 },
    /// Asked; so many failures before.
    Asked { tries: u32 },
    /// Failed; to be dialed again then.
    Failed { retry_at: Tick, tries: u32 },
    /// Told its heads.
    Heard(Vec<(DeviceId, Sequence)>),
}

/// What is to be done with a supplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Dial { device: DeviceId },
    Ask { device: DeviceId },
}

/// What all who were heard told together.
pub(super) struct Findings {
    /// Newest place of each lane.
    pub(super) lanes: Vec<(DeviceId, Sequence)>,
    /// Suppliers that told nothing older.
    pub(super) confirmed: u32,
    /// Suppliers named.
    pub(super) of: u32,
    /// Heads that records name and that nobody told, the newest of each lane.
    pub(super) unheard: Vec<(DeviceId, Sequence)>,
}

impl Inquiry {
    /// Begins to ask these suppliers; says what is to be done with each.
    pub(super) fn begin(
        lanes: Lanes,
        at: &Moment<'_>,
        online: &BTreeSet<DeviceId>,
    ) -> (Self, Vec<Request>) {
        let mut answers = BTreeMap::new();
        let mut requests = Vec::new();
        for device in lanes.suppliers {
            let (answer, request) = if online.contains(&device) {
                (Answer::Asked { tries: 0 }, Request::Ask { device })
            } else {
                (Answer::Dialing { tries: 0 }, Request::Dial { device })
            };
            answers.insert(device, answer);
            requests.push(request);
        }
        let inquiry = Self {
            k: lanes.k,
            suppliers: answers,
            named: lanes.named,
            began_at: at.now,
            soon: stragglers_until(at.policy, at.now, at.now),
            wait_until: at.now + at.policy.head_wait,
            give_up_at: at.now + at.policy.recovery_timeout,
        };
        (inquiry, requests)
    }

    /// A supplier is connected.
    pub(super) fn connect(&mut self, device: DeviceId) -> Option<Request> {
        self.suppliers.get_mut(&device)?.connect(device)
    }

    /// A dial failed.
    pub(super) fn fail_dial(&mut self, device: DeviceId, at: &Moment<'_>) {
        if let Some(answer) = self.suppliers.get_mut(&device)
            && let Answer::Dialing { tries } = *answer
        {
            *answer = Answer::failed(tries, at);
        }
    }

    /// A supplier told its heads.
    pub(super) fn hear(
        &mut self,
        device: DeviceId,
        lanes: Vec<(DeviceId, Sequence)>,
        at: &Moment<'_>,
    ) {
        if let Some(answer) = self.suppliers.get_mut(&device) {
            *answer = Answer::Heard(lanes);
            self.soon = stragglers_until(at.policy, self.began_at, at.now);
        }
    }

    /// A supplier could not be asked.
    pub(super) fn fail_ask(&mut self, device: DeviceId, at: &Moment<'_>) {
        if let Some(answer) = self.suppliers.get_mut(&device)
            && let Answer::Asked { tries } = *answer
        {
            *answer = Answer::failed(tries, at);
        }
    }

    /// Those who failed are dialed again, when it is time.
    pub(super) fn retry(&mut self, now: Tick) -> Vec<Request> {
        let answers = self.suppliers.iter_mut();
        answers
            .filter_map(|(&device, answer)| answer.retry(device, now))
            .collect()
    }

    /// Whether enough was heard, and nobody else is waited for.
    pub(super) fn is_answered(&self, now: Tick) -> bool {
        let is_open = self.suppliers.values().any(Answer::is_open);
        let is_all = self.heard().count() == self.suppliers.len();
        let is_complete = is_all || (!is_open && self.unheard().is_empty());
        self.has_enough() && (is_complete || now >= self.waits_until())
    }

    /// Until when others are waited for when enough have answered.
    fn waits_until(&self) -> Tick {
        if self.unheard().is_empty() {
            self.soon.min(self.wait_until)
        } else {
            self.wait_until
        }
    }

    /// The newest head of each lane that was heard.
    fn newest(&self) -> BTreeMap<DeviceId, Sequence> {
        let mut newest = BTreeMap::new();
        for &(lane, sequence) in self.heard().flatten() {
            let known = newest.entry(lane).or_insert(sequence);
            *known = sequence.max(*known);
        }
        newest
    }

    /// What records name and nobody told.
    fn unheard(&self) -> Vec<(DeviceId, Sequence)> {
        let newest = self.newest();
        let named = self.named.iter().map(|(lane, named)| (*lane, *named));
        named
            .filter(|(lane, named)| newest.get(lane).is_none_or(|heard| heard < named))
            .collect()
    }

    /// Whether too few were heard for too long.
    pub(super) fn is_hopeless(&self, now: Tick) -> bool {
        !self.has_enough() && now >= self.give_up_at
    }

    fn has_enough(&self) -> bool {
        self.heard().count() >= usize::from(self.k)
    }

    fn heard(&self) -> impl Iterator<Item = &Vec<(DeviceId, Sequence)>> {
        self.suppliers.values().filter_map(|answer| match answer {
            Answer::Heard(lanes) => Some(lanes),
            Answer::Dialing { .. } | Answer::Asked { .. } | Answer::Failed { .. } => None,
        })
    }

    /// What was heard.
    pub(super) fn findings(&self) -> Findings {
        let newest = self.newest();
        let is_fresh = |lanes: &&Vec<(DeviceId, Sequence)>| {
            !lanes.is_empty()
                && lanes
                    .iter()
                    .all(|(lane, sequence)| newest[lane] == *sequence)
        };
        Findings {
            confirmed: count(self.heard().filter(is_fresh).count()),
            of: count(self.suppliers.len()),
            unheard: self.unheard(),
            lanes: newest.into_iter().collect(),
        }
    }

    /// When time alone moves it.
    pub(super) fn deadline(&self) -> Tick {
        let end = if self.has_enough() {
            self.waits_until()
        } else {
            self.give_up_at
        };
        self.suppliers
            .values()
            .filter_map(Answer::retry_at)
            .fold(end, Tick::min)
    }
}

impl Answer {
    fn failed(tries: u32, at: &Moment<'_>) -> Self {
        Self::Failed {
            retry_at: at.retry_at(tries),
            tries: tries.saturating_add(1),
        }
    }

    fn connect(&mut self, device: DeviceId) -> Option<Request> {
        match *self {
            Self::Dialing { tries } | Self::Failed { tries, .. } => {
                *self = Self::Asked { tries };
                Some(Request::Ask { device })
            }
            Self::Asked { .. } | Self::Heard(_) => None,
        }
    }

    fn retry(&mut self, device: DeviceId, now: Tick) -> Option<Request> {
        match *self {
            Self::Failed { retry_at, tries } if now >= retry_at => {
                *self = Self::Dialing { tries };
                Some(Request::Dial { device })
            }
            Self::Failed { .. } | Self::Dialing { .. } | Self::Asked { .. } | Self::Heard(_) => {
                None
            }
        }
    }

    /// Whether a first answer is still to come.
    const fn is_open(&self) -> bool {
        match self {
            Self::Dialing { tries } | Self::Asked { tries } => *tries == 0,
            Self::Failed { .. } | Self::Heard(_) => false,
        }
    }

    const fn retry_at(&self) -> Option<Tick> {
        match self {
            Self::Failed { retry_at, .. } => Some(*retry_at),
            Self::Dialing { .. } | Self::Asked { .. } | Self::Heard(_) => None,
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
