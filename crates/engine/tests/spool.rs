//! Shards that wait in the spool for a supplier that is away.

use bitdust_engine::trace::apply;
use bitdust_engine::{
    DebtFact, Engine, Facts, Input, JobId, Output, OwedFact, ReceiptFact, SetFact, SupplierFact,
    TipFact,
};
use bitdust_model::ledger::{Group, GroupChange, GroupTotal};
use bitdust_model::manifest::PackKind;
use bitdust_model::status::Protection;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, IdentityId, PackId, Policy, Position, PositionMask,
    Sequence, SetId, Tick,
};

const SET: SetId = SetId([9; 32]);
const PACK: PackId = PackId([5; 32]);
/// Whose shard is spooled.
const LATE: u8 = 2;
const LATE_POSITION: Position = Position(1);

fn device(id: u8) -> DeviceId {
    DeviceId([id; 32])
}

/// A backup with a pack sealed while one of two suppliers is away; what the engine asked for
/// until that supplier came.
struct Story {
    engine: Engine,
    outputs: Vec<Output>,
}

/// A customer of two suppliers who proved lately what they keep.
fn facts(groups: Vec<GroupTotal>, head: Option<Sequence>) -> Facts {
    let supplier = |id: u8| SupplierFact {
        device: device(id),
        identity: IdentityId([id; 32]),
        friend: true,
        contract: Some(ByteCount(1_000)),
        proved_ago_ms: Some(0),
        suspect: None,
        missed_ago_ms: None,
    };
    Facts {
        device: device(0),
        identity: IdentityId([0; 32]),
        is_restore_only: false,
        is_replaced: false,
        code_wanted: None,
        suppliers_wanted: 2,
        contract_bytes: ByteCount(1_000),
        suppliers: vec![supplier(1), supplier(LATE)],
        sets: vec![SetFact::formed(
            SET,
            Code::new(1, 2).expect("a code"),
            [device(1), device(LATE)],
        )],
        home: Some(SET),
        customers: Vec::new(),
        kept_for: Vec::new(),
        offered: ByteCount(0),
        packs: Vec::new(),
        groups,
        folders: Vec::new(),
        head_draft: None,
        head,
        head_keepers: vec![device(1), device(LATE)],
        settled: None,
        unlisted: Vec::new(),
    }
}

impl Story {
    /// A customer, and the first supplier is there.
    fn begin_with(groups: Vec<GroupTotal>) -> Self {
        let facts = facts(groups, None);
        let mut story = Self {
            engine: Engine::new(Policy::default()),
            outputs: Vec::new(),
        };
        story.tell(Input::Started {
            facts: Box::new(facts),
            seed: [1; 32],
        });
        story.tell(Input::Listening);
        story.comes(1);
        story
    }

    fn begin() -> Self {
        let mut story = Self::begin_with(Vec::new());
        let job = JobId(1);
        story.tell(Input::BackupAsked {
            job,
            folders: Vec::new(),
            is_scheduled: false,
        });
        story.tell(Input::PackSealed {
            job,
            pack: PACK,
            set: SET,
            kind: PackKind::Data,
            shard_bytes: ByteCount(10),
        });
        let spool = |output: &Output| matches!(output, Output::SpoolShard { pack: PACK, position } if *position == LATE_POSITION);
        assert!(
            story.outputs.iter().any(spool),
            "its shard goes into the spool"
        );
        story.comes(LATE);
        let load = |output: &Output| matches!(output, Output::LoadSpool { device: of } if *of == device(LATE));
        assert!(
            story.outputs.iter().any(load),
            "the spool is asked for what it has"
        );
        story.outputs.clear();
        story
    }

    fn comes(&mut self, id: u8) {
        self.tell(Input::PeerUp {
            device: device(id),
            identity: IdentityId([id; 32]),
        });
        self.tell(Input::TipTold {
            device: device(id),
            tip: TipFact::Nothing,
        });
    }

    fn tell(&mut self, input: Input) {
        self.outputs
            .extend(apply(&mut self.engine, input, Tick(0)).outputs);
    }

    fn is_spooled(&mut self) {
        self.tell(Input::ShardSpooled {
            pack: PACK,
            position: LATE_POSITION,
        });
    }

    fn is_loaded(&mut self) {
        self.tell(Input::SpoolLoaded(OwedFact {
            pack: PACK,
            set: SET,
            kind: PackKind::Data,
            position: LATE_POSITION,
            device: device(LATE),
            confirmed: PositionMask::default(),
            is_committed: false,
        }));
    }

