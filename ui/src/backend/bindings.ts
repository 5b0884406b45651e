// Written by `UPDATE=1 cargo test -p bitdust-api`; do not edit. Numbers of 64 bits stay far below 2^53.

/**
 * A number of bytes.
 */
export type ByteCount = number;

/**
 * Milliseconds since 1970 by some machine's wall clock; never trusted for decisions
 * about another machine, only shown and compared on the machine that wrote it.
 */
export type UnixMillis = number;

/**
 * Any `k` of `n` shards give a pack back. `1 <= k <= n <= SUPPLIERS_PER_SET_MAX`.
 */
export type Code = [number, number];

/**
 * What went wrong, as a stable code that crosses processes and front ends.
 */
export type ErrorCode = "unreachable" | "timed_out" | "interrupted" | "busy" | "quota_exceeded" | "no_contract" | "expired" | "not_authentic" | "not_allowed" | "replayed" | "not_found" | "corrupt" | "malformed" | "incompatible" | "disk_full" | "disk_failed" | "stale" | "fenced" | "too_few_suppliers" | "too_few_shards" | "unreadable" | "changed" | "bad_path" | "home_held" | "cancelled" | "bad_request" | "not_yet" | "internal" | "too_many" | "catalogue_damaged" | "forked" | "versions_missing" | "restore_only";

/**
 * How loud an event is.
 */
export type Severity = "note" | "warning" | "problem";

/**
 * How well a folder, or everything, is kept.
 */
export type Protection = { "kind": "unknown" } | { "kind": "nothing" } | { "kind": "partly", 
/**
 * How many.
 */
missing: number, } | { "kind": "stored", 
/**
 * Suppliers that hold fresh confirmations.
 */
confirmed: number, 
/**
 * Suppliers that are needed.
 */
needed: number, } | { "kind": "safe" };

/**
 * How bad it is, from the best to the worst.
 */
export type Level = "good" | "plain" | "working" | "attention" | "bad";

/**
 * What a person can do about it.
 */
export type Asks = "nothing" | "words" | "people" | "folder" | "suppliers" | "restore";

/**
 * What is said of everything.
 */
export type Said = { "kind": "unknown" } | { "kind": "restore_only" } | { "kind": "replaced" } | { "kind": "behind" } | { "kind": "catching_up" } | { "kind": "nothing_chosen" } | { "kind": "would_lose", 
/**
 * Suppliers that hold fresh confirmations.
 */
confirmed: number, 
/**
 * Suppliers that are needed to get it back.
 */
enough: number, } | { "kind": "test_failed", 
/**
 * Files that could not be had whole.
 */
files: number, } | { "kind": "waits_for_people", 
/**
 * Signed and usable.
 */
have: number, 
/**
 * Needed to begin.
 */
need: number, } | { "kind": "first_backup" } | { "kind": "never_backed_up" } | { "kind": "partly_backed_up", 
/**
 * How many.
 */
missing: number, } | { "kind": "stored", 
/**
 * Suppliers that hold fresh confirmations.
 */
confirmed: number, 
/**
 * Suppliers that are needed.
 */
needed: number, } | { "kind": "words_unchecked" } | { "kind": "folder_failed" } | { "kind": "folder_away" } | { "kind": "awaits_restore" } | { "kind": "problems", 
/**
 * How many.
 */
things: number, } | { "kind": "practice" } | { "kind": "safe" } | { "kind": "protected" };

/**
 * What is said of one folder.
 */
export type FolderSaid = { "kind": "unknown" } | { "kind": "replaced" } | { "kind": "behind" } | { "kind": "catching_up" } | { "kind": "never_backed_up" } | { "kind": "first_backup" } | { "kind": "would_lose", 
/**
 * Suppliers that hold fresh confirmations.
 */
confirmed: number, 
/**
 * Suppliers that are needed to get it back.
 */
enough: number, } | { "kind": "failed" } | { "kind": "away" } | { "kind": "awaits_restore" } | { "kind": "stored", 
/**
 * Suppliers that hold fresh confirmations.
 */
confirmed: number, 
/**
 * Suppliers that are needed.
 */
needed: number, } | { "kind": "problems", 
/**
 * How many.
 */
things: number, } | { "kind": "practice" } | { "kind": "safe" } | { "kind": "protected" };

/**
 * Counts of a job that is under way or done.
 */
export type Progress = { 
/**
 * Files looked at or written.
 */
files_done: number, 
/**
 * Files known so far; grows while the walk goes on.
 */
files_total: number, 
/**
 * Bytes read or written.
 */
bytes_done: ByteCount, 
/**
 * Bytes known so far.
 */
bytes_total: ByteCount, 
/**
 * Bytes of shards confirmed by suppliers, or fetched from them.
 */
bytes_moved: ByteCount, };

