//! Who keeps data of this device: peers and how they are reached, contracts, sets, checks.

mod catching_up;
mod checks;
mod friends;
mod heads;
mod lineage;
mod listing;
mod publication;
mod reach;
mod search;
mod sets;
mod tips;
pub(crate) mod worker;

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use tracing::{debug, info};

use bitdust_api::history::Happening;
use bitdust_engine::{Input, RecordScope};
use bitdust_model::set::SetRecord;
use bitdust_model::{
    ByteCount, DeviceId, ErrorCode, IdentityId, Sequence, SetId, Severity, limits,
};
use bitdust_net::PeerUp;
use bitdust_store::catalogue::Friend;

use crate::shared::completion::Completion;
use crate::shared::config::Config;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::fences::tell_fences;
use crate::shared::names::{ConnectedPeer, Peers};
use crate::shared::task::blocking;
use crate::suppliers::publication::{OwnOffer, publish, publish_lane};
use crate::suppliers::worker::PendingSupplierRequest;

pub(crate) use checks::LostShards;

/// The customer's side of a node.
pub(crate) struct Suppliers {
    context: Context,
    /// One worker for each supplier that there was something to ask of.
    workers: BTreeMap<DeviceId, mpsc::Sender<PendingSupplierRequest>>,
    peers: Peers,
    /// Where peers may be reached.
    contacts: BTreeMap<DeviceId, Vec<String>>,
    listening: Vec<String>,
    /// Addresses confirmed by hand.
    external: Vec<String>,
    nickname: String,
    /// All sets that packs were coded for.
    sets: BTreeMap<SetId, SetRecord>,
    /// Who is told fences as soon as they come.
    unfenced: Vec<DeviceId>,
}

/// What a home knows of its suppliers at its start.
pub(crate) struct KnownSuppliers {
    pub(crate) friends: Vec<Friend>,
    /// All sets that packs were coded for.
    pub(crate) sets: BTreeMap<SetId, SetRecord>,
    /// Who has not taken fences yet.
    pub(crate) unfenced: Vec<DeviceId>,
}

