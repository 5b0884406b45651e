//! The records that lead to the own data, left with a supplier.

use bitdust_model::locator::KeyedRecord;
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, limits};

use crate::shared::answer::refusal;
use crate::shared::context::Context;

/// Leaves records with a supplier; gives those that it keeps instead, as they are not older. They are nobody's word
/// yet.
pub(crate) async fn deposit(
    context: &Context,
    device: DeviceId,
    records: Vec<KeyedRecord>,
) -> Result<Vec<KeyedRecord>, ErrorCode> {
    let answer = context.net.request(device, Body::Deposit(records)).await;
    let answer = answer.map_err(|error| error.code())?;
    let Body::Located(mut instead) = answer else {
        return Err(refusal(&answer));
    };
    instead.truncate(limits::DEPOSITS_PER_CUSTOMER_MAX);
    Ok(instead)
}
