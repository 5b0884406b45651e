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
/// BLAKE3 proofs of ranges speak about groups of this many bytes: 16 BLAKE3 chunks.
pub const PROOF_GROUP_BYTES: usize = 16 * KIB;
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
/// Fewest chunk ids in a list chunk that is not the last: repeated contents cannot make
/// lists of one id.
pub const LIST_CHUNKS_MIN: usize = 4_096;
/// Chunk ids in a list chunk on average; lists are cut by content after the minimum.
pub const LIST_CHUNKS_AVERAGE: usize = 16_384;
/// List chunks of one file: 128 TiB at the averages of chunks and lists.
pub const ENTRY_LISTS_MAX: usize = 8_192;
/// Bytes of one encoded page of a directory; a longer one is cut early.
pub const TREE_PAGE_BYTES_MAX: usize = MIB;
/// Entries in a page of a directory on average.
pub const TREE_PAGE_ENTRIES_AVERAGE: usize = 1_024;
/// Bytes the chunker reads ahead of a cut: two chunks of the largest size, so that each
/// byte is moved at most once.
pub const CHUNKER_BUFFER_BYTES: usize = 2 * CHUNK_BYTES_MAX;
/// Folders under protection.
pub const FOLDERS_MAX: usize = 1_000;
/// Exclude patterns of one folder.
pub const EXCLUDES_MAX: usize = 1_000;
/// Bytes of one exclude pattern; longer ones are typing errors.
pub const EXCLUDE_BYTES_MAX: usize = 4 * KIB;
/// Things left out of a backup by exclusion that are listed in full; further ones are counted.
pub const DROPPED_LISTED_MAX: usize = 10_000;
/// Folders a walk keeps open on its way down; those above are opened again on the way up,
/// so that depth is not limited by the handles of a process (often 1,024).
pub const WALK_HANDLES_MAX: usize = 64;
/// Names of one folder a walk holds; a folder is listed as a whole to sort it.
pub const FOLDER_NAMES_MAX: usize = 10_000_000;
/// Bytes of the names and values of the extended attributes of one entry, ACLs included.
pub const XATTRS_BYTES_MAX: usize = 128 * KIB;
/// Ranges of one file that were restored and are not yet joined: packs come in any order.
pub const RESTORE_RANGES_MAX: usize = 1_000_000;
/// Restored files, complete and open, that wait for one common sync before they get their names.
pub const RESTORE_BATCH_MAX: usize = 512;
/// Bytes of such files from which on they wait no longer: what a restore that is killed has to
/// fetch again, beside the file it is at.
pub const RESTORE_BATCH_BYTES: u64 = 64 * MIB as u64;
/// Folders whose times and permissions wait for the end of a restore.
pub const RESTORE_FOLDERS_MAX: usize = 1_000_000;
/// Files and folders whose flags (immutable, append-only) wait for the end of a restore.
pub const RESTORE_FLAGS_MAX: usize = 1_000_000;
/// Files with several names that a restore remembers to link the others to: about 200 bytes
/// each with usual paths.
pub const RESTORE_LINK_GROUPS_MAX: usize = 1_000_000;
/// Names tried when a restore looks for a free one beside an existing file.
pub const NAME_TRIES_MAX: u32 = 1_000;
/// Users, and groups, that a version names; those beyond are kept by number.
pub const OWNER_NAMES_MAX: usize = 4_096;
/// Bytes of the name of a user or group.
pub const OWNER_NAME_BYTES_MAX: usize = 256;
/// Bytes of the system's list of users, or of groups, that are looked at.
pub const ACCOUNTS_BYTES_MAX: usize = 16 * MIB;
/// Problems listed in a report in full; further ones are counted.
pub const PROBLEMS_LISTED_MAX: usize = 10_000;

// --- memory of a job --------------------------------------------------------------------

