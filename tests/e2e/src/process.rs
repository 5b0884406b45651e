//! A child process whose output is read with a deadline, and which dies with its handle.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;

use crate::wait::eventually;

/// Lines read ahead; then the child waits for its reader.
const LINES_AHEAD: usize = 1_024;

/// A running child.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Option<Receiver<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts it with its standard error going to the end of `log`, and hands it `input`.
    pub fn spawn(mut command: Command, log: &Path, input: Option<&str>) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        command.stdout(Stdio::piped()).stderr(log);
        command.stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let mut child = command
            .spawn()
            .with_context(|| format!("{command:?} cannot be started"))?;
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            // One that ends before it read all says itself why.
            drop(stdin.write_all(input.as_bytes()));
        }
        let stdout = child.stdout.take().context("no standard output")?;
        let (sender, lines) = sync_channel(LINES_AHEAD);
        let reader = std::thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = vec![];
            while matches!(stdout.read_until(b'\n', &mut line), Ok(1..)) {
                let text = String::from_utf8_lossy(&line)
                    .trim_end_matches('\n')
                    .to_owned();
                if sender.send(text).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Ok(Self {
            child,
            lines: Some(lines),
            reader: Some(reader),
        })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its next line; none at the end of its output. Fails at the deadline.
    pub fn line(&self, until: Instant) -> Result<Option<String>> {
        let Some(lines) = &self.lines else {
            return Ok(None);
        };
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => bail!("it printed nothing in time"),
        }
    }

    /// Waits until it has ended.
    pub fn wait(&mut self, within: Duration) -> Result<ExitStatus> {
        let child = &mut self.child;
        eventually("the end of a process", within, || Ok(child.try_wait()?))
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Stops it where it is (SIGSTOP), or lets it go on (SIGCONT).
    pub fn hold(&self, held: bool) -> Result<()> {
        self.signal(if held { Signal::STOP } else { Signal::CONT })
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.child.id())?;
        let id = rustix::process::Pid::from_raw(id).context("process 0")?;
        Ok(rustix::process::kill_process(id, signal)?)
    }

    /// Ends it at once (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended long ago, which is as good.
        drop(self.kill());
        drop(self.lines.take());
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}
