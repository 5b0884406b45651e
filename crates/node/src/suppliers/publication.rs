//! The own records in the DHT: those that lead to the own data, addresses and offer.

use bitdust_crypto::{dht_key, offers_key};
use bitdust_model::locator::{Addresses, Contact, DhtRecord, KeyedRecord, Offer, RecordKind};
use bitdust_model::{ByteCount, ErrorCode, encode, limits};
use bitdust_net::NetError;
use tracing::debug;

use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Ending;
use crate::shared::records::{lane_locators, locators, next_public_sequence};
use crate::shared::task::blocking;

/// What this node tells strangers about itself.
#[derive(Debug, Clone)]
pub(crate) struct OwnOffer {
    /// Where it listens.
    pub(crate) addresses: Vec<String>,
    /// Space not yet promised; `None`: it offers nothing.
    pub(crate) free: Option<ByteCount>,
}

/// Joins the DHT and puts all own records into it; done when it was joined and at least one copy of one was
/// taken. Where the node ends meanwhile they are put without the joining, which takes seconds where many are gone.
pub(crate) async fn publish(
    context: &Context,
    offer: OwnOffer,
    mut ending: Ending,
) -> Result<(), ErrorCode> {
    // What leads to the own data is not made from a damaged catalogue; what was put lives on.
    let mut records = if context.catalogue.is_damaged() {
        Vec::new()
    } else {
        locators(context).await?
    };
    let joined = match ending.unless_begun(context.net.bootstrap()).await {
        Some(Err(error)) => {
            debug!(%error, "The DHT could not be joined");
            Err(error)
        }
        Some(Ok(())) | None => Ok(()),
    };
    if offer.free.is_some() {
        let (worker, offer) = (context.clone(), offer.clone());
        records.extend(blocking(move || public_records(&worker, &offer)).await??);
    }
    let put = if records.is_empty() {
        // There is nothing to lead to, and the network is joined as far as it can be.
        Ok(())
    } else {
        are_placed(joined, put_all(context, records).await)
    };
    if offer.free.is_some() {
        let slot = context.device.0[0] % limits::OFFER_SLOTS;
        if let Err(error) = context.net.start_providing(offers_key(slot)).await {
            debug!(%error, "The offer could not be announced");
        }
    }
    put
}

/// Whether records lie where they are looked for. A node that knew nobody when it joined may have met a first one
/// meanwhile, who took them; others would not find them once that one is gone, so they are put again.
fn are_placed(joined: Result<(), NetError>, put: Result<(), ErrorCode>) -> Result<(), ErrorCode> {
    put?;
    match joined {
        Err(error @ NetError::NoPeers) => Err(error.code()),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Puts the records of the lane into the DHT, which was joined before; done as above.
pub(crate) async fn publish_lane(context: &Context) -> Result<(), ErrorCode> {
    if context.catalogue.is_damaged() {
        return Ok(());
    }
    put_all(context, lane_locators(context).await?).await
}

async fn put_all(context: &Context, records: Vec<KeyedRecord>) -> Result<(), ErrorCode> {
    let mut copies = 0;
    let mut failure = ErrorCode::Unreachable;
    let puts = records
        .into_iter()
        .map(|record| context.net.put_record(record));
    for put in futures::future::join_all(puts).await {
        match put {
            Ok(taken) => copies += taken,
            Err(error) => {
                debug!(%error, "A record could not be put");
                failure = error.code();
            }
        }
    }
    if copies > 0 { Ok(()) } else { Err(failure) }
}

fn public_records(context: &Context, offer: &OwnOffer) -> Result<Vec<KeyedRecord>, ErrorCode> {
    let now = wall_clock();
    let sequence = next_public_sequence(context)?;
    let contact = Contact {
        identity: context.identity,
        device: context.device,
        addresses: offer
            .addresses
            .iter()
            .take(limits::ADDRESSES_MAX)
            .cloned()
            .collect(),
    };
    let signing = context.secrets.device.signing();
    let free = offer.free.unwrap_or_default();
    let space = Offer {
        contact: contact.clone(),
        certificate: context.secrets.certificate.clone(),
        free,
    };
    let records = [
        (RecordKind::Offer, encode(&space)),
        (RecordKind::Addresses, encode(&Addresses { contact })),
    ]
    .into_iter()
    .map(|(kind, body)| {
        let record = DhtRecord {
            kind,
            network: context.network.to_string(),
            sequence,
            written_at: now,
            body,
        };
        KeyedRecord {
            key: dht_key(kind, &context.device.0),
            record: signing.sign(&record),
        }
    });
    Ok(records.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_only_a_first_node_took_are_put_again() {
        assert_eq!(are_placed(Ok(()), Ok(())), Ok(()));
        let alone = are_placed(Err(NetError::NoPeers), Ok(()));
        assert_eq!(alone, Err(NetError::NoPeers.code()));
        let busy = are_placed(Err(NetError::Busy), Ok(()));
        assert_eq!(busy, Ok(()), "the table is filled");
        let refused = are_placed(Ok(()), Err(ErrorCode::Stale));
        assert_eq!(refused, Err(ErrorCode::Stale));
    }
}
