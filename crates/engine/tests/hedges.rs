//! What fetches ask, and how long they take, where suppliers do not answer and where lines are slow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bitdust_engine::trace::apply;
use bitdust_engine::{Engine, Facts, FetchId, Input, JobId, Output, PlaceFact};
use bitdust_model::limits::FETCHES_IN_FLIGHT_MAX;
use bitdust_model::{ByteCount, DeviceId, IdentityId, PackId, Policy, Position, Tick};

const HOLDERS: u8 = 6;
const K: u8 = 3;
const FAST: Option<u64> = Some(20);
const SLOW: Option<u64> = Some(20_000);

/// Holders that take their time to answer, in milliseconds, or never do.
struct Line {
    engine: Engine,
    now: Tick,
    coming: BTreeMap<(Tick, u64), Input>,
    count: u64,
    answers: Vec<Option<u64>>,
    /// How many times each was asked.
    asked: Vec<usize>,
}

impl Line {
    fn new(answers: [Option<u64>; HOLDERS as usize]) -> Self {
        let mut line = Self {
            engine: Engine::new(Policy::default()),
            now: Tick(0),
            coming: BTreeMap::new(),
            count: 0,
            answers: answers.to_vec(),
            asked: vec![0; answers.len()],
        };
        let (facts, seed) = (Box::new(facts()), [0; 32]);
        line.feed(Input::Started { facts, seed });
        for id in 0..HOLDERS {
            line.feed(Input::PeerUp {
                device: DeviceId([id; 32]),
                identity: IdentityId([id; 32]),
            });
        }
        line
    }

    fn feed(&mut self, input: Input) {
        for output in apply(&mut self.engine, input, self.now).outputs {
            self.perform(output);
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "nothing else is asked for here"
    )]
    fn perform(&mut self, output: Output) {
        match output {
            Output::FetchRange {
                fetch,
                position,
                device,
                ..
            } => {
                let holder = usize::from(device.0[0]);
                self.asked[holder] += 1;
                if let Some(took) = self.answers[holder] {
                    self.later(took, Input::RangeFetched { fetch, position });
                }
            }
            Output::Decode { fetch, .. } => self.later(1, Input::FetchDecoded { fetch }),
            Output::GiveUpFetch { .. } => panic!("{output:?}"),
            _ => {}
        }
    }

    fn later(&mut self, wait: u64, input: Input) {
        self.count += 1;
        let at = self.now + Duration::from_millis(wait);
        self.coming.insert((at, self.count), input);
    }

    /// Fetches so many packs from the first k, as many at once as may be; says how long that took and
    /// how many pieces were asked for.
    fn fetch(&mut self, packs: usize) -> (u64, usize) {
        let (began, before) = (self.now, self.asked.iter().sum::<usize>());
        let mut open = BTreeSet::new();
        let mut left = packs;
        while left > 0 || !open.is_empty() {
            while left > 0 && open.len() < FETCHES_IN_FLIGHT_MAX {
                self.count += 1;
                let fetch = FetchId(self.count);
                open.insert(fetch);
                left -= 1;
                self.feed(wanted(fetch));
            }
            let next = self.coming.first_key_value().map(|((at, _), _)| *at);
            let wake_at = self.engine.wake_at().map(|(at, _)| at);
            if next.is_none_or(|next| wake_at.is_some_and(|wake_at| wake_at <= next)) {
                self.now = self.now.max(wake_at.expect("something is to come"));
                self.feed(Input::Wake);
                continue;
            }
            let ((at, _), input) = self.coming.pop_first().expect("it is the next");
            self.now = at;
            if let Input::FetchDecoded { fetch } = input {
                open.remove(&fetch);
            }
            self.feed(input);
        }
        let asked = self.asked.iter().sum::<usize>() - before;
        let took = self.now.since(began).as_millis();
        (u64::try_from(took).expect("not for ever"), asked)
    }
}

