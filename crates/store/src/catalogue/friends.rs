//! Friends, and the invitations that make them.
//!
//! Of an invitation only the hash of its token is kept, so that a copy of the catalogue
//! invites nobody.

use bitdust_model::limits::{FRIENDS_MAX, NICKNAME_BYTES_MAX};
use bitdust_model::{DeviceId, IdentityId, UnixMillis};
use rusqlite::{OptionalExtension, Row, params};

use super::error::refuse_when_full;
use super::suppliers::{decode_addresses, encode_addresses};
use super::{Catalogue, CatalogueError};
use crate::row::{blob, check_length, from_column, to_column};

/// A friend's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Friend {
    /// The machine.
    pub device: DeviceId,
    /// The person.
    pub identity: IdentityId,
    /// The person's nickname; a label, not a proof.
    pub nickname: String,
    /// Where it was last reached.
    pub addresses: Vec<String>,
    /// Since when, by our clock.
    pub since: UnixMillis,
}

/// What came of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// It was good, or this person had used it before (the answer may have been lost).
    Accepted,
    /// Somebody else used it.
    AlreadyUsed,
    /// It was never issued here.
    Unknown,
}

impl Catalogue {
    /// Remembers an invitation's token. At most `FRIENDS_MAX` unused ones.
    pub fn issue_invitation(&self, token: &[u8; 16], at: UnixMillis) -> Result<(), CatalogueError> {
        let hash = token_hash(token);
        let at = to_column("time", at.0)?;
        self.write_durably(move |transaction| {
            refuse_when_full(
                transaction,
                "unused invitations",
                "SELECT count(*) FROM invitations WHERE used_by IS NULL",
                FRIENDS_MAX,
            )?;
            transaction.execute(
                "INSERT OR IGNORE INTO invitations (token_hash, issued_at) VALUES (?1, ?2)",
                params![hash, at],
            )?;
            Ok(())
        })
    }

    /// Uses a token once: the first person who shows it gets it, durably.
    pub fn redeem_invitation(
        &self,
        token: &[u8; 16],
        by: IdentityId,
        at: UnixMillis,
    ) -> Result<Redeemed, CatalogueError> {
        let hash = token_hash(token);
        let at = to_column("time", at.0)?;
        self.write_durably(move |transaction| {
            let found: Option<Option<[u8; 32]>> = transaction
                .query_row(
                    "SELECT used_by FROM invitations WHERE token_hash = ?1",
                    [hash],
                    |row| row.get(0),
                )
                .optional()?;
            match found {
                None => Ok(Redeemed::Unknown),
                Some(Some(user)) if user == by.0 => Ok(Redeemed::Accepted),
                Some(Some(_)) => Ok(Redeemed::AlreadyUsed),
                Some(None) => {
                    transaction.execute(
                        "UPDATE invitations SET used_by = ?2, used_at = ?3 WHERE token_hash = ?1",
                        params![hash, by.0, at],
                    )?;
                    Ok(Redeemed::Accepted)
                }
            }
        })
    }

    /// Adds a friend's machine or replaces what is known of it. At most `FRIENDS_MAX`.
    pub fn put_friend(&self, friend: Friend) -> Result<(), CatalogueError> {
        check_length("nickname", friend.nickname.len(), NICKNAME_BYTES_MAX)?;
        let addresses = encode_addresses(friend.addresses)?;
        let since = to_column("time", friend.since.0)?;
        self.write_durably(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO friends (device, identity, nickname, addresses, since)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    friend.device.0,
                    friend.identity.0,
                    friend.nickname,
                    addresses,
                    since
                ],
            )?;
            refuse_when_full(
                transaction,
                "friends",
                "SELECT count(*) FROM friends",
                FRIENDS_MAX + 1,
            )
        })
    }

    /// Remembers where a friend is reached now; somebody else, and no addresses, change nothing.
    pub fn mark_friend_seen(
        &self,
        device: DeviceId,
        addresses: Vec<String>,
    ) -> Result<(), CatalogueError> {
        if addresses.is_empty() {
            return Ok(());
        }
        let addresses = encode_addresses(addresses)?;
        self.write(move |transaction| {
            transaction
                .prepare_cached(
                    "UPDATE friends SET addresses = ?2 WHERE device = ?1 AND addresses <> ?2",
                )?
                .execute(params![device.0, addresses])?;
            Ok(())
        })
    }

    /// All friends, oldest first.
    pub fn friends(&self) -> Result<Vec<Friend>, CatalogueError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT device, identity, nickname, addresses, since FROM friends ORDER BY since, device",
            )?;
            statement.query_and_then([], friend_from_row)?.collect()
        })
    }
}

fn friend_from_row(row: &Row<'_>) -> Result<Friend, CatalogueError> {
    Ok(Friend {
        device: DeviceId(row.get(0)?),
        identity: IdentityId(row.get(1)?),
        nickname: row.get(2)?,
        addresses: decode_addresses(blob(row, 3)?)?,
        since: UnixMillis(from_column("time", row.get(4)?)?),
    })
}

/// Tokens are random, so a plain hash gives nothing away.
fn token_hash(token: &[u8; 16]) -> [u8; 32] {
    blake3::hash(token).into()
}