/// What the own records are to tell anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordUpdate {
    pub(crate) scope: RecordScope,
    /// The newest head that was settled.
    pub(crate) settled: Option<Sequence>,
    /// What is offered to strangers.
    pub(crate) free: Option<ByteCount>,
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
            sets: known.sets,
            unfenced: known.unfenced,
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
        let state = ConnectedPeer {
            identity: peer.identity,
            nickname: peer.certificate.nickname.clone(),
            path: peer.path,
        };
        self.peers.came(peer.device, state);
        self.know_contact(peer);
        if self.unfenced.contains(&peer.device) {
            let (context, device) = (self.context.clone(), peer.device);
            driver.spawn(async move {
                if let Err(code) = tell_fences(&context, device).await {
                    debug!(code = code.name(), %device, "Fences are told when it comes again");
                }
            });
        }
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
        }
    }

    /// Hands a request to the worker of a supplier, starting one if there is none. One that has
    /// too much to do takes no more.
    pub(crate) fn request(
        &mut self,
        driver: &mut Driver,
        device: DeviceId,
        request: PendingSupplierRequest,
    ) {
        let worker = self.workers.entry(device).or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(limits::SUPPLIER_REQUESTS_MAX);
            driver.spawn(worker::run(self.context.clone(), device, receiver));
            sender
        });
        if let Err(error) = worker.try_send(request) {
            let request = error.into_inner();
            driver.tell(request.completion.failed(ErrorCode::Busy));
        }
    }

    /// Notes which head is settled, joins the DHT and puts own records. A node that ends meanwhile
    /// waits for it a little: whoever recovers looks there first.
    pub(crate) fn publish_records(
        &self,
        driver: &mut Driver,
        completion: Completion,
        update: RecordUpdate,
    ) {
        let (context, offer) = (self.context.clone(), self.own_offer(update.free));
        let ending = driver.ending();
        driver.finish(completion, async move {
            if let Some(settled) = update.settled
                && !context.catalogue.is_damaged()
            {
                let catalogue = context.catalogue.clone();
                let noted = blocking(move || catalogue.note_settled(settled)).await?;
                noted.map_err(|error| error.code())?;
            }
            let published = match update.scope {
                RecordScope::Lane => publish_lane(&context).await,
                RecordScope::All => publish(&context, offer, ending).await,
            };
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
}

#[cfg(test)]
mod tests {
    use bitdust_engine::Output;
    use bitdust_model::set::{Holder, PositionRecord, PositionState};
    use bitdust_model::{Position, Sequence, SetHash, UnixMillis};
    use bitdust_store::catalogue::Introduction;

    use super::*;
    use crate::shared::supplier_request::SupplierRequest;
    use crate::shared::task_event::TaskEvent;
    use crate::shared::testing::{TestHome, pack_ref};

    const BOB: DeviceId = DeviceId([2; 32]);

    fn suppliers(home: &TestHome) -> Suppliers {
        let known = KnownSuppliers {
            friends: Vec::new(),
            sets: BTreeMap::new(),
            unfenced: Vec::new(),
        };
        let listening = vec!["/ip4/127.0.0.1/tcp/1".to_owned()];
        Suppliers::new(home.context.clone(), &Config::default(), listening, known)
    }

    fn set(version: u64, holder: DeviceId) -> SetRecord {
        let identity = IdentityId([9; 32]);
        let holder = Holder {
            identity,
            device: holder,
        };
        SetRecord {
            set: SetId([1; 32]),
            owner: identity,
            lane: BOB,
            version: Sequence(version),
            previous: SetHash([0; 32]),
            k: 1,
            positions: vec![PositionRecord {
                state: PositionState::Active,
                since: Sequence(1),
                current: Some(holder),
                former: Vec::new(),
            }],
            mandate: None,
        }
    }

    #[tokio::test]
    async fn the_newer_of_two_sets_says_who_holds_what() {
        let home = TestHome::new().await;
        let mut suppliers = suppliers(&home);
        let newer = DeviceId([3; 32]);
        suppliers.learn_sets(vec![set(1, BOB), set(2, newer), set(1, BOB)]);
        let places = suppliers.places(SetId([1; 32]));
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].holders, [newer]);
        assert!(
            suppliers.places(SetId([7; 32])).is_empty(),
            "nobody knows it"
        );
    }

    #[tokio::test]
    async fn a_supplier_that_is_not_there_answers_at_once() {
        let mut home = TestHome::new().await;
        let mut suppliers = suppliers(&home);
        let output = Output::CheckSupplier {
            turn: 0,
            device: BOB,
            pick: 0,
        };
        let completion =
            Completion::of(&output, &home.context.task_events).expect("it is answered");
        let request = SupplierRequest::Check {
            pack: Box::new(pack_ref()),
            position: Position(0),
            pick: 0,
        };
        suppliers.request(
            &mut home.driver,
            BOB,
            PendingSupplierRequest {
                request,
                completion,
            },
        );
        let Some(TaskEvent::Input(answer)) = home.events.recv().await else {
            panic!("the engine is told");
        };
        let code = ErrorCode::Unreachable;
        assert_eq!(answer, Input::CheckFailed { device: BOB, code });
    }

    #[tokio::test]
    async fn a_contract_cannot_be_proposed_to_who_is_away() {
        let mut home = TestHome::new().await;
        let mut suppliers = suppliers(&home);
        let bytes = ByteCount(7);
        let output = Output::Propose { device: BOB, bytes };
        let completion =
            Completion::of(&output, &home.context.task_events).expect("it is answered");
        suppliers.propose(&mut home.driver, completion, BOB, bytes);
        let code = ErrorCode::Unreachable;
        assert_eq!(home.told(), [Input::ContractRefused { device: BOB, code }]);
    }

    #[tokio::test]
    async fn where_a_supplier_and_a_friend_are_reached_is_remembered() {
        let mut home = TestHome::new().await;
        let mut suppliers = suppliers(&home);
        let (catalogue, identity) = (home.context.catalogue.clone(), IdentityId([9; 32]));
        let known = Introduction {
            device: BOB,
            identity,
            friend: false,
            addresses: Vec::new(),
            seen: None,
        };
        catalogue.introduce_supplier(known).expect("written");
        let friend = Friend {
            device: BOB,
            identity,
            nickname: "bob".to_owned(),
            addresses: Vec::new(),
            since: UnixMillis(1),
        };
        catalogue.put_friend(friend).expect("written");
        let reached = vec!["/ip4/127.0.0.1/tcp/7".to_owned()];
        suppliers.contacts.insert(BOB, reached.clone());
        for device in [BOB, DeviceId([3; 32])] {
            let output = Output::RememberContact { device };
            let completion =
                Completion::of(&output, &home.context.task_events).expect("it is answered");
            suppliers.remember_contact(&mut home.driver, completion, device);
            let Some(TaskEvent::Input(answer)) = home.events.recv().await else {
                panic!("the engine is told");
            };
            assert_eq!(answer, Input::ContactRemembered { device });
        }
        let supplier = catalogue.supplier(BOB).expect("read").expect("a supplier");
        assert_eq!(supplier.addresses, reached);
        assert!(supplier.last_seen.is_some());
        let friends = catalogue.friends().expect("read");
        assert_eq!(friends.len(), 1, "nobody else became one");
        assert_eq!(friends[0].addresses, reached);
    }

    #[tokio::test]
    async fn a_further_address_is_listed_once() {
        let home = TestHome::new().await;
        let mut suppliers = suppliers(&home);
        for _ in 0..2 {
            suppliers.listens("/ip4/127.0.0.1/tcp/2".to_owned());
        }
        assert_eq!(suppliers.seen().listening.len(), 2);
        assert_eq!(suppliers.own_offer(None).addresses.len(), 2);
    }
}
