//! A machine of the demo: a home of its own, and the real program run on it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use bitdust_api::wire::LINE_BYTES_MAX;
use bitdust_model::ErrorCode;
use bitdust_model::intervals::DEMO_READY_WITHIN;
use serde_json::Value;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::plan::Transport;
use crate::escape::escaped;
use crate::failure::{Exit, Failure};

/// Bytes of a log that are quoted when a machine stops unasked.
const LOG_QUOTED_BYTES: usize = 2_000;

/// What all machines of one demo share.
#[derive(Debug, Clone)]
pub(super) struct Bench {
    /// The program.
    pub(super) program: PathBuf,
    /// The name of the network.
    pub(super) network: String,
    /// Where homes and logs lie.
    pub(super) folder: PathBuf,
    /// The one transport to use, if one.
    pub(super) transport: Option<Transport>,
    /// Where a new machine starts from: known as soon as there is a first one.
    pub(super) bootstrap: Option<String>,
}

/// One machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// What the story calls it.
    pub(super) name: String,
    /// Its home.
    pub(super) home: PathBuf,
    /// Its device id in full, once it has one.
    pub(super) device: String,
    /// Where it listens, once it runs.
    pub(super) addresses: Vec<String>,
    bench: Bench,
    node: Option<RunningNode>,
}

/// A daemon. Its output stays open so that it never writes into nothing.
#[derive(Debug)]
struct RunningNode {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

/// What a command gave.
#[derive(Debug)]
pub(super) struct Reply {
    /// How it ended: done or incomplete.
    pub(super) exit: Exit,
    /// Its result.
    pub(super) object: Value,
}

impl Machine {
    /// A machine with an empty home.
    pub(super) fn new(bench: &Bench, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            home: bench.folder.join(name),
            device: String::new(),
            addresses: vec![],
            bench: bench.clone(),
            node: None,
        }
    }

    /// Runs a command to its end.
    pub(super) async fn run(&self, arguments: &[&str]) -> Result<Reply, Failure> {
        self.run_watched(arguments, None, &mut |_| Ok(())).await
    }

    /// Runs a command, gives it some input and shows its events to `watch`. May be dropped:
    /// the command is killed then.
    pub(super) async fn run_watched(
        &self,
        arguments: &[&str],
        input: Option<&str>,
        watch: &mut dyn FnMut(Value) -> Result<(), Failure>,
    ) -> Result<Reply, Failure> {
        let mut command = self.command(arguments)?;
        command.stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let mut child = command.spawn().map_err(|error| self.cannot_start(&error))?;
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            // If it ended before it read all, its own error says why.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(Failure::odd_answer)?);
        let mut object = Value::Null;
        while let Some(line) = next_object(&mut stdout).await? {
            if line.get("event").is_some() {
                watch(line)?;
            } else {
                object = line;
            }
        }
        let status = child
            .wait()
            .await
            .map_err(|error| self.cannot_start(&error))?;
        match status.code() {
            Some(0) => Ok(Reply {
                exit: Exit::Done,
                object,
            }),
            Some(3) => Ok(Reply {
                exit: Exit::Incomplete,
                object,
            }),
            _ => Err(self.command_failed(arguments, &object)),
        }
    }