/**
 * A thing that could not be protected or restored.
 */
export type Problem = { 
/**
 * Where, as the system's raw bytes.
 */
path: Array<number>, 
/**
 * Why, for machines.
 */
code: ErrorCode, 
/**
 * Why, for people: what happened and what is safe.
 */
detail: string, };

/**
 * Why a call failed: what happened, what is safe, what to do.
 */
export type ApiError = { 
/**
 * For machines.
 */
code: ErrorCode, 
/**
 * For people.
 */
message: string, };

/**
 * Names a job for as long as the node runs.
 */
export type JobId = number;

/**
 * What to do with files that are there and differ.
 */
export type Conflict = "replace" | "keep_both" | "skip";

/**
 * A request to the node. Paths are text; bytes that are no UTF-8 are percent-escaped.
 */
export type Call = { "call": "status" } | { "call": "settings_get", 
/**
 * One key, or all.
 */
key: string | null, } | { "call": "settings_set", 
/**
 * The key.
 */
key: string, 
/**
 * The value as text.
 */
value: string, } | { "call": "offer", 
/**
 * Bytes of shards that others may store here.
 */
bytes: number, } | { "call": "invite" } | { "call": "accept", 
/**
 * The invitation's text.
 */
code: string, } | { "call": "supplier_list" } | { "call": "supplier_hire", 
/**
 * The number of suppliers wanted in the end.
 */
count: number, } | { "call": "supplier_fire", 
/**
 * Its device id or a prefix of it.
 */
device: string, } | { "call": "customer_list" } | { "call": "folder_add", 
/**
 * The folder.
 */
path: string, 
/**
 * Exclude patterns in gitignore syntax.
 */
excludes: Array<string>, 
/**
 * Whether file systems mounted inside of it belong to it.
 */
crosses_mounts: boolean, } | { "call": "folder_estimate", 
/**
 * The folder.
 */
path: string, 
/**
 * Exclude patterns in gitignore syntax.
 */
excludes: Array<string>, 
/**
 * Whether file systems mounted inside of it belong to it.
 */
crosses_mounts: boolean, } | { "call": "folder_change", 
/**
 * Path or id.
 */
folder: string, 
/**
 * Exclude patterns in gitignore syntax.
 */
excludes: Array<string>, 
/**
 * Whether file systems mounted inside of it belong to it.
 */
crosses_mounts: boolean, 
/**
 * When it is backed up without being asked.
 */
schedule: Schedule, } | { "call": "folder_list" } | { "call": "folder_remove", 
/**
 * Path or id.
 */
folder: string, } | { "call": "backup", 
/**
 * Folders by path or id; all when empty.
 */
folders: Array<string>, } | { "call": "snapshots" } | { "call": "list", 
/**
 * `SNAPSHOT[:PATH]`: an id or a prefix of it, a time, or `latest`.
 */
target: string, 
/**
 * Continue after this name.
 */
after: string | null, } | { "call": "search", 
/**
 * A part of the name; letter case does not matter.
 */
text: string, 
/**
 * One version by id, or all.
 */
snapshot: string | null, } | { "call": "file_versions", 
/**
 * `SNAPSHOT:PATH`.
 */
target: string, } | { "call": "preview", 
/**
 * `SNAPSHOT:PATH`.
 */
target: string, } | { "call": "restore", 
/**
 * `SNAPSHOT[:PATH]`.
 */
target: string, 
/**
 * Paths below the target; all of it when empty.
 */
only: Array<string>, 
/**
 * The folder to write into; none: back where it was.
 */
to: string | null, 
/**
 * What to do with files that are there and differ.
 */
conflict: Conflict, } | { "call": "verify", 
/**
 * How many random files.
 */
sample: number, } | { "call": "history", 
/**
 * Continue before this line; none: from the newest.
 */
before: number | null, 
/**
 * Only lines that are at least so loud.
 */
severity: Severity | null, 
/**
 * Only lines that contain this text.
 */
text: string | null, } | { "call": "phrase_check", 
/**
 * The words as they were typed.
 */
phrase: string, } | { "call": "device_list" } | { "call": "cancel", 
/**
 * The job.
 */
job: JobId, } | { "call": "shutdown" };

/**
 * What a call gives.
 */
export type Answer = { "answer": "done" } | { "answer": "job", "value": JobId } | { "answer": "status", "value": StatusView } | { "answer": "settings", "value": Array<SettingView> } | { "answer": "invitation", "value": string } | { "answer": "supplier", "value": SupplierView } | { "answer": "suppliers", "value": Array<SupplierView> } | { "answer": "customers", "value": Array<ContractView> } | { "answer": "folder", "value": FolderView } | { "answer": "folders", "value": Array<FolderView> } | { "answer": "snapshots", "value": Array<SnapshotView> } | { "answer": "listing", "value": ListingView } | { "answer": "devices", "value": Array<DeviceView> } | { "answer": "estimate", "value": EstimateView } | { "answer": "found", "value": Array<FoundView> } | { "answer": "file_versions", "value": Array<FileVersionView> } | { "answer": "preview", "value": PreviewView } | { "answer": "history", "value": HistoryView } | { "answer": "phrase_is_right", "value": boolean };

