//! A machine: a home of its own, commands run on it, and perhaps a daemon.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::clock::Clock;
use crate::hosts::Host;
use crate::ports::free_port;
use crate::process::Process;
use crate::wait::eventually;
use crate::world::{Transport, World};

/// Traces that were asked for, so that each has a name of its own.
static TRACES: AtomicU64 = AtomicU64::new(0);

/// How long a command may take unless it says otherwise.
const COMMAND_WITHIN: Duration = Duration::from_secs(180);
/// How long a daemon may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a daemon may take to stop in order.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// Ports at which a daemon is started until it can listen there.
const PORTS_TRIED: u32 = 5;
/// How long a backup that begins by itself may take until its version is there.
const VERSIONS_WITHIN: Duration = Duration::from_secs(120);
/// Milliseconds for which suppliers that are there are waited for at least. Tests share their
/// machine: one that is there may be late, and is to be waited for.
pub const STRAGGLER_WAIT: &str = "20000";
/// Bytes of a log that are quoted in a failure.
const LOG_QUOTED_BYTES: usize = 3_000;

/// One machine. Its daemon, where it has one, dies with it.
#[derive(Debug)]
pub struct Machine {
    /// What it is called, also as a nickname.
    pub name: String,
    /// Its home.
    pub home: PathBuf,
    /// Its device id in full, once it has one.
    pub device: String,
    /// Its identity in full, once it has one.
    pub identity: String,
    /// The 24 words, once they were shown.
    pub words: String,
    /// Where its daemon listens.
    pub addresses: Vec<String>,
    /// Where it starts from.
    pub bootstrap: Vec<String>,
    /// Flags that go before each command, such as `--trace FILE`.
    pub flags: Vec<OsString>,
    /// A program with its arguments through which everything is run, such as `setpriv`.
    pub through: Vec<OsString>,
    /// Its clock, where it is not the system's.
    pub clock: Option<Clock>,
    /// How far its network goes: `loopback`, which is a practice, or `lan`.
    pub scope: &'static str,
    program: PathBuf,
    folder: PathBuf,
    network: String,
    listen: Vec<String>,
    host: Option<Host>,
    daemon: Option<Process>,
    /// A daemon that was held where it was. To end it would be heard on connections that it began, as these
    /// leave from the address of the other side.
    vanished: Option<Process>,
}

