//! A practice network of its own, in a temporary folder.

use std::env::VarError;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use crate::corpus::Random;
use crate::hosts::{Host, Hosts};
use crate::machine::Machine;

/// A way to carry bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// QUIC, over UDP.
    Quic,
}

impl Transport {
    /// Any free port of this machine.
    #[must_use]
    pub fn listen_address(self) -> String {
        self.listen_address_at(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
    }

    /// A place on this machine; port 0 is any free one.
    #[must_use]
    pub fn listen_address_at(self, place: SocketAddrV4) -> String {
        let (host, port) = (place.ip(), place.port());
        match self {
            Self::Tcp => format!("/ip4/{host}/tcp/{port}"),
            Self::Quic => format!("/ip4/{host}/udp/{port}/quic-v1"),
        }
    }
}

/// A network that nobody else is in. Its folder goes when it goes, unless `BITDUST_KEEP` is
/// set. Invariant: machines are dropped before their world.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
    program: PathBuf,
    network: String,
    seed: u64,
    transport: Option<Transport>,
    hosts: Option<Hosts>,
}

impl World {
    /// Makes a network. Prints the seed, which `BITDUST_SEED` gives back to a later run.
    pub fn new(name: &str) -> Result<Self> {
        let mut folder = tempfile::Builder::new()
            .prefix(&format!("bd-{name}-"))
            .tempdir()?;
        if std::env::var_os("BITDUST_KEEP").is_some() {
            folder.disable_cleanup(true);
            eprintln!("{name} is kept in {}", folder.path().display());
        }
        let seed = seed()?;
        eprintln!("{name}: seed {seed}");
        let program = folder.path().join("bitdust");
        // A copy of its own: the program may be built anew meanwhile.
        let built = built_program()?;
        copy_program(&built, &program)?;
        let network = format!("e2e-{:016x}", Random::from_system()?.next());
        Ok(Self {
            folder,
            program,
            network,
            seed,
            transport: None,
            hosts: None,
        })
    }

    /// The same, with one transport only.
    pub fn over(name: &str, transport: Transport) -> Result<Self> {
        let mut world = Self::new(name)?;
        world.transport = Some(transport);
        Ok(world)
    }

    /// A network with a host for each machine, which can vanish.
    pub fn of_hosts(name: &str, hosts: &Hosts) -> Result<Self> {
        let mut world = Self::new(name)?;
        world.hosts = Some(hosts.clone());
        Ok(world)
    }

    /// The same, over TCP alone.
    #[must_use]
    pub fn over_tcp(mut self) -> Self {
        self.transport = Some(Transport::Tcp);
        self
    }

    /// Where everything lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the world's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new folder in the world's folder.
    pub fn make_folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Saves a file in one step: whoever watches its folder never sees a half of it.
    pub fn save(&self, text: &str, path: &Path) -> Result<()> {
        let aside = self.path("save-in-the-making");
        std::fs::write(&aside, text)?;
        Ok(std::fs::rename(aside, path)?)
    }

    /// The program under test.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The network's name.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.network
    }

    /// The one transport, where there is one only.
    #[must_use]
    pub const fn transport(&self) -> Option<Transport> {
        self.transport
    }

    /// A host for the next machine, where machines have their own.
    #[must_use]
    pub fn host(&self) -> Option<Host> {
        self.hosts.as_ref().map(Hosts::next)
    }

    /// Contents that are the same for the same seed.
    #[must_use]
    pub const fn random(&self) -> Random {
        Random::new(self.seed)
    }

    /// A machine with an empty home.
    #[must_use]
    pub fn machine(&self, name: &str) -> Machine {
        Machine::new(self, name)
    }
}

fn seed() -> Result<u64> {
    match std::env::var("BITDUST_SEED") {
        Ok(text) => text.parse().context("BITDUST_SEED is no number"),
        Err(VarError::NotPresent) => Ok(Random::from_system()?.next()),
        Err(VarError::NotUnicode(_)) => bail!("BITDUST_SEED is no number"),
    }
}

/// Copies a program by another process: whatever a second thread starts while this one had the
/// copy open for writing would keep it busy, and then it could not be run.
fn copy_program(built: &Path, to: &Path) -> Result<()> {
    let copied = Command::new("cp").arg("--").args([built, to]).status()?;
    ensure!(copied.success(), "{} cannot be copied", built.display());
    Ok(())
}

/// The application with the window, as it was built.
pub fn built_window() -> Result<PathBuf> {
    let window = built_program()?.with_file_name("bitdust-desktop");
    if !window.is_file() {
        bail!(
            "{} is not there; `cargo build --workspace` makes it, as `make test` does",
            window.display()
        );
    }
    Ok(window)
}

/// The program that lies beside the tests; `BITDUST_PROGRAM` names another.
fn built_program() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("BITDUST_PROGRAM") {
        return Ok(program.into());
    }
    let test = std::env::current_exe()?;
    let built = test
        .parent()
        .and_then(Path::parent)
        .context("the tests lie in no target folder")?
        .join("bitdust");
    if !built.is_file() {
        bail!(
            "{} is not there; `cargo build -p bitdust-cli` makes it, as `make test` does",
            built.display()
        );
    }
    Ok(built)
}