/**
 * How a job ended.
 */
export type JobOutcome = "complete" | "partial" | "failed" | "cancelled";

/**
 * What is to be known of a job and is no problem: there is nothing to be done about each case.
 */
export type Remark = "root_attributes_unseen";

/**
 * The end of a job.
 */
export type JobReport = { 
/**
 * How it ended.
 */
outcome: JobOutcome, 
/**
 * Its counts.
 */
progress: Progress, 
/**
 * New snapshots, or the one restored, as full hexadecimal ids.
 */
snapshots: Array<string>, 
/**
 * What could not be protected or restored, in full up to a limit.
 */
problems: Array<Problem>, 
/**
 * How many more problems there were.
 */
problems_unlisted: number, 
/**
 * What is to be known besides.
 */
remarks: Array<Remark>, 
/**
 * Bytes of new chunks before compression (backup).
 */
new_bytes: number, 
/**
 * Bytes of sealed packs sent for them, before coding (backup).
 */
packed_bytes: number, 
/**
 * The error that ended it, where it failed.
 */
error: ErrorCode | null, 
/**
 * The same for people.
 */
message: string | null, 
/**
 * The result of a test restore.
 */
verified: VerifyView | null, 
/**
 * How well everything that is published is kept at the end of a backup that made a version, or
 * found nothing to do.
 */
protection: Protection | null, 
/**
 * Names of suppliers who do not have all of it yet.
 */
owed: Array<string>, };

/**
 * What happened.
 */
export type Happening = { "kind": "started" } | { "kind": "backup_ended", 
/**
 * How.
 */
outcome: JobOutcome, 
/**
 * Files looked at.
 */
files: number, 
/**
 * Bytes of new chunks.
 */
new_bytes: number, 
/**
 * Things that could not be protected.
 */
problems: number, 
/**
 * Why, where it failed.
 */
error: ErrorCode | null, } | { "kind": "restore_ended", 
/**
 * How.
 */
outcome: JobOutcome, 
/**
 * Files written or found the same.
 */
files: number, 
/**
 * Things that could not be restored.
 */
problems: number, 
/**
 * Why, where it failed.
 */
error: ErrorCode | null, } | { "kind": "verify_ended", 
/**
 * How.
 */
outcome: JobOutcome, 
/**
 * Files that came back whole.
 */
files: number, 
/**
 * Files that did not.
 */
failed: number, 
/**
 * Why, where it failed.
 */
error: ErrorCode | null, } | { "kind": "folder_added", 
/**
 * Where it lies.
 */
path: string, } | { "kind": "folder_removed", 
/**
 * Where it lay.
 */
path: string, } | { "kind": "watch_limited", 
/**
 * Where it lies.
 */
path: string, 
/**
 * Why.
 */
reason: string, } | { "kind": "supplier_signed", 
/**
 * Nickname and fingerprint.
 */
name: string, 
/**
 * Bytes agreed.
 */
bytes: number, } | { "kind": "supplier_suspect", 
/**
 * Nickname and fingerprint.
 */
name: string, } | { "kind": "supplier_emptied", 
/**
 * Nickname and fingerprint.
 */
name: string, } | { "kind": "supplier_trusted", 
/**
 * Nickname and fingerprint.
 */
name: string, } | { "kind": "caught_up", 
/**
 * How many.
 */
versions: number, } | { "kind": "friend_made", 
/**
 * Nickname and fingerprint.
 */
name: string, } | { "kind": "offer_changed", 
/**
 * Bytes.
 */
bytes: number, } | { "kind": "friends_not_read" } | { "kind": "kept_list_rebuilt", 
/**
 * Pieces that it has now.
 */
pieces: number, } | { "kind": "kept_pieces_lost", 
/**
 * So many.
 */
pieces: number, } | { "kind": "kept_folder_away" } | { "kind": "kept_shut" } | { "kind": "defect" } | { "kind": "other" };

/**
 * A line of the history.
 */
export type HistoryLine = { 
/**
 * Its number; newer lines have higher ones.
 */
number: number, 
/**
 * When, by the own clock.
 */
at: UnixMillis, 
/**
 * How loud.
 */
severity: Severity, 
/**
 * What happened, for machines.
 */
happening: Happening, 
/**
 * What happened, for people.
 */
message: string, };