fn wanted(fetch: FetchId) -> Input {
    let place = |id| PlaceFact {
        position: Position(id),
        holders: vec![DeviceId([id; 32])],
    };
    Input::FetchWanted {
        fetch,
        job: JobId(0),
        pack: PackId([0; 32]),
        k: K,
        direct: (0..K).map(Position).collect(),
        places: (0..HOLDERS).map(place).collect(),
    }
}

fn facts() -> Facts {
    Facts {
        device: DeviceId([99; 32]),
        identity: IdentityId([99; 32]),
        is_restore_only: false,
        is_replaced: false,
        code_wanted: None,
        suppliers_wanted: 0,
        contract_bytes: ByteCount(0),
        suppliers: Vec::new(),
        sets: Vec::new(),
        home: None,
        customers: Vec::new(),
        kept_for: Vec::new(),
        offered: ByteCount(0),
        packs: Vec::new(),
        groups: Vec::new(),
        folders: Vec::new(),
        head_draft: None,
        head: None,
        head_keepers: Vec::new(),
        settled: None,
        unlisted: Vec::new(),
    }
}

#[test]
fn nothing_is_asked_twice_where_all_is_well() {
    let mut line = Line::new([FAST; 6]);
    assert_eq!(line.fetch(90), (630, 270));
    // Answers of many lengths are none of them late.
    let mut line = Line::new([20, 60, 100, 140, 180, 220].map(Some));
    assert_eq!(line.fetch(90).1, 270);
}

/// Whatever is asked of others comes as late: it ends with the first who were asked.
#[test]
fn a_slow_line_carries_little_twice() {
    for small in [0, 30] {
        let mut line = Line::new([FAST; 6]);
        line.fetch(small);
        line.answers = vec![SLOW; 6];
        let (took, asked) = line.fetch(90);
        let extra = asked - 270;
        eprintln!("{extra} pieces twice, {took} ms");
        assert!(extra <= 2 * usize::from(K), "{extra} pieces twice");
        assert!(took <= 30 * 20_001 + 5, "{took} ms");
        let (_, asked) = line.fetch(90);
        assert_eq!(asked, 270, "it is known how slow all are");
    }
}

#[test]
fn three_that_do_not_answer_cost_seconds_once() {
    let mut line = Line::new([None, FAST, None, None, FAST, FAST]);
    let (took, asked) = line.fetch(90);
    eprintln!("{took} ms, {asked} asked, {:?}", line.asked);
    assert!(took < 630 + 2_000, "{took} ms");
    let vain: usize = [0, 2, 3].iter().map(|id| line.asked[*id]).sum();
    assert!(vain <= 3 * FETCHES_IN_FLIGHT_MAX, "{vain} asked in vain");
    assert_eq!(line.fetch(90), (630, 270), "nobody waits for them again");
}

/// Those who answered fast show how late late is.
#[test]
fn who_falls_silent_later_costs_less() {
    let mut line = Line::new([FAST; 6]);
    line.fetch(30);
    for silent in [0, 1, 3] {
        line.answers[silent] = None;
    }
    let (took, _) = line.fetch(90);
    eprintln!("{took} ms");
    assert!(took < 630 + 1_000, "{took} ms");
}

#[test]
fn who_was_late_is_asked_again_later() {
    let mut line = Line::new([FAST; 6]);
    line.answers[0] = None;
    line.fetch(30);
    line.answers[0] = FAST;
    let before = line.asked[0];
    line.fetch(30);
    assert_eq!(line.asked[0], before, "it is asked last");
    line.now = line.now + Policy::default().late_for;
    assert_eq!(line.fetch(30), (210, 90));
    assert_eq!(line.asked[0], before + 30);
}

/// One whose connection ended and that is there anew begins anew.
#[test]
fn who_comes_back_is_asked_as_any_other() {
    let mut line = Line::new([FAST; 6]);
    line.answers[0] = None;
    line.fetch(30);
    line.answers[0] = FAST;
    let (device, identity) = (DeviceId([0; 32]), IdentityId([0; 32]));
    line.feed(Input::PeerDown { device });
    line.feed(Input::PeerUp { device, identity });
    let before = line.asked[0];
    line.fetch(30);
    assert_eq!(line.asked[0], before + 30);
}
