//! The people who keep our data: contracts, addresses, and when they last proved it.

use bitdust_model::contract::{Contract, ContractAcceptance};
use bitdust_model::document::Signed;
use bitdust_model::limits::{ADDRESSES_MAX, SUPPLIERS_MAX};
use bitdust_model::{ByteCount, DeviceId, IdentityId, UnixMillis};
use rusqlite::{Row, Transaction, params};

use super::error::refuse_when_full;
use super::{Catalogue, CatalogueError};
use crate::database::DatabaseError;
use crate::row::{
    AddressesRow, blob, decode_row, decode_signed, encode_row, encode_signed, from_column,
    time_or_none, to_column,
};

/// A supplier as this device knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplier {
    /// The machine.
    pub device: DeviceId,
    /// The person.
    pub identity: IdentityId,
    /// Whether it came by invitation.
    pub friend: bool,
    /// Where it was last reached; at most `ADDRESSES_MAX`.
    pub addresses: Vec<String>,
    /// The contract as we signed it.
    pub contract: Option<Signed<Contract>>,
    /// The supplier's signature under it.
    pub acceptance: Option<Signed<ContractAcceptance>>,
    /// Bytes agreed.
    pub bytes: ByteCount,
    /// When it was last connected, by our clock.
    pub last_seen: Option<UnixMillis>,
    /// When it last gave a receipt or a good proof, by our clock.
    pub last_proof: Option<UnixMillis>,
    /// When it last failed to give one.
    pub last_miss: Option<UnixMillis>,
    /// Whether it lost something and has not proved since that it keeps the rest: how often all that
    /// it had confirmed was taken back.
    pub suspect: Option<u8>,
}

/// What is known of a supplier before it signs, or learned of it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// The machine.
    pub device: DeviceId,
    /// The person.
    pub identity: IdentityId,
    /// Whether it came by invitation.
    pub friend: bool,
    /// Where it can be reached; at most `ADDRESSES_MAX`.
    pub addresses: Vec<String>,
    /// When it was connected, by our clock.
    pub seen: Option<UnixMillis>,
}

/// A contract with both signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedContract {
    /// The supplier's machine.
    pub device: DeviceId,
    /// The supplier's person.
    pub identity: IdentityId,
    /// Bytes agreed.
    pub bytes: ByteCount,
    /// As we signed it.
    pub contract: Signed<Contract>,
    /// The supplier's signature under it.
    pub acceptance: Signed<ContractAcceptance>,
    /// When the answer came, by our clock.
    pub at: UnixMillis,
}

const COLUMNS: &str = "device, identity, friend, addresses, contract, acceptance, bytes, last_seen, last_proof, last_miss, suspect";

impl Catalogue {
    /// Adds a supplier, or adds to what is known of it: a friend stays one, no addresses keep the
    /// old ones, and contract, proofs and suspicion are left as they are, whoever writes them
    /// meanwhile. At most `SUPPLIERS_MAX`.
    pub fn introduce_supplier(&self, introduction: Introduction) -> Result<(), CatalogueError> {
        let Introduction {
            device,
            identity,
            friend,
            addresses,
            seen,
        } = introduction;
        let keeps_addresses = addresses.is_empty();
        let addresses = encode_addresses(addresses)?;
        let seen = seen.map(|at| to_column("time", at.0)).transpose()?;
        self.write_durably(move |transaction| {
            transaction.execute(
                "INSERT INTO suppliers (device, identity, friend, addresses, bytes, last_seen, suspect)
                 VALUES (?1, ?2, ?3, ?4, 0, ?5, 0)
                 ON CONFLICT (device) DO UPDATE SET
                     friend = max(friend, excluded.friend),
                     addresses = iif(?6, addresses, excluded.addresses),
                     last_seen = coalesce(excluded.last_seen, last_seen)",
                params![device.0, identity.0, friend, addresses, seen, keeps_addresses],
            )?;
            refuse_too_many(transaction)
        })
    }