/**
 * A page of the history, newest first.
 */
export type HistoryView = { 
/**
 * The lines.
 */
lines: Array<HistoryLine>, 
/**
 * Whether older ones follow.
 */
more: boolean, 
/**
 * Lines that fit the question, as far as they were counted.
 */
count: number, };

/**
 * Health in a sentence, then figures.
 */
export type StatusView = { 
/**
 * One sentence for a person.
 */
sentence: string, 
/**
 * What is said of everything: by this, and nothing else, front ends choose words, colours and signs.
 */
verdict: VerdictView, 
/**
 * How well everything is kept.
 */
protection: Protection, 
/**
 * Confirmations with which everything can still be had, of what is worst off; none where nothing
 * was backed up.
 */
enough: number | null, 
/**
 * The nickname.
 */
nickname: string, 
/**
 * The identity in full.
 */
identity: string, 
/**
 * This device in full.
 */
device: string, 
/**
 * Name of the network.
 */
network: string, 
/**
 * `internet`, `lan` or `loopback`.
 */
scope: string, 
/**
 * How the keys rest: `keyring`, `passphrase` or `file`.
 */
keys: string, 
/**
 * Whether the words were asked back.
 */
phrase_confirmed: boolean, 
/**
 * The code of the current set, or the one the next set will have.
 */
code: Code | null, 
/**
 * Folders under protection.
 */
folders: Array<FolderView>, 
/**
 * Suppliers.
 */
suppliers: Array<SupplierView>, 
/**
 * The newest head.
 */
head: HeadView | null, 
/**
 * What can be restored now; none where nothing was backed up.
 */
reach: ReachView | null, 
/**
 * Space offered to others in bytes.
 */
offered_bytes: number, 
/**
 * Space used by others in bytes.
 */
used_by_others_bytes: number, 
/**
 * Sealed packs of contents, in bytes before coding.
 */
packed_bytes: number, 
/**
 * n / k of that, in bytes: the least that all pieces of contents can have.
 */
coded_bytes: number, 
/**
 * Pieces of contents that suppliers confirmed, in bytes.
 */
kept_bytes: number, 
/**
 * Sealed packs of metadata, in bytes before copying.
 */
metadata_bytes: number, 
/**
 * Copies of metadata that suppliers confirmed, in bytes.
 */
metadata_kept_bytes: number, 
/**
 * Sealed metadata in bytes, before copying, for each file of the newest versions; none
 * where there is no file.
 */
metadata_bytes_per_file: number | null, 
/**
 * Bytes waiting in the spool for suppliers that are away.
 */
spooled_bytes: number, 
/**
 * Where this node listens.
 */
listening: Array<string>, 
/**
 * Peers connected now.
 */
peers: number, 
/**
 * State of each state machine by name.
 */
machines: Array<[string, string]>, 
/**
 * Jobs that run or wait, oldest first.
 */
jobs: Array<JobView>, 
/**
 * The newest lines of the history, newest first.
 */
notices: Array<HistoryLine>, 
/**
 * Bytes free on the disk of the home; none where the system does not tell.
 */
disk_free_bytes: number | null, 
/**
 * The chance that everything can be restored in 90 days if this machine is lost now and
 * nobody repairs anything; none as long as it is not measured.
 */
survival: number | null, 
/**
 * The last real test restore; none before the first.
 */
last_verify: LastVerifyView | null, 
/**
 * Whether the clock of this computer is surely wrong: most suppliers signed another time.
 */
is_clock_wrong: boolean, 
/**
 * Whether this machine only restores: nobody was told of it, and nothing is backed up from it.
 */
is_restore_only: boolean, 
/**
 * Whether another machine took the place of this one: nothing more is backed up from it.
 */
is_replaced: boolean, 
/**
 * Whether suppliers keep newer versions of this machine that it does not know.
 */
is_behind: boolean, 
/**
 * Whether they do, and it is taking them in.
 */
is_catching_up: boolean, };

/**
 * What is said of everything, made by the engine alone.
 */
export type VerdictView = { 
/**
 * What is said first: nothing is worse.
 */
first: FindingView, 
/**
 * What is wrong besides, what is worse first.
 */
also: Array<FindingView>, 
/**
 * When the newest version of the folder was taken whose newest is the oldest: everything is at
 * least as fresh.
 */
oldest_backup: UnixMillis | null, 
/**
 * Whether everything can be restored from suppliers that are online now; none where nothing was
 * backed up.
 */
within_reach: boolean | null, };

/**
 * One thing that is so.
 */
export type FindingView = { 
/**
 * What.
 */
says: Said, 
/**
 * How bad it is.
 */
level: Level, 
/**
 * What a person can do about it.
 */
asks: Asks, 
/**
 * Folders concerned, by id, where not all are alike.
 */
folders: Array<string>, };

