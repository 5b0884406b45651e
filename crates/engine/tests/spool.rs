//! Shards that wait in the spool for a supplier that is away.

use bitdust_engine::trace::apply;
use bitdust_engine::{Engine, Facts, Input, JobId, Output, SetFact, SupplierFact};
use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, IdentityId, PackId, Policy, Position, SetId, Tick,
};

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

impl Story {
    fn begin() -> Self {
        let supplier = |id: u8| SupplierFact {
            device: device(id),
            identity: IdentityId([id; 32]),
            friend: true,
            contract: Some(ByteCount(1_000)),
            proved_ago_ms: Some(0),
            condemned: false,
        };
        let facts = Facts {
            device: device(0),
            identity: IdentityId([0; 32]),
            code_wanted: None,
            suppliers_wanted: 2,
            contract_bytes: ByteCount(1_000),
            suppliers: vec![supplier(1), supplier(LATE)],
            set: Some(SetFact {
                set: SetId([9; 32]),
                code: Code::new(1, 2).expect("a code"),
                holders: vec![device(1), device(LATE)],
            }),
            customers: Vec::new(),
            offered: ByteCount(0),
            packs: Vec::new(),
            folders: Vec::new(),
            head_draft: None,
            head: None,
        };
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
        let job = JobId(1);
        story.tell(Input::BackupAsked {
            job,
            folders: Vec::new(),
            is_scheduled: false,
        });
        story.tell(Input::PackSealed {
            job,
            pack: PACK,
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
        self.tell(Input::SpoolLoaded {
            pack: PACK,
            kind: PackKind::Data,
            position: LATE_POSITION,
            device: device(LATE),
        });
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
    let until = Tick(0) + Policy::default().retry_max;
    let mut asked = Vec::new();
    while let Some((at, _)) = story.engine.wake_at().filter(|(at, _)| *at <= until) {
        asked.extend(apply(&mut story.engine, Input::Wake, at).outputs);
    }
    assert!(asked.contains(&load), "tried again: {asked:?}");
}
