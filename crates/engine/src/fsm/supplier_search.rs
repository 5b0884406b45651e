//! Finding strangers with space while suppliers are missing.
//!
//! One search at a time, in a random slot of the key space; offers that do not fit are
//! passed over, and a search that was not enough is repeated after a while.

use std::collections::BTreeSet;

use bitdust_model::limits::OFFER_SLOTS;
use bitdust_model::{ByteCount, DeviceId, IdentityId, Tick};

use super::Moment;
use crate::io::OfferFact;

/// Where the search stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum State {
    /// Nobody is missing.
    #[default]
    Satisfied,
    /// A search is out.
    Searching {
        /// Suppliers still wanted.
        missing: u8,
    },
    /// The last search was not enough.
    Waiting {
        /// Suppliers still wanted.
        missing: u8,
        /// When to search again.
        retry_at: Tick,
    },
}

impl State {
    /// When time alone moves this machine.
    pub(crate) const fn deadline(self) -> Option<Tick> {
        match self {
            Self::Satisfied | Self::Searching { .. } => None,
            Self::Waiting { retry_at, .. } => Some(retry_at),
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
pub(crate) enum Event {
    /// So many suppliers are wanted beyond those hired or asked.
    Missing {
        /// How many.
        count: u8,
    },
    /// The search ended.
    OffersFound {
        /// With these offers.
        offers: Vec<OfferFact>,
    },
    /// It could not be done.
    Failed,
    /// The network took our records: a search before that may have met nobody.
    Reached,
    /// Time passed.
    Wake,
}

/// What it wants done.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
pub(crate) enum Action {
    /// Search one slot.
    Search {
        /// Which.
        slot: u8,
    },
    /// Take this stranger.
    Adopt {
        /// Its offer.
        offer: OfferFact,
    },
}

/// Which offers fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fit<'a> {
    /// Space to ask for.
    pub(crate) bytes: ByteCount,
    /// Machines that are known already.
    pub(crate) devices: &'a BTreeSet<DeviceId>,
    /// People that are known already, and the own identity: one person is one place.
    pub(crate) identities: &'a BTreeSet<IdentityId>,
}

/// One step.
pub(crate) fn step(
    state: State,
    event: Event,
    at: &Moment<'_>,
    fit: &Fit<'_>,
    out: &mut Vec<Action>,
) -> State {
    match state {
        State::Satisfied => match event {
            Event::Missing { count: 0 }
            | Event::OffersFound { .. }
            | Event::Failed
            | Event::Reached
            | Event::Wake => state,
            Event::Missing { count } => search(count, at, out),
        },
        State::Searching { missing } => match event {
            Event::Missing { count } => State::Searching { missing: count },
            Event::OffersFound { offers } => choose(missing, offers, at, fit, out),
            Event::Failed => State::Waiting {
                missing,
                retry_at: at.now + at.policy.search_interval,
            },
            Event::Reached | Event::Wake => state,
        },
        State::Waiting { missing, retry_at } => match event {
            Event::Missing { count: 0 } => State::Satisfied,
            Event::Missing { count } => State::Waiting {
                missing: count,
                retry_at,
            },
            Event::Reached => search(missing, at, out),
            Event::Wake if at.now >= retry_at => search(missing, at, out),
            Event::OffersFound { .. } | Event::Failed | Event::Wake => state,
        },
    }
}

fn search(missing: u8, at: &Moment<'_>, out: &mut Vec<Action>) -> State {
    let slot = u8::try_from(at.random % u64::from(OFFER_SLOTS)).expect("a remainder of a byte");
    out.push(Action::Search { slot });
    State::Searching { missing }
}

fn choose(
    missing: u8,
    mut offers: Vec<OfferFact>,
    at: &Moment<'_>,
    fit: &Fit<'_>,
    out: &mut Vec<Action>,
) -> State {
    // Everybody sees the same list: begin at a random place, so that not everybody asks
    // the same first supplier.
    if let Some(turn) = at.random.checked_rem(offers.len() as u64) {
        offers.rotate_left(usize::try_from(turn).expect("below a length"));
    }
    let mut taken = BTreeSet::new();
    let mut left = missing;
    for offer in offers {
        if left == 0 {
            break;
        }
        let known = fit.devices.contains(&offer.device) || fit.identities.contains(&offer.identity);
        if known || offer.free < fit.bytes || !taken.insert(offer.identity) {
            continue;
        }
        left -= 1;
        out.push(Action::Adopt { offer });
    }
    if left == 0 {
        return State::Satisfied;
    }
    State::Waiting {
        missing: left,
        retry_at: at.now + at.policy.search_interval,
    }
}