    /// Starts the machine's daemon and waits until it is ready. Dropping this kills it.
    pub(super) async fn start(&mut self) -> Result<(), Failure> {
        let mut command = self.command(&["daemon"])?;
        command.stdin(Stdio::null());
        let mut child = command.spawn().map_err(|error| self.cannot_start(&error))?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(Failure::odd_answer)?);
        let Ok(ready) = timeout(DEMO_READY_WITHIN, next_object(&mut stdout)).await else {
            let waited = DEMO_READY_WITHIN.as_secs();
            let text = format!(
                "{} is not ready after {waited} s. The end of its log: {}",
                self.name,
                self.log_end()
            );
            return Err(Failure::new(ErrorCode::TimedOut, text));
        };
        let ready = ready?.unwrap_or(Value::Null);
        if ready.get("ready") != Some(&Value::Bool(true)) {
            return Err(self.command_failed(&["daemon"], &ready));
        }
        self.addresses = texts(&ready["addresses"]);
        if let Some(device) = ready["device"].as_str() {
            device.clone_into(&mut self.device);
        }
        self.node = Some(RunningNode { child, stdout });
        Ok(())
    }

    /// Kills the daemon at once and waits until it is gone.
    pub(super) async fn kill(&mut self) -> Result<(), Failure> {
        if let Some(mut node) = self.node.take() {
            node.child
                .kill()
                .await
                .map_err(|error| Failure::io(&format!("{} cannot be killed", self.name), &error))?;
        }
        Ok(())
    }

    /// Fails if the daemon stopped unasked, with its own reason where it gave one.
    pub(super) async fn check_alive(&mut self) -> Result<(), Failure> {
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        let ended = node.child.try_wait();
        match ended
            .map_err(|error| Failure::io(&format!("{} cannot be watched", self.name), &error))?
        {
            None => Ok(()),
            Some(status) => {
                // Its end of the pipe is closed, so this reads what is left and returns.
                let last = next_object(&mut node.stdout)
                    .await
                    .ok()
                    .flatten()
                    .unwrap_or(Value::Null);
                let failure = self.command_failed(&["daemon"], &last);
                Err(Failure::new(
                    ErrorCode::Interrupted,
                    format!("{} ({status})", failure.message),
                ))
            }
        }
    }

    /// The program with this machine's flags. Its process dies with the handle.
    fn command(&self, arguments: &[&str]) -> Result<Command, Failure> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .map_err(|error| Failure::io("The demo cannot write its logs", &error))?;
        let mut command = Command::new(&self.bench.program);
        command.arg("--json").arg("--home").arg(&self.home);
        command.args(["--scope", "loopback", "--network", &self.bench.network]);
        if let Some(transport) = self.bench.transport {
            command.args(["--listen", transport.listen_address()]);
        }
        if let Some(bootstrap) = &self.bench.bootstrap {
            command.args(["--bootstrap", bootstrap]);
        }
        command.args(arguments).env_remove("BITDUST_HOME");
        command
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        Ok(command)
    }

    fn log_path(&self) -> PathBuf {
        self.bench.folder.join(format!("{}.log", self.name))
    }

    fn log_end(&self) -> String {
        let text = std::fs::read(self.log_path()).unwrap_or_default();
        let start = text.len().saturating_sub(LOG_QUOTED_BYTES);
        escaped(String::from_utf8_lossy(&text[start..]).trim())
    }

    fn cannot_start(&self, error: &std::io::Error) -> Failure {
        Failure::io(&format!("{}: the program cannot be run", self.name), error)
    }

    /// The failure of a command with the command's own code and sentence.
    fn command_failed(&self, arguments: &[&str], object: &Value) -> Failure {
        let error = &object["error"];
        let code = serde_json::from_value(error["code"].clone()).unwrap_or(ErrorCode::Internal);
        // A command that belongs to a later release is no wrong usage of the demo.
        let code = if matches!(code, ErrorCode::BadRequest | ErrorCode::NotYet) {
            ErrorCode::Internal
        } else {
            code
        };
        let message = match error["message"].as_str() {
            Some(message) => message.to_owned(),
            None => format!(
                "it ended without saying why. The end of its log: {}",
                self.log_end()
            ),
        };
        let mut failure = Failure::new(
            code,
            format!(
                "{}: `bitdust {}` failed: {message}",
                self.name,
                arguments.join(" ")
            ),
        );
        failure.report = object.get("report").cloned().map(Box::new);
        failure
    }
}

/// The text items of a JSON array.
pub(super) fn texts(array: &Value) -> Vec<String> {
    array
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// Bytes below a folder, as far as they can be seen. Used for figures only.
pub(super) fn bytes_below(folder: &Path) -> u64 {
    let mut folders = vec![folder.to_owned()];
    let mut bytes = 0_u64;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(found) = entry.path().symlink_metadata() else {
                continue;
            };
            if found.is_dir() {
                folders.push(entry.path());
            } else if found.is_file() {
                bytes = bytes.saturating_add(found.len());
            }
        }
    }
    bytes
}

/// The next line as JSON; none at the end. A line that is none is a failure.
async fn next_object(stdout: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Value>, Failure> {
    let mut line = Vec::new();
    let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    stdout
        .take(limit)
        .read_until(b'\n', &mut line)
        .await
        .map_err(|error| Failure::io("The output of a command cannot be read", &error))?;
    if line.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&line).map(Some).map_err(|error| {
        Failure::new(
            ErrorCode::Malformed,
            format!("A command printed a line that is no JSON ({error})."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_read_as_objects_until_the_end() -> Result<(), Failure> {
        let mut output = &b"{\"event\":\"phase\"}\n{\"done\":true}"[..];
        assert_eq!(
            next_object(&mut output).await?.expect("a line")["event"],
            "phase"
        );
        assert_eq!(
            next_object(&mut output).await?.expect("a last line")["done"],
            true
        );
        assert!(next_object(&mut output).await?.is_none());
        let mut nonsense = &b"thread panicked\n"[..];
        assert!(next_object(&mut nonsense).await.is_err());
        Ok(())
    }

    #[test]
    fn bytes_of_files_are_counted_and_links_are_not_followed() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("a"))?;
        std::fs::write(folder.path().join("a/b"), vec![0; 1000])?;
        std::fs::write(folder.path().join("c"), vec![0; 24])?;
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/up"))?;
        assert_eq!(bytes_below(folder.path()), 1024);
        assert_eq!(bytes_below(&folder.path().join("missing")), 0);
        Ok(())
    }
}