/// What a command gave.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Its result, with `--json`.
    pub object: Value,
    /// Its progress, with `--json`.
    pub events: Vec<Value>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Machine {
    /// A machine with an empty home.
    #[must_use]
    pub fn new(world: &World, name: &str) -> Self {
        let host = world.host();
        let transports = match (world.transport(), &host) {
            (Some(transport), _) => vec![transport],
            (None, Some(_)) => vec![Transport::Tcp, Transport::Quic],
            // It listens where it does by itself.
            (None, None) => vec![],
        };
        let anywhere = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let place = host.as_ref().map_or(anywhere, Host::place);
        Self {
            name: name.to_owned(),
            home: world.path(name),
            device: String::new(),
            identity: String::new(),
            words: String::new(),
            addresses: vec![],
            bootstrap: vec![],
            flags: vec![],
            through: vec![],
            clock: None,
            scope: "loopback",
            program: world.program().to_owned(),
            folder: world.folder().to_owned(),
            network: world.network().to_owned(),
            listen: transports
                .into_iter()
                .map(|transport| transport.listen_address_at(place))
                .collect(),
            host,
            daemon: None,
            vanished: None,
        }
    }

    /// What the application is started with for this home.
    #[must_use]
    pub fn window_arguments(&self) -> Vec<String> {
        let home = self.home.display().to_string();
        let mut arguments = vec!["--home".to_owned(), home];
        for (flag, value) in [
            ("--scope", self.scope),
            ("--network", self.network.as_str()),
        ] {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        }
        for address in &self.bootstrap {
            arguments.extend(["--bootstrap".to_owned(), address.clone()]);
        }
        arguments
    }

    /// Makes an identity whose keys rest in a file; remembers its words.
    pub fn init(&mut self) -> Result<Reply> {
        let made = self.run(&["init", "--nickname", &self.name, "--keys", "file"])?;
        self.words = texts(&made.object["words"]).join(" ");
        made.text("/device")?.clone_into(&mut self.device);
        made.text("/identity")?.clone_into(&mut self.identity);
        self.be_patient_and_idle()?;
        Ok(made)
    }

    /// Recovers an identity from its words: a new device, after the old machine was lost.
    pub fn recover(&mut self, words: &str) -> Result<Reply> {
        let found = self.attempt_recovery(words)?.expect_code(0)?;
        found.text("/device")?.clone_into(&mut self.device);
        found.text("/identity")?.clone_into(&mut self.identity);
        words.clone_into(&mut self.words);
        self.be_patient_and_idle()?;
        Ok(found)
    }

    /// Backups begin when a test says so, unless it wants to see them begin by themselves, and
    /// wait for suppliers for as long as a busy machine may need.
    fn be_patient_and_idle(&mut self) -> Result<()> {
        // A trace that the flags ask for is of the command before.
        let flags = std::mem::take(&mut self.flags);
        let set = self
            .set("schedule", "manual")
            .and_then(|()| self.set("policy.straggler_wait", STRAGGLER_WAIT));
        self.flags = flags;
        set
    }

    /// The same, however it ends.
    pub fn attempt_recovery(&self, words: &str) -> Result<Reply> {
        self.order(&["recover", "--old-machine-gone", "--keys", "file"])
            .input(words)
            .attempt()
    }

    /// Gives it a clock of its own, which is right for the moment; before anything is run on it.
    pub fn own_clock(&mut self, world: &World) -> Result<()> {
        self.clock = Some(Clock::new(world, &self.name)?);
        Ok(())
    }

    /// Its own clock.
    pub fn clock(&self) -> Result<&Clock> {
        let clock = self.clock.as_ref();
        clock.with_context(|| format!("{} lives by the system's clock", self.name))
    }

    /// Changes a setting.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        self.run(&["set", key, value]).map(drop)
    }

    /// Writes the clocks of a home that has no identity yet, in milliseconds.
    pub fn configure(&self, policy: &[(&str, u64)]) -> Result<()> {
        let mut text = "scope = \"loopback\"\n[policy]\n".to_owned();
        for (name, milliseconds) in policy {
            text.push_str(&format!("{name} = {milliseconds}\n"));
        }
        std::fs::create_dir_all(&self.home)?;
        Ok(std::fs::write(self.home.join("config.toml"), text)?)
    }

    /// Runs a command that has to end with 0.
    pub fn run(&self, arguments: &[&str]) -> Result<Reply> {
        self.order(arguments).attempt()?.expect_code(0)
    }

    /// Runs a command, however it ends.
    pub fn attempt(&self, arguments: &[&str]) -> Result<Reply> {
        self.order(arguments).attempt()
    }

    /// A command that is yet to be run.
    #[must_use]
    pub fn order<'a>(&'a self, arguments: &[&str]) -> Order<'a> {
        Order {
            machine: self,
            arguments: arguments.iter().map(Into::into).collect(),
            input: None,
            within: COMMAND_WITHIN,
            is_json: true,
            through: vec![],
        }
    }

    /// Starts the daemon and waits until it is ready.
    pub fn start(&mut self) -> Result<()> {
        ensure!(self.daemon.is_none(), "{} runs already", self.name);
        let command = self.command(&["daemon".into()], true, &[]);
        let daemon = Process::spawn(command, &self.log(), None)?;
        let ready = daemon
            .line(Instant::now() + READY_WITHIN)
            .with_context(|| format!("{} does not get ready: {}", self.name, self.log_end()))?
            .with_context(|| format!("{} ended: {}", self.name, self.log_end()))?;
        let ready: Value = serde_json::from_str(&ready).context(ready.clone())?;
        ensure!(ready["ready"] == true, "{} said {ready}", self.name);
        self.addresses = texts(&ready["addresses"]);
        if let Some(device) = ready["device"].as_str() {
            device.clone_into(&mut self.device);
        }
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Kills the daemon at once (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        let mut daemon = self
            .daemon
            .take()
            .with_context(|| format!("{} does not run", self.name))?;
        self.addresses.clear();
        daemon.kill()
    }

    /// Its host goes off the network, and the daemon does nothing any more: whoever is connected hears no end
    /// of that, and who dials it gets no answer.
    pub fn vanish(&mut self) -> Result<()> {
        self.host()?.leave()?;
        self.hold(true)?;
        self.vanished = self.daemon.take();
        self.addresses.clear();
        Ok(())
    }

    /// Its host is on the network again, and the daemon starts.
    pub fn come_back(&mut self) -> Result<()> {
        // Its home is free only then.
        drop(self.vanished.take());
        self.host()?.join()?;
        self.start()
    }

    /// Its host.
    pub fn host(&self) -> Result<&Host> {
        let host = self.host.as_ref();
        host.with_context(|| format!("{} has no host of its own", self.name))
    }

    /// Holds the daemon where it is, or lets it go on.
    pub fn hold(&self, held: bool) -> Result<()> {
        let daemon = self.daemon.as_ref();
        daemon
            .with_context(|| format!("{} does not run", self.name))?
            .hold(held)
    }

    /// Stops the daemon in order (SIGTERM).
    pub fn stop(&mut self) -> Result<()> {
        let mut daemon = self
            .daemon
            .take()
            .with_context(|| format!("{} does not run", self.name))?;
        self.addresses.clear();
        daemon.terminate()?;
        let status = daemon.wait(STOP_WITHIN)?;
        ensure!(
            status.success(),
            "{} stopped with {status}: {}",
            self.name,
            self.log_end()
        );
        Ok(())
    }

    /// Stops the daemon in order and starts it at a port that is its own from now on.
    pub fn keep_port(&mut self, transport: Transport) -> Result<()> {
        self.stop()?;
        let mut tries = 0;
        loop {
            let place = SocketAddrV4::new(Ipv4Addr::LOCALHOST, free_port()?);
            let address = transport.listen_address_at(place);
            self.set("listen", &address)?;
            tries += 1;
            match self.start() {
                // Somebody may have taken the port since it was looked at.
                Err(error) if tries < PORTS_TRIED => eprintln!("not at {address}: {error:#}"),
                started => return started,
            }
        }
    }

    /// Kills the daemon if it runs, and deletes the home.
    pub fn lose(&mut self) -> Result<()> {
        if self.daemon.is_some() {
            self.kill()?;
        }
        Ok(std::fs::remove_dir_all(&self.home)?)
    }

    /// Whether a daemon was started and not stopped.
    #[must_use]
    pub const fn is_started(&self) -> bool {
        self.daemon.is_some()
    }

    /// The daemon's process id.
    pub fn process_id(&self) -> Result<u32> {
        Ok(self
            .daemon
            .as_ref()
            .with_context(|| format!("{} does not run", self.name))?
            .id())
    }

    /// Fails if the daemon ended unasked.
    pub fn check_alive(&mut self) -> Result<()> {
        let Some(daemon) = &mut self.daemon else {
            return Ok(());
        };
        match daemon.ended()? {
            None => Ok(()),
            Some(status) => bail!("{} ended ({status}): {}", self.name, self.log_end()),
        }
    }

    /// Its first address, from which others may start.
    pub fn address(&self) -> Result<String> {
        self.addresses
            .first()
            .cloned()
            .with_context(|| format!("{} listens nowhere", self.name))
    }

    /// Makes `supplier` a friend by an invitation.
    pub fn befriend(&self, supplier: &Self) -> Result<()> {
        let written = supplier.run(&["invite"])?;
        self.run(&["accept", written.text("/invitation")?])
            .map(drop)
    }

    /// The status.
    pub fn status(&self) -> Result<Value> {
        Ok(self.run(&["status"])?.object)
    }

    /// Waits until so many suppliers are online and have agreed.
    pub fn wait_for_suppliers(&self, count: usize) -> Result<()> {
        eventually("suppliers that agreed", Duration::from_secs(90), || {
            let listed = self.run(&["supplier", "list"])?;
            let suppliers = listed.object["suppliers"].as_array().context("no list")?;
            let ready = suppliers
                .iter()
                .filter(|supplier| supplier["online"] == true && supplier["contract_bytes"] != 0)
                .count();
            Ok((ready >= count).then_some(()))
        })
    }

    /// Waits until it is connected with so many suppliers.
    pub fn wait_until_connected(&self, count: usize) -> Result<()> {
        eventually(
            "connections with suppliers",
            Duration::from_secs(90),
            || {
                let listed = self.run(&["supplier", "list"])?;
                let suppliers = listed.object["suppliers"].as_array().context("no list")?;
                let online = suppliers
                    .iter()
                    .filter(|supplier| supplier["online"] == true);
                Ok((online.count() >= count).then_some(()))
            },
        )
    }

    /// Waits until every supplier has its part of the newest version; gives the status.
    pub fn wait_until_spread(&self) -> Result<Value> {
        eventually(
            "every supplier has its part",
            Duration::from_secs(90),
            || {
                let status = self.status()?;
                let head = &status["head"];
                let is_spread = status["spooled_bytes"] == 0
                    && head["of"].as_u64() > Some(0)
                    && head["confirmed"].as_u64() >= head["of"].as_u64();
                Ok(is_spread.then_some(status))
            },
        )
    }

    /// How many versions of a folder there are.
    pub fn versions_of(&self, folder: &Path) -> Result<usize> {
        let listed = self.run(&["snapshots"])?;
        let versions = listed.object["snapshots"].as_array().context("no list")?;
        let path = folder.to_str().context("the path is no text")?;
        Ok(versions
            .iter()
            .filter(|version| version["path"] == path)
            .count())
    }

    /// Waits until a folder has so many versions; one more is a failure.
    pub fn wait_for_versions(&self, folder: &Path, count: usize) -> Result<()> {
        eventually(&format!("{count} versions"), VERSIONS_WITHIN, || {
            let found = self.versions_of(folder)?;
            ensure!(found <= count, "{found} versions instead of {count}");
            Ok((found == count).then_some(()))
        })
    }

    /// Where its standard error goes.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    /// The end of its log.
    #[must_use]
    pub fn log_end(&self) -> String {
        let text = std::fs::read(self.log()).unwrap_or_default();
        let start = text.len().saturating_sub(LOG_QUOTED_BYTES);
        String::from_utf8_lossy(&text[start..]).trim().to_owned()
    }

    fn command(&self, arguments: &[OsString], is_json: bool, through: &[OsString]) -> Command {
        let mut words = self
            .through
            .iter()
            .chain(through)
            .cloned()
            .collect::<Vec<_>>();
        words.push(self.program.clone().into());
        if is_json {
            words.push("--json".into());
        }
        words.extend(["--home".into(), self.home.clone().into()]);
        words.extend(["--scope", self.scope, "--network", &self.network].map(Into::into));
        for listen in &self.listen {
            words.extend(["--listen", listen].map(Into::into));
        }
        for address in &self.bootstrap {
            words.extend(["--bootstrap", address].map(Into::into));
        }
        words.extend(self.flags.iter().cloned());
        // Somebody else may not write into the folder of the world.
        let is_own = self.through.is_empty() && through.is_empty();
        if std::env::var_os("BITDUST_KEEP").is_some()
            && is_own
            && !self.flags.iter().any(|it| it == "--trace")
        {
            let number = TRACES.fetch_add(1, Ordering::Relaxed);
            let trace = self.folder.join(format!("{}-{number}.trace", self.name));
            words.extend(["--trace".into(), trace.into()]);
        }
        words.extend(arguments.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_remove("BITDUST_HOME");
        if let Some(clock) = &self.clock {
            clock.lend(&mut command);
        }
        command
    }
}

/// A command that is yet to be run.
#[derive(Debug)]
pub struct Order<'a> {
    machine: &'a Machine,
    arguments: Vec<OsString>,
    input: Option<String>,
    within: Duration,
    is_json: bool,
    through: Vec<OsString>,
}

