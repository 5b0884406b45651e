//! Ports for machines that keep theirs while they are down.
//!
//! One that the system chose may go to somebody else in that time, as it chooses for every connection
//! of this machine. These lie below all from which it chooses (`ip_local_port_range`, by default from
//! 32768 on): other tests alone can take one, and each process of tests looks from a place of its own.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};

const FIRST: u32 = 16_384;
const COUNT: u32 = 16_384;
/// Ports between the places of two processes with neighbouring ids: what one test needs.
const APART: u32 = 32;

/// Ports that this process has looked at, so that none is given twice.
static LOOKED_AT: AtomicU32 = AtomicU32::new(0);

/// A port at which nobody listens, neither over TCP nor over UDP.
pub fn free_port() -> Result<u16> {
    for _ in 0..COUNT {
        let number = LOOKED_AT.fetch_add(1, Ordering::Relaxed);
        let place = std::process::id().wrapping_mul(APART).wrapping_add(number);
        let port = u16::try_from(FIRST + place % COUNT)?;
        let address = (Ipv4Addr::LOCALHOST, port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return Ok(port);
        }
    }
    bail!("all of {COUNT} ports are taken");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_not_given() -> Result<()> {
        let first = free_port()?;
        assert!((FIRST..FIRST + COUNT).contains(&u32::from(first)));
        // Whoever took the next one before serves as well.
        let next = first + 1;
        let _taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, next));
        let second = free_port()?;
        assert!(second != first && second != next, "{first}, then {second}");
        Ok(())
    }
}
