//! What becomes of a head that was signed when the machine stopped.

use bitdust_engine::trace::apply;
use bitdust_engine::{
    DraftFact, Engine, Facts, Input, JobId, Output, SealedPackFact, SetFact, SupplierFact, TipFact,
    packs_at_start,
};
use bitdust_model::ledger::{Group, GroupChange};
use bitdust_model::manifest::PackKind;
use bitdust_model::{
    ByteCount, Code, DeviceId, IdentityId, PackId, Policy, Position, Sequence, SetId, Tick,
};

/// Starts with a draft whose commit pack stands as given (two of four must have it), connects everybody,
/// asks for a backup, and tells whether the draft was given out and whether the backup began.
fn check(confirmed: u8, spooled: u8, given_out: bool, begun: bool) {
    let device = |id: u8| DeviceId([id; 32]);
    let supplier = |id: u8| SupplierFact {
        device: device(id),
        identity: IdentityId([id; 32]),
        friend: true,
        contract: Some(ByteCount(1_000)),
        proved_ago_ms: Some(0),
        suspect: None,
        missed_ago_ms: None,
    };
    let code = Code::new(2, 4).expect("a code");
    let set = SetFact::formed(SetId([9; 32]), code, (1..=4).map(device));
    let pack = PackId([5; 32]);
    let sealed = SealedPackFact {
        pack,
        kind: PackKind::Commit,
        set: set.set,
        confirmed: (0..confirmed)
            .map(|position| (Position(position), device(position + 1)))
            .collect(),
    };
    let spool: Vec<_> = (confirmed..confirmed + spooled)
        .map(|position| (pack, Position(position)))
        .collect();
    let draft = DraftFact {
        sequence: Sequence(2),
        lists: vec![pack],
    };
    let packs = packs_at_start(
        vec![sealed],
        &spool,
        std::slice::from_ref(&set),
        Some(&draft),
    );
    let facts = Facts {
        device: device(0),
        identity: IdentityId([0; 32]),
        is_restore_only: false,
        is_replaced: false,
        code_wanted: None,
        suppliers_wanted: 4,
        contract_bytes: ByteCount(1_000),
        suppliers: (1..=4).map(supplier).collect(),
        home: Some(set.set),
        sets: vec![set],
        customers: Vec::new(),
        kept_for: Vec::new(),
        offered: ByteCount(0),
        head_draft: packs.draft,
        packs: packs.kept,
        groups: Vec::new(),
        folders: Vec::new(),
        head: Some(Sequence(1)),
        head_keepers: Vec::new(),
        settled: None,
        unlisted: Vec::new(),
    };
    let mut engine = Engine::new(Policy::default());
    let mut inputs = vec![
        Input::Started {
            facts: Box::new(facts),
            seed: [1; 32],
        },
        Input::Listening,
    ];
    inputs.extend((1..=4).map(|id| Input::PeerUp {
        device: device(id),
        identity: IdentityId([id; 32]),
    }));
    inputs.push(Input::BackupAsked {
        job: JobId(1),
        folders: Vec::new(),
        is_scheduled: false,
    });
    let mut outputs = Vec::new();
    for input in inputs {
        let mut queue = vec![input];
        while let Some(input) = queue.pop() {
            let line = apply(&mut engine, input, Tick(0));
            for output in line.outputs {
                if let Output::AskTip { device } = output {
                    let tip = TipFact::Nothing;
                    queue.push(Input::TipTold { device, tip });
                }
                if let Output::CommitPack { pack } = output {
                    let moved = Some(GroupChange {
                        from: None,
                        to: Group {
                            set: SetId([9; 32]),
                            kind: PackKind::Commit,
                            is_published: false,
                            confirmed: (0..confirmed).map(Position).collect(),
                        },
                        packs: 1,
                        bytes: ByteCount(1),
                    });
                    queue.push(Input::PackCommitted { pack, moved });
                }
                outputs.push(output);
            }
        }
    }
    let is_draft = |output: &Output| matches!(output, Output::PutHead { sequence, .. } if *sequence == Sequence(2));
    let is_scan = |output: &Output| matches!(output, Output::StartScan { .. });
    assert_eq!(
        outputs.iter().any(is_draft),
        given_out,
        "{confirmed} + {spooled}: given out"
    );
    assert_eq!(
        outputs.iter().any(is_scan),
        begun,
        "{confirmed} + {spooled}: begun"
    );
}

#[test]
fn a_draft_whose_pack_is_placed_is_given_out_before_anything_else() {
    check(2, 0, true, false);
    check(4, 0, true, false);
}

#[test]
fn a_draft_whose_pack_is_lost_is_never_given_out() {
    check(0, 0, false, true);
    check(1, 0, false, true);
}

#[test]
fn a_draft_that_does_not_move_makes_way_for_a_backup() {
    check(1, 3, false, true);
}
