//! Everything the engine must know at its start, from the catalogue and the store.

use std::collections::BTreeMap;

use bitdust_engine::{
    CustomerFact, Facts, PacksAtStart, SealedPackFact, SetFact, SupplierFact, packs_at_start,
};
use bitdust_model::set::SetRecord;
use bitdust_model::{ByteCount, IdentityId, SetId, UnixMillis};
use bitdust_store::ShardError;

use super::Stay;
use crate::backup::commit_draft::draft_of;
use crate::backup::watches::folder_facts;
use crate::shared::answer::{catalogue_error, or_none_kept};
use crate::shared::clock_doubt::is_clock_wrong;
use crate::shared::config::Config;
use crate::shared::context::{Context, wall_clock};
use crate::shared::error::NodeError;
use crate::shared::foreign_lanes::foreign_sets;
use crate::shared::newer_root::is_replaced;
use crate::shared::records::is_restore_only;
use crate::shared::set_fact::set_fact;

/// Everything the engine must know at its start, and the set records behind it. Where the catalogue is
/// damaged, only what concerns those for whom something is kept here.
pub(super) fn facts(
    context: &Context,
    config: &Config,
    stay: Stay,
) -> Result<(Facts, BTreeMap<SetId, SetRecord>), NodeError> {
    if context.catalogue.is_damaged() {
        return Ok((facts_of_supplier(context, config)?, BTreeMap::new()));
    }
    match all_facts(context, config, stay) {
        Err(_) if context.catalogue.is_damaged() => {
            Ok((facts_of_supplier(context, config)?, BTreeMap::new()))
        }
        found => found,
    }
}

fn facts_of_supplier(context: &Context, config: &Config) -> Result<Facts, NodeError> {
    Ok(Facts {
        device: context.device,
        identity: context.identity,
        is_restore_only: false,
        is_replaced: false,
        code_wanted: config.code,
        suppliers_wanted: 0,
        contract_bytes: config.contract,
        suppliers: Vec::new(),
        sets: Vec::new(),
        home: None,
        customers: customers(context)?,
        kept_for: kept_for(context)?,
        offered: offered(context, config),
        head_draft: None,
        packs: Vec::new(),
        groups: Vec::new(),
        folders: Vec::new(),
        head: None,
        head_keepers: Vec::new(),
        settled: None,
        unlisted: Vec::new(),
    })
}

fn all_facts(
    context: &Context,
    config: &Config,
    stay: Stay,
) -> Result<(Facts, BTreeMap<SetId, SetRecord>), NodeError> {
    let (catalogue, device) = (&context.catalogue, context.device);
    let error = catalogue_error;
    let mut sets = BTreeMap::new();
    let mut own_sets = Vec::new();
    for own in catalogue.sets().map_err(error)? {
        let Ok(record) = bitdust_crypto::verify_by(&own.record, &device.0) else {
            continue;
        };
        own_sets.extend(set_fact(&record));
        sets.insert(record.set, record);
    }
    for record in
        foreign_sets(context).map_err(|code| NodeError::new(code, "the catalogue is damaged"))?
    {
        sets.entry(record.set).or_insert(record);
    }
    let packs = sealed_packs(context, &own_sets)?;
    let mut groups = Vec::new();
    for set in &own_sets {
        groups.extend(catalogue.groups(set.set).map_err(error)?);
    }
    let head = catalogue.newest_published_head().map_err(error)?;
    let head = head.map(|head| head.sequence);
    let facts = Facts {
        device,
        identity: context.identity,
        is_restore_only: is_restore_only(catalogue).map_err(error)?,
        is_replaced: is_replaced(context).map_err(error)?,
        code_wanted: config.code,
        suppliers_wanted: config.suppliers,
        contract_bytes: config.contract,
        suppliers: suppliers(context)?,
        // The newest one, as the lane record says too.
        home: own_sets.last().map(|set| set.set),
        sets: own_sets,
        customers: customers(context)?,
        kept_for: kept_for(context)?,
        offered: offered(context, config),
        head_draft: packs.draft,
        packs: packs.kept,
        groups,
        folders: match stay {
            Stay::Long => folder_facts(catalogue, device, config.schedule).map_err(error)?,
            Stay::Short => Vec::new(),
        },
        head,
        head_keepers: match head {
            Some(head) => catalogue.head_keepers(head).map_err(error)?,
            None => Vec::new(),
        },
        settled: catalogue.settled().map_err(error)?,
        unlisted: catalogue.unlisted().map_err(error)?,
    };
    Ok((facts, sets))
}

