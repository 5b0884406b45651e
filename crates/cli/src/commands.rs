//! Does what a checked command line asks for.

mod device;
mod folder;
mod home;
mod jobs;
mod report;
mod run;
mod setting;
mod shell;
mod status;
mod supplier;
mod version;

use bitdust_api::{Answer, Call};
use bitdust_model::ErrorCode;
use bitdust_node::{Connection, Settings, Unlock, connect};

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::{Invocation, Task};
use crate::terminal;

pub(crate) use report::ReportObject;

/// What every command needs.
#[derive(Debug)]
pub(crate) struct Context {
    /// What the home is opened with.
    pub(crate) settings: Settings,
    /// Where the command speaks.
    pub(crate) output: Output,
}

/// Runs a command to its end.
pub(crate) async fn run(invocation: Invocation, output: Output) -> Result<Exit, Failure> {
    let context = Context {
        settings: invocation.node,
        output,
    };
    match invocation.task {
        Task::Init { nickname, keys } => home::init(context, nickname, keys).await,
        Task::Recover {
            old_machine_gone,
            keys,
        } => home::recover(context, old_machine_gone, keys).await,
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

/// Joins the node that holds the home, or holds it. Where the keys rest under a passphrase
/// and a person is there, asks for it once.
async fn open(context: &Context) -> Result<Connection, Failure> {
    let refusal = match connect(&context.settings).await {
        Ok(connection) => return Ok(connection),
        Err(error) => error,
    };
    let may_ask = context.settings.unlock == Unlock::None
        && !context.output.is_json()
        && terminal::is_there();
    if refusal.code != ErrorCode::NotAllowed || !refusal.message.contains("passphrase") || !may_ask
    {
        return Err(refusal.into());
    }
    let unlock = Unlock::Passphrase(terminal::ask_passphrase("Passphrase of this home: ")?);
    let connection = connect(&Settings {
        unlock,
        ..context.settings.clone()
    })
    .await?;
    Ok(connection)
}

/// One call on a connection of its own.
async fn ask(context: &Context, call: Call) -> Result<Answer, Failure> {
    let mut connection = open(context).await?;
    let answer = connection.call(call).await;
    close(connection, answer.map_err(Failure::from)).await
}

/// Leaves the node. What the command failed with weighs more than a failure to leave.
async fn close<T>(connection: Connection, result: Result<T, Failure>) -> Result<T, Failure> {
    let closed = connection.close().await;
    let value = result?;
    closed?;
    Ok(value)
}

/// For calls that give nothing back.
async fn order(context: &Context, call: Call) -> Result<(), Failure> {
    let Answer::Done = ask(context, call).await? else {
        return Err(Failure::odd_answer());
    };
    Ok(())
}
