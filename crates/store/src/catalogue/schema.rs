//! The tables of the catalogue, as migrations. A released step is never edited.
//!
//! Ids are raw 32 bytes. Packs, directories and holders have small numbers of their own, so
//! that the millions of rows that refer to them stay short.

use crate::migrate::Schema;

/// How the catalogue came to be.
pub(super) const SCHEMA: Schema = Schema {
    first: 4,
    steps: &[VERSION_4, VERSION_5, VERSION_6, VERSION_7, VERSION_8],
};

const VERSION_4: &str = "
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- Who writes: of two catalogues of one machine each has its own.
INSERT INTO meta (key, value) VALUES ('writer', randomblob(16));

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

-- state: 0 sealed, 1 committed, 2 published. kind: 0 data, 1 tree, 2 commit. mask: positions that
-- count as confirmed, by the view below; confirmed: how many. random: 32 bytes of the pack's header,
-- where they are known. pack_bytes: its length before coding.
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
    mask INTEGER NOT NULL DEFAULT 0,
    pack_bytes INTEGER NOT NULL,
    shard_bytes INTEGER NOT NULL,
    segment INTEGER,
    random BLOB,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX packs_sealed ON packs (id) WHERE state = 0;
CREATE INDEX packs_committed ON packs (id) WHERE state = 1;
CREATE INDEX packs_by_segment ON packs (segment, id) WHERE segment IS NOT NULL;
CREATE INDEX packs_by_group ON packs (set_id, kind, state, mask, confirmed, pack_bytes) WHERE state > 0;

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
    PRIMARY KEY (pack, position, holder)
) STRICT, WITHOUT ROWID;
CREATE INDEX confirmations_by_holder ON confirmations (holder, pack, position);

-- Who holds which position of which set now. Sets without rows here are such as nobody counts.
CREATE TABLE positions (
    set_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    holder INTEGER NOT NULL,
    PRIMARY KEY (set_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    blobs BLOB NOT NULL
) STRICT;

CREATE TABLE snapshots (
    snapshot BLOB PRIMARY KEY,
    folder BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX snapshots_by_order ON snapshots (ordinal, snapshot);

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
    condemned INTEGER NOT NULL
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

-- The history that people read. Numbers are never used twice.
CREATE TABLE history (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    message TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;
";

const VERSION_5: &str = "
-- Who signed for which head of the own lane.
CREATE TABLE head_receipts (
    sequence INTEGER NOT NULL,
    device BLOB NOT NULL,
    receipt BLOB NOT NULL,
    PRIMARY KEY (sequence, device)
) STRICT, WITHOUT ROWID;
";

const VERSION_6: &str = "
-- suspect: 0 counts; 1 lost something and has not proved since that it keeps the rest; one more each
-- time that all was taken back of it.
ALTER TABLE suppliers RENAME COLUMN condemned TO suspect;
";

const VERSION_7: &str = "
-- counts: 1, or 0 while its holder is being filled or inactive. From here on packs.confirmed is how many
-- positions of the mask count.
ALTER TABLE positions ADD COLUMN counts INTEGER NOT NULL DEFAULT 1;
";

const VERSION_8: &str = "
-- head: the first own head that lists it; none for what other devices made, and for what is older than this step.
ALTER TABLE snapshots ADD COLUMN head INTEGER;
-- newest_pack: no list that it leads to has a larger id in packs; none for what is older than this step.
ALTER TABLE own_heads ADD COLUMN newest_pack INTEGER;
";
