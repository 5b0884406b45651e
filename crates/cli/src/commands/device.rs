//! `device list`.

use bitdust_api::view::DeviceView;
use bitdust_api::{Answer, Call};
use serde_json::json;

use super::context::{Context, ask};
use crate::failure::{Exit, Failure};
use crate::text::{fingerprint, minute};

pub(super) async fn list(context: &Context) -> Result<Exit, Failure> {
    let Answer::Devices(devices) = ask(context, Call::DeviceList).await? else {
        return Err(Failure::odd_answer());
    };
    context.output.result(&json!({ "devices": devices }), || {
        devices.iter().map(line).collect()
    })?;
    Ok(Exit::Done)
}

fn line(device: &DeviceView) -> String {
    let remark = match (device.this, device.fenced) {
        (true, false) => "  this machine",
        (true, true) => "  this machine, closed",
        (false, true) => "  closed",
        (false, false) => "",
    };
    let since = device
        .since
        .map(|since| format!("  since {}", minute(since)));
    format!(
        "{}{}{remark}\n",
        fingerprint(&device.device),
        since.unwrap_or_default()
    )
}
