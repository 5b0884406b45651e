//! Shards that a supplier has and never confirmed to this catalogue: it lists them, and proves a sample.
//!
//! A list alone is only its word. As many random pieces as make a suspect supplier trusted again are fetched
//! and proved; then the rest is believed as a receipt is, and checked by chance like everything else.

use bitdust_engine::{Input, sample};
use bitdust_model::ledger::GroupChange;
use bitdust_model::limits::{LISTING_PAGES_MAX, PROOFS_OF_TRUST};
use bitdust_model::message::Body;
use bitdust_model::shard::{SignedHeader, StoreHeader};
use bitdust_model::{DeviceId, ErrorCode, PackId, Position, ShardId, decode};
use bitdust_store::catalogue::ListedShard;
use bitdust_store::{Catalogue, CatalogueError};
use futures::stream::{StreamExt as _, TryStreamExt as _};
use tracing::debug;

use super::Suppliers;
use super::worker::check;
use crate::shared::answer::refusal;
use crate::shared::completion::Completion;
use crate::shared::context::{Context, wall_clock};
use crate::shared::driver::Driver;
use crate::shared::task::blocking;

/// Proofs that are waited for at once.
const PROOFS_AT_ONCE: usize = 8;
/// Shards that are recorded in one transaction.
const RECORDED_AT_ONCE: usize = 1_000;

impl Suppliers {
    /// Asks a supplier which shards of this lane it has, and has it prove some of those that count for it
    /// and that it has not confirmed.
    pub(crate) fn list_shards(
        &self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        pick: u64,
    ) {
        let context = self.context.clone();
        driver.start(completion, async move {
            let listing = Listing {
                context: &context,
                device,
            };
            let shards = listing.not_confirmed().await?;
            let (is_proved, moved) = match listing.prove(&shards, pick).await {
                Ok(()) => (true, listing.confirm(shards).await?),
                Err(code @ (ErrorCode::Corrupt | ErrorCode::NotFound)) => {
                    debug!(%device, code = code.name(), "Shards were listed and not proved");
                    (false, Vec::new())
                }
                Err(code) => return Err(code),
            };
            listing
                .catalogue(move |catalogue| catalogue.note_listed(device))
                .await?;
            Ok(Input::ShardsListed {
                device,
                is_proved,
                moved,
            })
        });
    }
}

struct Listing<'a> {
    context: &'a Context,
    device: DeviceId,
}

impl Listing<'_> {
    async fn catalogue<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Catalogue) -> Result<T, CatalogueError> + Send + 'static,
    ) -> Result<T, ErrorCode> {
        let catalogue = self.context.catalogue.clone();
        blocking(move || work(&catalogue))
            .await?
            .map_err(|error| error.code())
    }

    /// What it lists and has not confirmed.
    async fn not_confirmed(&self) -> Result<Vec<(PackId, Position)>, ErrorCode> {
        let (mut missing, mut after) = (Vec::new(), None);
        for _ in 0..LISTING_PAGES_MAX {
            let list = Body::List {
                lane: self.context.device,
                after,
            };
            let answer = self.context.net.request(self.device, list).await;
            let answer = answer.map_err(|error| error.code())?;
            let Body::Listing { headers, more } = answer else {
                return Err(refusal(&answer));
            };
            let listed: Vec<_> = headers.into_iter().filter_map(listed).collect();
            let last = listed.last().map(|shard| shard.shard);
            let device = self.device;
            let found = self.catalogue(move |catalogue| catalogue.not_confirmed(device, &listed));
            missing.extend(found.await?);
            if !more {
                return Ok(missing);
            }
            // In the order of their ids, so that it comes to an end.
            if last.is_none() || last <= after {
                return Err(ErrorCode::Malformed);
            }
            after = last;
        }
        Err(ErrorCode::TooMany)
    }

    /// Has it prove random pieces of so many of them as make anybody trusted.
    async fn prove(&self, shards: &[(PackId, Position)], pick: u64) -> Result<(), ErrorCode> {
        if shards.is_empty() {
            return Ok(());
        }
        let client = self.context.net.bulk(self.device).await;
        let client = &client.map_err(|error| error.code())?;
        let count = shards.len() as u64;
        let turns = (0..PROOFS_OF_TRUST).take(shards.len());
        let proofs = turns.filter_map(|turn| {
            let chosen = usize::try_from(sample(pick, turn, count)?).ok()?;
            Some((*shards.get(chosen)?, pick.rotate_left(turn.into())))
        });
        let proofs = proofs.map(|((pack, position), pick)| async move {
            let known = self.catalogue(move |catalogue| catalogue.pack_ref(pack));
            let pack = known.await?.ok_or(ErrorCode::Internal)?;
            check(self.context, client, &pack, position, pick).await
        });
        let proofs = futures::stream::iter(proofs).buffer_unordered(PROOFS_AT_ONCE);
        proofs.try_collect::<()>().await
    }

    /// Records all of them as kept.
    async fn confirm(
        &self,
        shards: Vec<(PackId, Position)>,
    ) -> Result<Vec<GroupChange>, ErrorCode> {
        let (device, is_any) = (self.device, !shards.is_empty());
        self.catalogue(move |catalogue| {
            let mut moved = Vec::new();
            for part in shards.chunks(RECORDED_AT_ONCE) {
                moved.extend(catalogue.confirm_listed(device, part.to_vec(), wall_clock())?);
            }
            if is_any {
                catalogue.mark_checked(device, wall_clock(), true)?;
            }
            Ok(moved)
        })
        .await
    }
}

/// The shard that an entry of a listing names. What its header says is held against the catalogue: nothing
/// is believed of it.
fn listed((position, header): (Position, SignedHeader)) -> Option<ListedShard> {
    let header: StoreHeader = decode(&header.header.bytes).ok()?;
    let shard: ShardId = *header.shards.get(usize::from(position.0))?;
    Some(ListedShard {
        pack: header.pack,
        position,
        shard,
    })
}