    fn is_remade(&mut self) {
        self.tell(Input::ShardRemade(OwedFact {
            pack: PACK,
            set: SET,
            kind: PackKind::Data,
            position: LATE_POSITION,
            device: device(LATE),
            confirmed: PositionMask(0b01),
            is_committed: true,
        }));
    }

    /// Whether something is asked for when time passes.
    fn asks_within_an_hour(&mut self, wanted: Output) -> bool {
        let until = Tick(3_600_000);
        let mut asked = Vec::new();
        while let Some((at, _)) = self.engine.wake_at().filter(|(at, _)| *at <= until) {
            asked.extend(apply(&mut self.engine, Input::Wake, at).outputs);
        }
        asked.contains(&wanted)
    }

    /// How often the shard was sent to the one who came late.
    fn sent(&self) -> usize {
        let sends = self.outputs.iter().filter(|output| {
            matches!(output, Output::SendShard { pack: PACK, device: to, .. } if *to == device(LATE))
        });
        sends.count()
    }
}

#[test]
fn a_shard_that_was_spooled_and_loaded_is_sent() {
    let mut story = Story::begin();
    story.is_spooled();
    story.is_loaded();
    assert_eq!(story.sent(), 1);
}

#[test]
fn a_shard_that_is_loaded_before_the_spool_answered_is_sent_too() {
    let mut story = Story::begin();
    // It lies there already, and the answers come from two threads.
    story.is_loaded();
    story.is_spooled();
    assert_eq!(story.sent(), 1);
}

/// A damaged one is removed before the next is asked for; where it cannot be, that is tried again
/// later.
#[test]
fn a_damaged_shard_is_removed_and_the_next_is_loaded() {
    let mut story = Story::begin();
    story.is_spooled();
    let late = device(LATE);
    story.tell(Input::SpooledDamaged {
        pack: PACK,
        position: LATE_POSITION,
        device: late,
    });
    let remove = Output::RemoveSpooled {
        pack: PACK,
        position: LATE_POSITION,
        device: late,
    };
    assert_eq!(story.outputs, [remove]);
    story.outputs.clear();
    story.tell(Input::SpooledRemoved { device: late });
    assert_eq!(story.outputs, [Output::LoadSpool { device: late }]);
    assert_eq!(story.sent(), 0, "there is nothing to send");

    story.outputs.clear();
    story.tell(Input::SpooledDamaged {
        pack: PackId([6; 32]),
        position: LATE_POSITION,
        device: late,
    });
    story.tell(Input::SpooledNotRemoved {
        device: late,
        code: ErrorCode::DiskFailed,
    });
    let load = Output::LoadSpool { device: late };
    assert!(!story.outputs.contains(&load), "not at once");
    assert!(story.asks_within_an_hour(load), "tried again");
}

/// A start finds a committed pack of which a supplier lacks its shard, and the spool has nothing.
fn owing(confirmed: u32) -> Story {
    let mut story = Story::begin_with(vec![GroupTotal {
        group: group(confirmed),
        packs: 1,
        bytes: ByteCount(10),
    }]);
    story.comes(LATE);
    story.outputs.clear();
    story.tell(Input::SpoolEmpty {
        device: device(LATE),
    });
    story
}

fn group(confirmed: u32) -> Group {
    Group {
        set: SET,
        kind: PackKind::Data,
        is_published: true,
        confirmed: PositionMask(confirmed),
    }
}

#[test]
fn what_is_owed_and_not_in_the_spool_is_made_anew() {
    let late = device(LATE);
    let remake = Output::RemakeShard {
        device: late,
        debts: vec![DebtFact {
            set: SET,
            position: LATE_POSITION,
            reachable: PositionMask(0b11),
        }],
    };
    assert_eq!(owing(0b11).outputs, [], "nothing is owed");
    let mut story = owing(0b01);
    assert_eq!(story.outputs, [remake]);
    story.outputs.clear();
    story.is_remade();
    assert_eq!(story.sent(), 1);
    story.outputs.clear();
    story.tell(Input::ShardsStored {
        receipts: vec![ReceiptFact {
            pack: PACK,
            position: LATE_POSITION,
            device: late,
            moved: Some(GroupChange {
                from: Some(group(0b01)),
                to: group(0b11),
                packs: 1,
                bytes: ByteCount(10),
            }),
        }],
    });
    assert_eq!(story.outputs, [Output::LoadSpool { device: late }]);
    story.outputs.clear();
    story.tell(Input::SpoolEmpty { device: late });
    assert_eq!(story.outputs, [], "it is paid");
    assert_eq!(story.engine.view().packs_unsettled, 0, "the ledger has it");
}

