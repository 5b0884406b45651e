//! Friends: invited, and made by an invitation.

use tokio::sync::oneshot;

use bitdust_api::history::Happening;
use bitdust_api::{Answer, ApiError};
use bitdust_crypto::{invitation, random};
use bitdust_engine::{Input, SupplierFact};
use bitdust_model::locator::{Contact, Invitation};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, IdentityId, Severity, limits};
use bitdust_net::{Peer, Reply};
use bitdust_store::catalogue::{Friend, Introduction, Redeemed};
use bitdust_store::{Catalogue, CatalogueError};

use super::Suppliers;
use crate::shared::answer::{Reported, catalogue_error, refusal};
use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Driver;
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

/// Addresses in an invitation, so that it stays short.
const INVITATION_ADDRESSES_MAX: usize = 4;

impl Suppliers {
    /// Answers with a code that makes whoever has it first a friend, once its token is kept.
    pub(crate) fn invite(&self, driver: &mut Driver, reply: oneshot::Sender<Reported>) {
        let token: [u8; 16] = random();
        let invitation = Invitation {
            network: self.context.network.to_string(),
            contact: self.own_contact(),
            nickname: self.nickname.clone(),
            certificate: self.context.secrets.certificate.clone(),
            token,
        };
        let signed = self.context.secrets.device.signing().sign(&invitation);
        let catalogue = self.context.catalogue.clone();
        driver.spawn(async move {
            let issued = blocking(move || catalogue.issue_invitation(&token, wall_clock())).await;
            let answer = match issued {
                Ok(Ok(())) => Ok(Answer::Invitation(invitation::to_text(&signed))),
                Ok(Err(error)) => Err(catalogue_error(error)),
                Err(code) => Err(ApiError::new(code, crate::shared::words::failure(code))),
            };
            // A front end that left does not wait for its answer.
            drop(reply.send(answer));
        });
    }

    fn own_contact(&self) -> Contact {
        let addresses = self
            .reachable_addresses()
            .into_iter()
            .take(INVITATION_ADDRESSES_MAX)
            .collect();
        Contact {
            identity: self.context.identity,
            device: self.context.device,
            addresses,
        }
    }

