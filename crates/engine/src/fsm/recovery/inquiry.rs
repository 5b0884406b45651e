//! The suppliers of a recovery: who was dialed, asked and heard, and what they told.
//!
//! It knows no states and wants nothing done: it says whom to dial and whom to ask, and counts. Of a
//! lane only those count that hold an active position of its home set and told a head of it: whoever
//! has none lost it or never had it, and knows no more than one who is away.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bitdust_model::{DeviceId, HeadRef, Sequence, Tick};

use super::lanes::Lanes;
use crate::fsm::Moment;
use crate::io::{HeadFact, ToldVersion};
use crate::rules::stragglers_until;

/// Who answered what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inquiry {
    /// What lane records say.
    lanes: Lanes,
    suppliers: BTreeMap<DeviceId, Answer>,
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
    Heard(Vec<HeadFact>),
}

/// What is to be done with a supplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Dial { device: DeviceId },
    Ask { device: DeviceId },
}

/// What all who were heard told together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Findings {
    /// All heads of each lane, the newest first.
    pub(super) lanes: Vec<Vec<ToldVersion>>,
    /// Heads that records name and that nobody told, the newest of each lane.
    pub(super) unheard: Vec<(DeviceId, Sequence)>,
    /// Whether so many told each lane that nothing newer of it can have settled.
    pub(super) is_sure: bool,
}

/// Of how many lanes enough was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    TooLittle,
    SomeLanes,
    AllLanes,
}

