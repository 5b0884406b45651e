//! The home's local socket: whoever finds the home held speaks to its holder here.
//!
//! One JSON object a line, each way. The socket lies in the home, which only its owner may
//! enter; where the home's path is too long for a socket, in the runtime folder under a name
//! made of the path.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tracing::debug;

use bitdust_api::wire::{CallLine, LINE_BYTES_MAX, NodeLine};
use bitdust_api::{Answer, ApiError, Call, Event};
use bitdust_model::intervals::JOIN_LOOK_EVERY;
use bitdust_model::{ErrorCode, limits};
use bitdust_store::disk_error_code;

use crate::shared::error::NodeError;

/// Longest path a Unix socket may have, with room for the terminating byte.
const SOCKET_PATH_MAX: usize = 100;

/// A call with the place for its answer.
#[derive(Debug)]
pub(crate) struct PendingCall {
    /// What is asked.
    pub(crate) call: Call,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Result<Answer, ApiError>>,
}

/// Where the socket of a home lies.
pub(crate) fn socket_path(home: &Path) -> PathBuf {
    let inside = home.join("node.sock");
    if inside.as_os_str().len() <= SOCKET_PATH_MAX {
        return inside;
    }
    let mut hasher = DefaultHasher::new();
    home.hash(&mut hasher);
    let runtime =
        std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    runtime.join(format!("bitdust-{:016x}.sock", hasher.finish()))
}

/// Binds the socket; the caller holds the home's lock, so a file that is there is a leftover.
pub(crate) fn bind(path: &Path) -> Result<UnixListener, NodeError> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot_serve(path, &error)),
    }
    let listener = UnixListener::bind(path).map_err(|error| cannot_serve(path, &error))?;
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, owner_only).map_err(|error| cannot_serve(path, &error))?;
    Ok(listener)
}

fn cannot_serve(path: &Path, error: &std::io::Error) -> NodeError {
    NodeError::new(
        disk_error_code(error),
        format!(
            "the local socket {} cannot be made: {error}",
            path.display()
        ),
    )
}

/// Accepts front ends until the task is aborted.
pub(crate) async fn serve(
    listener: UnixListener,
    calls: mpsc::Sender<PendingCall>,
    events: broadcast::Sender<Event>,
) {
    let mut sessions = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    sessions.spawn(session(stream, calls.clone(), events.subscribe()));
                }
                Err(error) => debug!(%error, "Could not accept a front end"),
            },
            Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
        }
    }
}

