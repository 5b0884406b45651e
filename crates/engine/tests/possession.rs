//! Who may read at a supplier that lost its contracts and not what it keeps.

use bitdust_engine::trace::apply;
use bitdust_engine::{Access, AskId, Engine, Facts, Input, Output};
use bitdust_model::{ByteCount, DeviceId, ErrorCode, IdentityId, Policy, Tick};

const OWNER: IdentityId = IdentityId([1; 32]);
const STRANGER: IdentityId = IdentityId([2; 32]);

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
        kept_for: vec![OWNER],
        offered: ByteCount(1_000),
        packs: Vec::new(),
        groups: Vec::new(),
        folders: Vec::new(),
        head_draft: None,
        head: None,
        head_keepers: Vec::new(),
        unlisted: Vec::new(),
        settled: None,
    });
    let seed = [0; 32];
    drop(apply(&mut engine, Input::Started { facts, seed }, Tick(0)));
    engine
}

#[test]
fn what_lies_here_is_its_owners_to_read_without_a_contract() {
    let ask = AskId(1);
    let refused = Output::Refuse {
        ask,
        code: ErrorCode::NoContract,
    };
    for (identity, access, expected) in [
        (OWNER, Access::Read, Output::AllowAccess { ask }),
        (OWNER, Access::Write, refused.clone()),
        (OWNER, Access::Delete, refused.clone()),
        (STRANGER, Access::Read, refused),
    ] {
        let input = Input::AccessAsked {
            ask,
            identity,
            device: DeviceId([3; 32]),
            access,
        };
        let outputs = apply(&mut started(), input, Tick(1)).outputs;
        assert!(outputs.contains(&expected), "{access:?}: {outputs:?}");
    }
}
