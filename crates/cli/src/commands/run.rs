//! `daemon`: the node itself.

use bitdust_api::{Answer, Call};
use bitdust_node::{Settings, connect};
use serde_json::json;
use tokio::sync::oneshot;
use tracing::warn;

use super::context::Context;
use crate::escape::escaped;
use crate::failure::{Exit, Failure};
use crate::text::fingerprint;

/// Holds the home until a signal or `Call::Shutdown`; says once when it is ready.
pub(super) async fn daemon(context: &Context) -> Result<Exit, Failure> {
    let (listening, listens) = oneshot::channel();
    let node = bitdust_node::daemon(&context.settings, move |addresses| {
        // The other end is gone only when this command is.
        let _ = listening.send(addresses.to_vec());
    });
    let announce = async {
        match listens.await {
            Ok(addresses) => announce(context, &addresses).await,
            // The node ended before it was ready and says itself why.
            Err(_) => Ok(()),
        }
    };
    let mut node = std::pin::pin!(node);
    tokio::select! {
        ended = &mut node => ended?,
        announced = announce => {
            if let Err(failure) = announced {
                warn!(%failure, "Could not announce readiness");
            }
            node.await?;
        }
    }
    Ok(Exit::Done)
}

async fn announce(context: &Context, addresses: &[String]) -> Result<(), Failure> {
    let device = own_device(&context.settings).await;
    if let Err(failure) = &device {
        warn!(%failure, "Could not ask the node for its name");
    }
    let device = device.ok();
    context.output.result(
        &json!({ "ready": true, "addresses": addresses, "device": device }),
        || {
            let name = device
                .as_deref()
                .map(|device| format!(" as {}", fingerprint(device)))
                .unwrap_or_default();
            let addresses: Vec<_> = addresses.iter().map(|address| escaped(address)).collect();
            format!("Ready{name}, listening on {}\n", addresses.join(" "))
        },
    )
}

/// Asks the node through its local socket, which shows at once that others can, too.
async fn own_device(settings: &Settings) -> Result<String, Failure> {
    let mut connection = connect(settings).await?;
    let answer = connection.call(Call::Status).await;
    connection.close().await?;
    let Answer::Status(view) = answer? else {
        return Err(Failure::odd_answer());
    };
    Ok(view.device)
}