/// Packs sealed and not yet confirmed or spooled: bounds the memory of a backup.
pub const PACKS_IN_FLIGHT_MAX: usize = 3;
/// Bytes of idle buffers that are kept for the next packs and shards: the packs in flight and
/// their parity, and two packs being gathered, with what coding adds.
pub const BUFFERS_IDLE_BYTES_MAX: usize = (2 * PACKS_IN_FLIGHT_MAX + 2) * (PACK_BYTES_MAX + MIB);
/// Packs being fetched and decoded at once during a restore.
pub const FETCHES_IN_FLIGHT_MAX: usize = 3;
/// Fetches of a reader on their way, and the one being taken.
pub const FETCHES_AHEAD_MAX: usize = FETCHES_IN_FLIGHT_MAX + 1;
/// Batches of chunks that wait for whoever packs them.
pub const BATCHES_WAITING_MAX: usize = 2;
/// Pieces of a shard between the network and a supplier's disk.
pub const PIECES_IN_FLIGHT_MAX: usize = 16;
/// Bytes of the spool for shards whose supplier is away: at most, and where nothing else is set.
pub const SPOOL_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// The least it can be set to: some shards, be they as long as shards get.
pub const SPOOL_BYTES_MIN: u64 = 64 * MIB as u64;
/// Receipts that the engine is told of at once.
pub const RECEIPTS_AT_ONCE_MAX: usize = 64;
/// Inputs waiting for the engine; the node's one queue.
pub const ENGINE_INPUTS_MAX: usize = 4_096;
/// Calls waiting for the node, and answers and events waiting on one front-end connection.
pub const FRONT_END_QUEUE_MAX: usize = 256;

// --- messages ---------------------------------------------------------------------------

/// A signed service packet in bytes.
pub const PACKET_BYTES_MAX: usize = 256 * KIB;
/// One frame of a bulk stream in bytes.
pub const FRAME_BYTES_MAX: usize = 256 * KIB;
/// Stores or fetches outstanding on one bulk stream: at 100 ms round trip this fills a line
/// of 30 MB/s with pieces of 128 KiB.
pub const BULK_OUTSTANDING_MAX: usize = 32;
/// Entries in one answer to LIST: each names the shards of all positions.
pub const LIST_ENTRIES_MAX: usize = 150;
/// Answers to LIST that a supplier is asked for in a row: 1.5 million shards, of 24 TB in packs.
pub const LISTING_PAGES_MAX: usize = 10_000;
/// Ids in one DELETE.
pub const DELETE_IDS_MAX: usize = 1_000;
/// Bytes of a head with its sets, and of one page of heads.
pub const HEADS_PAGE_BYTES_MAX: usize = PACKET_BYTES_MAX / 2;
/// Addresses of one peer that are remembered or sent.
pub const ADDRESSES_MAX: usize = 16;
/// Bytes of one address in text form.
pub const ADDRESS_BYTES_MAX: usize = 256;
/// Bytes of a DHT value: the largest locator, wrapped.
pub const DHT_VALUE_BYTES_MAX: usize = 9 * KIB;
/// Keys under which each locator record lies.
pub const LOCATOR_SLOTS: u8 = 3;
/// Keys over which offers of space are spread.
pub const OFFER_SLOTS: u8 = 16;
/// Largest jump of a record's sequence number that is believed.
pub const SEQUENCE_JUMP_MAX: u64 = 1_000_000;
/// Bytes of the largest class of locator records: what a DHT value leaves room for, and all devices
/// of an identity fit.
pub const LOCATOR_BYTES_MAX: usize = 8_960;
/// Bytes of a locator record before it is sealed: its largest class less the length in front.
pub const LOCATOR_PLAIN_BYTES_MAX: usize = LOCATOR_BYTES_MAX - 4;
/// Bytes of a sealed box: what is sealed to one person or device is short.
pub const SEALED_BOX_BYTES_MAX: usize = 64 * KIB;
/// Characters of an invitation as typed or pasted, line breaks and dashes included.
pub const INVITATION_TEXT_BYTES_MAX: usize = 8 * KIB;
/// Bytes of an invitation in text form.
pub const INVITATION_BYTES_MAX: usize = 2 * KIB;
/// Bytes of a nickname.
pub const NICKNAME_BYTES_MAX: usize = 64;

