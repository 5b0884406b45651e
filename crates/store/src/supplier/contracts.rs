//! Contracts with customers.

use bitdust_model::contract::{Contract, ContractAcceptance};
use bitdust_model::document::Signed;
use bitdust_model::limits::CUSTOMERS_MAX;
use bitdust_model::{ByteCount, DeviceId, IdentityId};
use rusqlite::{Row, params};

use super::alignment::note_lane;
use super::{ShardError, ShardStore};
use crate::row::{blob, count, decode_signed, encode_signed, from_column, to_column};

/// A contract in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredContract {
    /// The customer.
    pub identity: IdentityId,
    /// The device that writes.
    pub lane: DeviceId,
    /// Bytes agreed.
    pub bytes: ByteCount,
    /// What the customer signed.
    pub contract: Signed<Contract>,
    /// What we signed.
    pub acceptance: Signed<ContractAcceptance>,
}

impl ShardStore {
    /// Enters a contract, or replaces the one with the same lane. At most `CUSTOMERS_MAX`.
    pub fn put_contract(&self, contract: StoredContract) -> Result<(), ShardError> {
        let bytes = to_column("byte count", contract.bytes.0)?;
        let (signed, acceptance) = (
            encode_signed(&contract.contract)?,
            encode_signed(&contract.acceptance)?,
        );
        let documents = self.shared.documents.clone();
        self.write(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO contracts (identity, lane, bytes, contract, acceptance)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    contract.identity.0,
                    contract.lane.0,
                    bytes,
                    signed,
                    acceptance
                ],
            )?;
            // One more than allowed is one too many: the transaction is rolled back.
            if count(transaction, "SELECT count(*) FROM contracts")? > CUSTOMERS_MAX {
                return Err(ShardError::TooMany {
                    what: "contracts",
                    count_max: CUSTOMERS_MAX,
                });
            }
            note_lane(&documents, transaction, contract.identity, contract.lane)
        })
    }

    /// All contracts, by customer and lane.
    pub fn contracts(&self) -> Result<Vec<StoredContract>, ShardError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT identity, lane, bytes, contract, acceptance FROM contracts ORDER BY identity, lane",
            )?;
            statement.query_and_then([], contract_from_row)?.collect()
        })
    }

    /// People of whom shards or heads lie here, with or without a contract; at most
    /// `CUSTOMERS_MAX`.
    pub fn owners(&self) -> Result<Vec<IdentityId>, ShardError> {
        let limit = to_column("limit", CUSTOMERS_MAX as u64)?;
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT identity FROM usage WHERE shards > 0 UNION SELECT identity FROM heads LIMIT ?1",
            )?;
            let rows = statement.query_map([limit], |row| Ok(IdentityId(row.get(0)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The contract with one lane.
    pub fn contract(
        &self,
        identity: IdentityId,
        lane: DeviceId,
    ) -> Result<Option<StoredContract>, ShardError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT identity, lane, bytes, contract, acceptance FROM contracts WHERE identity = ?1 AND lane = ?2",
            )?;
            let mut rows = statement.query([identity.0, lane.0])?;
            match rows.next()? {
                Some(row) => Ok(Some(contract_from_row(row)?)),
                None => Ok(None),
            }
        })
    }
}

fn contract_from_row(row: &Row<'_>) -> Result<StoredContract, ShardError> {
    Ok(StoredContract {
        identity: IdentityId(row.get(0)?),
        lane: DeviceId(row.get(1)?),
        bytes: ByteCount(from_column("byte count", row.get(2)?)?),
        contract: decode_signed(blob(row, 3)?)?,
        acceptance: decode_signed(blob(row, 4)?)?,
    })
}
