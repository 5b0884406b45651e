//! The tables of the supplier's database, as migrations. A released step is never edited.

use crate::migrate::Schema;

/// How the supplier's database came to be.
pub(super) const SCHEMA: Schema = Schema {
    first: 2,
    steps: &[VERSION_2],
};

const VERSION_2: &str = "
CREATE TABLE contracts (
    identity BLOB NOT NULL,
    lane BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    contract BLOB NOT NULL,
    acceptance BLOB NOT NULL,
    PRIMARY KEY (identity, lane)
) STRICT;

-- state: 0 whole, 1 its file is missing, 2 its file is damaged.
CREATE TABLE shards (
    identity BLOB NOT NULL,
    shard BLOB NOT NULL,
    lane BLOB NOT NULL,
    set_id BLOB NOT NULL,
    pack BLOB NOT NULL,
    position INTEGER NOT NULL,
    shard_bytes INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    header BLOB NOT NULL,
    PRIMARY KEY (identity, shard)
) STRICT;
CREATE UNIQUE INDEX shards_by_place ON shards (identity, set_id, pack, position);
CREATE INDEX shards_by_lane ON shards (identity, lane, shard);
CREATE INDEX shards_by_pack ON shards (identity, pack);

CREATE TABLE graced (
    identity BLOB NOT NULL,
    shard BLOB NOT NULL,
    lane BLOB NOT NULL,
    pack BLOB NOT NULL,
    shard_bytes INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL,
    header BLOB NOT NULL,
    PRIMARY KEY (identity, shard)
) STRICT;
CREATE INDEX graced_by_age ON graced (deleted_at);
CREATE INDEX graced_by_pack ON graced (identity, pack);

-- Sums over shards and graced, kept by the triggers below and computed anew at each start.
CREATE TABLE usage (
    identity BLOB NOT NULL,
    lane BLOB NOT NULL,
    shards INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    graced_bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (identity, lane)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER shard_added AFTER INSERT ON shards WHEN new.state = 0 BEGIN
    INSERT INTO usage (identity, lane, shards, bytes) VALUES (new.identity, new.lane, 1, new.shard_bytes)
    ON CONFLICT (identity, lane) DO UPDATE SET shards = shards + 1, bytes = bytes + new.shard_bytes;
END;
CREATE TRIGGER shard_removed AFTER DELETE ON shards WHEN old.state = 0 BEGIN
    UPDATE usage SET shards = shards - 1, bytes = bytes - old.shard_bytes
    WHERE identity = old.identity AND lane = old.lane;
END;
CREATE TRIGGER shard_lost AFTER UPDATE OF state ON shards WHEN old.state = 0 AND new.state <> 0 BEGIN
    UPDATE usage SET shards = shards - 1, bytes = bytes - old.shard_bytes
    WHERE identity = old.identity AND lane = old.lane;
END;
CREATE TRIGGER shard_found AFTER UPDATE OF state ON shards WHEN old.state <> 0 AND new.state = 0 BEGIN
    INSERT INTO usage (identity, lane, shards, bytes) VALUES (new.identity, new.lane, 1, new.shard_bytes)
    ON CONFLICT (identity, lane) DO UPDATE SET shards = shards + 1, bytes = bytes + new.shard_bytes;
END;
CREATE TRIGGER graced_added AFTER INSERT ON graced BEGIN
    INSERT INTO usage (identity, lane, graced_bytes) VALUES (new.identity, new.lane, new.shard_bytes)
    ON CONFLICT (identity, lane) DO UPDATE SET graced_bytes = graced_bytes + new.shard_bytes;
END;
CREATE TRIGGER graced_removed AFTER DELETE ON graced BEGIN
    UPDATE usage SET graced_bytes = graced_bytes - old.shard_bytes
    WHERE identity = old.identity AND lane = old.lane;
END;

CREATE TABLE heads (
    identity BLOB NOT NULL,
    lane BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    head BLOB NOT NULL,
    certificate BLOB NOT NULL,
    PRIMARY KEY (identity, lane, sequence)
) STRICT;

-- Lanes of which shards were entered again from their files: what else was known of them is lost
-- until their device puts its head again.
CREATE TABLE incomplete (
    identity BLOB NOT NULL,
    lane BLOB NOT NULL,
    PRIMARY KEY (identity, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE set_records (
    identity BLOB NOT NULL,
    lane BLOB NOT NULL,
    set_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (identity, lane, set_id)
) STRICT;

CREATE TABLE fences (
    identity BLOB NOT NULL,
    lane BLOB NOT NULL,
    last INTEGER NOT NULL,
    fence BLOB NOT NULL,
    PRIMARY KEY (identity, lane)
) STRICT;

CREATE TABLE deposits (
    identity BLOB NOT NULL,
    dht_key BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (identity, dht_key)
) STRICT;
CREATE INDEX deposits_by_key ON deposits (dht_key, sequence);
";
