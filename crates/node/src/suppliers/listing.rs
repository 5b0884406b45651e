//! Shards that a supplier has and never confirmed to this catalogue: it lists them, and proves a sample.
//!
//! A list alone is only its word. As many random pieces as make a suspect supplier trusted again are fetched
//! and proved; then the rest is believed as a receipt is, and checked by chance like everything else.

use bitdust_engine::{Input, Random};
use bitdust_model::ledger::GroupChange;
use bitdust_model::limits::{LISTING_PAGES_MAX, PROOFS_OF_TRUST};
use bitdust_model::manifest::PackRef;
use bitdust_model::message::Body;
use bitdust_model::shard::{SignedHeader, StoreHeader};
use bitdust_model::{DeviceId, ErrorCode, PackId, Position, ShardId, decode};
use bitdust_net::BulkClient;
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
            // What can fail before it knows what it is asked for is no answer to that.
            let chosen = listing.choose(&shards, pick).await?;
            let client = context.net.bulk(device).await;
            let client = client.map_err(|error| error.code())?;
            let is_proved = listing.prove(&client, chosen).await;
            let (moved, is_recorded) = if is_proved {
                listing.confirm(shards).await
            } else {
                (Vec::new(), true)
            };
            if is_recorded {
                let noted = listing.catalogue(move |catalogue| catalogue.note_listed(device));
                noted.await?;
            }
            Ok(Input::ShardsListed {
                device,
                is_proved: is_proved && is_recorded,
                moved,
            })
        });
    }
}

/// A piece that is to be proved.
struct Proof {
    pack: PackRef,
    position: Position,
    /// Picks the piece.
    pick: u64,
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
            // In the order of their ids, each once: so that it comes to an end, and none is counted twice.
            let mut last = after;
            for shard in &listed {
                if Some(shard.shard) <= last {
                    return Err(ErrorCode::Malformed);
                }
                last = Some(shard.shard);
            }
            let device = self.device;
            let found = self.catalogue(move |catalogue| catalogue.not_confirmed(device, &listed));
            missing.extend(found.await?);
            if !more {
                return Ok(missing);
            }
            if last == after {
                return Err(ErrorCode::Malformed);
            }
            after = last;
        }
        Err(ErrorCode::TooMany)
    }

    /// Chooses by chance which of them are to be proved, and which piece of each: it listed them before that.
    async fn choose(
        &self,
        shards: &[(PackId, Position)],
        pick: u64,
    ) -> Result<Vec<Proof>, ErrorCode> {
        let mut random = Random::from_number(pick);
        let mut left: Vec<_> = shards.to_vec();
        let mut chosen = Vec::new();
        while chosen.len() < usize::from(PROOFS_OF_TRUST) && !left.is_empty() {
            let at = usize::try_from(random.below(left.len() as u64)).unwrap_or(0);
            chosen.push((left.swap_remove(at), random.next_word()));
        }
        self.catalogue(move |catalogue| {
            let proofs = chosen.into_iter().map(|((pack, position), pick)| {
                let known = catalogue.pack_ref(pack)?;
                let pack = known.ok_or(CatalogueError::UnknownPack { pack })?;
                Ok(Proof {
                    pack,
                    position,
                    pick,
                })
            });
            proofs.collect()
        })
        .await
    }

    /// Has it prove them. It has one chance: whoever could fail and be asked for others would in the end be
    /// asked only for what it has.
    async fn prove(&self, client: &BulkClient, chosen: Vec<Proof>) -> bool {
        let proofs = chosen.into_iter().map(|proof| async move {
            let Proof {
                pack,
                position,
                pick,
            } = proof;
            check(self.context, client, &pack, position, pick).await
        });
        let proofs = futures::stream::iter(proofs).buffer_unordered(PROOFS_AT_ONCE);
        match proofs.try_collect::<()>().await {
            Ok(()) => true,
            Err(code) => {
                debug!(device = %self.device, code = code.name(), "Shards were listed and not proved");
                false
            }
        }
    }

    /// Records all of them as kept. Says how that moved packs, and whether all were recorded: where the disk
    /// refuses, it is asked again after the next start.
    async fn confirm(&self, shards: Vec<(PackId, Position)>) -> (Vec<GroupChange>, bool) {
        let (catalogue, device) = (self.context.catalogue.clone(), self.device);
        let done = blocking(move || {
            let mut moved = Vec::new();
            for part in shards.chunks(RECORDED_AT_ONCE) {
                let now = wall_clock();
                let Ok(changes) = catalogue.confirm_listed(device, part.to_vec(), now) else {
                    return (moved, false);
                };
                moved.extend(changes);
            }
            let is_fresh =
                shards.is_empty() || catalogue.mark_checked(device, wall_clock(), true).is_ok();
            (moved, is_fresh)
        });
        done.await.unwrap_or_default()
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
