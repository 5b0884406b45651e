//! Own records in the DHT: which are put when.

use bitdust_engine::trace::apply;
use bitdust_engine::{Engine, Facts, Input, Output, RecordScope};
use bitdust_model::{ByteCount, DeviceId, IdentityId, Policy, Sequence, Tick};

/// What an engine wants put into the DHT after an input.
fn put(engine: &mut Engine, input: Input, at: Tick) -> Vec<RecordScope> {
    let outputs = apply(engine, input, at).outputs;
    let scope = |output: &Output| {
        if let Output::PublishRecords { scope, .. } = output {
            Some(*scope)
        } else {
            None
        }
    };
    outputs.iter().filter_map(scope).collect()
}

fn started() -> Engine {
    let mut engine = Engine::new(Policy::default());
    let facts = Box::new(Facts {
        device: DeviceId([0; 32]),
        identity: IdentityId([0; 32]),
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
    });
    let seed = [0; 32];
    assert!(put(&mut engine, Input::Started { facts, seed }, Tick(0)).is_empty());
    let first = put(&mut engine, Input::Listening, Tick(0));
    assert_eq!(first, [RecordScope::All], "nobody has any of them");
    engine
}

fn committed(sequence: u64) -> Input {
    Input::CommitRecorded {
        sequence: Sequence(sequence),
        moved: Vec::new(),
    }
}

#[test]
fn a_new_head_puts_the_records_of_its_lane_and_no_others() {
    let mut engine = started();
    assert!(put(&mut engine, Input::RecordsPublished, Tick(1)).is_empty());
    assert_eq!(put(&mut engine, committed(1), Tick(2)), [RecordScope::Lane]);
    let meanwhile = put(&mut engine, committed(2), Tick(3));
    assert!(meanwhile.is_empty(), "one round at a time");
    let again = put(&mut engine, Input::RecordsPublished, Tick(4));
    assert_eq!(again, [RecordScope::Lane]);
    assert!(put(&mut engine, Input::RecordsPublished, Tick(5)).is_empty());
}

#[test]
fn records_that_could_not_be_put_are_all_put_again() {
    let mut engine = started();
    assert!(put(&mut engine, committed(1), Tick(1)).is_empty());
    let code = bitdust_model::ErrorCode::Unreachable;
    assert!(put(&mut engine, Input::PublishFailed { code }, Tick(2)).is_empty());
    assert!(next_round(&mut engine) < Tick(0) + Policy::default().retry_max);
}

/// Wakes the engine until it puts all records, and gives when.
fn next_round(engine: &mut Engine) -> Tick {
    for _ in 0..1_000 {
        let (due, _) = engine.wake_at().expect("the next round is planned");
        match put(engine, Input::Wake, due)[..] {
            [] => {}
            [RecordScope::All] => return due,
            ref other => panic!("{other:?} at {due:?}"),
        }
    }
    panic!("all records are never put again")
}

/// A backup every hour must not keep the other records from being put again before they die.
#[test]
fn heads_do_not_put_off_the_round_of_all_records() {
    let [mut quiet, mut busy] = [started(), started()];
    for engine in [&mut quiet, &mut busy] {
        assert!(put(engine, Input::RecordsPublished, Tick(0)).is_empty());
    }
    let due = next_round(&mut quiet);
    for sequence in 1..100 {
        let at = Tick(due.0 / 100 * sequence);
        while let Some((earlier, _)) = busy.wake_at().filter(|(earlier, _)| *earlier <= at) {
            assert!(put(&mut busy, Input::Wake, earlier).is_empty());
        }
        assert_eq!(put(&mut busy, committed(sequence), at), [RecordScope::Lane]);
        assert!(put(&mut busy, Input::RecordsPublished, at).is_empty());
    }
    assert_eq!(next_round(&mut busy), due);
}