// --- nodes ------------------------------------------------------------------------------

/// Connections of a node, both directions.
pub const CONNECTIONS_MAX: u32 = 512;
/// Peers whose contact is followed: those that are connected, and as many that have gone while it
/// was being recorded.
pub const CONTACTS_MAX: usize = 2 * CONNECTIONS_MAX as usize;
/// Connections with one peer: relay, TCP, QUIC and a spare for dial-back, for a few runs of a
/// program whose last connections have not timed out yet.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 16;
/// Streams of one peer being served at once.
pub const STREAMS_PER_PEER_MAX: usize = 16;
/// Devices of one identity, those included whose lanes are closed: each recovery adds one.
pub const DEVICES_MAX: usize = 128;
/// Offers that one search looks at.
pub const OFFERS_PER_SEARCH_MAX: usize = 20;
/// Offers that it looks up at once.
pub const OFFERS_AT_ONCE_MAX: usize = 4;
/// Lanes whose records a recovery looks for at once, each under a few keys of the DHT.
pub const LANES_SOUGHT_MAX: usize = 12;
/// Root records that a recovery writes at most, where others write theirs at the same time.
pub const ROOT_WRITES_MAX: u32 = 8;
/// Times that a recovery looks for lane records before it does without those it misses.
pub const LANE_SEARCHES_MAX: u32 = 2;
/// Customers of one supplier.
pub const CUSTOMERS_MAX: usize = 1_000;
/// Suppliers of one device, all sets together.
pub const SUPPLIERS_MAX: usize = 200;
/// Sets of one device.
pub const SETS_MAX: usize = 16;
/// Former holders of a position that are still asked.
pub const FORMER_HOLDERS_MAX: usize = 4;
/// Branches of a lane that a supplier keeps; the first is never given up.
pub const TIPS_MAX: usize = 4;
/// Heads that travel with a newer one to a supplier that missed them.
pub const HEADS_BETWEEN_MAX: usize = 64;
/// Bytes of these with their signatures: the newer one with its set records may take half of a packet,
/// and the receipts of a quorum have room as well.
pub const HEADS_BETWEEN_BYTES_MAX: usize = PACKET_BYTES_MAX / 4;
/// Own heads that a device keeps: a supplier that was away for a month of backups every five minutes is
/// still brought forward by them.
pub const OWN_HEADS_MAX: usize = 10_000;
/// Records of customers that a supplier keeps for one customer: root and lanes, all slots.
pub const DEPOSITS_PER_CUSTOMER_MAX: usize = LOCATOR_SLOTS as usize * (DEVICES_MAX + 1);
/// Heads kept for one lane: thirty days of hourly backups.
pub const HEADS_PER_LANE_MAX: usize = 720;
/// Damaged databases of a supplier that are put aside; further ones take the place of the last.
pub const DAMAGED_KEPT_MAX: usize = 4;
/// Of these, so many of the newest lie in a file beside the shards too, which is written anew for each.
pub const HEADS_PER_LANE_FILE_MAX: usize = 8;
/// Shards of one customer that are stored at once and not yet receipted.
pub const STORES_PENDING_MAX: usize = 64;
/// Live segments of the pack index; more are merged.
pub const SEGMENTS_MAX: usize = 32;
/// Packs described by one index segment before it is split.
pub const SEGMENT_PACKS_MAX: usize = 4_096;
/// Snapshots of one device.
pub const SNAPSHOTS_MAX: usize = 10_000;
/// Bytes of the newest snapshots that a manifest holds itself, so that a recovery sees them
/// with its first read; older ones stand in pages of their own.
pub const SNAPSHOTS_INLINE_BYTES_MAX: usize = MIB;
/// Epochs whose secrets a home keeps; each revoked device adds one.
pub const EPOCHS_MAX: usize = 1_024;
/// Bytes of a key file: the secrets of all epochs, keys and certificate, wrapped.
pub const KEY_FILE_BYTES_MAX: usize = 256 * KIB;
/// Bytes of a passphrase.
pub const PASSPHRASE_BYTES_MAX: usize = KIB;
/// Hard links whose two ends a comparison of folders remembers.
pub const LINKS_COMPARED_MAX: usize = 1_000_000;
/// Memory that Argon2id may be told to use by a key file, in KiB (1 GiB): more is an attack
/// on the memory of this machine.
pub const ARGON_MEMORY_KIB_MAX: u32 = 1024 * 1024;
/// Passes over that memory.
pub const ARGON_PASSES_MAX: u32 = 64;
/// Lanes of that memory.
pub const ARGON_LANES_MAX: u32 = 16;
/// Bytes of a configuration file.
pub const CONFIG_BYTES_MAX: usize = 64 * KIB;
/// Bytes of a phrase on standard input.
pub const PHRASE_BYTES_MAX: usize = 4 * KIB;