/// How long ago a supplier proved something is known by the wall clock only. Where that is surely wrong,
/// or the proof lies in its future, it counts as long ago.
fn suppliers(context: &Context) -> Result<Vec<SupplierFact>, NodeError> {
    let now = wall_clock();
    let is_wrong = is_clock_wrong(context, now).map_err(catalogue_error)?;
    let ago = |at: UnixMillis| if is_wrong { u64::MAX } else { at.ago(now) };
    let known = context.catalogue.suppliers().map_err(catalogue_error)?;
    let facts = known.into_iter().map(|supplier| SupplierFact {
        device: supplier.device,
        identity: supplier.identity,
        friend: supplier.friend,
        contract: supplier.contract.is_some().then_some(supplier.bytes),
        proved_ago_ms: supplier.last_proof.map(ago),
        suspect: supplier.suspect,
        missed_ago_ms: supplier.last_miss.map(ago),
    });
    Ok(facts.collect())
}

fn customers(context: &Context) -> Result<Vec<CustomerFact>, NodeError> {
    let mut facts = Vec::new();
    let contracts = or_none_kept(&context.shards, context.shards.contracts());
    for contract in contracts.map_err(store_error)? {
        let used = context
            .shards
            .usage_of_lane(contract.identity, contract.lane)
            .map_err(store_error)?;
        facts.push(CustomerFact {
            identity: contract.identity,
            lane: contract.lane,
            contract: contract.bytes,
            used: used.bytes,
        });
    }
    Ok(facts)
}

fn kept_for(context: &Context) -> Result<Vec<IdentityId>, NodeError> {
    or_none_kept(&context.shards, context.shards.owners()).map_err(store_error)
}

/// Where nothing can be kept nothing is offered.
fn offered(context: &Context, config: &Config) -> ByteCount {
    if context.shards.is_shut() {
        return ByteCount(0);
    }
    config.offer
}

fn store_error(error: ShardError) -> NodeError {
    NodeError::new(error.code(), format!("what is kept for others: {error}"))
}

/// What becomes of packs that were sealed and not committed. Those that do not go on are forgotten,
/// after it was noted that a draft that could lead to them is not to be given out.
fn sealed_packs(context: &Context, sets: &[SetFact]) -> Result<PacksAtStart, NodeError> {
    let (catalogue, error) = (&context.catalogue, catalogue_error);
    let spool = context.spool.list();
    let spooled: Vec<_> = spool
        .iter()
        .map(|entry| (entry.pack, entry.position))
        .collect();
    let sealed = catalogue.unconfirmed_packs().map_err(error)?;
    let sealed = sealed.into_iter().map(|pack| SealedPackFact {
        pack: pack.pack.pack,
        kind: pack.pack.kind,
        set: pack.pack.set,
        confirmed: pack.confirmed,
    });
    let draft = draft_of(catalogue).map_err(error)?;
    let packs = packs_at_start(sealed.collect(), &spooled, sets, draft.as_ref());
    if let Some(abandoned) = packs.abandoned {
        catalogue.abandon_draft(abandoned).map_err(error)?;
    }
    for pack in &packs.dropped {
        catalogue.drop_pack(*pack).map_err(error)?;
    }
    Ok(packs)
}

#[cfg(test)]
mod tests {
    use bitdust_model::manifest::{PackKind, PackRecord};
    use bitdust_model::set::{Holder, PositionRecord, PositionState};
    use bitdust_model::{DeviceId, HeadHash, IdentityId, PackId, PositionMask, Sequence};
    use bitdust_store::catalogue::{OwnHead, OwnSet};

    use super::*;
    use crate::shared::testing::{TestHome, head, pack_ref, set_record};

