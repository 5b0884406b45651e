//! Packets on a stream: the exchange of challenges, then signed packets behind their length.
//!
//! A length is checked before anything is allocated for it.

use bitdust_model::codec::Versioned;
use bitdust_model::message::{Challenge, SignedPacket};
use bitdust_model::{DecodeError, decode, encode, limits};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use serde::{Deserialize, Serialize};

use crate::error::NetError;

/// A packet with its signature, as it travels.
#[derive(Serialize, Deserialize)]
struct Envelope(SignedPacket);

impl Versioned for Envelope {
    const KIND: &'static str = "packet envelope";
    const BYTES_MAX: usize = limits::PACKET_BYTES_MAX + SIGNATURE_BYTES;
}

/// Room for the version, lengths, signer and signature around the bytes of a packet.
const SIGNATURE_BYTES: usize = 128;

/// The bytes of a packet with its signature.
pub(crate) fn packet_to_bytes(packet: &SignedPacket) -> Vec<u8> {
    encode(&Envelope(packet.clone()))
}

/// A packet with its signature, not yet believed.
pub(crate) fn packet_from_bytes(bytes: &[u8]) -> Result<SignedPacket, DecodeError> {
    let Envelope(packet) = decode(bytes)?;
    Ok(packet)
}

/// Sends this side's challenge and reads the other's.
pub(crate) async fn exchange_challenges<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    mine: &Challenge,
) -> Result<Challenge, NetError> {
    stream
        .write_all(mine)
        .await
        .map_err(NetError::interrupted)?;
    stream.flush().await.map_err(NetError::interrupted)?;
    let mut theirs = Challenge::default();
    stream
        .read_exact(&mut theirs)
        .await
        .map_err(NetError::interrupted)?;
    Ok(theirs)
}

/// Writes a packet behind its length.
pub(crate) async fn write_packet<S: AsyncWrite + Unpin>(
    stream: &mut S,
    packet: &SignedPacket,
) -> Result<(), NetError> {
    let bytes = packet_to_bytes(packet);
    let length = u32::try_from(bytes.len()).expect("a packet is far shorter than 4 GiB");
    stream
        .write_all(&length.to_le_bytes())
        .await
        .map_err(NetError::interrupted)?;
    stream
        .write_all(&bytes)
        .await
        .map_err(NetError::interrupted)?;
    stream.flush().await.map_err(NetError::interrupted)?;
    Ok(())
}

/// Reads a packet behind its length. Must not be dropped half-way unless the stream is too.
pub(crate) async fn read_packet<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> Result<SignedPacket, NetError> {
    let mut length = [0; 4];
    stream
        .read_exact(&mut length)
        .await
        .map_err(NetError::interrupted)?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > Envelope::BYTES_MAX {
        return Err(NetError::malformed(format!(
            "a packet of {length} bytes is announced"
        )));
    }
    let mut bytes = vec![0; length];
    stream
        .read_exact(&mut bytes)
        .await
        .map_err(NetError::interrupted)?;
    Ok(packet_from_bytes(&bytes)?)
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::SigningKey;
    use bitdust_model::message::{Body, Packet};
    use bitdust_model::{DeviceId, Sequence, UnixMillis};
    use futures::executor::block_on;
    use futures::io::Cursor;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_packet_round_trips() {
        let packet = packet();
        let mut stream = Cursor::new(Vec::new());
        block_on(write_packet(&mut stream, &packet)).expect("memory takes it");
        stream.set_position(0);
        assert_eq!(block_on(read_packet(&mut stream)), Ok(packet));
    }

    #[test]
    fn an_announced_giant_is_refused_before_it_is_read() {
        let mut stream = Cursor::new(u32::MAX.to_le_bytes());
        assert!(matches!(
            block_on(read_packet(&mut stream)),
            Err(NetError::Malformed { .. })
        ));
    }

    #[test]
    fn a_stream_that_ends_early_is_an_interruption() {
        let mut bytes = Cursor::new(Vec::new());
        block_on(write_packet(&mut bytes, &packet())).expect("memory takes it");
        let bytes = bytes.into_inner();
        for length in 0..bytes.len() {
            let mut stream = Cursor::new(&bytes[..length]);
            assert!(
                matches!(
                    block_on(read_packet(&mut stream)),
                    Err(NetError::Interrupted { .. })
                ),
                "cut at {length}"
            );
        }
    }

    proptest! {
        #[test]
        fn garbage_is_refused_or_read_but_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            drop(packet_from_bytes(&bytes));
            drop(block_on(read_packet(&mut Cursor::new(bytes))));
        }

        #[test]
        fn a_mutated_packet_is_never_the_same_packet(place in any::<prop::sample::Index>(), flip in 1u8..) {
            let packet = packet();
            let mut bytes = packet_to_bytes(&packet);
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
            prop_assert_ne!(packet_from_bytes(&bytes).ok(), Some(packet));
        }
    }

    fn packet() -> SignedPacket {
        let key = SigningKey::from_seed(&[1; 32]);
        let me = DeviceId(key.public());
        key.sign(&Packet {
            from: me,
            to: me,
            challenge: [3; 16],
            sequence: Sequence(1),
            sent_at: UnixMillis(5),
            body: Body::SpaceAsk,
        })
    }
}