// --- what this machine keeps ------------------------------------------------------------

/// Writes waiting for the one thread that writes a database.
pub const DATABASE_WRITES_WAITING_MAX: usize = 64;
/// Connections that read a database at once; further readers wait.
pub const DATABASE_READERS_MAX: usize = 8;
/// Rows in one page of an answer from the catalogue or the shard store.
pub const DATABASE_PAGE_MAX: usize = 4_096;
/// Files of one directory that are loaded from the file cache at once; further ones are
/// looked up one by one.
pub const CACHED_FILES_PAGE_MAX: usize = 65_536;
/// Bytes of one value in the catalogue's table of settings; a draft of a commit names its
/// packs: two millions of them, which is 30 TiB in one backup.
pub const META_BYTES_MAX: usize = 64 * MIB;
/// Bytes of one cached tree entry: 64 chunk ids, a name and its attributes.
pub const CACHED_ENTRY_BYTES_MAX: usize = MIB;
/// Bytes of one folder or snapshot as the catalogue keeps it.
pub const RECORD_BYTES_MAX: usize = MIB;
/// Invitations issued and not yet used; also friends.
pub const FRIENDS_MAX: usize = 1_000;
/// Addresses of each friend in a manifest: all friends with the longest ones fit.
pub const FRIEND_ADDRESSES_MAX: usize = 4;
/// Days for which a supplier keeps the heads of a lane.
pub const HEADS_KEPT_DAYS: u64 = 30;
/// Hours for which a half-received shard is kept so that its transfer can go on.
pub const PARTS_KEPT_HOURS: u64 = 24;
/// Bytes of half-received shards that survive a start; the oldest go first.
pub const PARTS_BYTES_MAX: u64 = 1024 * 1024 * 1024;

// --- network ----------------------------------------------------------------------------

/// Characters of a network's name; it is part of every protocol name.
pub const NETWORK_NAME_BYTES_MAX: usize = 32;
/// Commands to the network, notices inside it, or events from it that wait at once.
pub const NET_QUEUE_MAX: usize = 256;
/// Nodes of which it is remembered that they could not be reached.
pub const UNREACHABLE_MAX: usize = 1_024;
/// Connections being set up at once, each direction.
pub const CONNECTIONS_PENDING_MAX: u32 = 64;
/// Bytes of memory of the process above which no further connection is taken.
pub const NET_PROCESS_BYTES_MAX: usize = 2048 * MIB;
/// Streams of all protocols on one TCP connection.
pub const STREAMS_PER_CONNECTION_MAX: usize = 64;
/// A frame of the multiplexer of a TCP connection in bytes, its header included: four records of
/// TLS in one system call.
pub const MUXER_FRAME_BYTES: usize = 64 * KIB;
/// Bytes of a TCP connection that are read in one system call.
pub const SOCKET_READ_BYTES: usize = 64 * KIB;
/// Control streams that this node opens to one peer: so many requests run side by side.
pub const CONTROL_STREAMS_MAX: usize = 4;
/// Requests to one peer that wait for a control stream.
pub const REQUESTS_WAITING_MAX: usize = 64;
/// What file and memory must be aligned to on all disks there are, to be written around the page
/// cache; data frames lie so, and have a multiple of it.
pub const DISK_ALIGN_BYTES: usize = 4 * KIB;
/// Bytes of content in one data frame: small enough that requests interleave.
pub const DATA_FRAME_BYTES: usize = 128 * KIB;
/// Data frames of one bulk request that wait for their reader: one MiB.
pub const BULK_FRAMES_WAITING_MAX: usize = 8;
/// Buffers for data frames that a node keeps for their next use: four MiB.
pub const BULK_BUFFERS_IDLE_MAX: usize = 32;
/// Frames of all bulk requests that wait for the socket.
pub const BULK_FRAMES_QUEUED_MAX: usize = 4;
/// Stores whose bytes flow at once on one bulk stream; the others wait for their turn.
pub const BULK_STORES_FLOWING_MAX: usize = 2;
/// Bytes that may still arrive for requests that are over, before the stream is closed.
pub const BULK_STRAY_BYTES_MAX: u64 = 2 * SHARD_BYTES_MAX as u64;
/// Records that a node keeps for the DHT: 36 MiB at most.
pub const DHT_RECORDS_MAX: usize = 4_096;
/// DHT queries running at once for this node.
pub const DHT_QUERIES_MAX: usize = 64;
/// Valid copies of a record after which a query is satisfied with the newest.
pub const DHT_ANSWERS_ENOUGH: usize = 3;
/// Providers of one key that are taken from a query.
pub const DHT_PROVIDERS_MAX: usize = 256;

