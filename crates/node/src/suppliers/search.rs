//! Strangers who offer space: found, remembered, bound by contracts.

use bitdust_crypto::{contract_id, dht_key, offers_key, random, validate_record, verify_by};
use bitdust_engine::{Input, OfferFact};
use bitdust_model::contract::{Contract, ContractKind};
use bitdust_model::locator::{KeyedRecord, Offer, RecordKind};
use bitdust_model::message::Body;
use bitdust_model::{ByteCount, DeviceId, ErrorCode, decode, limits};
use bitdust_store::catalogue::{Introduction, SignedContract};
use futures::stream::{self, StreamExt};
use tracing::debug;

use super::Suppliers;
use crate::shared::answer::refusal;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Driver;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

impl Suppliers {
    /// Looks for offers of space in one part of the key space.
    pub(crate) fn search_offers(&mut self, driver: &mut Driver, completion: Completion, slot: u8) {
        let context = self.context.clone();
        driver.spawn(async move {
            let devices = match providers(&context, slot).await {
                Ok(devices) => devices,
                Err(code) => return completion.tell(Err(code)).await,
            };
            let own = context.device;
            let offers: Vec<Offer> = stream::iter(
                devices
                    .into_iter()
                    .filter(|device| *device != own)
                    .take(limits::OFFERS_PER_SEARCH_MAX),
            )
            .map(|device| find_offer(&context, device))
            .buffer_unordered(limits::OFFERS_AT_ONCE_MAX)
            .filter_map(|offer| async { offer })
            .collect()
            .await;
            let found = |completion| TaskEvent::Offers { completion, offers };
            completion.bring(found).await;
        });
    }

    /// Offers came: their addresses are kept until the engine chose.
    pub(crate) fn offers_found(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        offers: Vec<Offer>,
    ) {
        let mut facts = Vec::with_capacity(offers.len());
        for offer in offers {
            let contact = offer.contact;
            self.contacts.insert(contact.device, contact.addresses);
            facts.push(OfferFact {
                device: contact.device,
                identity: contact.identity,
                free: offer.free,
            });
        }
        driver.tell(completion.done(Input::OffersFound { offers: facts }));
    }

    /// Remembers a stranger as a supplier.
    pub(crate) fn adopt_supplier(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        offer: &OfferFact,
    ) {
        let device = offer.device;
        let introduction = Introduction {
            device,
            identity: offer.identity,
            friend: false,
            addresses: self
                .contacts
                .get(&offer.device)
                .cloned()
                .unwrap_or_default(),
            seen: None,
        };
        let catalogue = self.context.catalogue.clone();
        driver.start(completion, async move {
            blocking(move || catalogue.introduce_supplier(introduction))
                .await?
                .map_err(|error| error.code())?;
            Ok(Input::SupplierAdopted { device })
        });
    }

    /// Proposes a contract.
    pub(crate) fn propose(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        bytes: ByteCount,
    ) {
        let Some(supplier_identity) = self.peers.identity(device) else {
            return driver.tell(completion.failed(ErrorCode::Unreachable));
        };
        let kind = if supplier_identity == self.context.identity {
            ContractKind::OwnDevice
        } else if self.is_friend(supplier_identity) {
            ContractKind::Friend
        } else {
            ContractKind::Stranger
        };
        let contract = Contract {
            customer: self.context.identity,
            lane: self.context.device,
            supplier_identity,
            supplier: device,
            kind,
            bytes,
            reserve: ByteCount(0),
            term_days: None,
            patience_days: self.context.policy.patience_days,
            replaces: None,
            proposed_at: wall_clock(),
            nonce: random(),
        };
        let context = self.context.clone();
        driver.start(completion, async move {
            let signed = sign_contract(&context, contract).await;
            signed.map(|()| Input::ContractSigned { device, bytes })
        });
    }
}

/// Devices that offer space, from the part of the key space that was asked for and, while
/// these are few, from the parts after it: a small network has few offers in any one part.
///
/// # Errors
/// If no part could be looked at.
async fn providers(context: &Context, slot: u8) -> Result<Vec<DeviceId>, ErrorCode> {
    let slots = (0..limits::OFFER_SLOTS).map(|step| (slot + step) % limits::OFFER_SLOTS);
    let mut searches = stream::iter(slots)
        .map(|slot| context.net.providers(offers_key(slot)))
        .buffered(limits::OFFERS_AT_ONCE_MAX);
    let mut devices = Vec::new();
    let mut seen = Err(ErrorCode::Unreachable);
    while let Some(found) = searches.next().await {
        match found {
            Ok(found) => {
                devices.extend(found);
                seen = Ok(());
            }
            Err(error) => {
                debug!(%error, "A part of the search for suppliers failed");
                seen = seen.map_err(|_| error.code());
            }
        }
        if devices.len() >= limits::OFFERS_PER_SEARCH_MAX {
            break;
        }
    }
    devices.sort();
    devices.dedup();
    seen.map(|()| devices)
}

async fn find_offer(context: &Context, device: DeviceId) -> Option<Offer> {
    let key = dht_key(RecordKind::Offer, &device.0);
    let record = context.net.get_record(key).await.ok()??;
    let record = validate_record(&KeyedRecord { key, record }, &context.network).ok()?;
    decode(&record.body).ok()
}

/// Signs, asks for the other signature, checks it, records both.
async fn sign_contract(context: &Context, contract: Contract) -> Result<(), ErrorCode> {
    let signed = context.secrets.device.signing().sign(&contract);
    let answer = context
        .net
        .request(contract.supplier, Body::Propose(signed.clone()))
        .await
        .map_err(|error| error.code())?;
    let Body::ContractSigned(acceptance) = answer else {
        return Err(refusal(&answer));
    };
    let accepted =
        verify_by(&acceptance, &contract.supplier.0).map_err(|_| ErrorCode::NotAuthentic)?;
    if accepted.contract != contract_id(&signed) || accepted.supplier != contract.supplier {
        return Err(ErrorCode::NotAuthentic);
    }
    let catalogue = context.catalogue.clone();
    blocking(move || {
        catalogue.record_contract(SignedContract {
            device: contract.supplier,
            identity: contract.supplier_identity,
            bytes: contract.bytes,
            contract: signed,
            acceptance,
            at: wall_clock(),
        })
    })
    .await?
    .map_err(|error| error.code())
}