/**
 * What is said of one folder, made by the engine alone.
 */
export type FolderVerdictView = { 
/**
 * What.
 */
says: FolderSaid, 
/**
 * How bad it is.
 */
level: Level, };

/**
 * A job that runs or waits.
 */
export type JobView = { 
/**
 * Its number.
 */
id: JobId, 
/**
 * What it is for.
 */
task: JobTask, 
/**
 * What it does or waits for.
 */
phase: JobPhase, 
/**
 * How far it is.
 */
progress: Progress, 
/**
 * Since when it runs.
 */
started_at: UnixMillis, 
/**
 * Bytes of files a second over the last seconds; none before that was measured.
 */
bytes_per_second: number | null, 
/**
 * Seconds that the rest will take; none where that cannot be said.
 */
remaining_seconds: number | null, 
/**
 * The file or folder in work, where there is one.
 */
current: string | null, };

/**
 * What a job is for.
 */
export type JobTask = { "kind": "backup", 
/**
 * Their paths.
 */
folders: Array<string>, 
/**
 * Whether the schedule or a change began it.
 */
is_scheduled: boolean, } | { "kind": "restore", 
/**
 * The version by id.
 */
snapshot: string, 
/**
 * The path inside the version; empty: all of it.
 */
path: string, 
/**
 * The folder written into.
 */
to: string, 
/**
 * What happens with files that are there and differ.
 */
conflict: Conflict, } | { "kind": "verify", 
/**
 * How many files.
 */
sample: number, } | { "kind": "recovery" };

/**
 * What a job does or waits for.
 */
export type JobPhase = { "kind": "waiting" } | { "kind": "waiting_for_suppliers", 
/**
 * Signed and usable.
 */
have: number, 
/**
 * Needed to begin.
 */
need: number, } | { "kind": "reading" } | { "kind": "waiting_for_spool" } | { "kind": "waiting_for_disk" } | { "kind": "waiting_for_supplier", 
/**
 * Its nickname and fingerprint.
 */
name: string, } | { "kind": "sending" } | { "kind": "waiting_for_confirmations", 
/**
 * Confirmations of the weakest piece.
 */
confirmed: number, 
/**
 * Confirmations it needs.
 */
need: number, 
/**
 * Names of those who are away.
 */
away: Array<string>, } | { "kind": "writing_lists" } | { "kind": "publishing" } | { "kind": "seeking" } | { "kind": "asking_heads" } | { "kind": "loading_lists" } | { "kind": "fetching" } | { "kind": "waiting_for_pieces" };

/**
 * When a folder is backed up without being asked.
 */
export type Schedule = { "kind": "on_change" } | { "kind": "every", 
/**
 * Minutes, from 5 to 10,080 (a week).
 */
minutes: number, } | { "kind": "manual" };

/**
 * What happens with a folder by itself.
 */
export type FolderState = { "kind": "quiet" } | { "kind": "changed", 
/**
 * When that will be, at the latest.
 */
due_at: UnixMillis, } | { "kind": "backing_up" } | { "kind": "failed", 
/**
 * When.
 */
retry_at: UnixMillis, 
/**
 * Why.
 */
error: ErrorCode, } | { "kind": "away" } | { "kind": "awaits_restore" };

/**
 * A folder under protection.
 */
export type FolderView = { 
/**
 * Full hexadecimal id.
 */
id: string, 
/**
 * Where it lies.
 */
path: string, 
/**
 * Exclude patterns.
 */
excludes: Array<string>, 
/**
 * Whether file systems mounted inside of it belong to it.
 */
crosses_mounts: boolean, 
/**
 * What is said of it.
 */
verdict: FolderVerdictView, 
/**
 * How well it is kept.
 */
protection: Protection, 
/**
 * When its newest version was taken.
 */
last_backup: UnixMillis | null, 
/**
 * Files in the newest version.
 */
files: number, 
/**
 * Their bytes.
 */
bytes: number, 
/**
 * Things in it that could not be protected.
 */
problems: number, 
/**
 * When it is backed up without being asked.
 */
schedule: Schedule, 
/**
 * What happens with it by itself.
 */
state: FolderState, 
/**
 * When the next backup is due by the schedule, where that can be said.
 */
next_backup: UnixMillis | null, 
/**
 * Why changes in it are not seen at once, where they are not.
 */
watch_problem: string | null, 
/**
 * What of the newest version could not be protected, the first ones in full.
 */
unprotected: Array<UnprotectedView>, };

/**
 * A thing that is not protected, and why.
 */
export type UnprotectedView = { 
/**
 * Where.
 */
path: string, 
/**
 * Why.
 */
code: ErrorCode, 
/**
 * Why, for people.
 */
detail: string, };

