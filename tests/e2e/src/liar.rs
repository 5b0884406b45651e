//! A supplier that lies, as a process of its own: see `src/bin/evil_supplier.rs`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::machine::Machine;
use crate::world::World;

/// How long it may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
/// Lines read ahead.
const LINES_AHEAD: usize = 64;

/// A running liar. It dies with its handle.
#[derive(Debug)]
pub struct Liar {
    /// Its home.
    pub home: PathBuf,
    /// Its device id in full.
    pub device: String,
    invitation: String,
    child: Child,
    orders: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Liar {
    /// Starts a liar of the world: `program` is the path of `evil_supplier`.
    pub fn start(
        program: &str,
        world: &World,
        name: &str,
        mode: &str,
        bootstrap: &[String],
    ) -> Result<Self> {
        let home = world.path(name);
        let log = std::fs::File::create(world.path(&format!("{name}.log")))?;
        let mut command = Command::new(program);
        command
            .arg(&home)
            .args([world.network(), mode])
            .args(bootstrap);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut child = command.spawn().context("the liar cannot be started")?;
        let stdout = child.stdout.take().context("no output")?;
        let (sender, lines) = sync_channel(LINES_AHEAD);
        std::thread::spawn(move || {
            for line in
                std::io::BufRead::lines(std::io::BufReader::new(stdout)).map_while(Result::ok)
            {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let orders = child.stdin.take();
        let mut liar = Self {
            home,
            device: String::new(),
            invitation: String::new(),
            child,
            orders,
            lines,
        };
        let ready = liar
            .line()
            .with_context(|| format!("{name} does not get ready"))?;
        ensure!(ready["ready"] == true, "the liar said {ready}");
        ready["device"]
            .as_str()
            .context("no device")?
            .clone_into(&mut liar.device);
        ready["invitation"]
            .as_str()
            .context("no invitation")?
            .clone_into(&mut liar.invitation);
        Ok(liar)
    }

    /// Makes it a friend of a running customer.
    pub fn befriend(&self, customer: &Machine) -> Result<()> {
        customer.run(&["accept", &self.invitation]).map(drop)
    }

    /// Lies in another way from now on.
    pub fn turn(&mut self, mode: &str) -> Result<()> {
        self.order(mode).map(drop)
    }

    /// One of its counts.
    pub fn count(&mut self, name: &str) -> Result<u64> {
        self.report()?[name]
            .as_u64()
            .with_context(|| format!("no count of {name}"))
    }

    /// All of its counts.
    pub fn report(&mut self) -> Result<Value> {
        self.order("report")
    }

    /// Kills it (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn order(&mut self, order: &str) -> Result<Value> {
        let orders = self
            .orders
            .as_mut()
            .context("it takes no orders any more")?;
        writeln!(orders, "{order}")?;
        orders.flush()?;
        self.line()
    }

    fn line(&self) -> Result<Value> {
        let line = self
            .lines
            .recv_timeout(ANSWERS_WITHIN)
            .context("the liar says nothing")?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        drop(self.orders.take());
        // It may have ended long ago, which is as good.
        drop(self.kill());
    }
}
