//! Frames of a bulk stream: type, request, length, payload. Pure; refuses a frame by its
//! header, before its payload is buffered.

use bitdust_model::limits;
use bytes::Bytes;

use crate::error::NetError;

/// Bytes before the payload: type, request, length.
pub(crate) const HEADER_BYTES: usize = 9;

/// What a frame carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A signed packet with Store or Fetch, from the customer.
    Ask(Bytes),
    /// Send the shard from this byte on, from the supplier.
    Go(u64),
    /// Some bytes; never none.
    Data(Bytes),
    /// All bytes were sent.
    End,
    /// A signed packet with Stored, Fetched or Refused, from the supplier.
    Answer(Bytes),
    /// The customer no longer wants it.
    Cancel,
}

/// A frame that no BitDust writes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of the unknown type {kind} came")]
    Unknown { kind: u8 },
    #[error("a frame of type {kind} with {length} bytes came")]
    Length { kind: u8, length: usize },
    #[error("{0}")]
    Stream(#[from] std::io::Error),
}

impl From<FrameError> for NetError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Unknown { .. } | FrameError::Length { .. } => Self::malformed(error),
            FrameError::Stream(error) => Self::interrupted(error),
        }
    }
}

/// Numbers one request of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RequestId(pub(crate) u32);

impl Frame {
    /// The bytes before the payload, and the payload.
    pub(crate) fn to_parts(&self, id: RequestId) -> ([u8; HEADER_BYTES], Bytes) {
        let payload = match self {
            Self::Ask(bytes) | Self::Data(bytes) | Self::Answer(bytes) => bytes.clone(),
            Self::Go(offset) => Bytes::copy_from_slice(&offset.to_le_bytes()),
            Self::End | Self::Cancel => Bytes::new(),
        };
        assert!(
            payload.len() <= limits::FRAME_BYTES_MAX,
            "senders cut their bytes to frames"
        );
        let length = u32::try_from(payload.len()).expect("a frame is far shorter than 4 GiB");
        let mut header = [0; HEADER_BYTES];
        header[0] = self.kind();
        header[1..5].copy_from_slice(&id.0.to_le_bytes());
        header[5..].copy_from_slice(&length.to_le_bytes());
        (header, payload)
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Ask(_) => ASK,
            Self::Go(_) => GO,
            Self::Data(_) => DATA,
            Self::End => END,
            Self::Answer(_) => ANSWER,
            Self::Cancel => CANCEL,
        }
    }
}

/// The header of a frame that may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    kind: u8,
    id: RequestId,
    length: usize,
}

impl Head {
    /// Reads a header; refuses a type that is none, and a length that the type cannot have.
    pub(crate) fn read(header: &[u8; HEADER_BYTES]) -> Result<Self, FrameError> {
        let [kind, i0, i1, i2, i3, l0, l1, l2, l3] = *header;
        let id = RequestId(u32::from_le_bytes([i0, i1, i2, i3]));
        let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        if !may_have(kind, length)? {
            return Err(FrameError::Length { kind, length });
        }
        Ok(Self { kind, id, length })
    }

    /// The request it belongs to.
    pub(crate) const fn id(&self) -> RequestId {
        self.id
    }

    /// Bytes of the payload.
    pub(crate) const fn length(&self) -> usize {
        self.length
    }

    /// The frame with its payload.
    pub(crate) fn frame(&self, payload: Bytes) -> Result<Frame, FrameError> {
        frame_of(self.kind, payload)
    }
}

const ASK: u8 = 1;
const GO: u8 = 2;
const DATA: u8 = 3;
const END: u8 = 4;
const ANSWER: u8 = 5;
const CANCEL: u8 = 6;

fn may_have(kind: u8, length: usize) -> Result<bool, FrameError> {
    match kind {
        ASK | DATA | ANSWER => Ok((1..=limits::FRAME_BYTES_MAX).contains(&length)),
        GO => Ok(length == size_of::<u64>()),
        END | CANCEL => Ok(length == 0),
        kind => Err(FrameError::Unknown { kind }),
    }
}

fn frame_of(kind: u8, payload: Bytes) -> Result<Frame, FrameError> {
    match kind {
        ASK => Ok(Frame::Ask(payload)),
        GO => {
            let offset = <[u8; 8]>::try_from(payload.as_ref()).map_err(|_| FrameError::Length {
                kind,
                length: payload.len(),
            })?;
            Ok(Frame::Go(u64::from_le_bytes(offset)))
        }
        DATA => Ok(Frame::Data(payload)),
        END => Ok(Frame::End),
        ANSWER => Ok(Frame::Answer(payload)),
        CANCEL => Ok(Frame::Cancel),
        kind => Err(FrameError::Unknown { kind }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) const fn kind_of_data() -> u8 {
        DATA
    }

    #[test]
    fn an_unknown_type_and_an_empty_data_frame_are_refused() {
        assert!(matches!(
            Head::read(&[9; HEADER_BYTES]),
            Err(FrameError::Unknown { kind: 9 })
        ));
        assert!(matches!(
            Head::read(&[DATA, 0, 0, 0, 0, 0, 0, 0, 0]),
            Err(FrameError::Length { .. })
        ));
    }

    #[test]
    fn a_broken_connection_is_nobodys_fault() {
        let broken = FrameError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert!(matches!(
            NetError::from(broken),
            NetError::Interrupted { .. }
        ));
        assert!(matches!(
            NetError::from(FrameError::Unknown { kind: 9 }),
            NetError::Malformed { .. }
        ));
    }

    pub(crate) fn frame() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 1..300).prop_map(Bytes::from);
        prop_oneof![
            bytes().prop_map(Frame::Ask),
            any::<u64>().prop_map(Frame::Go),
            bytes().prop_map(Frame::Data),
            Just(Frame::End),
            bytes().prop_map(Frame::Answer),
            Just(Frame::Cancel),
        ]
    }
}
