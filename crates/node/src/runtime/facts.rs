//! Everything the engine must know at its start, from the catalogue and the store.

use std::collections::{BTreeMap, BTreeSet};

use bitdust_engine::{CustomerFact, Facts, PackFact, SetFact, SupplierFact, survives_a_start};
use bitdust_model::set::SetRecord;
use bitdust_model::{Code, DeviceId, PackId, Position, SetId};
use bitdust_store::{Catalogue, ShardError};

use super::Stay;
use crate::backup::watches::folder_facts;
use crate::shared::answer::catalogue_error;
use crate::shared::config::Config;
use crate::shared::context::{Context, wall_clock};
use crate::shared::error::NodeError;
use crate::shared::foreign_lanes::foreign_sets;

/// Everything the engine must know at its start, and the set records behind it.
pub(super) fn facts(
    context: &Context,
    config: &Config,
    stay: Stay,
) -> Result<(Facts, BTreeMap<SetId, SetRecord>), NodeError> {
    let catalogue = &context.catalogue;
    let error = catalogue_error;
    let mut sets = BTreeMap::new();
    let mut current: Option<SetRecord> = None;
    for own in catalogue.sets().map_err(error)? {
        let Ok(record) = bitdust_crypto::verify_by(&own.record, &context.device.0) else {
            continue;
        };
        current = Some(record.clone());
        sets.insert(record.set, record);
    }
    for record in
        foreign_sets(context).map_err(|code| NodeError::new(code, "the catalogue is damaged"))?
    {
        sets.entry(record.set).or_insert(record);
    }
    let set = current.as_ref().and_then(set_fact);
    let head = catalogue.newest_head().map_err(error)?;
    let facts = Facts {
        device: context.device,
        identity: context.identity,
        code_wanted: config.code,
        suppliers_wanted: config.suppliers,
        contract_bytes: config.contract,
        suppliers: suppliers(catalogue)?,
        set: set.clone(),
        customers: customers(context)?,
        offered: config.offer,
        packs: unsettled_packs(context, set.as_ref())?,
        folders: match stay {
            Stay::Long => folder_facts(catalogue, config.schedule).map_err(error)?,
            Stay::Short => Vec::new(),
        },
        head_draft: head
            .as_ref()
            .filter(|head| !head.published)
            .map(|head| head.sequence),
        head: catalogue
            .newest_published_head()
            .map_err(error)?
            .map(|head| head.sequence),
    };
    Ok((facts, sets))
}

fn suppliers(catalogue: &Catalogue) -> Result<Vec<SupplierFact>, NodeError> {
    let now = wall_clock();
    let known = catalogue.suppliers().map_err(catalogue_error)?;
    let facts = known.into_iter().map(|supplier| SupplierFact {
        device: supplier.device,
        identity: supplier.identity,
        friend: supplier.friend,
        contract: supplier.contract.is_some().then_some(supplier.bytes),
        proved_ago_ms: supplier.last_proof.map(|at| at.ago(now)),
        condemned: supplier.condemned,
    });
    Ok(facts.collect())
}

fn set_fact(record: &SetRecord) -> Option<SetFact> {
    let holders: Vec<_> = record
        .positions
        .iter()
        .map(|position| position.current.map(|holder| holder.device))
        .collect::<Option<_>>()?;
    let code = Code::new(record.k, u8::try_from(holders.len()).ok()?).ok()?;
    Some(SetFact {
        set: record.set,
        code,
        holders,
    })
}

fn customers(context: &Context) -> Result<Vec<CustomerFact>, NodeError> {
    let store_error = |error: ShardError| {
        NodeError::new(error.code(), format!("what is kept for others: {error}"))
    };
    let mut facts = Vec::new();
    for contract in context.shards.contracts().map_err(store_error)? {
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

/// Positions that count: confirmed by whoever holds them now, each once.
fn counted(
    set: Option<&SetFact>,
    of: SetId,
    confirmed: impl Iterator<Item = (Position, DeviceId)>,
) -> Vec<Position> {
    let own = set.filter(|set| set.set == of);
    let counts = |position: Position, by: DeviceId| {
        own.is_none_or(|set| set.holders.get(usize::from(position.0)) == Some(&by))
    };
    let positions = confirmed.filter(|(position, by)| counts(*position, *by));
    let positions: BTreeSet<Position> = positions.map(|(position, _)| position).collect();
    positions.into_iter().collect()
}

/// Packs that were sealed and not committed: those that can go on from the spool, the rest is
/// forgotten and its files are sealed anew.
fn unsettled_packs(context: &Context, set: Option<&SetFact>) -> Result<Vec<PackFact>, NodeError> {
    let error = catalogue_error;
    let spool = context.spool.list();
    let mut packs: BTreeMap<PackId, PackFact> = BTreeMap::new();
    for pack in context.catalogue.unconfirmed_packs().map_err(error)? {
        let confirmed = counted(set, pack.pack.set, pack.confirmed.iter().copied());
        let fact = PackFact {
            pack: pack.pack.pack,
            kind: pack.pack.kind,
            confirmed,
            spooled: Vec::new(),
        };
        packs.insert(fact.pack, fact);
    }
    for entry in &spool {
        if let Some(fact) = packs.get_mut(&entry.pack) {
            fact.spooled.push(entry.position);
        } else if let Some(known) = context.catalogue.pack_ref(entry.pack).map_err(error)? {
            let confirmations = context.catalogue.confirmations(entry.pack).map_err(error)?;
            let of_whom = confirmations.iter().map(|it| (it.position, it.supplier));
            let confirmed = counted(set, known.set, of_whom);
            let fact = PackFact {
                pack: entry.pack,
                kind: known.kind,
                confirmed,
                spooled: vec![entry.position],
            };
            packs.insert(entry.pack, fact);
        }
    }
    let mut kept = Vec::new();
    for fact in packs.into_values() {
        if survives_a_start(&fact, set.map(|set| set.code)) {
            kept.push(fact);
        } else {
            context.catalogue.drop_pack(fact.pack).map_err(error)?;
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_once_and_only_of_its_holder() {
        let [old, new] = [1, 2].map(|number| DeviceId([number; 32]));
        let set = SetFact {
            set: SetId([1; 32]),
            code: Code::new(1, 2).expect("a code"),
            holders: vec![new, new],
        };
        let confirmed = [
            (Position(0), old),
            (Position(0), new),
            (Position(1), old),
            (Position(2), new),
        ];
        let own = counted(Some(&set), set.set, confirmed.into_iter());
        assert_eq!(own, [Position(0)], "the second was the former holder's");
        let of_another = counted(Some(&set), SetId([2; 32]), confirmed.into_iter());
        assert_eq!(of_another, [0, 1, 2].map(Position), "nobody's is known");
    }
}
