//! Before a run of the node gives the first head to anybody, those who are there are asked what they have of
//! the lane: a list that was laid back to an older copy would go on from there.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use tracing::warn;

use bitdust_engine::{LaneStand, ToldHead, lane_stand};
use bitdust_model::intervals::RECORDS_PATIENCE;
use bitdust_model::set::SetRecord;
use bitdust_model::{DeviceId, ErrorCode, Sequence, decode};
use bitdust_store::CatalogueError;

use crate::shared::context::Context;
use crate::shared::lane_heads::ask_tip;
use crate::shared::task::blocking;

/// What this run knows of the lane.
#[derive(Clone)]
pub(super) struct LaneCheck {
    stand: watch::Sender<Stand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Nobody was asked, or too few answered.
    Unasked,
    Asking,
    Abreast,
    Behind,
}

impl LaneCheck {
    pub(super) fn new() -> Self {
        Self {
            stand: watch::Sender::new(Stand::Unasked),
        }
    }

    /// Waits until those who are there have told what they have; `Forked` where somebody has what is not
    /// known here, `Busy` where too few told.
    pub(super) async fn pass(&self, context: &Context) -> Result<(), ErrorCode> {
        let mut stand = self.stand.subscribe();
        let is_first = self.stand.send_if_modified(|stand| {
            let is_unasked = *stand == Stand::Unasked;
            if is_unasked {
                *stand = Stand::Asking;
            }
            is_unasked
        });
        if is_first {
            let found = ask_all(context).await;
            let found = match found {
                Ok(LaneStand::Abreast) => Stand::Abreast,
                Ok(LaneStand::Behind) => Stand::Behind,
                Ok(LaneStand::Unheard) | Err(_) => Stand::Unasked,
            };
            self.note(found);
        }
        let settled = stand.wait_for(|stand| *stand != Stand::Asking).await;
        match settled.map(|stand| *stand) {
            Ok(Stand::Abreast) => Ok(()),
            Ok(Stand::Behind) => Err(ErrorCode::Forked),
            Ok(Stand::Unasked | Stand::Asking) | Err(_) => Err(ErrorCode::Busy),
        }
    }

    /// Somebody has what is not known here.
    pub(super) fn fall_behind(&self) {
        self.note(Stand::Behind);
    }

    fn note(&self, found: Stand) {
        let before = self.stand.send_replace(found);
        if found == Stand::Behind && before != Stand::Behind {
            warn!("A supplier has a newer head of this lane, which is not known here");
        }
    }
}

/// Asks all active holders that are connected. Once enough have answered, others have a short time.
async fn ask_all(context: &Context) -> Result<LaneStand, ErrorCode> {
    let catalogue = context.catalogue.clone();
    let sets = blocking(move || catalogue.sets()).await?;
    let sets = sets.map_err(|error| error.code())?;
    // The home set, whose holders keep the lists: the one that was made last, as in the lane record.
    let home = sets.last();
    let home = home.and_then(|set| decode::<SetRecord>(&set.record.bytes).ok());
    let Some(home) = home else {
        return Ok(LaneStand::Unheard);
    };
    let active: BTreeSet<DeviceId> = home.active().collect();
    let quorum = home.quorum().unwrap_or(0);
    let peers = context.net.peers().await.map_err(|error| error.code())?;
    let there = peers.into_iter().map(|peer| peer.device);
    let mut asked: FuturesUnordered<_> = there
        .filter(|device| active.contains(device))
        .map(|device| told_by(context, device))
        .collect();
    let mut told = Vec::new();
    let soon = tokio::time::sleep(RECORDS_PATIENCE);
    tokio::pin!(soon);
    let mut is_soon = true;
    loop {
        let stand = lane_stand(&told, active.len(), quorum);
        if stand == LaneStand::Behind || (stand == LaneStand::Abreast && !is_soon) {
            return Ok(stand);
        }
        tokio::select! {
            answer = asked.next() => {
                let Some(answer) = answer else {
                    return Ok(stand);
                };
                // Whoever does not answer has told nothing.
                if let Ok(head) = answer {
                    told.push(head);
                }
            }
            () = &mut soon, if is_soon => is_soon = false,
        }
    }
}

async fn told_by(context: &Context, device: DeviceId) -> Result<ToldHead, ErrorCode> {
    let Some((sequence, hash)) = ask_tip(context, device).await? else {
        return Ok(ToldHead::Nothing);
    };
    let catalogue = context.catalogue.clone();
    let known = blocking(move || {
        if let Some(own) = catalogue.head(sequence)? {
            return Ok::<_, CatalogueError>(own.hash == hash);
        }
        let oldest = catalogue.heads_between(Sequence(0), Sequence(i64::MAX as u64), 1)?;
        let oldest = oldest.first();
        Ok(oldest.is_some_and(|oldest| sequence < oldest.sequence))
    });
    let is_known = known.await?.map_err(|error| error.code())?;
    Ok(if is_known {
        ToldHead::Known
    } else {
        ToldHead::Unknown
    })
}