    /// Records that both signed a contract; what else is known of the supplier is left as it is.
    /// At most `SUPPLIERS_MAX`.
    pub fn record_contract(&self, signed: SignedContract) -> Result<(), CatalogueError> {
        let SignedContract {
            device,
            identity,
            bytes,
            contract,
            acceptance,
            at,
        } = signed;
        let contract = encode_signed(&contract)?;
        let acceptance = encode_signed(&acceptance)?;
        let bytes = to_column("byte count", bytes.0)?;
        let at = to_column("time", at.0)?;
        let nowhere = encode_addresses(Vec::new())?;
        self.write_durably(move |transaction| {
            transaction.execute(
                "INSERT INTO suppliers
                     (device, identity, friend, addresses, contract, acceptance, bytes, last_seen, suspect)
                 VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, 0)
                 ON CONFLICT (device) DO UPDATE SET
                     contract = excluded.contract,
                     acceptance = excluded.acceptance,
                     bytes = excluded.bytes,
                     last_seen = excluded.last_seen",
                params![device.0, identity.0, nowhere, contract, acceptance, bytes, at],
            )?;
            refuse_too_many(transaction)
        })
    }

    /// All suppliers, by device.
    pub fn suppliers(&self) -> Result<Vec<Supplier>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM suppliers ORDER BY device"))?;
            statement.query_and_then([], supplier_from_row)?.collect()
        })
    }

    /// One supplier.
    pub fn supplier(&self, device: DeviceId) -> Result<Option<Supplier>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM suppliers WHERE device = ?1"
            ))?;
            let mut rows = statement.query([device.0])?;
            match rows.next()? {
                Some(row) => Ok(Some(supplier_from_row(row)?)),
                None => Ok(None),
            }
        })
    }

    /// Remembers that a supplier was connected, and where; no addresses keep the old ones.
    pub fn mark_supplier_seen(
        &self,
        device: DeviceId,
        at: UnixMillis,
        addresses: Vec<String>,
    ) -> Result<(), CatalogueError> {
        let at = to_column("time", at.0)?;
        let addresses = if addresses.is_empty() {
            None
        } else {
            Some(encode_addresses(addresses)?)
        };
        self.write(move |transaction| {
            transaction
                .prepare_cached(
                    "UPDATE suppliers SET last_seen = ?2, addresses = coalesce(?3, addresses) WHERE device = ?1",
                )?
                .execute(params![device.0, at, addresses])?;
            Ok(())
        })
    }

    /// Remembers the outcome of a check. It is about the time of proofs alone: a miss makes nobody
    /// suspect, and a good one does not end that, see [`withdraw_shards`](Self::withdraw_shards).
    pub fn mark_checked(
        &self,
        device: DeviceId,
        at: UnixMillis,
        ok: bool,
    ) -> Result<(), CatalogueError> {
        let at = to_column("time", at.0)?;
        let sql = if ok {
            "UPDATE suppliers SET last_proof = ?2 WHERE device = ?1"
        } else {
            "UPDATE suppliers SET last_miss = ?2 WHERE device = ?1"
        };
        self.write(move |transaction| update(transaction, sql, device, at))
    }

    /// Remembers that a suspect supplier counts again.
    pub fn trust_supplier(&self, device: DeviceId) -> Result<(), CatalogueError> {
        let sql = "UPDATE suppliers SET suspect = ?2 WHERE device = ?1";
        self.write_durably(move |transaction| update(transaction, sql, device, 0))
    }
}

fn refuse_too_many(transaction: &Transaction<'_>) -> Result<(), CatalogueError> {
    let count = "SELECT count(*) FROM suppliers";
    refuse_when_full(transaction, "suppliers", count, SUPPLIERS_MAX + 1)
}

fn update(
    transaction: &Transaction<'_>,
    sql: &str,
    device: DeviceId,
    value: i64,
) -> Result<(), CatalogueError> {
    transaction
        .prepare_cached(sql)?
        .execute(params![device.0, value])?;
    Ok(())
}

/// Encodes addresses within their limits: a longer list is cut, a longer address refused.
pub(super) fn encode_addresses(mut addresses: Vec<String>) -> Result<Vec<u8>, DatabaseError> {
    addresses.truncate(ADDRESSES_MAX);
    encode_row(&AddressesRow(addresses))
}

/// Addresses as a column held them.
pub(super) fn decode_addresses(bytes: &[u8]) -> Result<Vec<String>, DatabaseError> {
    Ok(decode_row::<AddressesRow>(bytes)?.0)
}

/// How often all was taken back of a supplier that is suspect.
fn suspect_from_column(column: i64) -> Option<u8> {
    let emptied = column.checked_sub(1).filter(|emptied| *emptied >= 0)?;
    Some(u8::try_from(emptied).unwrap_or(u8::MAX))
}

fn supplier_from_row(row: &Row<'_>) -> Result<Supplier, CatalogueError> {
    let contract: Option<Vec<u8>> = row.get(4)?;
    let acceptance: Option<Vec<u8>> = row.get(5)?;
    Ok(Supplier {
        device: DeviceId(row.get(0)?),
        identity: IdentityId(row.get(1)?),
        friend: row.get(2)?,
        addresses: decode_addresses(blob(row, 3)?)?,
        contract: contract.as_deref().map(decode_signed).transpose()?,
        acceptance: acceptance.as_deref().map(decode_signed).transpose()?,
        bytes: ByteCount(from_column("byte count", row.get(6)?)?),
        last_seen: time_or_none(row, 7)?,
        last_proof: time_or_none(row, 8)?,
        last_miss: time_or_none(row, 9)?,
        suspect: suspect_from_column(row.get(10)?),
    })
}
