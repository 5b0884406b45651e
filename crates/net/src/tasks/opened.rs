//! The stream that a task was promised.

use bitdust_model::DeviceId;
use tokio::sync::oneshot;

use crate::error::NetError;
use crate::streams::{DirectStream, OpenError};

/// Waits for a stream to be opened.
pub(super) async fn opened(
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