impl Order<'_> {
    /// One more argument, such as a path that is no text.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<Path>) -> Self {
        self.arguments.push(argument.as_ref().into());
        self
    }

    /// What it reads from standard input.
    #[must_use]
    pub fn input(mut self, input: &str) -> Self {
        self.input = Some(input.to_owned());
        self
    }

    /// How long it may take.
    #[must_use]
    pub const fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// For people instead of machines.
    #[must_use]
    pub const fn plain(mut self) -> Self {
        self.is_json = false;
        self
    }

    /// Through another program, such as `strace`.
    #[must_use]
    pub fn through(mut self, words: &[&str]) -> Self {
        self.through.extend(words.iter().map(Into::into));
        self
    }

    /// Runs it; it has to end with 0.
    pub fn run(&self) -> Result<Reply> {
        self.attempt()?.expect_code(0)
    }

    /// Starts it and leaves it running; it dies with the handle.
    pub fn begin(&self) -> Result<Process> {
        let machine = self.machine;
        let log = machine
            .folder
            .join(format!("{}-commands.log", machine.name));
        let command = machine.command(&self.arguments, self.is_json, &self.through);
        Process::spawn(command, &log, self.input.as_deref())
    }

    /// Runs it, however it ends.
    pub fn attempt(&self) -> Result<Reply> {
        self.start()?.end()
    }

    /// Starts it, to be ended later.
    pub fn start(&self) -> Result<Running<'_>> {
        let machine = self.machine;
        let log = machine
            .folder
            .join(format!("{}-commands.log", machine.name));
        let log_start = std::fs::metadata(&log).map_or(0, |found| found.len());
        let started = Instant::now();
        let command = machine.command(&self.arguments, self.is_json, &self.through);
        let process = Process::spawn(command, &log, self.input.as_deref())?;
        Ok(Running {
            order: self,
            process,
            started,
            log,
            log_start,
        })
    }
}

