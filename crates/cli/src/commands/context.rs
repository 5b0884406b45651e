//! What every command needs, and the ways in which commands speak with the node.

use bitdust_api::{Answer, Call};
use bitdust_model::ErrorCode;
use bitdust_node::{Connection, Settings, Unlock, connect};

use crate::failure::Failure;
use crate::output::Output;
use crate::terminal;

/// What every command needs.
#[derive(Debug)]
pub(super) struct Context {
    /// What the home is opened with.
    pub(super) settings: Settings,
    /// Where the command speaks.
    pub(super) output: Output,
}

/// Joins the node that holds the home, or holds it. Where the keys rest under a passphrase
/// and a person is there, asks for it once.
pub(super) async fn open(context: &Context) -> Result<Connection, Failure> {
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
pub(super) async fn ask(context: &Context, call: Call) -> Result<Answer, Failure> {
    let mut connection = open(context).await?;
    let answer = connection.call(call).await;
    close(connection, answer.map_err(Failure::from)).await
}

/// Leaves the node. What the command failed with weighs more than a failure to leave.
pub(super) async fn close<T>(
    connection: Connection,
    result: Result<T, Failure>,
) -> Result<T, Failure> {
    let closed = connection.close().await;
    let value = result?;
    closed?;
    Ok(value)
}

/// For calls that give nothing back.
pub(super) async fn order(context: &Context, call: Call) -> Result<(), Failure> {
    let Answer::Done = ask(context, call).await? else {
        return Err(Failure::odd_answer());
    };
    Ok(())
}
