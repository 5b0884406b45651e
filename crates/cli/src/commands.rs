//! Does what a checked command line asks for.

mod context;
mod device;
mod folder;
mod home;
mod jobs;
mod run;
mod setting;
mod shell;
mod status;
mod supplier;
mod version;

use bitdust_model::ErrorCode;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::{Invocation, Task};
use context::Context;

/// Runs a command to its end.
pub(crate) async fn run(invocation: Invocation, output: Output) -> Result<Exit, Failure> {
    let context = Context {
        settings: invocation.node,
        output,
    };
    match invocation.task {
        Task::Init { nickname, keys } => home::init(context, nickname, keys).await,
        Task::Recover { recover_as, keys } => home::recover(context, recover_as, keys).await,
        Task::DeviceList => device::list(&context).await,
        Task::Set { key, value } => setting::set(&context, key, value).await,
        Task::Get { key } => setting::get(&context, key).await,
        Task::Daemon => Box::pin(run::daemon(&context)).await,
        Task::Offer { space } => setting::offer(&context, space).await,
        Task::Invite => supplier::invite(&context).await,
        Task::Accept { code } => supplier::accept(&context, code).await,
        Task::SupplierList => supplier::list(&context).await,
        Task::SupplierHire {
            count,
            wait_seconds,
        } => supplier::hire(&context, count, wait_seconds).await,
        Task::CustomerList => supplier::customers(&context).await,
        Task::FolderAdd {
            path,
            excludes,
            crosses_mounts,
            schedule,
        } => folder::add(&context, path, excludes, crosses_mounts, schedule).await,
        Task::FolderList => folder::list(&context).await,
        Task::FolderRemove { folder } => folder::remove(&context, folder).await,
        Task::Backup { folders } => jobs::backup(&context, folders).await,
        Task::Snapshots => version::snapshots(&context).await,
        Task::Ls { target } => version::list(&context, target).await,
        Task::Restore {
            target,
            to,
            conflict,
        } => jobs::restore(&context, target, to, conflict).await,
        Task::Verify { sample } => jobs::verify(&context, sample).await,
        Task::Status => status::status(&context).await,
        Task::Demo(plan) => crate::demo::run(output, plan).await,
        Task::Completions { shell } => shell::completions(output, shell),
        Task::Man { to } => shell::man(output, to.as_deref()),
        Task::NotYet { name, instead } => Err(not_yet(name, instead)),
    }
}

fn not_yet(name: &str, instead: &str) -> Failure {
    Failure::new(
        ErrorCode::NotYet,
        format!("`bitdust {name}` belongs to a later release. Nothing was changed. {instead}"),
    )
}
