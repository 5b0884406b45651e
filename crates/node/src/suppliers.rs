//! What the engine asks for to find, hire and check suppliers, and to reach peers at all.

pub(crate) mod records;
pub(crate) mod worker;

use bitdust_api::history::Happening;
use bitdust_crypto::{contract_id, dht_key, offers_key, random, validate_record, verify_by};
use bitdust_engine::{Input, OfferFact, SetFact};
use bitdust_model::locator::{Addresses, KeyedRecord, Offer, RecordKind};
use bitdust_model::manifest::{Holder, PositionRecord, SetRecord};
use bitdust_model::message::{Body, Contract};
use bitdust_model::{
    ByteCount, Code, DeviceId, ErrorCode, Sequence, SetId, Severity, decode, limits,
};
use bitdust_net::PeerUp;
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::{Introduction, OwnSet, SignedContract};
use futures::stream::{self, StreamExt};
use tracing::debug;

use crate::backup::refusal;
use crate::runtime::Node;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::task::blocking;
use crate::shared::task_event::Back;
use crate::suppliers::records::OwnOffer;
use crate::suppliers::worker::{Errand, Load};

/// Offers looked at in one search.
const OFFERS_MAX: usize = 20;
/// Offers looked up at once.
const OFFERS_AT_ONCE: usize = 4;

impl Node {
    /// What this node tells strangers about itself.
    pub(crate) fn own_offer(&self) -> OwnOffer {
        let promised = self
            .customers
            .values()
            .fold(ByteCount(0), |sum, bytes| sum + *bytes);
        let free = (self.config.offer.0 > 0).then(|| self.config.offer.saturating_sub(promised));
        OwnOffer {
            addresses: self.reachable_addresses(),
            free,
        }
    }

    /// Addresses under which others reach this node.
    pub(crate) fn reachable_addresses(&self) -> Vec<String> {
        self.listening
            .iter()
            .chain(&self.config.external)
            .take(limits::ADDRESSES_MAX)
            .cloned()
            .collect()
    }

    /// Joins the DHT and puts the own records.
    pub(crate) fn publish_records(&mut self, completion: Completion) {
        let (context, offer) = (self.context.clone(), self.own_offer());
        self.start(completion, async move {
            let published = records::publish(&context, offer).await;
            published.map(|()| Input::RecordsPublished)
        });
    }

    /// Connects to the nodes the home knows by address.
    pub(crate) fn reach_bootstrap(&mut self) {
        for address in self.config.bootstrap.clone() {
            let context = self.context.clone();
            self.tasks.spawn(async move {
                match context.net.dial_address(&address).await {
                    Ok(device) => debug!(%device, "Reached an entry node"),
                    Err(error) => debug!(%error, "An entry node does not answer"),
                }
            });
        }
        self.reach_friends();
    }

    /// Connects to friends where they were last: whoever has moved is found by them, and they
    /// are a way in when no entry node is left.
    fn reach_friends(&mut self) {
        let friends = match self.context.catalogue.friends() {
            Ok(friends) => friends,
            Err(error) => {
                let message = format!("friends cannot be looked up: {error}; they may find you");
                return self.notice(Severity::Warning, Happening::FriendsNotRead, message);
            }
        };
        for friend in friends.into_iter().rev().take(limits::ENTRY_FRIENDS_MAX) {
            let net = self.context.net.clone();
            self.tasks.spawn(async move {
                let device = friend.device;
                if let Err(error) = net.dial(device, friend.addresses).await {
                    debug!(%device, %error, "A friend is not where they were");
                }
            });
        }
    }

    /// Connects to a peer: where it was last, else where the DHT says.
    pub(crate) fn dial(&mut self, completion: Completion, device: DeviceId) {
        let context = self.context.clone();
        let hints = self.contacts.get(&device).cloned().unwrap_or_default();
        self.tasks.spawn(async move {
            if dial_known(&context, device, hints).await || dial_found(&context, device).await {
                let dialed = |completion| Back::Dialed { completion, device };
                completion.bring(dialed).await;
            } else {
                completion.tell(Err(ErrorCode::Unreachable)).await;
            }
        });
    }

    /// A dial has ended well: the peer's news is in the queue, or was told.
    pub(crate) fn dialed(&mut self, completion: Completion, device: DeviceId) {
        for _ in 0..limits::NET_QUEUE_MAX {
            if self.peers.contains_key(&device) {
                break;
            }
            let Ok(event) = self.inbox.net.try_recv() else {
                break;
            };
            self.apply_net(event);
        }
        self.tell(completion.done(Input::Dialed { device }));
    }

