//! The beginning of a stream of ours: it is waited for, and Hello is said on it, within one
//! request timeout.

use bitdust_model::DeviceId;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::error::NetError;
use crate::local::Local;
use crate::session::{Greeting, Session};
use crate::streams::{DirectStream, OpenError};

/// Waits for a stream to be opened, says Hello, and returns what the other side says.
pub(super) async fn say_hello(
    local: &Local,
    stream: &mut oneshot::Receiver<Result<DirectStream, OpenError>>,
    device: DeviceId,
    addresses: Vec<String>,
) -> Result<(DirectStream, Session, Greeting), NetError> {
    let limit = local.policy.request_timeout;
    let hello = async {
        let mut stream = opened(stream, device).await?;
        let (session, greeting) = local.say_hello(&mut stream, device, addresses).await?;
        Ok((stream, session, greeting))
    };
    timeout(limit, hello)
        .await
        .map_err(|_| NetError::timed_out(limit))?
}

/// Waits for a stream to be opened.
async fn opened(
    stream: &mut oneshot::Receiver<Result<DirectStream, OpenError>>,
    device: DeviceId,
) -> Result<DirectStream, NetError> {
    match stream.await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(OpenError::NotConnected)) => Err(NetError::Unreachable {
            device,
            reason: "there is no direct connection".to_owned(),
        }),
        Ok(Err(OpenError::Unsupported)) => Err(NetError::Incompatible { device }),
        Ok(Err(OpenError::Failed)) | Err(_) => {
            Err(NetError::interrupted("no stream could be opened"))
        }
    }
}
