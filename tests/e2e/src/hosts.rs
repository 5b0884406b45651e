//! Hosts that can vanish, in a network of the test's own.
//!
//! It is the loopback interface of a network namespace, which answers at the addresses of hosts that are
//! there. What is sent to one that is not goes nowhere, and nobody says so: a dial waits, and a connection
//! stays open that nobody will ever answer on. A process that ended on a machine that goes on is another
//! thing; there the system refuses and closes.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context as _, Result, ensure};

use crate::unshared::{is_unshared, may_unshare, test_again};

/// All hosts, and the route to them.
const NETWORK: &str = "127.77.0.0/24";
/// Hosts of a network at most.
const COUNT: u8 = 100;
/// Where they listen, plus their number.
const PORT_BASE: u16 = 4_000;
/// Options of `unshare` for a network of one's own: as root, and as anybody else where the system lets them.
const OPTIONS: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];

/// The hosts of the network that the test which asks has to itself now. Without them it is over: it was run
/// again, and passed, where it has one; or nobody may have one here, and that was said.
pub fn own_hosts(test: &str) -> Result<Option<Hosts>> {
    if is_unshared() {
        return Hosts::set_up().map(Some);
    }
    match options()? {
        Some(options) => test_again(test, options)?,
        None => {
            eprintln!("not tried: neither root nor a user namespace is to be had for a network")
        }
    }
    Ok(None)
}

/// Options of `unshare` that give whoever runs this a network; none where nothing does.
pub fn options() -> Result<Option<&'static [&'static str]>> {
    for options in OPTIONS {
        if may_unshare(options)? {
            return Ok(Some(options));
        }
    }
    Ok(None)
}

/// The hosts of a network.
#[derive(Debug, Clone)]
pub struct Hosts {
    given: Arc<AtomicU8>,
}

/// One of them.
#[derive(Debug)]
pub struct Host(Ipv4Addr);

impl Hosts {
    /// Brings the network up, once in a namespace. All hosts are there.
    pub fn set_up() -> Result<Self> {
        // The whole of 127.0.0.0/8 would answer otherwise.
        let mut lines = vec![
            "link set lo up".to_owned(),
            "address delete 127.0.0.1/8 dev lo".to_owned(),
            "address add 127.0.0.1/32 dev lo".to_owned(),
            format!("route add {NETWORK} dev lo"),
        ];
        lines.extend((1..=COUNT).map(|number| Host::numbered(number).line("add")));
        ip(&lines)?;
        Ok(Self {
            given: Arc::new(AtomicU8::new(0)),
        })
    }

    /// One that nobody has yet; the first again where all are given.
    #[must_use]
    pub fn next(&self) -> Host {
        let number = self.given.fetch_add(1, Ordering::Relaxed) % COUNT;
        Host::numbered(1 + number)
    }
}

impl Host {
    const fn numbered(number: u8) -> Self {
        Self(Ipv4Addr::new(127, 77, 0, number))
    }

    /// Where its daemon is reached, over TCP and over UDP. No port is that of two hosts: whoever dials binds its
    /// own port at any address, and the system takes that of the other host for the one to send from.
    #[must_use]
    pub fn place(&self) -> SocketAddrV4 {
        let [.., number] = self.0.octets();
        SocketAddrV4::new(self.0, PORT_BASE + u16::from(number))
    }

    /// Nothing gets there or comes from there any more.
    pub fn leave(&self) -> Result<()> {
        ip(&[self.line("delete")])
    }

    /// It can be reached again.
    pub fn join(&self) -> Result<()> {
        ip(&[self.line("add")])
    }

    fn line(&self, verb: &str) -> String {
        format!("address {verb} {}/32 dev lo", self.0)
    }
}

/// Tells the system's `ip` to do these.
fn ip(lines: &[String]) -> Result<()> {
    ensure!(
        is_unshared(),
        "this would change the network of the machine"
    );
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .context("ip (iproute2) is needed for this test")?;
    let mut input = child.stdin.take().context("no standard input")?;
    input.write_all(lines.join("\n").as_bytes())?;
    drop(input);
    let status = child.wait()?;
    ensure!(status.success(), "ip: {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::time::Duration;

    use super::*;

    /// Far above what the system takes to refuse.
    const MOMENT: Duration = Duration::from_secs(1);

    /// What the journeys stand on. A control says that the same refuses or closes where a host is there.
    #[test]
    fn nobody_hears_of_a_host_that_left() -> Result<()> {
        let test = "hosts::tests::nobody_hears_of_a_host_that_left";
        let Some(hosts) = own_hosts(test)? else {
            return Ok(());
        };
        let [stays, leaves] = [(); 2].map(|()| hosts.next());
        let refused = dial(&stays).err().map(|error| error.kind());
        ensure!(refused == Some(ErrorKind::ConnectionRefused), "{refused:?}");

        let listener = TcpListener::bind(leaves.place())?;
        let mut connection = dial(&leaves)?;
        let (served, _) = listener.accept()?;
        leaves.leave()?;
        drop((served, listener));
        let silent = dial(&leaves).err().map(|error| error.kind());
        ensure!(silent == Some(ErrorKind::TimedOut), "{silent:?}");
        connection.set_read_timeout(Some(MOMENT))?;
        let heard = connection.read(&mut [0]).map_err(|error| error.kind());
        ensure!(heard == Err(ErrorKind::WouldBlock), "{heard:?}");
        let heard = datagram(&stays, &leaves)?;
        ensure!(heard == Err(ErrorKind::WouldBlock), "{heard:?}");

        leaves.join()?;
        let refused = dial(&leaves).err().map(|error| error.kind());
        ensure!(refused == Some(ErrorKind::ConnectionRefused), "{refused:?}");
        let heard = datagram(&stays, &leaves)?;
        ensure!(heard == Err(ErrorKind::ConnectionRefused), "{heard:?}");
        Ok(())
    }

    fn dial(host: &Host) -> std::io::Result<TcpStream> {
        TcpStream::connect_timeout(&host.place().into(), MOMENT)
    }

    /// What a host hears after it sent something to another.
    fn datagram(from: &Host, to: &Host) -> Result<Result<usize, ErrorKind>> {
        let socket = UdpSocket::bind((from.0, 0))?;
        socket.connect(to.place())?;
        socket.set_read_timeout(Some(MOMENT))?;
        socket.send(b"?")?;
        Ok(socket.recv(&mut [0]).map_err(|error| error.kind()))
    }
}