/// A command that runs. It is killed when this is dropped before its end.
#[derive(Debug)]
pub struct Running<'a> {
    order: &'a Order<'a>,
    process: Process,
    started: Instant,
    log: PathBuf,
    log_start: u64,
}

impl Running<'_> {
    /// Waits for its end.
    pub fn end(mut self) -> Result<Reply> {
        let order = self.order;
        let said = || {
            format!(
                "{}: {:?}; its daemon: {}",
                order.machine.name,
                order.arguments,
                order.machine.log_end()
            )
        };
        let until = self.started + order.within;
        let mut lines = vec![];
        while let Some(line) = self.process.line(until).with_context(said)? {
            lines.push(line);
        }
        let status = self.process.wait(order.within).with_context(said)?;
        let mut reply = Reply {
            code: status.code(),
            object: Value::Null,
            events: vec![],
            stdout: lines.join("\n"),
            stderr: text_from(&self.log, self.log_start)?,
            took: self.started.elapsed(),
        };
        if order.is_json {
            reply.read_objects(&lines).with_context(said)?;
        }
        Ok(reply)
    }
}

impl Reply {
    /// Fails unless it ended with this exit code.
    pub fn expect_code(self, code: i32) -> Result<Self> {
        ensure!(
            self.code == Some(code),
            "it ended with {:?} instead of {code}: {} {}",
            self.code,
            self.object,
            self.stderr
        );
        Ok(self)
    }