/**
 * The newest head and who vouches for it.
 */
export type HeadView = { 
/**
 * Place in the lane.
 */
sequence: number, 
/**
 * When it was written.
 */
written_at: UnixMillis, 
/**
 * Suppliers that signed for exactly this one and keep all lists that it leads to.
 */
confirmed: number, 
/**
 * Suppliers of the set.
 */
of: number, };

/**
 * What can be had of all that was backed up from suppliers that are online now.
 */
export type ReachView = { 
/**
 * Suppliers of the set that are online.
 */
online: number, 
/**
 * How many of these may go offline and all of it can still be restored; none where not all of
 * it can be restored now.
 */
spare: number | null, };

/**
 * Somebody who keeps data.
 */
export type SupplierView = { 
/**
 * The machine in full.
 */
device: string, 
/**
 * The person in full.
 */
identity: string, 
/**
 * Nickname and fingerprint.
 */
name: string, 
/**
 * Whether it is a friend.
 */
friend: boolean, 
/**
 * State of its link machine.
 */
state: string, 
/**
 * Whether it is connected now.
 */
online: boolean, 
/**
 * How it is reached while it is connected: `tcp`, `quic` or `relayed`.
 */
path: string | null, 
/**
 * Whether its last proof or receipt still counts.
 */
confirmed: boolean, 
/**
 * Position in the set.
 */
position: number | null, 
/**
 * Bytes agreed.
 */
contract_bytes: number, 
/**
 * Bytes kept, confirmed.
 */
kept_bytes: number, 
/**
 * When it was last seen.
 */
last_seen: UnixMillis | null, 
/**
 * When it last proved something.
 */
last_proof: UnixMillis | null, 
/**
 * Whether it lost something and does not count until it has proved that it keeps the rest.
 */
is_suspect: boolean, 
/**
 * Whether it lacks something of the newest version, or of one before.
 */
is_owed: boolean, };

/**
 * Somebody whose data is kept here.
 */
export type ContractView = { 
/**
 * The person in full.
 */
identity: string, 
/**
 * Nickname and fingerprint.
 */
name: string, 
/**
 * The writing machine in full.
 */
device: string, 
/**
 * Bytes agreed.
 */
contract_bytes: number, 
/**
 * Bytes used.
 */
used_bytes: number, 
/**
 * Whether it is connected now.
 */
online: boolean, };

/**
 * A version of a folder.
 */
export type SnapshotView = { 
/**
 * Full hexadecimal id.
 */
id: string, 
/**
 * The folder's path.
 */
path: string, 
/**
 * Which device took it, in full.
 */
device: string, 
/**
 * When.
 */
taken_at: UnixMillis, 
/**
 * Whether that time cannot be right, so that it says nothing about which version is newer.
 */
is_clock_suspect: boolean, 
/**
 * Files in it.
 */
files: number, 
/**
 * Their bytes.
 */
bytes: number, 
/**
 * Things that could not be protected.
 */
problems: number, 
/**
 * Who has it; `None`: not known, for it is another machine's, or suppliers keep versions that this one has
 * forgotten.
 */
kept: KeptView | null, };

/**
 * Who signed for a version and keeps all lists that it leads to.
 */
export type KeptView = { 
/**
 * Suppliers that did.
 */
confirmed: number, 
/**
 * Suppliers of the set.
 */
of: number, };

/**
 * A page of a listing.
 */
export type ListingView = { 
/**
 * Entries by name.
 */
entries: Array<EntryView>, 
/**
 * Whether more follow.
 */
more: boolean, };

/**
 * One name in a listing.
 */
export type EntryView = { 
/**
 * The name, percent-escaped where it is no UTF-8.
 */
name: string, 
/**
 * `file`, `directory`, `symlink`, `fifo`, `socket` or `device`.
 */
kind: string, 
/**
 * Bytes of a file.
 */
bytes: number, 
/**
 * Permission bits.
 */
mode: number, 
/**
 * Modification time in seconds since 1970.
 */
mtime_seconds: number, 
/**
 * Target of a symbolic link.
 */
target: string | null, };

/**
 * How much a folder would be.
 */
export type EstimateView = { 
/**
 * Files that would be protected.
 */
files: number, 
/**
 * Their bytes.
 */
bytes: number, 
/**
 * Files and folders that the patterns leave out, the first ones in full.
 */
excluded: Array<string>, 
/**
 * How many there are in all; a folder counts once.
 */
excluded_count: number, 
/**
 * Things that cannot be read, the first ones in full.
 */
unreadable: Array<string>, 
/**
 * How many there are in all.
 */
unreadable_count: number, 
/**
 * Whether the walk was stopped at its limit; there is more than these figures say.
 */
is_cut: boolean, };

/**
 * A name that a search found.
 */
