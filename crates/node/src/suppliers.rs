//! Who keeps data of this device: peers and how they are reached, contracts, sets, checks.

mod checks;
mod friends;
mod reach;
pub(crate) mod records;
mod search;
mod sets;
pub(crate) mod worker;

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use tracing::{debug, info};

use bitdust_api::history::Happening;
use bitdust_engine::{Input, SetFact};
use bitdust_model::manifest::SetRecord;
use bitdust_model::{ByteCount, DeviceId, ErrorCode, IdentityId, SetId, Severity, limits};
use bitdust_net::PeerUp;
use bitdust_store::catalogue::Friend;

use crate::shared::completion::Completion;
use crate::shared::config::Config;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::names::{Peer, Peers};
use crate::suppliers::records::OwnOffer;
use crate::suppliers::worker::Errand;

/// The customer's side of a node.
pub(crate) struct Suppliers {
    context: Context,
    /// One worker for each supplier that there was something to ask of.
    workers: BTreeMap<DeviceId, mpsc::Sender<Errand>>,
    peers: Peers,
    /// Where peers may be reached.
    contacts: BTreeMap<DeviceId, Vec<String>>,
    listening: Vec<String>,
    /// Addresses confirmed by hand.
    external: Vec<String>,
    nickname: String,
    /// The set of new packs.
    set: Option<SetFact>,
    /// All sets that packs were coded for.
    sets: BTreeMap<SetId, SetRecord>,
}

/// What a home knows of its suppliers at its start.
pub(crate) struct KnownSuppliers {
    /// Friends.
    pub(crate) friends: Vec<Friend>,
    /// The set of new packs.
    pub(crate) set: Option<SetFact>,
    /// All sets that packs were coded for.
    pub(crate) sets: BTreeMap<SetId, SetRecord>,
}

impl Suppliers {
    /// The suppliers of a home that listens on these addresses.
    pub(crate) fn new(
        context: Context,
        config: &Config,
        listening: Vec<String>,
        known: KnownSuppliers,
    ) -> Self {
        let mut peers = Peers::default();
        for friend in known.friends {
            peers.add_friend(friend.device, friend.identity, friend.nickname);
        }
        Self {
            context,
            workers: BTreeMap::new(),
            peers,
            contacts: BTreeMap::new(),
            listening,
            external: config.external.clone(),
            nickname: config.nickname.clone(),
            set: known.set,
            sets: known.sets,
        }
    }

    /// Settings changed.
    pub(crate) fn configure(&mut self, config: &Config) {
        self.external.clone_from(&config.external);
        self.nickname.clone_from(&config.nickname);
    }

    /// The node listens on a further address.
    pub(crate) fn listens(&mut self, address: String) {
        if !self.listening.contains(&address) && self.listening.len() < limits::ADDRESSES_MAX {
            info!("Listening on a further address");
            self.listening.push(address);
        }
    }

    /// A peer said hello.
    pub(crate) fn peer_up(&mut self, driver: &mut Driver, peer: &PeerUp) {
        debug!(device = %peer.device, path = ?peer.path, "Peer up");
        let state = Peer {
            identity: peer.identity,
            nickname: peer.certificate.nickname.clone(),
            path: peer.path,
        };
        self.peers.came(peer.device, state);
        self.remember_peer(driver, peer);
        driver.tell(Input::PeerUp {
            device: peer.device,
            identity: peer.identity,
        });
    }

    /// The last connection to a peer is gone.
    pub(crate) fn peer_down(&mut self, driver: &mut Driver, device: DeviceId) {
        debug!(%device, "Peer down");
        self.peers.went(device);
        self.workers.remove(&device);
        driver.tell(Input::PeerDown { device });
    }

    /// Whether a peer is connected.
    pub(crate) fn is_connected(&self, device: DeviceId) -> bool {
        self.peers.is_connected(device)
    }

    /// Whether a person is a friend.
    pub(crate) fn is_friend(&self, identity: IdentityId) -> bool {
        self.peers.is_friend(identity)
    }

    /// What a person sees beside a fingerprint.
    pub(crate) fn name_of(&self, device: DeviceId) -> String {
        self.peers.name_of(device)
    }

    /// Peers and addresses as they are now, for people.
    pub(crate) fn seen(&self) -> SuppliersSeen {
        SuppliersSeen {
            peers: self.peers.clone(),
            listening: self.listening.clone(),
            set: self.set.clone(),
        }
    }

    /// Hands a request to the worker of a supplier, starting one if there is none. One that has
    /// too much to do takes no more.
    pub(crate) fn request(&mut self, driver: &mut Driver, device: DeviceId, errand: Errand) {
        let worker = self.workers.entry(device).or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(limits::COURIER_QUEUE_MAX);
            driver.spawn(worker::run(self.context.clone(), device, receiver));
            sender
        });
        if let Err(error) = worker.try_send(errand) {
            let errand = error.into_inner();
            driver.tell(errand.completion.failed(ErrorCode::Busy));
        }
    }

    /// Joins the DHT and puts the own records; `free` is what is offered to strangers.
    pub(crate) fn publish_records(
        &self,
        driver: &mut Driver,
        completion: Completion,
        free: Option<ByteCount>,
    ) {
        let (context, offer) = (self.context.clone(), self.own_offer(free));
        driver.start(completion, async move {
            let published = records::publish(&context, offer).await;
            published.map(|()| Input::RecordsPublished)
        });
    }

    /// What this node tells strangers about itself.
    pub(crate) fn own_offer(&self, free: Option<ByteCount>) -> OwnOffer {
        OwnOffer {
            addresses: self.reachable_addresses(),
            free,
        }
    }

    /// Addresses under which others reach this node.
    fn reachable_addresses(&self) -> Vec<String> {
        let addresses = self.listening.iter().chain(&self.external);
        addresses.take(limits::ADDRESSES_MAX).cloned().collect()
    }

    /// A supplier signed a contract.
    pub(crate) fn contract_signed(&self, driver: &mut Driver, device: DeviceId, bytes: ByteCount) {
        let name = self.name_of(device);
        let message = format!("{name} keeps data for you now");
        let happening = Happening::SupplierSigned {
            name,
            bytes: bytes.0,
        };
        driver.notice(Severity::Note, happening, message);
    }

    /// Nothing more is asked of anybody.
    pub(crate) fn shut_down(&mut self) {
        self.workers.clear();
    }
}

/// What people see of peers and addresses.
pub(crate) struct SuppliersSeen {
    /// Who is connected, and who is a friend.
    pub(crate) peers: Peers,
    /// Where this node listens.
    pub(crate) listening: Vec<String>,
    /// The set of new packs.
    pub(crate) set: Option<SetFact>,
}