    /// Fails unless it is done, whether what was backed up is safe already or not yet.
    pub fn expect_done(self) -> Result<Self> {
        if self.code == Some(3) && self.object["protection"]["kind"] == "stored" {
            return Ok(self);
        }
        self.expect_code(0)
    }

    /// A text in its result, by its JSON pointer.
    pub fn text(&self, pointer: &str) -> Result<&str> {
        let found = self.object.pointer(pointer).and_then(Value::as_str);
        found.with_context(|| format!("no text at {pointer} in {}", self.object))
    }

    /// A number in its result, by its JSON pointer.
    pub fn number(&self, pointer: &str) -> Result<u64> {
        let found = self.object.pointer(pointer).and_then(Value::as_u64);
        found.with_context(|| format!("no number at {pointer} in {}", self.object))
    }

    /// The code and the sentence of the error it ended with.
    pub fn error(&self) -> Result<(&str, &str)> {
        Ok((self.text("/error/code")?, self.text("/error/message")?))
    }

    /// The paths of the things that a job could not do, with the reason.
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let report = if self.object["problems"].is_array() {
            &self.object
        } else {
            &self.object["report"]
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let problems = report["problems"].as_array().cloned().unwrap_or_default();
        problems
            .iter()
            .map(|problem| (text(&problem["path"]), text(&problem["code"])))
            .collect()
    }

    fn read_objects(&mut self, lines: &[String]) -> Result<()> {
        for line in lines {
            let object: Value = serde_json::from_str(line).with_context(|| line.clone())?;
            if object.get("event").is_some() {
                self.events.push(object);
            } else {
                ensure!(
                    self.object.is_null(),
                    "two results: {} and {object}",
                    self.object
                );
                self.object = object;
            }
        }
        Ok(())
    }
}

/// The texts in a JSON list.
#[must_use]
pub fn texts(array: &Value) -> Vec<String> {
    let items = array.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn text_from(log: &Path, start: u64) -> Result<String> {
    let bytes = std::fs::read(log)?;
    let start = usize::try_from(start)?;
    Ok(String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned())
}
