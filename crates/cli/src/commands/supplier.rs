//! `invite`, `accept`, `supplier list`, `supplier hire` and `customer list`.

use std::time::Duration;

use bitdust_api::view::{ContractView, SupplierView};
use bitdust_api::{Answer, Call, Event};
use bitdust_model::intervals::HIRE_LOOK_EVERY;
use bitdust_model::{ByteCount, ErrorCode, Severity};
use bitdust_node::Connection;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::context::{Context, ask, close, open};
use crate::escape::escaped;
use crate::failure::{Exit, Failure};
use crate::text::{count, fingerprint, minute};

pub(super) async fn invite(context: &Context) -> Result<Exit, Failure> {
    let Answer::Invitation(code) = ask(context, Call::Invite).await? else {
        return Err(Failure::odd_answer());
    };
    context.output.result(&json!({ "invitation": code }), || {
        format!("{}\n", escaped(&code))
    })?;
    context.output.note("Send this text to your friend, who runs `bitdust accept CODE`. Keep your node running meanwhile.");
    Ok(Exit::Done)
}

pub(super) async fn accept(context: &Context, code: String) -> Result<Exit, Failure> {
    let Answer::Supplier(supplier) = ask(context, Call::Accept { code }).await? else {
        return Err(Failure::odd_answer());
    };
    context
        .output
        .result(&json!({ "supplier": supplier }), || {
            format!("You and {} are friends now.\n", escaped(&supplier.name))
        })?;
    Ok(Exit::Done)
}

pub(super) async fn list(context: &Context) -> Result<Exit, Failure> {
    let Answer::Suppliers(suppliers) = ask(context, Call::SupplierList).await? else {
        return Err(Failure::odd_answer());
    };
    context.output.result(&json!({ "suppliers": suppliers }), || {
        if suppliers.is_empty() {
            return "Nobody keeps your data yet. `bitdust accept CODE` takes an invitation, `bitdust supplier hire N` searches.\n".to_owned();
        }
        suppliers.iter().map(supplier_line).collect()
    })?;
    Ok(Exit::Done)
}

pub(super) async fn customers(context: &Context) -> Result<Exit, Failure> {
    let Answer::Customers(customers) = ask(context, Call::CustomerList).await? else {
        return Err(Failure::odd_answer());
    };
    context
        .output
        .result(&json!({ "customers": customers }), || {
            if customers.is_empty() {
                return "Nothing is kept here for others.\n".to_owned();
            }
            customers.iter().map(customer_line).collect()
        })?;
    Ok(Exit::Done)
}

/// Searches until there are so many suppliers or the time is over. A running node goes on.
pub(super) async fn hire(
    context: &Context,
    wanted: u8,
    wait_seconds: u32,
) -> Result<Exit, Failure> {
    let mut connection = open(context).await?;
    let goes_on = connection.is_attached();
    let found = search(context, &mut connection, wanted, wait_seconds).await;
    let suppliers = close(connection, found).await?;
    let hired = hired(&suppliers);
    if hired < usize::from(wanted) && wait_seconds > 0 {
        let next = if goes_on {
            "The running node goes on searching; `bitdust supplier list` tells how it stands."
        } else {
            "`bitdust daemon` goes on searching while it runs."
        };
        return Err(Failure::new(
            ErrorCode::TooFewSuppliers,
            format!(
                "{hired} of {wanted} suppliers were found within {wait_seconds} s. What is stored stays stored. {next}"
            ),
        ));
    }
    context.output.result(
        &json!({ "wanted": wanted, "hired": hired, "suppliers": suppliers }),
        || {
            let mut text = format!(
                "You have {}.\n",
                count(hired as u64, "supplier", "suppliers")
            );
            text.extend(suppliers.iter().map(supplier_line));
            text
        },
    )?;
    Ok(Exit::Done)
}

async fn search(
    context: &Context,
    connection: &mut Connection,
    wanted: u8,
    wait_seconds: u32,
) -> Result<Vec<SupplierView>, Failure> {
    let deadline = Instant::now() + Duration::from_secs(wait_seconds.into());
    let Answer::Done = connection
        .call(Call::SupplierHire { count: wanted })
        .await?
    else {
        return Err(Failure::odd_answer());
    };
    loop {
        let Answer::Suppliers(suppliers) = connection.call(Call::SupplierList).await? else {
            return Err(Failure::odd_answer());
        };
        if hired(&suppliers) >= usize::from(wanted) || Instant::now() >= deadline {
            return Ok(suppliers);
        }
        let look_at = deadline.min(Instant::now() + HIRE_LOOK_EVERY);
        while let Ok(event) = timeout_at(look_at, connection.event()).await {
            let Some(event) = event else {
                return Err(Failure::new(
                    ErrorCode::Interrupted,
                    "The node stopped while it searched. Start it again, then try again.",
                ));
            };
            if let Event::Notice { line } = event
                && line.severity != Severity::Note
            {
                context.output.note(&line.message);
            }
        }
    }
}

/// Suppliers that agreed to keep something.
fn hired(suppliers: &[SupplierView]) -> usize {
    suppliers
        .iter()
        .filter(|supplier| supplier.contract_bytes > 0)
        .count()
}

/// A supplier on one line.
pub(super) fn supplier_line(supplier: &SupplierView) -> String {
    let presence = match (supplier.online, supplier.last_seen) {
        (true, _) => "online".to_owned(),
        (false, Some(seen)) => format!("away since {}", minute(seen)),
        (false, None) => "not seen yet".to_owned(),
    };
    let kind = if supplier.friend {
        "friend"
    } else {
        "stranger"
    };
    let mut line = format!(
        "  {}  {kind}, {presence}, keeps {} of {}",
        escaped(&supplier.name),
        ByteCount(supplier.kept_bytes),
        ByteCount(supplier.contract_bytes),
    );
    if let Some(proof) = supplier.last_proof {
        line.push_str(&format!(", proved {}", minute(proof)));
    }
    if supplier.is_suspect {
        line.push_str(", does not count until it has proved what it keeps");
    }
    line.push('\n');
    line
}

fn customer_line(customer: &ContractView) -> String {
    let presence = if customer.online { "online" } else { "away" };
    format!(
        "  {}  machine {}, {presence}, uses {} of {}\n",
        fingerprint(&customer.identity),
        fingerprint(&customer.device),
        ByteCount(customer.used_bytes),
        ByteCount(customer.contract_bytes),
    )
}