    /// A peer said hello: its addresses are worth remembering if it keeps data.
    pub(crate) fn remember_peer(&mut self, peer: &PeerUp) {
        if !peer.addresses.is_empty() {
            self.contacts.insert(peer.device, peer.addresses.clone());
        }
        if self.contacts.len() > limits::CONNECTIONS_MAX as usize * 4 {
            let peers = &self.peers;
            self.contacts.retain(|device, _| peers.contains_key(device));
        }
        let (catalogue, device, addresses) = (
            self.context.catalogue.clone(),
            peer.device,
            peer.addresses.clone(),
        );
        self.tasks.spawn(async move {
            let seen = blocking(move || -> Result<(), CatalogueError> {
                if catalogue.supplier(device)?.is_some() {
                    catalogue.mark_supplier_seen(device, wall_clock(), addresses.clone())?;
                }
                let friends = catalogue.friends()?;
                if friends.iter().any(|friend| friend.device == device) {
                    catalogue.mark_friend_seen(device, addresses)?;
                }
                Ok(())
            });
            if let Ok(Err(error)) = seen.await {
                debug!(%error, "A supplier's addresses were not remembered");
            }
        });
    }

    /// Looks for offers of space in one part of the key space.
    pub(crate) fn search_offers(&mut self, completion: Completion, slot: u8) {
        let context = self.context.clone();
        self.tasks.spawn(async move {
            let devices = match providers(&context, slot).await {
                Ok(devices) => devices,
                Err(code) => return completion.tell(Err(code)).await,
            };
            let own = context.device;
            let offers: Vec<Offer> = stream::iter(
                devices
                    .into_iter()
                    .filter(|device| *device != own)
                    .take(OFFERS_MAX),
            )
            .map(|device| find_offer(&context, device))
            .buffer_unordered(OFFERS_AT_ONCE)
            .filter_map(|offer| async { offer })
            .collect()
            .await;
            let found = |completion| Back::Offers { completion, offers };
            completion.bring(found).await;
        });
    }

    /// Offers came: their addresses are kept until the engine chose.
    pub(crate) fn offers_found(&mut self, completion: Completion, offers: Vec<Offer>) {
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
        self.tell(completion.done(Input::OffersFound { offers: facts }));
    }

    /// Remembers a stranger as a supplier.
    pub(crate) fn adopt_supplier(&mut self, completion: Completion, offer: &OfferFact) {
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
        self.start(completion, async move {
            blocking(move || catalogue.introduce_supplier(introduction))
                .await?
                .map_err(|error| error.code())?;
            Ok(Input::SupplierAdopted { device })
        });
    }

    /// Proposes a contract.
    pub(crate) fn propose(&mut self, completion: Completion, device: DeviceId, bytes: ByteCount) {
        let Some(peer) = self.peers.get(&device) else {
            return self.tell(completion.failed(ErrorCode::Unreachable));
        };
        let contract = Contract {
            customer: self.context.identity,
            lane: self.context.device,
            supplier_identity: peer.identity,
            supplier: device,
            bytes,
            patience_days: self.context.policy.patience_days,
            proposed_at: wall_clock(),
            nonce: random(),
        };
        let context = self.context.clone();
        self.start(completion, async move {
            let signed = sign_contract(&context, contract).await;
            signed.map(|()| Input::ContractSigned { device, bytes })
        });
    }