/// One that was made anew and not sent lies nowhere: its memory goes, and it is owed as before.
#[test]
fn a_remade_shard_that_is_not_sent_is_made_again_later() {
    let late = device(LATE);
    let mut story = owing(0b01);
    story.is_remade();
    story.outputs.clear();
    story.tell(Input::SendFailed {
        pack: PACK,
        position: LATE_POSITION,
        device: late,
        code: ErrorCode::TimedOut,
    });
    let release = Output::ReleaseShard {
        pack: PACK,
        position: LATE_POSITION,
    };
    assert_eq!(story.outputs, [release]);
    assert!(story.asks_within_an_hour(Output::LoadSpool { device: late }));
}

/// Where none can be made, that is tried again, and not at once.
#[test]
fn a_shard_that_cannot_be_made_is_tried_again_later() {
    let late = device(LATE);
    let mut story = owing(0b01);
    story.outputs.clear();
    story.tell(Input::RemakeFailed {
        device: late,
        code: ErrorCode::TooFewShards,
    });
    assert_eq!(story.outputs, [], "not at once");
    assert!(story.asks_within_an_hour(Output::LoadSpool { device: late }));
}

/// A published head of whose packs the ledger knows nothing is not called safe, and neither can be
/// had what is only said to be there.
#[test]
fn what_the_ledger_does_not_know_is_not_called_safe() {
    let view = |groups, is_fresh: bool| {
        let mut engine = Engine::new(Policy::default());
        let mut inputs = vec![
            Input::Started {
                facts: Box::new(facts(groups, Some(Sequence(1)))),
                seed: [1; 32],
            },
            Input::Listening,
        ];
        inputs.extend([1, LATE].map(|id| Input::PeerUp {
            device: device(id),
            identity: IdentityId([id; 32]),
        }));
        for input in inputs {
            apply(&mut engine, input, Tick(0));
        }
        let now = if is_fresh {
            Tick(1)
        } else {
            Tick(0) + Policy::default().receipt_counts_for
        };
        apply(&mut engine, Input::Wake, now);
        engine.view()
    };
    let whole = || {
        vec![GroupTotal {
            group: group(0b11),
            packs: 1,
            bytes: ByteCount(10),
        }]
    };
    let none = Protection::Stored {
        confirmed: 0,
        needed: 2,
    };
    assert_eq!(view(Vec::new(), true).protection, none);
    assert_eq!(view(whole(), true).protection, Protection::Safe);
    let reach = |is_fresh| view(whole(), is_fresh).reach.expect("published");
    assert_eq!((reach(true).online, reach(true).spare), (2, Some(1)));
    assert_eq!(
        (reach(false).online, reach(false).spare),
        (2, None),
        "proved nothing lately"
    );
}

/// It is asked that before it is sent anything, so that this may be the first that it denies.
#[test]
fn whoever_denies_its_contract_when_asked_for_heads_is_asked_to_sign_again() {
    for (code, expected) in [(ErrorCode::NoContract, 1), (ErrorCode::TimedOut, 0)] {
        let mut story = Story::begin_with(Vec::new());
        story.outputs.clear();
        story.tell(Input::PeerUp {
            device: device(LATE),
            identity: IdentityId([LATE; 32]),
        });
        let asks = |output: &&Output| matches!(output, Output::AskTip { device: of } if *of == device(LATE));
        assert_eq!(story.outputs.iter().filter(asks).count(), 1);
        story.tell(Input::TipNotTold {
            device: device(LATE),
            code,
        });
        // Asked at once, a liar would be asked without end.
        let is_proposed = |output: &Output| matches!(output, Output::Propose { device: of, .. } if *of == device(LATE));
        assert!(!story.outputs.iter().any(is_proposed));
        let soon = Tick(0) + 4 * Policy::default().retry_min;
        while let Some((due, _)) = story.engine.wake_at().filter(|(due, _)| *due < soon) {
            let outputs = apply(&mut story.engine, Input::Wake, due).outputs;
            story.outputs.extend(outputs);
        }
        let proposals = story.outputs.iter().filter(|output| is_proposed(output));
        assert_eq!(proposals.count(), expected, "{code:?}");
    }
}
