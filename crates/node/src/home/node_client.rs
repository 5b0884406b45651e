//! A front end's way to a node that many may use at once: calls wait for their own answers only.
//!
//! It is the local socket with one task that writes and one that reads. When the node is gone,
//! all that wait hear so.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{mpsc, oneshot};

use bitdust_api::wire::{CallLine, NodeLine};
use bitdust_api::{Answer, ApiError, Call, Event};
use bitdust_model::limits;

use crate::front::local::{LineReader, reach, stopped, write_line};
use crate::shared::error::NodeError;

/// A call with the place for its answer.
struct Asked {
    call: Call,
    reply: oneshot::Sender<Result<Answer, ApiError>>,
}

/// The calling end. Clones share the connection.
#[derive(Clone)]
pub(crate) struct NodeClient {
    asked: mpsc::Sender<Asked>,
}

impl NodeClient {
    /// Joins the node that serves at a path; what it tells goes to `events`, whose end is
    /// closed when the node is gone.
    pub(crate) async fn open(
        path: &Path,
        patience: Duration,
        events: mpsc::Sender<Event>,
    ) -> Result<Self, NodeError> {
        let (reader, writer) = reach(path, patience).await?.into_split();
        let (asked, questions) = mpsc::channel(limits::FRONT_END_QUEUE_MAX);
        // Ends with the connection, or when the last clone of the client is dropped.
        tokio::spawn(serve(LineReader::new(reader), writer, questions, events));
        Ok(Self { asked })
    }

    /// One call, one answer.
    pub(crate) async fn call(&self, call: Call) -> Result<Answer, ApiError> {
        let (reply, answer) = oneshot::channel();
        self.asked
            .send(Asked { call, reply })
            .await
            .map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

async fn serve(
    lines: LineReader,
    writer: OwnedWriteHalf,
    questions: mpsc::Receiver<Asked>,
    events: mpsc::Sender<Event>,
) {
    let (waiting_in, waiting) = mpsc::channel(limits::FRONT_END_QUEUE_MAX);
    tokio::select! {
        () = listen(lines, waiting, events) => {}
        () = speak(writer, questions, waiting_in) => {}
    }
}

type Waiting = (u64, oneshot::Sender<Result<Answer, ApiError>>);

async fn speak(
    mut writer: OwnedWriteHalf,
    mut questions: mpsc::Receiver<Asked>,
    waiting: mpsc::Sender<Waiting>,
) {
    let mut next_id = 1;
    while let Some(Asked { call, reply }) = questions.recv().await {
        let id = next_id;
        next_id += 1;
        if waiting.send((id, reply)).await.is_err() {
            return;
        }
        if write_line(&mut writer, &CallLine { id, call })
            .await
            .is_err()
        {
            return;
        }
    }
}

async fn listen(
    mut lines: LineReader,
    mut waiting: mpsc::Receiver<Waiting>,
    events: mpsc::Sender<Event>,
) {
    let mut replies = BTreeMap::new();
    while let Ok(Some(line)) = lines.next::<NodeLine>().await {
        // A call is announced before it is written, so its place is here before its answer.
        while let Ok((id, reply)) = waiting.try_recv() {
            replies.insert(id, reply);
        }
        match line {
            NodeLine::Answer { id, result } => {
                if let Some(reply) = replies.remove(&id) {
                    // Whoever asked may have left.
                    drop(reply.send(result));
                }
            }
            NodeLine::Event { notice } => {
                if events.send(notice).await.is_err() {
                    return;
                }
            }
        }
    }
}
