//! What is kept for others.

use bitdust_model::{ByteCount, Policy};

use super::{check_page, flagged, walk};
use crate::fsm::{customer_link, deposits};
use crate::io::{Access, AskId};

#[test]
fn customer_link_is_drawn() {
    use customer_link::Event;
    let ask = AskId(1);
    let access = |access, kin| Event::AccessAsked { ask, access, kin };
    let events = [
        Event::Known {
            agreed: ByteCount(10),
            used: ByteCount(4),
        },
        Event::Proposed {
            ask,
            bytes: ByteCount(10),
            room: ByteCount(10),
        },
        Event::Proposed {
            ask,
            bytes: ByteCount(11),
            room: ByteCount(10),
        },
        Event::Recorded { ask },
        Event::NotRecorded { ask },
        Event::StoreAsked {
            ask,
            bytes: ByteCount(2),
        },
        Event::StoreAsked {
            ask,
            bytes: ByteCount(20),
        },
        Event::ShardKept { ask },
        Event::StoreAborted { ask },
        access(Access::Read, true),
        access(Access::Write, false),
        Event::AccessGiven {
            released: ByteCount(1),
        },
        Event::AccessFailed,
    ];
    let first = customer_link::State::default();
    let walk = walk(&[first], &events, &[()], |state, event, (), out| {
        customer_link::step(state, event, out)
    });
    let intro = "One customer's lane: its contract, and the arithmetic of its space.";
    check_page("customer-link", "Customer link", intro, &walk);
}

#[test]
fn deposits_are_drawn() {
    use deposits::Event;
    let policy = Policy::default();
    let events = [Event::Reached, Event::Published, Event::Failed, Event::Wake];
    let first = deposits::State::default();
    let walk = walk(
        &[first],
        &events,
        &flagged(&policy),
        |state, event, (at, customers), out| deposits::step(state, event, at, *customers, out),
    );
    let intro = "Records kept for customers: published again before they die in the DHT.";
    check_page("deposits", "Deposits", intro, &walk);
}