async fn session(
    stream: UnixStream,
    calls: mpsc::Sender<PendingCall>,
    mut events: broadcast::Receiver<Event>,
) {
    let (reader, mut writer) = stream.into_split();
    let (answers_in, mut answers) = mpsc::channel::<NodeLine>(limits::FRONT_END_QUEUE_MAX);
    let listen = async move {
        let mut lines = LineReader::new(reader);
        loop {
            match lines.next::<CallLine>().await {
                Ok(Some(line)) => {
                    if dispatch(line, &calls, answers_in.clone()).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    debug!(%error, "A front end sent nonsense");
                    return;
                }
            }
        }
    };
    let speak = async move {
        loop {
            let line = tokio::select! {
                Some(line) = answers.recv() => line,
                event = events.recv() => match event {
                    Ok(notice) => NodeLine::Event { notice },
                    Err(broadcast::error::RecvError::Lagged(skipped)) => {
                        debug!(skipped, "A front end is too slow for all events");
                        continue;
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                },
            };
            if write_line(&mut writer, &line).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = listen => {}
        () = speak => {}
    }
}

async fn dispatch(
    line: CallLine,
    calls: &mpsc::Sender<PendingCall>,
    answers: mpsc::Sender<NodeLine>,
) -> Result<(), mpsc::error::SendError<PendingCall>> {
    let (reply, result) = oneshot::channel();
    calls
        .send(PendingCall {
            call: line.call,
            reply,
        })
        .await?;
    tokio::spawn(async move {
        let result = result.await.unwrap_or_else(|_| Err(stopped()));
        // A front end that left does not wait for its answer.
        drop(
            answers
                .send(NodeLine::Answer {
                    id: line.id,
                    result,
                })
                .await,
        );
    });
    Ok(())
}

/// Connects to the holder of a home; waits up to `patience` for it to serve.
pub(crate) async fn reach(path: &Path, patience: Duration) -> Result<UnixStream, NodeError> {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        match UnixStream::connect(path).await {
            Ok(stream) => return Ok(stream),
            Err(error) if tokio::time::Instant::now() >= deadline => {
                return Err(NodeError::new(
                    ErrorCode::HomeHeld,
                    format!(
                        "another process holds this home but does not answer at {}: {error}; \
                         wait until it is done, or stop it",
                        path.display()
                    ),
                ));
            }
            Err(_) => tokio::time::sleep(JOIN_LOOK_EVERY).await,
        }
    }
}

/// A front end's end of the socket.
pub(crate) struct Client {
    lines: LineReader,
    writer: OwnedWriteHalf,
    events: VecDeque<Event>,
    next_id: u64,
}

impl Client {
    /// Joins the holder of a home; waits up to `patience` for it to serve.
    pub(crate) async fn join(path: &Path, patience: Duration) -> Result<Self, NodeError> {
        let (reader, writer) = reach(path, patience).await?.into_split();
        Ok(Self {
            lines: LineReader::new(reader),
            writer,
            events: VecDeque::new(),
            next_id: 1,
        })
    }

    /// One call, one answer; events that come meanwhile are kept.
    pub(crate) async fn call(&mut self, call: Call) -> Result<Answer, ApiError> {
        let id = self.next_id;
        self.next_id += 1;
        write_line(&mut self.writer, &CallLine { id, call })
            .await
            .map_err(|_| stopped())?;
        loop {
            match self.next_line().await {
                Some(NodeLine::Answer {
                    id: answered,
                    result,
                }) if answered == id => return result,
                Some(NodeLine::Answer { .. }) => {}
                Some(NodeLine::Event { notice }) => {
                    if self.events.len() == limits::FRONT_END_QUEUE_MAX {
                        self.events.pop_front();
                    }
                    self.events.push_back(notice);
                }
                None => return Err(stopped()),
            }
        }
    }

    /// The next event; `None` when the node is gone.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        loop {
            match self.next_line().await? {
                NodeLine::Event { notice } => return Some(notice),
                NodeLine::Answer { .. } => {}
            }
        }
    }

    async fn next_line(&mut self) -> Option<NodeLine> {
        self.lines.next().await.ok().flatten()
    }
}

pub(crate) fn stopped() -> ApiError {
    ApiError::new(
        ErrorCode::Interrupted,
        "the node stopped; what it had recorded is kept, start it again",
    )
}

/// Reads lines of bounded length; a read that is dropped half-way loses nothing.
pub(crate) struct LineReader {
    reader: BufReader<OwnedReadHalf>,
    line: Vec<u8>,
}

impl LineReader {
    pub(crate) fn new(reader: OwnedReadHalf) -> Self {
        Self {
            reader: BufReader::new(reader),
            line: Vec::new(),
        }
    }

    pub(crate) async fn next<T: serde::de::DeserializeOwned>(
        &mut self,
    ) -> std::io::Result<Option<T>> {
        let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
        let mut bounded = (&mut self.reader).take(u64::try_from(room).unwrap_or(u64::MAX));
        bounded.read_until(b'\n', &mut self.line).await?;
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&line)
            .map(Some)
            .map_err(std::io::Error::other)
    }
}

pub(crate) async fn write_line<T: serde::Serialize>(
    writer: &mut OwnedWriteHalf,
    line: &T,
) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(line).map_err(std::io::Error::other)?;
    bytes.push(b'\n');
    writer.write_all(&bytes).await
}
