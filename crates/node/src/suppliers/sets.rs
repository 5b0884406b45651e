//! Sets: who holds which position of the packs that were coded for them.

use bitdust_crypto::random;
use bitdust_engine::{PlaceFact, SetFact};
use bitdust_model::locator::Contact;
use bitdust_model::set::{Holder, PositionRecord, PositionState, SetRecord};
use bitdust_model::{Code, DeviceId, Position, Sequence, SetHash, SetId};
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::OwnSet;

use super::Suppliers;
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::set_fact::set_fact_of;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

impl Suppliers {
    /// Records a new set of holders.
    pub(crate) fn record_set(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        code: Code,
        holders: Vec<DeviceId>,
    ) {
        let context = self.context.clone();
        driver.spawn(async move {
            let made = blocking(move || new_set(&context, code, holders)).await;
            match made.and_then(|made| made.map_err(|error| error.code())) {
                Ok((record, fact)) => {
                    let recorded = |completion| TaskEvent::SetRecorded {
                        completion,
                        record,
                        fact,
                    };
                    completion.bring(recorded).await;
                }
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// A set is durable: packs may be coded for it.
    pub(crate) fn set_recorded(&mut self, record: SetRecord) {
        self.sets.insert(record.set, record);
    }

    /// Who may hold the shards of a pack: holders now and before, by the set's record.
    pub(crate) fn places(&self, set: SetId) -> Vec<PlaceFact> {
        let Some(set) = self.sets.get(&set) else {
            return Vec::new();
        };
        (0..)
            .map(Position)
            .zip(&set.positions)
            .map(|(position, record)| {
                let holders = record.current.iter().chain(&record.former);
                PlaceFact {
                    position,
                    holders: holders.map(|holder| holder.device).collect(),
                }
            })
            .collect()
    }

    /// Set records were found; the newer of two holds.
    pub(crate) fn learn_sets(&mut self, found: Vec<SetRecord>) {
        for set in found {
            let known = self.sets.get(&set.set);
            if known.is_none_or(|known| known.version < set.version) {
                self.sets.insert(set.set, set);
            }
        }
    }

    /// Where peers may be reached was found; what they said themselves is better.
    pub(crate) fn learn_contacts(&mut self, found: Vec<Contact>) {
        for contact in found {
            let device = contact.device;
            self.contacts.entry(device).or_insert(contact.addresses);
        }
    }
}

/// Of a new set.
const FIRST_VERSION: Sequence = Sequence(1);

fn new_set(
    context: &Context,
    code: Code,
    holders: Vec<DeviceId>,
) -> Result<(SetRecord, SetFact), CatalogueError> {
    let mut positions = Vec::with_capacity(holders.len());
    for device in &holders {
        let identity = context
            .catalogue
            .supplier(*device)?
            .map(|supplier| supplier.identity);
        let current = identity.map(|identity| Holder {
            identity,
            device: *device,
        });
        positions.push(PositionRecord {
            state: match current {
                Some(_) => PositionState::Active,
                None => PositionState::Vacant,
            },
            since: FIRST_VERSION,
            current,
            former: Vec::new(),
        });
    }
    let record = SetRecord {
        set: SetId(random()),
        owner: context.identity,
        lane: context.device,
        version: FIRST_VERSION,
        previous: SetHash([0; 32]),
        k: code.k(),
        positions,
        mandate: None,
    };
    let signed = context.secrets.device.signing().sign(&record);
    context.catalogue.put_set(OwnSet {
        set: record.set,
        version: record.version,
        record: signed,
    })?;
    let fact = set_fact_of(&record, code);
    Ok((record, fact))
}