export type FoundView = { 
/**
 * The newest version that has it, by id.
 */
snapshot: string, 
/**
 * The folder's path.
 */
folder: string, 
/**
 * When the version was taken.
 */
taken_at: UnixMillis, 
/**
 * The path inside the version.
 */
path: string, 
/**
 * What it is there.
 */
entry: EntryView, };

/**
 * A version of one file.
 */
export type FileVersionView = { 
/**
 * The newest version of the folder that has it like this, by id.
 */
snapshot: string, 
/**
 * When that was taken.
 */
taken_at: UnixMillis, 
/**
 * What it is there.
 */
entry: EntryView, };

/**
 * The beginning of a file, to be shown.
 */
export type PreviewView = { "kind": "text", 
/**
 * The beginning.
 */
text: string, 
/**
 * Whether there is more.
 */
is_cut: boolean, } | { "kind": "image", 
/**
 * `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
 */
media: string, 
/**
 * Its bytes in base64.
 */
base64: string, } | { "kind": "none", 
/**
 * Bytes of the file.
 */
bytes: number, };

/**
 * A device of the identity.
 */
export type DeviceView = { 
/**
 * In full.
 */
device: string, 
/**
 * When its certificate was issued, where this home has seen it.
 */
since: UnixMillis | null, 
/**
 * Whether it is this one.
 */
this: boolean, 
/**
 * Whether its lane is closed.
 */
fenced: boolean, };

/**
 * A setting and where its value comes from.
 */
export type SettingView = { 
/**
 * The key.
 */
key: string, 
/**
 * The value as text.
 */
value: string, 
/**
 * `flag`, `home` or `default`.
 */
from: string, };

/**
 * The result of a test restore.
 */
export type VerifyView = { 
/**
 * Files fetched and compared.
 */
files: number, 
/**
 * Their bytes.
 */
bytes: number, 
/**
 * Files whose bytes were the same as on this machine.
 */
equal: number, 
/**
 * Files that have changed on this machine since; their stored bytes were whole.
 */
changed_here: number, 
/**
 * Files that could not be had whole.
 */
failed: number, };

/**
 * The last real test restore.
 */
export type LastVerifyView = { 
/**
 * When it ended.
 */
at: UnixMillis, 
/**
 * Its result.
 */
result: VerifyView, };

/**
 * Something happened.
 */
export type Event = { "event": "progress", 
/**
 * The job.
 */
job: JobId, 
/**
 * Its counts.
 */
progress: Progress, 
/**
 * What it is doing or waiting for.
 */
doing: JobPhase, 
/**
 * The same as a short phrase.
 */
phase: string, 
/**
 * Bytes of files a second over the last seconds; none before that was measured.
 */
bytes_per_second: number | null, 
/**
 * Seconds that the rest will take; none where that cannot be said.
 */
remaining_seconds: number | null, } | { "event": "status", 
/**
 * It.
 */
status: StatusView, } | { "event": "ended", 
/**
 * The job.
 */
job: JobId, 
/**
 * How, and with what.
 */
report: JobReport, } | { "event": "notice", 
/**
 * It.
 */
line: HistoryLine, };

/**
 * How the keys of a home rest.
 */
export type GuardChoice = { "kind": "keyring" } | { "kind": "passphrase", 
/**
 * It.
 */
passphrase: string, } | { "kind": "file" };

/**
 * A request to the host.
 */
export type HostCall = { "call": "state" } | { "call": "create", 
/**
 * The nickname.
 */
nickname: string, 
/**
 * How the keys rest.
 */
guard: GuardChoice, } | { "call": "confirm_words", 
/**
 * Places from 1 to 24 with the words typed for them.
 */
words: Array<[number, string]>, } | { "call": "recover", 
/**
 * The 24 words as they were typed.
 */
phrase: string, 
/**
 * The address or invitation of any live node of the network.
 */
way_in: string, 
/**
 * What this machine becomes.
 */
recover_as: RecoverAs, 
/**
 * How the keys rest.
 */
guard: GuardChoice, } | { "call": "unlock", 
/**
 * The passphrase.
 */
passphrase: string, } | { "call": "retry" } | { "call": "practice_start" } | { "call": "practice_stop" } | { "call": "practice_forget" } | { "call": "practice_supplier", 
/**
 * Its number, from 1.
 */
number: number, 
/**
 * Whether it shall run.
 */
runs: boolean, };

/**
 * What the host answers.
 */
export type HostAnswer = { "answer": "host", "value": HostView } | { "answer": "created", "value": CreatedView } | { "answer": "words_are_right", "value": boolean } | { "answer": "recovered", "value": RecoveredView };

/**
 * A new identity. The words are shown once and kept nowhere.
 */