    /// The lists of a draft are lost with the memory of a node that was killed. The pack is
    /// forgotten at the next start; at the one after that nothing shows any more what was lost.
    #[tokio::test]
    async fn a_draft_whose_lists_were_lost_is_never_given_out() {
        let home = TestHome::new().await;
        let (context, config) = (&home.context, Config::default());
        let signing = context.secrets.device.signing();
        let mut set = set_record(context.identity, context.device, 1);
        set.positions = vec![PositionRecord {
            state: PositionState::Active,
            current: Some(Holder {
                identity: IdentityId([7; 32]),
                device: DeviceId([7; 32]),
            }),
            ..PositionRecord::default()
        }];
        let own = OwnSet {
            set: set.set,
            version: set.version,
            record: signing.sign(&set),
        };
        context.catalogue.put_set(own).expect("recorded");
        let mut lists = pack_ref();
        lists.kind = PackKind::Commit;
        let lists = PackRecord {
            pack: lists,
            random: [0; 32],
            confirmed: PositionMask::default(),
            chunks: Vec::new(),
        };
        let draft = OwnHead {
            sequence: Sequence(1),
            hash: HeadHash([1; 32]),
            head: signing.sign(&head(context.identity, context.device, 1)),
            published: false,
        };
        context.catalogue.put_head(draft).expect("recorded");
        let told = || {
            let told = facts(context, &config, Stay::Short);
            told.expect("facts").0.head_draft
        };
        context.catalogue.record_pack(lists).expect("recorded");
        assert_eq!(told(), None, "its lists are lost");
        assert_eq!(told(), None, "and it is not given out later either");
        assert_eq!(context.catalogue.draft().expect("read"), None);
    }

    /// Two sets, of which the first was changed since: the newest version of each is told, with the
    /// position that nobody holds, and packs of both are counted.
    #[tokio::test]
    async fn all_own_sets_are_told_in_their_newest_versions() {
        use PositionState::{Active, Filling, Vacant};
        let home = TestHome::new().await;
        let (context, catalogue) = (&home.context, &home.context.catalogue);
        let position = |state, number: u8| PositionRecord {
            state,
            current: (state != Vacant).then_some(Holder {
                identity: IdentityId([number; 32]),
                device: DeviceId([number; 32]),
            }),
            ..PositionRecord::default()
        };
        let put = |number: u8, version: u64, states: &[PositionState]| {
            let mut record = set_record(context.identity, context.device, 1);
            record.version = Sequence(version);
            record.set = SetId([number; 32]);
            record.positions = states
                .iter()
                .zip(1..)
                .map(|(it, by)| position(*it, by))
                .collect();
            let own = OwnSet {
                set: record.set,
                version: record.version,
                record: context.secrets.device.signing().sign(&record),
            };
            catalogue.put_set(own).expect("recorded");
        };
        put(1, 1, &[Active, Active]);
        put(2, 1, &[Active, Filling]);
        put(1, 2, &[Active, Vacant]);
        for number in [1, 2] {
            let mut pack = pack_ref();
            pack.pack = PackId([number; 32]);
            pack.set = SetId([number; 32]);
            let record = PackRecord {
                pack,
                random: [0; 32],
                confirmed: PositionMask::default(),
                chunks: Vec::new(),
            };
            catalogue.record_pack(record).expect("recorded");
            catalogue
                .commit_pack(PackId([number; 32]))
                .expect("committed");
        }
        let (told, records) = facts(context, &Config::default(), Stay::Short).expect("facts");
        let states = |set: &SetFact| -> Vec<_> {
            let states = set
                .positions
                .iter()
                .map(|it| (it.state, it.holder.is_some()));
            states.collect()
        };
        let sets: Vec<_> = told
            .sets
            .iter()
            .map(|it| (it.set, it.version.0, states(it)))
            .collect();
        let (first, second) = (SetId([1; 32]), SetId([2; 32]));
        let expected = [
            (first, 2, vec![(Active, true), (Vacant, false)]),
            (second, 1, vec![(Active, true), (Filling, true)]),
        ];
        assert_eq!(sets, expected);
        assert_eq!(told.home, Some(second), "the newest one");
        let groups: Vec<_> = told.groups.iter().map(|it| it.group.set).collect();
        assert_eq!(groups, [first, second]);
        assert_eq!(records.len(), 2);
    }
}