// --- decisions --------------------------------------------------------------------------

/// Jobs that run or wait for their turn at once; more are refused as busy.
pub const JOBS_MAX: usize = 64;
/// Questions of front ends that are looked up in the catalogue at once, beside the status that is
/// told by itself; fewer than its readers.
pub const ANSWERS_AT_ONCE_MAX: usize = 4;
/// Questions of front ends that wait for a place among those; more are refused as busy.
pub const ANSWERS_WAITING_MAX: usize = 64;
/// Commands about folders that wait until the one before is done; more are refused as busy.
pub const COMMANDS_WAITING_MAX: usize = 64;
/// Listings, searches and previews that fetch at once.
pub const LOOKUPS_MAX: usize = 64;
/// Packs that the engine follows one by one: those of which a shard is on its way, or that wait in the
/// spool for holders enough to be known. The spool bounds these.
pub const PACKS_TRACKED_MAX: usize = 4_096;
/// Proofs in a row after which a supplier that lost something counts again. So many of different
/// shards show with 95 % that it lost less than one in twenty of the rest.
pub const PROOFS_OF_TRUST: u8 = 60;
/// Proofs in a row that a supplier does not give, after which it is taken to have nothing: of one that
/// lost half of it, one in 256 is.
pub const LOSSES_IN_A_ROW_MAX: u8 = 8;
/// Lost shards that wait until the catalogue is told of them; others are found again.
pub const LOSSES_WAITING_MAX: usize = 64;
/// How many times the interval of checks one that keeps losing everything is not given it again.
pub const REFILL_WAIT_FACTOR_MAX: u32 = 32;
/// Groups of packs that the engine counts apart; packs of more groups are counted together as
/// confirmed only where all of them are. A pack in a thousand without a shard, drawn at random at
/// each of 30 positions, makes some hundreds of groups of 60,000 packs.
pub const GROUPS_MAX: usize = 4_096;
/// Heads after the newest published one of which the holders are counted: a draft, and drafts before
/// it that were given up.
pub const HEADS_COUNTED_MAX: usize = 64;
/// Packs of which a supplier is owed its shard that are looked for at once, of all its sets.
pub const OWED_BATCH_MAX: usize = 1_024;
/// Fetches that wait behind those in flight; more are given up at once.
pub const FETCHES_QUEUED_MAX: usize = 256;
/// Answers to fetches of which is kept how long they took: those of a minute or so of a restore.
pub const ANSWERS_TIMED_MAX: usize = 64;
/// Answers that say too little of how long others take.
pub const ANSWERS_FEW: usize = 4;
const _: () = assert!(ANSWERS_FEW < ANSWERS_TIMED_MAX);
/// Fetches that ask others at once in the place of those who are late, until these answer or are late
/// as well: on a line where everything is slow so much is fetched twice before that is known.
pub const FETCHES_HEDGING_MAX: usize = 1;
/// Combinations of shards that are tried before a pack is given up as undecodable.
pub const DECODE_TRIES_MAX: u32 = 128;
/// Failed sends after which a shard goes to the spool and frees its memory.
pub const TRANSFER_TRIES_MAX: u32 = 3;
/// Failed dials after which a stranger without a contract is dropped.
pub const STRANGER_DIALS_MAX: u32 = 3;
/// Outputs that one input may cause: one for each followed pack at a start, and the
/// ordinary ones.
pub const ENGINE_OUTPUTS_MAX: usize = PACKS_TRACKED_MAX + 4_096;
/// Inputs that one step of a node's loop may leave for its engine, which is given all of them
/// before the next step. Each output of an input is answered at most once at once. What else a step
/// tells is fewer than `ENGINE_INPUTS_MAX`: events of the network that a dial waited for, a schedule
/// for each folder where another one holds; and what these lead to takes their places, as a machine
/// that is answered asks for one thing more.
pub const INPUTS_AT_ONCE_MAX: usize = ENGINE_OUTPUTS_MAX + ENGINE_INPUTS_MAX;
const _: () = assert!(2 * (NET_QUEUE_MAX + FOLDERS_MAX) < ENGINE_INPUTS_MAX);
/// Lines for people that one step may leave: they are told after each input, and neither an output
/// nor what a step brings leads to more than one.
pub const NOTICES_AT_ONCE_MAX: usize = INPUTS_AT_ONCE_MAX;
/// Chunks packed by a walk and not yet known to the catalogue that are remembered, so that
/// they are not packed twice: 32 MB of ids.
pub const CHUNKS_PENDING_MAX: usize = 500_000;
/// Chunks of one file that the file cache keeps: about 32 GB; longer files are read again.
pub const CACHED_CHUNKS_MAX: usize = 32_000;
/// Requests that wait for the worker of one supplier.
pub const SUPPLIER_REQUESTS_MAX: usize = 512;
/// Friends that a node connects to at its start, the newest ones: enough of them to be found.
pub const ENTRY_FRIENDS_MAX: usize = 16;
/// Questions of peers that wait for a decision at once.
pub const QUESTIONS_MAX: usize = 1_024;
/// Keys in one LOCATE: as many records fit an answer.
pub const LOCATE_KEYS_MAX: usize = 24;
const _: () = assert!(LOCATE_KEYS_MAX * (DHT_VALUE_BYTES_MAX + KIB) < PACKET_BYTES_MAX);