export type CreatedView = { 
/**
 * The 24 words.
 */
words: Array<string>, 
/**
 * The identity in full.
 */
identity: string, 
/**
 * Its fingerprint: the first characters, as shown beside the nickname.
 */
fingerprint: string, };

/**
 * A version that a recovery knows of and could not take over.
 */
export type MissedVersion = { 
/**
 * Its number among the versions of its machine.
 */
number: number, 
/**
 * When it was written, by that machine's clock; `None` where nobody told it.
 */
written_at: UnixMillis | null, 
/**
 * Whether another machine wrote it than the newest version that was found.
 */
is_of_another: boolean, };

/**
 * What a recovered machine becomes, beside the machines that the identity had.
 */
export type RecoverAs = "successor" | "another" | "reader";

/**
 * What a recovery found.
 */
export type RecoveredView = { 
/**
 * The identity in full.
 */
identity: string, 
/**
 * The nickname.
 */
nickname: string, 
/**
 * Whether this machine only restores: as that was asked for, or as the identity has as many machines as it can.
 */
is_restore_only: boolean, 
/**
 * When the newest version that was found was written, by the old machine's clock.
 */
newest: UnixMillis | null, 
/**
 * Its number among the versions of its machine.
 */
number: number | null, 
/**
 * Suppliers that told exactly this one; of several machines the fewest.
 */
confirmed: number, 
/**
 * Suppliers of the set.
 */
of: number, 
/**
 * A newer version that exists with suppliers who did not answer.
 */
newer: MissedVersion | null, 
/**
 * A newer version that was told, and whose lists could not be had.
 */
unread: MissedVersion | null, 
/**
 * Parts of the index that could not be had: files in there cannot be restored for now.
 */
index_missing: number, 
/**
 * Pages of older versions that could not be had: those are not listed.
 */
older_missing: number, 
/**
 * Whether so many told a version that no other can be newer but those named here.
 */
is_sure: boolean, 
/**
 * Versions found.
 */
snapshots: number, 
/**
 * Files in the newest version of each folder.
 */
files: number, 
/**
 * Folders that are taken over, and are backed up from this machine once they were restored.
 */
folders: number, };

/**
 * Where the host stands.
 */
export type HostView = { 
/**
 * The state.
 */
state: HostState, 
/**
 * The home's folder.
 */
home: string, 
/**
 * Whether keys can rest in a keyring here.
 */
has_keyring: boolean, 
/**
 * The practice network, while it is used.
 */
practice: PracticeView | null, 
/**
 * Whether a practice network lies on this computer.
 */
has_practice: boolean, 
/**
 * The program's version.
 */
version: string, };

/**
 * States of a host.
 */
export type HostState = { "kind": "absent" } | { "kind": "locked" } | { "kind": "starting" } | { "kind": "recovering", 
/**
 * What is going on.
 */
phase: JobPhase, } | { "kind": "running" } | { "kind": "attached" } | { "kind": "failed", 
/**
 * Why.
 */
error: ApiError, };

/**
 * The practice network of this computer.
 */
export type PracticeView = { 
/**
 * Its suppliers.
 */
suppliers: Array<PracticeSupplierView>, };

/**
 * A supplier of the practice network.
 */
export type PracticeSupplierView = { 
/**
 * Its number, from 1.
 */
number: number, 
/**
 * Its nickname.
 */
name: string, 
/**
 * Its machine in full.
 */
device: string, 
/**
 * Whether it runs.
 */
runs: boolean, };

/**
 * What the host tells without being asked.
 */
export type HostEvent = { "from": "host", 
/**
 * Where it stands now.
 */
view: HostView, } | { "from": "node", 
/**
 * It.
 */
event: Event, };

/** Which answer each call has, by name. */
export type AnswerNames = {
  status: "status";
  settings_get: "settings";
  settings_set: "done";
  offer: "done";
  invite: "invitation";
  accept: "supplier";
  supplier_list: "suppliers";
  supplier_hire: "done";
  supplier_fire: "done";
  customer_list: "customers";
  folder_add: "folder";
  folder_estimate: "estimate";
  folder_change: "folder";
  folder_list: "folders";
  folder_remove: "done";
  backup: "job";
  snapshots: "snapshots";
  list: "listing";
  search: "found";
  file_versions: "file_versions";
  preview: "preview";
  restore: "job";
  verify: "job";
  history: "history";
  phrase_check: "phrase_is_right";
  device_list: "devices";
  cancel: "done";
  shutdown: "done";
};

/** Which answer each call to the host has, by name. */
export type HostAnswerNames = {
  state: "host";
  create: "created";
  confirm_words: "words_are_right";
  recover: "recovered";
  unlock: "host";
  retry: "host";
  practice_start: "host";
  practice_stop: "host";
  practice_forget: "host";
  practice_supplier: "host";
};