    /// Shows the token of an invitation to who issued it.
    pub(crate) fn accept_invitation(
        &mut self,
        driver: &mut Driver,
        code: &str,
        reply: oneshot::Sender<Reported>,
    ) {
        let invitation = match invitation::from_text(code) {
            Ok(invitation) if *invitation.network == *self.context.network => invitation,
            Ok(invitation) => {
                let message = format!(
                    "the invitation is for the network {:?}, this home belongs to {:?}; nothing was changed",
                    invitation.network, self.context.network
                );
                return drop(reply.send(Err(ApiError::new(ErrorCode::Incompatible, message))));
            }
            Err(error) => {
                return drop(
                    reply.send(Err(ApiError::new(ErrorCode::BadRequest, error.to_string()))),
                );
            }
        };
        self.contacts.insert(
            invitation.contact.device,
            invitation.contact.addresses.clone(),
        );
        let (context, own) = (self.context.clone(), self.own_contact());
        driver.spawn(async move {
            let made = befriend(&context, &invitation, own).await.map_err(|code| {
                ApiError::new(
                    code,
                    format!(
                        "the invitation could not be used: {}; nothing was changed",
                        crate::shared::words::failure(code)
                    ),
                )
            });
            match made {
                Ok(()) => {
                    let made = TaskEvent::FriendMade {
                        invitation: Box::new(invitation),
                        reply,
                    };
                    drop(context.task_events.send(made).await);
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        });
    }

    /// The friend is recorded: the engine may hire them.
    pub(crate) fn friend_made(&mut self, driver: &mut Driver, invitation: &Invitation) {
        let contact = &invitation.contact;
        self.peers.add_friend(
            contact.device,
            contact.identity,
            invitation.nickname.clone(),
        );
        notice_friend(driver, &invitation.nickname, contact.device);
        driver.tell(Input::FriendMade {
            supplier: SupplierFact {
                device: contact.device,
                identity: contact.identity,
                friend: true,
                contract: None,
                proved_ago_ms: None,
                suspect: None,
                missed_ago_ms: None,
            },
        });
    }

    /// Somebody shows a token of ours: a task looks whether it is, and records them.
    pub(crate) fn befriended(&self, driver: &mut Driver, from: Peer, body: Body, reply: Reply) {
        let Body::Befriend {
            token,
            contact,
            nickname,
        } = body
        else {
            return reply.refuse(ErrorCode::Malformed);
        };
        if contact.device != from.device || contact.identity != from.identity {
            return reply.refuse(ErrorCode::NotAuthentic);
        }
        let nickname: String = nickname.chars().take(limits::NICKNAME_BYTES_MAX).collect();
        let (device, identity) = (from.device, from.identity);
        let friend = Friend {
            device,
            identity,
            nickname: nickname.clone(),
            addresses: contact.addresses,
            since: wall_clock(),
        };
        let context = self.context.clone();
        driver.spawn(async move {
            let catalogue = context.catalogue.clone();
            let redeemed = blocking(move || redeem(&catalogue, &token, friend)).await;
            match redeemed.and_then(|redeemed| redeemed) {
                Ok(()) => {
                    let recorded = TaskEvent::Befriended {
                        device,
                        identity,
                        nickname,
                        reply,
                    };
                    // Whoever asked a loop that has ended learns by a closed stream.
                    drop(context.task_events.send(recorded).await);
                }
                Err(code) => reply.refuse(code),
            }
        });
    }

    /// Somebody is recorded as a friend: they are told so.
    pub(crate) fn friend_recorded(
        &mut self,
        driver: &mut Driver,
        device: DeviceId,
        identity: IdentityId,
        nickname: String,
        reply: Reply,
    ) {
        notice_friend(driver, &nickname, device);
        self.peers.add_friend(device, identity, nickname);
        reply.send(Body::Done);
    }
}

/// Uses up a token and records who showed it as a friend.
fn redeem(catalogue: &Catalogue, token: &[u8; 16], friend: Friend) -> Result<(), ErrorCode> {
    let redeemed = catalogue.redeem_invitation(token, friend.identity, wall_clock());
    match redeemed.map_err(|error| error.code())? {
        Redeemed::Accepted => catalogue.put_friend(friend).map_err(|error| error.code()),
        Redeemed::AlreadyUsed => Err(ErrorCode::Expired),
        Redeemed::Unknown => Err(ErrorCode::NotFound),
    }
}

fn notice_friend(driver: &mut Driver, nickname: &str, device: DeviceId) {
    let name = format!("{nickname} · {}", device.fingerprint());
    let message = format!("{name} is a friend now");
    driver.notice(Severity::Note, Happening::FriendMade { name }, message);
}

/// Shows the token to who issued it, and records them as a friend.
async fn befriend(
    context: &Context,
    invitation: &Invitation,
    own: Contact,
) -> Result<(), ErrorCode> {
    let contact = invitation.contact.clone();
    context
        .net
        .dial(contact.device, contact.addresses.clone())
        .await
        .map_err(|error| error.code())?;
    let body = Body::Befriend {
        token: invitation.token,
        contact: own,
        nickname: context.nickname.to_string(),
    };
    let answer = context
        .net
        .request(contact.device, body)
        .await
        .map_err(|error| error.code())?;
    if answer != Body::Done {
        return Err(refusal(&answer));
    }
    let (catalogue, nickname) = (context.catalogue.clone(), invitation.nickname.clone());
    blocking(move || {
        record_friend(
            &catalogue,
            contact.device,
            contact.identity,
            contact.addresses,
            nickname,
        )
    })
    .await?
    .map_err(|error| error.code())
}

fn record_friend(
    catalogue: &Catalogue,
    device: DeviceId,
    identity: IdentityId,
    addresses: Vec<String>,
    nickname: String,
) -> Result<(), CatalogueError> {
    catalogue.introduce_supplier(Introduction {
        device,
        identity,
        friend: true,
        addresses: addresses.clone(),
        seen: Some(wall_clock()),
    })?;
    catalogue.put_friend(Friend {
        device,
        identity,
        nickname,
        addresses,
        since: wall_clock(),
    })
}