/// Lines that a search by name gives: more are no help, and the answer stays one screenful of
/// a few hundred kilobytes.
pub const FOUND_MAX: usize = 500;
/// Lines of history, and what ends of jobs leave, that were told and wait for the disk: more than
/// come while it is slow. Those beyond are not kept.
pub const TOLD_WAITING_MAX: usize = 1_024;
/// Lines of history in one page.
pub const HISTORY_PAGE_LINES: usize = 200;
/// Lines of history that are kept; older ones are dropped.
pub const HISTORY_LINES_MAX: u64 = 100_000;
/// Bytes of a file that a preview as text shows.
pub const PREVIEW_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an image that is shown as a preview.
pub const PREVIEW_IMAGE_BYTES_MAX: usize = 8 * MIB;
/// Files and folders that an estimate looks at before it is cut: some seconds of walking.
pub const ESTIMATE_ENTRIES_MAX: u64 = 5_000_000;
/// Names of excluded or unreadable things that an estimate lists in full.
pub const ESTIMATE_NAMES_MAX: usize = 200;
/// Notices of watched folders that wait to be taken; one more of the same tells nothing new.
pub const WATCH_NOTICES_MAX: usize = 1_024;
/// Things that are not protected, kept for each folder with their reasons.
pub const UNPROTECTED_LISTED_MAX: usize = 200;
/// Things chosen for one restore; each is found by walking down to it.
pub const RESTORE_SELECTED_MAX: usize = 10_000;
