//! Blocking work from async tasks.

use bitdust_model::ErrorCode;

/// Runs blocking work on its own thread. A panic there is a defect and is reported as one.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ErrorCode> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ErrorCode::Internal)
}
