//! Every bound of the program, with its unit and its reason. A queue, map, message or file
//! without a line here is a bug.

/// Bytes in a kibibyte.
pub const KIB: usize = 1024;
/// Bytes in a mebibyte.
pub const MIB: usize = 1024 * KIB;

// --- pieces -----------------------------------------------------------------------------

/// Smallest chunk in bytes (a file's last chunk may be shorter). FastCDC's lower cut.
pub const CHUNK_BYTES_MIN: usize = 256 * KIB;
/// Average chunk in bytes.
pub const CHUNK_BYTES_AVERAGE: usize = MIB;
/// Largest chunk in bytes; also the largest piece of metadata and the largest output a
/// decompressor may give.
pub const CHUNK_BYTES_MAX: usize = 4 * MIB;
/// A data or metadata pack is closed when its sealed chunks reach this many bytes.
pub const PACK_BYTES_TARGET: usize = 16 * MIB;
/// Largest pack in bytes: the target, one more chunk, trailer and padding (Padmé adds at
/// most 12 %).
pub const PACK_BYTES_MAX: usize = 24 * MIB;
/// Most chunks in one pack; small files fill packs with thousands of tiny chunks.
pub const CHUNKS_PER_PACK_MAX: usize = 65_536;
/// Shards are multiples of this many bytes, and range reads are aligned to it.
pub const SHARD_ALIGN: usize = 64 * KIB;
/// Largest shard in bytes: a whole pack at k = 1.
pub const SHARD_BYTES_MAX: usize = PACK_BYTES_MAX;
/// Window of the erasure coder in bytes per shard: fits the second-level cache.
pub const CODING_WINDOW_BYTES: usize = 32 * KIB;
/// Positions of a set; more suppliers than this make a second set.
pub const SUPPLIERS_PER_SET_MAX: usize = 30;

// --- files ------------------------------------------------------------------------------

/// Longest name of one path component in bytes (what Linux file systems allow, doubled for
/// systems that count characters).
pub const NAME_BYTES_MAX: usize = 1024;
/// Longest path inside a folder in bytes; deeper trees are walked by directory handle.
pub const PATH_BYTES_MAX: usize = 64 * KIB;
/// Longest target of a symbolic link in bytes.
pub const LINK_BYTES_MAX: usize = 16 * KIB;
/// Chunk ids a tree entry holds itself; longer lists become list chunks.
pub const ENTRY_CHUNKS_INLINE_MAX: usize = 64;
/// Chunk ids in one list chunk.
pub const LIST_CHUNKS_MAX: usize = 65_536;
/// Times a file that changes while it is read is taken again before it is reported.
pub const FILE_RETAKES_MAX: u32 = 3;
/// Folders under protection.
pub const FOLDERS_MAX: usize = 1_000;
/// Exclude patterns of one folder.
pub const EXCLUDES_MAX: usize = 1_000;
/// Problems listed in a report in full; further ones are counted.
pub const PROBLEMS_LISTED_MAX: usize = 10_000;

// --- memory of a job --------------------------------------------------------------------

/// Packs sealed and not yet confirmed or spooled: bounds the memory of a backup.
pub const PACKS_IN_FLIGHT_MAX: usize = 3;
/// Packs being fetched and decoded at once during a restore.
pub const FETCHES_IN_FLIGHT_MAX: usize = 4;
/// Chunks between the readers and the packer.
pub const CHUNKS_IN_FLIGHT_MAX: usize = 16;
/// Bytes of the spool for shards whose supplier is away.
pub const SPOOL_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Inputs waiting for the engine; the node's one queue.
pub const ENGINE_INPUTS_MAX: usize = 4_096;
/// Open calls and events waiting on one front-end connection.
pub const FRONT_END_QUEUE_MAX: usize = 256;

// --- messages ---------------------------------------------------------------------------

/// A signed service packet in bytes.
pub const PACKET_BYTES_MAX: usize = 256 * KIB;
/// One frame of a bulk stream in bytes.
pub const FRAME_BYTES_MAX: usize = 256 * KIB;
/// Stores or fetches outstanding on one bulk stream: at 100 ms round trip this fills a line
/// of 30 MB/s with pieces of 128 KiB.
pub const BULK_OUTSTANDING_MAX: usize = 32;
/// Entries in one answer to LIST.
pub const LIST_ENTRIES_MAX: usize = 500;
/// Ids in one DELETE.
pub const DELETE_IDS_MAX: usize = 1_000;
/// Addresses of one peer that are remembered or sent.
pub const ADDRESSES_MAX: usize = 16;
/// Bytes of one address in text form.
pub const ADDRESS_BYTES_MAX: usize = 256;
/// Bytes of a DHT value; the locator is padded to at most 8 KiB and wrapped.
pub const DHT_VALUE_BYTES_MAX: usize = 9 * KIB;
/// Keys under which each locator record lies.
pub const LOCATOR_SLOTS: u8 = 3;
/// Keys over which offers of space are spread.
pub const OFFER_SLOTS: u8 = 16;
/// Largest jump of a record's sequence number that is believed.
pub const SEQUENCE_JUMP_MAX: u64 = 1_000_000;
/// Bytes of an invitation in text form.
pub const INVITATION_BYTES_MAX: usize = 2 * KIB;
/// Bytes of a nickname.
pub const NICKNAME_BYTES_MAX: usize = 64;

// --- nodes ------------------------------------------------------------------------------

/// Connections of a node, both directions.
pub const CONNECTIONS_MAX: u32 = 512;
/// Connections with one peer: relay, TCP, QUIC and a spare for dial-back.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// Streams of one peer being served at once.
pub const STREAMS_PER_PEER_MAX: usize = 16;
/// Devices of one identity.
pub const DEVICES_MAX: usize = 16;
/// Customers of one supplier.
pub const CUSTOMERS_MAX: usize = 1_000;
/// Suppliers of one device, all sets together.
pub const SUPPLIERS_MAX: usize = 200;
/// Sets of one device.
pub const SETS_MAX: usize = 16;
/// Records of customers that a supplier keeps for one customer: root and lanes, all slots.
pub const DEPOSITS_PER_CUSTOMER_MAX: usize = LOCATOR_SLOTS as usize * (DEVICES_MAX + 1);
/// Heads kept for one lane: thirty days of hourly backups.
pub const HEADS_PER_LANE_MAX: usize = 720;
/// Shards of one customer that are stored at once and not yet receipted.
pub const STORES_PENDING_MAX: usize = 64;
/// Live segments of the pack index; more are merged.
pub const SEGMENTS_MAX: usize = 32;
/// Packs described by one index segment before it is split.
pub const SEGMENT_PACKS_MAX: usize = 4_096;
/// Snapshots in one manifest.
pub const SNAPSHOTS_MAX: usize = 10_000;
/// Bytes of a configuration file.
pub const CONFIG_BYTES_MAX: usize = 64 * KIB;
/// Bytes of a phrase on standard input.
pub const PHRASE_BYTES_MAX: usize = 4 * KIB;