    /// Records a new set of holders.
    pub(crate) fn record_set(
        &mut self,
        completion: Completion,
        code: Code,
        holders: Vec<DeviceId>,
    ) {
        let context = self.context.clone();
        self.tasks.spawn(async move {
            let made = blocking(move || new_set(&context, code, holders)).await;
            match made.and_then(|made| made.map_err(|error| error.code())) {
                Ok((record, fact)) => {
                    let recorded = |completion| Back::SetRecorded {
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

    /// The set is durable.
    pub(crate) fn set_recorded(
        &mut self,
        completion: Completion,
        record: SetRecord,
        fact: SetFact,
    ) {
        self.sets.insert(record.set, record);
        self.set = Some(fact.clone());
        self.tell(completion.done(Input::SetRecorded { set: fact }));
    }

    /// Checks a random piece of what a supplier confirmed.
    pub(crate) fn check_supplier(&mut self, completion: Completion, device: DeviceId, pick: u64) {
        let catalogue = self.context.catalogue.clone();
        self.tasks.spawn(async move {
            let found = blocking(move || catalogue.random_confirmed_shard(device, pick)).await;
            match found.and_then(|found| found.map_err(|error| error.code())) {
                Ok(Some(shard)) => {
                    let chosen = |completion| Back::Check {
                        completion,
                        device,
                        shard: Box::new(shard),
                        pick,
                    };
                    completion.bring(chosen).await;
                }
                Ok(None) => completion.tell(Ok(Input::CheckEmpty { device })).await,
                Err(code) => completion.tell(Err(code)).await,
            }
        });
    }

    /// The piece to check is chosen.
    pub(crate) fn check_piece(
        &mut self,
        completion: Completion,
        device: DeviceId,
        shard: bitdust_store::catalogue::ConfirmedShard,
        pick: u64,
    ) {
        let load = Load::Check {
            pack: Box::new(shard.pack),
            position: shard.position,
            pick,
        };
        self.send_courier(device, Errand { load, completion });
    }

    /// Remembers the outcome of a check.
    pub(crate) fn checked(&mut self, device: DeviceId, ok: bool) {
        let catalogue = self.context.catalogue.clone();
        self.tasks.spawn(async move {
            if let Ok(Err(error)) =
                blocking(move || catalogue.mark_checked(device, wall_clock(), ok)).await
            {
                debug!(%error, "The outcome of a check was not remembered");
            }
        });
    }

    /// A supplier was caught: nothing it confirmed counts any more.
    pub(crate) fn doubt_supplier(
        &mut self,
        completion: Completion,
        device: DeviceId,
        code: ErrorCode,
        again: bool,
    ) {
        if !again {
            self.notice_doubt(device, code);
        }
        let catalogue = self.context.catalogue.clone();
        self.start(completion, async move {
            blocking(move || {
                catalogue.set_doubted(device, true)?;
                catalogue.unconfirm_supplier(device)
            })
            .await?
            .map_err(|error| error.code())?;
            Ok(Input::DoubtRecorded { device })
        });
    }

    fn notice_doubt(&mut self, device: DeviceId, code: ErrorCode) {
        let reason = if code == ErrorCode::NotFound {
            "does not have"
        } else {
            "gives wrong bytes for"
        };
        let name = self.supplier_name(device);
        let happening = Happening::SupplierDoubted { name: name.clone() };
        self.notice(
            Severity::Problem,
            happening,
            format!(
                "{name} {reason} what it confirmed; it no longer counts. \
                 Your data is as safe as the other suppliers make it"
            ),
        );
    }
}

async fn dial_known(context: &Context, device: DeviceId, mut hints: Vec<String>) -> bool {
    let catalogue = context.catalogue.clone();
    if let Ok(Ok(Some(supplier))) = blocking(move || catalogue.supplier(device)).await {
        hints.extend(supplier.addresses);
    }
    hints.sort();
    hints.dedup();
    !hints.is_empty() && context.net.dial(device, hints).await.is_ok()
}

async fn dial_found(context: &Context, device: DeviceId) -> bool {
    let key = dht_key(RecordKind::Addresses, &device.0);
    let Ok(Some(record)) = context.net.get_record(key).await else {
        return false;
    };
    let Ok(record) = validate_record(&KeyedRecord { key, record }, &context.network) else {
        return false;
    };
    let Ok(Addresses { contact }) = decode(&record.body) else {
        return false;
    };
    context.net.dial(device, contact.addresses).await.is_ok()
}

/// Devices that offer space, from the part of the key space that was asked for and, while
/// these are few, from the parts after it: a small network has few offers in any one part.
///
/// # Errors
/// If no part could be looked at.
async fn providers(context: &Context, slot: u8) -> Result<Vec<DeviceId>, ErrorCode> {
    let slots = (0..limits::OFFER_SLOTS).map(|step| (slot + step) % limits::OFFER_SLOTS);
    let mut looks = stream::iter(slots)
        .map(|slot| context.net.providers(offers_key(slot)))
        .buffered(OFFERS_AT_ONCE);
    let mut devices = Vec::new();
    let mut seen = Err(ErrorCode::Unreachable);
    while let Some(found) = looks.next().await {
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
        if devices.len() >= OFFERS_MAX {
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
            current,
            previous: None,
            full: false,
        });
    }
    let record = SetRecord {
        set: SetId(random()),
        owner: context.identity,
        lane: context.device,
        version: Sequence(1),
        k: code.k(),
        positions,
    };
    let signed = context.secrets.device.signing().sign(&record);
    context.catalogue.put_set(OwnSet {
        set: record.set,
        version: record.version,
        record: signed,
    })?;
    let fact = SetFact {
        set: record.set,
        code,
        holders,
    };
    Ok((record, fact))
}