/// Who keeps the lists of a lane, as far as it is known.
struct Home {
    k: u8,
    holders: BTreeSet<DeviceId>,
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
        for device in lanes.suppliers() {
            let (answer, request) = if online.contains(&device) {
                (Answer::Asked { tries: 0 }, Request::Ask { device })
            } else {
                (Answer::Dialing { tries: 0 }, Request::Dial { device })
            };
            answers.insert(device, answer);
            requests.push(request);
        }
        let inquiry = Self {
            lanes,
            suppliers: answers,
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
    pub(super) fn hear(&mut self, device: DeviceId, heads: Vec<HeadFact>, at: &Moment<'_>) {
        if let Some(answer) = self.suppliers.get_mut(&device) {
            *answer = Answer::Heard(heads);
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

    /// Whether enough was heard, and nobody else is waited for. When all have answered there is nobody
    /// else.
    pub(super) fn is_answered(&self, now: Tick) -> bool {
        if self.answers().count() == self.suppliers.len() {
            return true;
        }
        match self.heard() {
            Heard::TooLittle => false,
            Heard::SomeLanes => now >= self.wait_until,
            Heard::AllLanes => {
                let is_open = self.suppliers.values().any(Answer::is_open);
                let is_complete = !is_open && self.unheard().is_empty();
                is_complete || now >= self.waits_until()
            }
        }
    }

    /// Until when others are waited for when enough have answered for all lanes.
    fn waits_until(&self) -> Tick {
        if self.unheard().is_empty() {
            self.soon.min(self.wait_until)
        } else {
            self.wait_until
        }
    }

    /// Whether too few were heard for too long.
    pub(super) fn is_hopeless(&self, now: Tick) -> bool {
        self.heard() == Heard::TooLittle && now >= self.give_up_at
    }

    /// Whether a version was told, and as many are there as give contents back, whether or not they told it.
    pub(super) fn may_be_restored(&self) -> bool {
        let answers = self.answers().count();
        let mut lanes = self.told_lanes().into_iter();
        lanes.any(|lane| answers >= usize::from(self.home_of(lane).k))
    }

    /// Whether nobody told a head, and somebody said so.
    pub(super) fn is_empty(&self) -> bool {
        self.told().next().is_none() && self.answers().next().is_some()
    }

    /// Whether the identity has never published anything, by all that was found.
    pub(super) fn is_unused(&self) -> bool {
        self.told().next().is_none() && self.lanes.are_unused()
    }

    /// Of how many lanes enough was told, of those that anybody told or a record names.
    fn heard(&self) -> Heard {
        let mut lanes = self.told_lanes();
        lanes.extend(self.lanes.named().map(|(lane, _)| lane));
        if lanes.is_empty() {
            // The records may be older than the first version: only all of them together can say that
            // there is none, and then they have all answered.
            return Heard::TooLittle;
        }
        let enough = lanes.iter().filter(|lane| self.is_enough(**lane)).count();
        match enough {
            0 => Heard::TooLittle,
            all if all == lanes.len() => Heard::AllLanes,
            _ => Heard::SomeLanes,
        }
    }

    /// Whether so many told a lane that a settled head is among what they told.
    fn is_enough(&self, lane: DeviceId) -> bool {
        let home = self.home_of(lane);
        let told = self.told().filter(|(_, head)| head.lane == lane);
        let tellers: BTreeSet<_> = told.map(|(device, _)| device).collect();
        tellers.intersection(&home.holders).count() >= usize::from(home.k)
    }

    /// By the newest set record that came with a head; before, by the lane record, which names the
    /// holders first and then others.
    fn home_of(&self, lane: DeviceId) -> Home {
        let told = self.told().filter(|(_, head)| head.lane == lane);
        let sets = told.filter_map(|(_, told)| {
            let home = told.home.as_ref()?;
            Some((told.head.sequence, home.version, home))
        });
        let newest = sets.max_by_key(|(head, version, _)| (*head, *version));
        if let Some((_, _, home)) = newest {
            let holders = home.holders.iter().copied().collect();
            return Home { k: home.k, holders };
        }
        match self.lanes.record(lane) {
            Some(record) => Home {
                k: record.k,
                holders: record.suppliers.iter().copied().collect(),
            },
            None => Home {
                k: 1,
                holders: self.suppliers.keys().copied().collect(),
            },
        }
    }

    fn told_lanes(&self) -> BTreeSet<DeviceId> {
        self.told().map(|(_, head)| head.lane).collect()
    }

    /// All heads that were told, and by whom.
    fn told(&self) -> impl Iterator<Item = (DeviceId, &HeadFact)> {
        self.answers()
            .flat_map(|(device, heads)| heads.iter().map(move |head| (device, head)))
    }

    /// All answers, also those of suppliers that have no head.
    fn answers(&self) -> impl Iterator<Item = (DeviceId, &Vec<HeadFact>)> {
        self.suppliers
            .iter()
            .filter_map(|(device, answer)| match answer {
                Answer::Heard(heads) => Some((*device, heads)),
                Answer::Dialing { .. } | Answer::Asked { .. } | Answer::Failed { .. } => None,
            })
    }

    /// What records name and nobody told.
    fn unheard(&self) -> Vec<(DeviceId, Sequence)> {
        let is_told = |lane, named| {
            self.told()
                .any(|(_, told)| told.lane == lane && told.head.sequence >= named)
        };
        let named = self.lanes.named();
        named
            .filter(|(lane, sequence)| !is_told(*lane, *sequence))
            .collect()
    }

    /// What was heard.
    pub(super) fn findings(&self) -> Findings {
        let lanes = self.told_lanes();
        Findings {
            lanes: lanes.iter().map(|lane| self.heads_of(*lane)).collect(),
            unheard: self.unheard(),
            is_sure: !self.lanes.is_incomplete() && lanes.iter().all(|lane| self.is_enough(*lane)),
        }
    }

    /// All heads of a lane, the newest first, and how many of the holders told exactly each.
    fn heads_of(&self, lane: DeviceId) -> Vec<ToldVersion> {
        let home = self.home_of(lane);
        let mut tellers = BTreeMap::<_, BTreeSet<_>>::new();
        for (device, told) in self.told().filter(|(_, told)| told.lane == lane) {
            let place = (Reverse(told.head.sequence), told.head.hash);
            tellers.entry(place).or_default().insert(device);
        }
        let heads = tellers.into_iter();
        heads
            .map(|((Reverse(sequence), hash), tellers)| ToldVersion {
                lane,
                head: HeadRef { sequence, hash },
                confirmed: count(tellers.intersection(&home.holders).count()),
                of: count(home.holders.len()),
            })
            .collect()
    }

    /// When time alone moves it.
    pub(super) fn deadline(&self) -> Tick {
        let end = match self.heard() {
            Heard::TooLittle => self.give_up_at,
            Heard::SomeLanes => self.wait_until,
            Heard::AllLanes => self.waits_until(),
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
