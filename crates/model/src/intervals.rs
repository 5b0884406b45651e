//! Durations that no home changes: how long people, processes and the own disk are waited for,
//! and how often people are told. What peers live by is in `Policy`.

use std::time::Duration;

use crate::limits::{HEADS_KEPT_DAYS, PARTS_KEPT_HOURS};
use crate::unit::UnixMillis;

/// Time between two lines of progress where they cannot be drawn over each other.
pub const PLAIN_LINE_EVERY: Duration = Duration::from_secs(2);
/// Time between two pictures of a spinner.
pub const SPINNER_EVERY: Duration = Duration::from_millis(120);
/// At most so often do front ends hear how far jobs are, and what the status is.
pub const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// Waits below this are the ordinary ones, and nobody needs to know why.
pub const WAIT_TOLD_AFTER: Duration = Duration::from_secs(2);

/// How far back the speed of a job is measured.
pub const SPEED_WINDOW: Duration = Duration::from_secs(20);
/// Speed is not told before it was measured for so long.
pub const SPEED_TOLD_AFTER: Duration = Duration::from_secs(3);
/// The total of a job counts as known when it has not grown for so long: the walk is over.
pub const TOTAL_KNOWN_AFTER: Duration = Duration::from_secs(3);

/// How often `supplier hire` looks, where no event tells more.
pub const HIRE_LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a daemon of the demo may take until it is ready.
pub const DEMO_READY_WITHIN: Duration = Duration::from_secs(60);
/// How long the demo waits for its own network to settle.
pub const DEMO_PATIENCE: Duration = Duration::from_secs(90);
/// How often it looks meanwhile.
pub const DEMO_LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long the holder of a home may take to serve its socket, and to answer.
pub const JOIN_PATIENCE: Duration = Duration::from_secs(20);
/// How often it is tried meanwhile.
pub const JOIN_LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a node of a practice network may take to serve.
pub const PRACTICE_PATIENCE: Duration = Duration::from_secs(20);
/// How long the network may take to end its connections, and answers to be found, at the end of
/// a node.
pub const PARTING_PATIENCE: Duration = Duration::from_secs(2);
/// How often the loop of a node wakes when nothing is due, to see whether the machine slept: its timers
/// stand still in sleep, and what became due must not wait for them.
pub const IDLE_EVERY: Duration = Duration::from_secs(15);
/// A clock that counts sleep is ahead of the steady one by more: the machine slept. The wall clock is
/// ahead of both by more: it was set forward, perhaps after a sleep that only the host knows of.
pub const SLEPT_AFTER: Duration = Duration::from_secs(60);
/// A page of the window that takes longer is shown as it is.
pub const PAGE_PATIENCE: Duration = Duration::from_millis(700);
/// How long the trial call of a packaged window may take.
pub const SMOKE_PATIENCE: Duration = Duration::from_secs(30);

/// No clock is right that shows an earlier time: this program was not there yet.
pub const CLOCK_EARLIEST: UnixMillis = UnixMillis(1_750_000_000_000);
/// Clocks of machines that are set differ by less: by a time zone that was taken for another at most.
pub const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest wait before something is looked at again: without one a machine would wake for ever.
pub const AGAIN_AFTER_MIN: Duration = Duration::from_millis(1);
/// How often the structure of the catalogue is looked through, first at a start.
pub const CATALOGUE_CHECKED_EVERY: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How soon a full disk is tried again.
pub const DISK_RETRY: Duration = Duration::from_millis(500);
/// How long SQLite waits for a lock of another process, for example a person's `sqlite3`.
pub const DATABASE_PATIENCE: Duration = Duration::from_secs(10);

/// How long the start of the network waits for the addresses of its listeners.
pub const LISTEN_PATIENCE: Duration = Duration::from_secs(2);
/// How long connections may take to end in order.
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// At most so often are connections looked through for those that nobody uses.
pub const SWEEP_EVERY_MIN: Duration = Duration::from_millis(1);
/// Below the five seconds that are usual: a dead peer costs a query of the DHT one such wait.
pub const QUIC_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(3);
/// The same for TCP, whose system would try for two minutes: a host that vanished answers nothing. A packet that
/// is lost is sent again after a second.
pub const TCP_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the DHT may take to know better than connected peers who keep the same records. A query that
/// meets a dead node takes thrice as long; those that are alive were seen to answer within milliseconds
/// on loopback, and have not been measured farther away.
pub const RECORDS_PATIENCE: Duration = Duration::from_secs(1);
/// How long a start waits for suppliers that are there, or are being reached, to tell the newest head that they
/// keep, where as many as it takes have told theirs. Whoever vanished takes far longer to be noticed.
pub const TIPS_PATIENCE: Duration = Duration::from_millis(700);

/// How long a supplier keeps older heads of a lane.
pub const HEADS_KEPT: Duration = Duration::from_secs(HEADS_KEPT_DAYS * 24 * 60 * 60);
/// How long it keeps a shard that came only in part.
pub const PARTS_KEPT: Duration = Duration::from_secs(PARTS_KEPT_HOURS * 60 * 60);
/// How long a file must have been left alone before its stamp can be believed: a second change
/// within one tick of the file system's clock (two seconds on FAT) shows no trace.
pub const STAMP_SETTLES: Duration = Duration::from_secs(2);
