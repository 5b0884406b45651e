//! The tables of the catalogue, as migrations. A released step is never edited.
//!
//! Ids are raw 32 bytes. Packs, directories and holders have small numbers of their own, so
//! that the millions of rows that refer to them stay short.

/// All steps, oldest first.
pub(super) const STEPS: [&str; 3] = [VERSION_1, VERSION_2, VERSION_3];

const VERSION_1: &str = "
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    folder BLOB NOT NULL UNIQUE,
    generation INTEGER NOT NULL DEFAULT 0,
    record BLOB NOT NULL
) STRICT;

CREATE TABLE directories (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL,
    path BLOB NOT NULL,
    UNIQUE (folder, path)
) STRICT;

CREATE TABLE files (
    directory INTEGER NOT NULL,
    name BLOB NOT NULL,
    generation INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_s INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_s INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    device INTEGER NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (directory, name)
) STRICT, WITHOUT ROWID;

-- state: 0 sealed, 1 committed, 2 published. kind: 0 data, 1 tree, 2 commit.
CREATE TABLE packs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pack BLOB NOT NULL UNIQUE,
    state INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    set_id BLOB NOT NULL,
    k INTEGER NOT NULL,
    positions INTEGER NOT NULL,
    known_at INTEGER NOT NULL,
    confirmed INTEGER NOT NULL DEFAULT 0,
    shard_bytes INTEGER NOT NULL,
    segment INTEGER,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX packs_sealed ON packs (id) WHERE state = 0;
CREATE INDEX packs_committed ON packs (id) WHERE state = 1;
CREATE INDEX packs_by_segment ON packs (segment, id) WHERE segment IS NOT NULL;
CREATE INDEX packs_by_strength ON packs (kind, set_id, k, positions, confirmed) WHERE state > 0;

CREATE TABLE pack_chunks (
    pack INTEGER PRIMARY KEY,
    chunks BLOB NOT NULL
) STRICT;

-- Chunks of committed packs only. body_offset counts from the end of the pack's header.
CREATE TABLE chunks (
    chunk BLOB NOT NULL,
    pack INTEGER NOT NULL,
    place INTEGER NOT NULL,
    body_offset INTEGER NOT NULL,
    stored_bytes INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL,
    compressed INTEGER NOT NULL,
    PRIMARY KEY (chunk, pack)
) STRICT, WITHOUT ROWID;

CREATE TABLE holders (
    id INTEGER PRIMARY KEY,
    device BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE confirmations (
    pack INTEGER NOT NULL,
    position INTEGER NOT NULL,
    holder INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL,
    receipt BLOB,
    PRIMARY KEY (pack, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX confirmations_by_holder ON confirmations (holder, pack, position);

CREATE TABLE segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    blobs BLOB NOT NULL
) STRICT;

CREATE TABLE snapshots (
    snapshot BLOB PRIMARY KEY,
    folder BLOB NOT NULL,
    taken_at INTEGER NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX snapshots_by_time ON snapshots (taken_at, snapshot);

CREATE TABLE own_heads (
    sequence INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    published INTEGER NOT NULL,
    head BLOB NOT NULL
) STRICT;

CREATE TABLE own_sets (
    set_id BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    record BLOB NOT NULL
) STRICT;

CREATE TABLE suppliers (
    device BLOB PRIMARY KEY,
    identity BLOB NOT NULL,
    friend INTEGER NOT NULL,
    addresses BLOB NOT NULL,
    contract BLOB,
    acceptance BLOB,
    bytes INTEGER NOT NULL,
    last_seen INTEGER,
    last_proof INTEGER,
    last_miss INTEGER,
    doubted INTEGER NOT NULL
) STRICT;

CREATE TABLE friends (
    device BLOB PRIMARY KEY,
    identity BLOB NOT NULL,
    nickname TEXT NOT NULL,
    addresses BLOB NOT NULL,
    since INTEGER NOT NULL
) STRICT;

CREATE TABLE invitations (
    token_hash BLOB PRIMARY KEY,
    issued_at INTEGER NOT NULL,
    used_by BLOB,
    used_at INTEGER
) STRICT;
";

/// The history that people read. Numbers are never used twice.
const VERSION_2: &str = "
CREATE TABLE history (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    message TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;
";

/// The length of a pack before coding, to be summed. Packs from before have none: theirs is
/// taken as that of their shards, which is up to k times `SHARD_ALIGN` more. And records of folders
/// may be of version 2, which the programs before this step cannot read: they are to refuse the
/// database and not the row.
const VERSION_3: &str = "
ALTER TABLE packs ADD COLUMN pack_bytes INTEGER;
";
