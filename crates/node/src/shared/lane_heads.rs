//! What suppliers keep of the heads of this identity.

use bitdust_model::head::LaneHeads;
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, limits};

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
