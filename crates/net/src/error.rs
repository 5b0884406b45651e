//! What can go wrong on the network, with the stable code that crosses crates.

use bitdust_model::message::Refusal;
use bitdust_model::{DecodeError, DeviceId, ErrorCode};

use crate::session::SessionError;

/// Why a call to the network failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// No connection to the device, and none could be made.
    #[error("{device} cannot be reached: {reason}")]
    Unreachable {
        /// Which device.
        device: DeviceId,
        /// What was tried and how it ended.
        reason: String,
    },
    /// Nothing answers at an address whose device is not known.
    #[error("nothing answers at {address}: {reason}")]
    Silent {
        /// The address.
        address: String,
        /// How the dial ended.
        reason: String,
    },
    /// No answer in the time that the policy gives.
    #[error("no answer within {waited_ms} ms")]
    TimedOut {
        /// How long was waited.
        waited_ms: u64,
    },
    /// The stream or connection ended in the middle.
    #[error("the connection broke: {reason}")]
    Interrupted {
        /// How it ended.
        reason: String,
    },
    /// The peer said no.
    #[error("the peer refused: {}", refusal.code.name())]
    Refused {
        /// Why, and when to try again.
        refusal: Refusal,
    },
    /// The peer's packets or certificate are not to be believed.
    #[error("{device} is not believed: {reason}")]
    NotBelieved {
        /// Which device.
        device: DeviceId,
        /// Which check failed.
        reason: SessionError,
    },
    /// What the peer sent breaks the protocol.
    #[error("the peer broke the protocol: {reason}")]
    Malformed {
        /// How.
        reason: String,
    },
    /// The peer does not speak the protocols of this network.
    #[error("{device} does not speak the protocols of this network")]
    Incompatible {
        /// Which device.
        device: DeviceId,
    },
    /// The address is not one that the scope lets this node use.
    #[error("{address} is outside of the scope of this node")]
    OutOfScope {
        /// The address.
        address: String,
    },
    /// The text is no address that this node can use.
    #[error("{address:?} is not an address: {reason}")]
    BadAddress {
        /// The text, cut to what an address may have.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The name cannot be a network's.
    #[error("a network's name has 1 to 32 of a-z, 0-9 and '-', not {name:?}")]
    BadNetworkName {
        /// The name that was given.
        name: String,
    },
    /// The bytes of the id are no Ed25519 public key.
    #[error("{device} is no key")]
    BadDevice {
        /// The id.
        device: DeviceId,
    },
    /// The request makes no sense as given; nothing was sent.
    #[error("the request cannot be sent: {reason}")]
    BadRequest {
        /// Why not.
        reason: String,
    },
    /// Too much is under way already.
    #[error("too many requests are under way")]
    Busy,
    /// No other node took part.
    #[error("no other node of the network is known or answered")]
    NoPeers,
    /// A newer record is known under the key.
    #[error("a newer record is known under this key")]
    Stale,
    /// The record is not valid under its key.
    #[error("the record is not valid: {reason}")]
    BadRecord {
        /// Which check failed.
        reason: String,
    },
    /// The node cannot listen where it was told to.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Where.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// The transports could not be set up.
    #[error("the network cannot be set up: {reason}")]
    Setup {
        /// What failed.
        reason: String,
    },
    /// The event loop has ended.
    #[error("the network has been stopped")]
    Stopped,
}

impl NetError {
    /// The stable code of the error.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } | Self::NoPeers => {
                ErrorCode::Unreachable
            }
            Self::TimedOut { .. } => ErrorCode::TimedOut,
            Self::Interrupted { .. } | Self::Stopped => ErrorCode::Interrupted,
            Self::Refused { refusal } => refusal.code,
            Self::NotBelieved { reason, .. } => reason.code(),
            Self::Malformed { .. } => ErrorCode::Malformed,
            Self::Incompatible { .. } => ErrorCode::Incompatible,
            Self::OutOfScope { .. } => ErrorCode::NotAllowed,
            Self::BadAddress { .. }
            | Self::BadNetworkName { .. }
            | Self::BadDevice { .. }
            | Self::BadRequest { .. } => ErrorCode::BadRequest,
            Self::Busy => ErrorCode::Busy,
            Self::Stale => ErrorCode::Stale,
            Self::BadRecord { .. } => ErrorCode::NotAuthentic,
            Self::Listen { .. } | Self::Setup { .. } => ErrorCode::BadRequest,
        }
    }

    pub(crate) fn interrupted(reason: impl std::fmt::Display) -> Self {
        Self::Interrupted {
            reason: reason.to_string(),
        }
    }

    pub(crate) fn malformed(reason: impl std::fmt::Display) -> Self {
        Self::Malformed {
            reason: reason.to_string(),
        }
    }

    pub(crate) fn timed_out(waited: std::time::Duration) -> Self {
        Self::TimedOut {
            waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl From<DecodeError> for NetError {
    fn from(error: DecodeError) -> Self {
        Self::malformed(error)
    }
}
