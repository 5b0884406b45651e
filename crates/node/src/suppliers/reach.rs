//! How peers are reached, and where they are remembered to be.

use bitdust_api::history::Happening;
use bitdust_crypto::{dht_key, validate_record};
use bitdust_engine::Input;
use bitdust_model::locator::{Addresses, KeyedRecord, RecordKind};
use bitdust_model::{DeviceId, ErrorCode, Severity, decode, limits};
use bitdust_net::PeerUp;
use bitdust_store::CatalogueError;
use tracing::debug;

use super::Suppliers;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Driver;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

impl Suppliers {
    /// Connects to the nodes the home knows by address.
    pub(crate) fn reach_bootstrap(&mut self, driver: &mut Driver, bootstrap: Vec<String>) {
        for address in bootstrap {
            let context = self.context.clone();
            driver.spawn(async move {
                match context.net.dial_address(&address).await {
                    Ok(device) => debug!(%device, "Reached an entry node"),
                    Err(error) => debug!(%error, "An entry node does not answer"),
                }
            });
        }
        self.reach_friends(driver);
    }

    /// Connects to friends where they were last: whoever has moved is found by them, and they
    /// are a way in when no entry node is left.
    fn reach_friends(&self, driver: &mut Driver) {
        let friends = match self.context.catalogue.friends() {
            Ok(friends) => friends,
            Err(error) => {
                let message = format!("friends cannot be looked up: {error}; they may find you");
                return driver.notice(Severity::Warning, Happening::FriendsNotRead, message);
            }
        };
        for friend in friends.into_iter().rev().take(limits::ENTRY_FRIENDS_MAX) {
            let net = self.context.net.clone();
            driver.spawn(async move {
                let device = friend.device;
                if let Err(error) = net.dial(device, friend.addresses).await {
                    debug!(%device, %error, "A friend is not where they were");
                }
            });
        }
    }

    /// Connects to a peer: where it was last, else where the DHT says.
    pub(crate) fn dial(&mut self, driver: &mut Driver, completion: Completion, device: DeviceId) {
        let context = self.context.clone();
        let hints = self.contacts.get(&device).cloned().unwrap_or_default();
        driver.spawn(async move {
            if dial_known(&context, device, hints).await || dial_found(&context, device).await {
                let dialed = |completion| TaskEvent::Dialed { completion, device };
                completion.bring(dialed).await;
            } else {
                completion.tell(Err(ErrorCode::Unreachable)).await;
            }
        });
    }

    /// A dial has ended well; the loop has taken in the news of the peer.
    pub(crate) fn dialed(&self, driver: &mut Driver, completion: Completion, device: DeviceId) {
        driver.tell(completion.done(Input::Dialed { device }));
    }

    /// A peer said hello, and where it may be reached.
    pub(super) fn know_contact(&mut self, peer: &PeerUp) {
        if !peer.addresses.is_empty() {
            self.contacts.insert(peer.device, peer.addresses.clone());
        }
        if self.contacts.len() > limits::CONNECTIONS_MAX as usize * 4 {
            let peers = &self.peers;
            self.contacts
                .retain(|device, _| peers.is_connected(*device));
        }
    }

    /// Lets the catalogue know where a peer is reached that keeps data or is a friend.
    pub(crate) fn remember_contact(
        &self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
    ) {
        let catalogue = self.context.catalogue.clone();
        let addresses = self.contacts.get(&device).cloned().unwrap_or_default();
        driver.start(completion, async move {
            blocking(move || -> Result<(), CatalogueError> {
                if catalogue.supplier(device)?.is_some() {
                    catalogue.mark_supplier_seen(device, wall_clock(), addresses.clone())?;
                }
                let friends = catalogue.friends()?;
                if friends.iter().any(|friend| friend.device == device) {
                    catalogue.mark_friend_seen(device, addresses)?;
                }
                Ok(())
            })
            .await?
            .map_err(|error| error.code())?;
            Ok(Input::ContactRemembered { device })
        });
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
