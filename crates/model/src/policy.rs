//! Durations and rates by which peers live with each other. Time is a parameter: tests shorten
//! these, homes of scope `loopback` may override them, others may not. How long people, processes
//! and the own disk are waited for is in [`intervals`](crate::intervals).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The durations by which engine and net live. All are milliseconds in configuration files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// First wait before a peer is dialled again; doubles each time.
    #[serde(with = "millis")]
    pub redial_min: Duration,
    /// Longest wait between dials.
    #[serde(with = "millis")]
    pub redial_max: Duration,
    /// How long a request to a peer may take.
    #[serde(with = "millis")]
    pub request_timeout: Duration,
    /// How long a shard may make no progress before its transfer is given up.
    #[serde(with = "millis")]
    pub stall_timeout: Duration,
    /// How long those are waited for at least who would make a new version safe and have not
    /// answered, when enough others have for it to be published.
    #[serde(with = "millis")]
    pub straggler_wait: Duration,
    /// How long a fetched piece may take at least before it is late and another supplier is asked,
    /// however fast the last ones came.
    #[serde(with = "millis")]
    pub late_min: Duration,
    /// The same as long as few pieces came.
    #[serde(with = "millis")]
    pub late_first: Duration,
    /// How long a supplier that was late is asked last, unless it answers in time.
    #[serde(with = "millis")]
    pub late_for: Duration,
    /// First wait before a failed transfer is tried again; doubles each time.
    #[serde(with = "millis")]
    pub retry_min: Duration,
    /// Longest wait between tries.
    #[serde(with = "millis")]
    pub retry_max: Duration,
    /// Wait between two searches for suppliers while some are missing.
    #[serde(with = "millis")]
    pub search_interval: Duration,
    /// How long a backup waits for a silent supplier before it looks for a substitute.
    #[serde(with = "millis")]
    pub substitute_after: Duration,
    /// How long a receipt counts as a confirmation.
    #[serde(with = "millis")]
    pub receipt_counts_for: Duration,
    /// Time between two checks of a supplier.
    #[serde(with = "millis")]
    pub check_interval: Duration,
    /// How long records live in the DHT.
    #[serde(with = "millis")]
    pub record_lifetime: Duration,
    /// Time between two publications of the own records and those kept for customers.
    #[serde(with = "millis")]
    pub republish_interval: Duration,
    /// How long recovery looks for the identity's records before it asks for another way in.
    #[serde(with = "millis")]
    pub recovery_timeout: Duration,
    /// How long recovery waits for further suppliers to confirm the newest head.
    #[serde(with = "millis")]
    pub head_wait: Duration,
    /// How long a restore tries for packs that cannot be had before it reports them.
    #[serde(with = "millis")]
    pub restore_patience: Duration,
    /// How long a watched folder has to be still before it is backed up.
    #[serde(with = "millis")]
    pub watch_still: Duration,
    /// How long changes may go on before the folder is backed up anyway.
    #[serde(with = "millis")]
    pub watch_patience: Duration,
    /// Time between two looks through a watched folder in which no change was seen.
    #[serde(with = "millis")]
    pub rescan_interval: Duration,
    /// How long after the start folders are looked through for the first time.
    #[serde(with = "millis")]
    pub first_scan_after: Duration,
    /// First wait before a backup that began by itself and failed is tried again; doubles.
    #[serde(with = "millis")]
    pub backup_retry_min: Duration,
    /// Longest wait between tries.
    #[serde(with = "millis")]
    pub backup_retry_max: Duration,
    /// Unseen for longer than this is away.
    #[serde(with = "millis")]
    pub away_after: Duration,
    /// Days of its own uptime that a supplier keeps data of a customer who is gone.
    pub patience_days: u16,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

impl Default for Policy {
    fn default() -> Self {
        Self {
            redial_min: SECOND,
            redial_max: 10 * MINUTE,
            request_timeout: 30 * SECOND,
            stall_timeout: MINUTE,
            straggler_wait: Duration::from_millis(700),
            late_min: Duration::from_millis(250),
            late_first: Duration::from_millis(700),
            late_for: MINUTE,
            retry_min: SECOND,
            retry_max: 5 * MINUTE,
            search_interval: MINUTE,
            substitute_after: 24 * HOUR,
            receipt_counts_for: 24 * HOUR,
            check_interval: 24 * HOUR,
            record_lifetime: 48 * HOUR,
            republish_interval: 8 * HOUR,
            recovery_timeout: 2 * MINUTE,
            head_wait: 20 * SECOND,
            restore_patience: 2 * MINUTE,
            watch_still: 10 * SECOND,
            watch_patience: 2 * MINUTE,
            rescan_interval: HOUR,
            first_scan_after: 20 * SECOND,
            backup_retry_min: MINUTE,
            backup_retry_max: HOUR,
            away_after: HOUR,
            patience_days: 180,
        }
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        value: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
