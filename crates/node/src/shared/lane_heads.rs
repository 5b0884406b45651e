//! What suppliers keep of the heads of this identity.

use bitdust_model::head::{Head, LaneHeads};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, HeadHash, Sequence, Signed, limits};

use crate::shared::answer::refusal;
use crate::shared::context::Context;

/// All heads that a supplier keeps of the identity.
pub(crate) async fn heads_of(
    context: &Context,
    device: DeviceId,
) -> Result<Vec<LaneHeads>, ErrorCode> {
    let (mut all, mut after) = (Vec::new(), None);
    // One page has a lane at least.
    for _ in 0..limits::DEVICES_MAX {
        let answer = context.net.request(device, Body::HeadsAsk { after }).await;
        let answer = answer.map_err(|error| error.code())?;
        let Body::Heads { lanes, more } = answer else {
            return Err(refusal(&answer));
        };
        let newest = lanes.last().and_then(|lane| lane.tips.first());
        after = newest.map(|tip| DeviceId(tip.head.signer));
        all.extend(lanes);
        if !more || after.is_none() {
            break;
        }
    }
    Ok(all)
}

/// A head of this lane as a supplier keeps it, with its own signature.
pub(crate) struct OwnTip {
    pub(crate) head: Head,
    pub(crate) signed: Signed<Head>,
}

/// The newest head of this lane that a supplier tells.
pub(crate) async fn own_tip(
    context: &Context,
    device: DeviceId,
) -> Result<Option<OwnTip>, ErrorCode> {
    let lanes = heads_of(context, device).await?;
    let own = context.device;
    let tips = lanes
        .into_iter()
        .filter_map(|lane| lane.tips.into_iter().next());
    let mut tips = tips.filter(|tip| tip.head.signer == own.0);
    let Some(tip) = tips.next() else {
        return Ok(None);
    };
    let head = bitdust_crypto::verify_by(&tip.head, &own.0);
    let head = head.map_err(|_| ErrorCode::NotAuthentic)?;
    if head.lane != own || head.owner != context.identity {
        return Err(ErrorCode::NotAuthentic);
    }
    Ok(Some(OwnTip {
        head,
        signed: tip.head,
    }))
}

/// Which that is.
pub(crate) async fn ask_tip(
    context: &Context,
    device: DeviceId,
) -> Result<Option<(Sequence, HeadHash)>, ErrorCode> {
    let tip = own_tip(context, device).await?;
    Ok(tip.map(|tip| {
        let hash = bitdust_crypto::head_hash(&tip.signed);
        (tip.head.sequence, hash)
    }))
}
