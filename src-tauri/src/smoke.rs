//! `--smoke-test`: the packaged program starts, its host answers one call, and it quits. The
//! exit code says whether that worked.

use bitdust_api::{HostAnswer, HostCall, HostState};
use bitdust_model::intervals::SMOKE_PATIENCE;
use bitdust_node::Host;
use tauri::{AppHandle, Manager as _};
use tracing::{error, info};

/// Makes the call beside the window and ends the program.
pub(crate) fn begin(app: AppHandle) {
    let host = app.state::<Host>().inner().clone();
    tauri::async_runtime::spawn(async move {
        let answer = tokio::time::timeout(SMOKE_PATIENCE, host.host(HostCall::State)).await;
        let code = match answer {
            Ok(Ok(HostAnswer::Host(view))) => match view.state {
                HostState::Failed { error } => {
                    error!(%error, "The node could not start");
                    1
                }
                HostState::Absent
                | HostState::Locked
                | HostState::Starting
                | HostState::Recovering { .. }
                | HostState::Running
                | HostState::Attached => {
                    info!("The host answers");
                    0
                }
            },
            Ok(Ok(
                HostAnswer::Created(_) | HostAnswer::WordsAreRight(_) | HostAnswer::Recovered(_),
            )) => {
                error!("The host answered something else");
                1
            }
            Ok(Err(error)) => {
                error!(%error, "The host refused to answer");
                1
            }
            Err(_) => {
                error!("The host did not answer");
                1
            }
        };
        app.exit(code);
    });
}
