//! When a folder is backed up without being asked, and how that is written.

use serde::{Deserialize, Serialize};

/// When a folder is backed up without being asked.
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// Soon after something in it changed, and every hour in case a change was not seen.
    #[default]
    OnChange,
    /// So often, whether it changed or not.
    Every {
        /// Minutes, from 5 to 10,080 (a week).
        minutes: u32,
    },
    /// Only when it is asked for.
    Manual,
}

/// Shortest and longest interval of [`Schedule::Every`] in minutes.
pub const SCHEDULE_MINUTES: std::ops::RangeInclusive<u32> = 5..=10_080;

impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OnChange => f.write_str("on-change"),
            Self::Every { minutes } => write!(f, "{minutes}m"),
            Self::Manual => f.write_str("manual"),
        }
    }
}

/// A text that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no schedule: on-change, manual, or minutes from 5m to 10080m, for example 60m")]
pub struct ScheduleError(String);

impl std::str::FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let minutes = text
            .strip_suffix('m')
            .and_then(|digits| digits.parse().ok());
        match (text, minutes) {
            ("on-change", _) => Ok(Self::OnChange),
            ("manual", _) => Ok(Self::Manual),
            (_, Some(minutes)) if SCHEDULE_MINUTES.contains(&minutes) => {
                Ok(Self::Every { minutes })
            }
            _ => Err(ScheduleError(text.to_owned())),
        }
    }
}
