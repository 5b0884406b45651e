//! The host of a front end that lives long: which home is used, and where its node stands.
//!
//! An actor: one request after another changes its state, and every change is told. Calls to
//! the node go past it, so that a slow start or a recovery holds nobody up. It decides what a
//! front end must not: whether a home is joined, held, locked, or has to be made first.

mod identity;
mod practising;

use std::path::Path;

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::{info, warn};

use bitdust_api::host::RecoveredView;
use bitdust_api::view::JobPhase;
use bitdust_api::{Answer, ApiError, Call, HostAnswer, HostCall, HostEvent, HostState, HostView};
use bitdust_crypto::has_keyring;
use bitdust_model::intervals::JOIN_PATIENCE;
use bitdust_model::{ErrorCode, limits};
use bitdust_store::{Home, HomePaths};

use crate::front::local::socket_path;
use crate::home::facade::Initialised;
use crate::home::node_client::NodeClient;
use crate::home::practice::{self, Practice};
use crate::runtime::Stay;
use crate::runtime::keys;
use crate::runtime::start::{self, Running};
use crate::shared::error::NodeError;
use crate::shared::settings::{Settings, Unlock};

type HostReply = oneshot::Sender<Result<HostAnswer, ApiError>>;

/// A front end's handle; clones speak to the same host.
#[derive(Clone)]
pub struct Host {
    requests: mpsc::Sender<Request>,
    events: broadcast::Sender<HostEvent>,
    client: watch::Receiver<Option<NodeClient>>,
}

/// What the actor hears.
enum Request {
    Call {
        call: HostCall,
        reply: HostReply,
    },
    Phase {
        phase: JobPhase,
    },
    Recovered {
        result: Box<Result<RecoveredView, ApiError>>,
        reply: HostReply,
    },
    NodeGone {
        number: u64,
    },
    Close {
        done: oneshot::Sender<()>,
    },
}

impl Host {
    /// Starts a host for the home that `settings` name, and opens the home if that can be done
    /// without asking anybody. Call within a runtime.
    #[must_use]
    pub fn start(settings: Settings, version: &str) -> Self {
        let (requests, inbox) = mpsc::channel(limits::FRONT_END_QUEUE_MAX);
        let (events, _) = broadcast::channel(limits::FRONT_END_QUEUE_MAX);
        let (client_in, client) = watch::channel(None);
        let actor = Actor {
            settings,
            version: version.to_owned(),
            state: HostState::Starting,
            opened: None,
            practice: None,
            created: None,
            clients: 0,
            requests: requests.clone(),
            events: events.clone(),
            client: client_in,
            in_use: watch::Sender::new(0),
        };
        tokio::spawn(actor.run(inbox));
        Self {
            requests,
            events,
            client,
        }
    }

    /// One call to the host, one answer.
    pub async fn host(&self, call: HostCall) -> Result<HostAnswer, ApiError> {
        let (reply, answer) = oneshot::channel();
        let request = Request::Call { call, reply };
        self.requests.send(request).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// One call to the node, one answer.
    pub async fn call(&self, call: Call) -> Result<Answer, ApiError> {
        let client = self.client.borrow().clone();
        let client = client.ok_or_else(|| {
            ApiError::new(
                ErrorCode::Interrupted,
                "the node does not run; nothing was changed",
            )
        })?;
        client.call(call).await
    }

    /// What host and node tell from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<HostEvent> {
        self.events.subscribe()
    }

    /// Ends the nodes that run in this process, in order.
    pub async fn close(&self) {
        let (done, ended) = oneshot::channel();
        if self.requests.send(Request::Close { done }).await.is_ok() {
            // An actor that is gone has nothing left to end.
            let _ended = ended.await;
        }
    }
}

fn gone() -> ApiError {
    ApiError::new(ErrorCode::Internal, "the host of this window has ended")
}

/// A client with its number, so that the news of one are told from those of another.
struct NumberedClient {
    client: NodeClient,
    number: u64,
}

/// A home in use.
struct OpenHome {
    client: NumberedClient,
    /// `None`: another process holds the home.
    running: Option<Running>,
}

/// What a home can be opened to.
enum Opening {
    /// There is none, or what a recovery left that was broken off.
    Absent,
    /// Its keys want a passphrase.
    Locked,
    Open(OpenHome),
}

struct Actor {
    settings: Settings,
    version: String,
    state: HostState,
    opened: Option<OpenHome>,
    practice: Option<(Practice, NumberedClient)>,
    /// The identity that was made since the start, until its words were asked back.
    created: Option<Initialised>,
    /// Clients opened so far.
    clients: u64,
    requests: mpsc::Sender<Request>,
    events: broadcast::Sender<HostEvent>,
    client: watch::Sender<Option<NodeClient>>,
    /// Number of the client whose news reach the front ends.
    in_use: watch::Sender<u64>,
}

impl Actor {
    async fn run(mut self, mut inbox: mpsc::Receiver<Request>) {
        self.open_home().await;
        while let Some(request) = inbox.recv().await {
            match request {
                Request::Call { call, reply } => self.answer(call, reply).await,
                Request::Phase { phase } => {
                    if matches!(self.state, HostState::Recovering { .. }) {
                        self.enter(HostState::Recovering { phase });
                    }
                }
                Request::Recovered { result, reply } => self.recovered(*result, reply).await,
                Request::NodeGone { number } => self.node_gone(number).await,
                Request::Close { done } => {
                    self.close().await;
                    // Whoever asked may have left.
                    let _told = done.send(());
                    return;
                }
            }
        }
        self.close().await;
    }

    async fn answer(&mut self, call: HostCall, reply: HostReply) {
        let answer = match call {
            HostCall::State => Ok(self.view_answer()),
            HostCall::Create { nickname, guard } => self.create(&nickname, &guard).await,
            HostCall::ConfirmWords { words } => self.confirm(&words).await,
            HostCall::Recover {
                phrase,
                way_in,
                recover_as,
                guard,
            } => {
                self.begin_recovery(phrase, &way_in, recover_as, &guard, reply);
                return;
            }
            HostCall::Unlock { passphrase } => {
                self.settings.unlock = Unlock::Passphrase(passphrase);
                self.open_home().await;
                self.answer_unless_failed()
            }
            HostCall::Retry => {
                self.open_home().await;
                Ok(self.view_answer())
            }
            HostCall::PracticeStart => self.start_practice().await,
            HostCall::PracticeStop => self.stop_practice().await,
            HostCall::PracticeForget => self.forget_practice().await,
            HostCall::PracticeSupplier { number, runs } => {
                self.set_practice_supplier(number, runs).await
            }
        };
        // A front end that left does not wait for its answer.
        drop(reply.send(answer));
    }

    fn view_answer(&self) -> HostAnswer {
        HostAnswer::Host(self.view())
    }

    /// A wrong passphrase is an answer of its own; the home stays locked.
    fn answer_unless_failed(&mut self) -> Result<HostAnswer, ApiError> {
        match &self.state {
            HostState::Failed { error } if error.code == ErrorCode::NotAllowed => {
                let error = error.clone();
                self.settings.unlock = Unlock::None;
                self.enter(HostState::Locked);
                Err(error)
            }
            HostState::Absent
            | HostState::Locked
            | HostState::Starting
            | HostState::Recovering { .. }
            | HostState::Running
            | HostState::Attached
            | HostState::Failed { .. } => Ok(self.view_answer()),
        }
    }

    fn view(&self) -> HostView {
        HostView {
            state: self.state.clone(),
            home: self.settings.home.display().to_string(),
            has_keyring: has_keyring(),
            practice: self.practice.as_ref().map(|(practice, _)| practice.view()),
            has_practice: practice::exists(&self.practice_dir()),
            version: self.version.clone(),
        }
    }

    fn enter(&mut self, state: HostState) {
        self.state = state;
        // No window may be open.
        drop(self.events.send(HostEvent::Host { view: self.view() }));
    }

    /// Joins or holds the home, or says why that cannot be.
    async fn open_home(&mut self) {
        if self.opened.is_some() {
            return;
        }
        let paths = HomePaths::new(&self.settings.home);
        if !paths.has_keys() {
            return self.enter(HostState::Absent);
        }
        self.enter(HostState::Starting);
        match self.open_or_attach(&paths).await {
            Ok(Opening::Absent) => self.enter(HostState::Absent),
            Ok(Opening::Locked) => self.enter(HostState::Locked),
            Ok(Opening::Open(opened)) => {
                let is_own = opened.running.is_some();
                self.opened = Some(opened);
                self.use_client();
                self.enter(if is_own {
                    HostState::Running
                } else {
                    HostState::Attached
                });
            }
            Err(error) => {
                warn!(code = error.code.name(), "The node could not start");
                self.enter(HostState::Failed {
                    error: error.into(),
                });
            }
        }
    }

    async fn open_or_attach(&mut self, paths: &HomePaths) -> Result<Opening, NodeError> {
        let socket = socket_path(&self.settings.home);
        let running = match Home::open(&self.settings.home) {
            // With keys that nobody was told of nothing can be done; the words begin anew. Whoever recovers
            // holds the home meanwhile.
            Ok(_) if paths.is_recovery_unfinished() => return Ok(Opening::Absent),
            Ok(_) if self.settings.unlock == Unlock::None && keys::is_locked(paths) => {
                return Ok(Opening::Locked);
            }
            Ok(home) => Some(start::start(home, &self.settings, Stay::Long, None).await?),
            Err(error) if error.code() == ErrorCode::HomeHeld => None,
            Err(error) => return Err(error.into()),
        };
        let client = self.connect(&socket).await?;
        Ok(Opening::Open(OpenHome { client, running }))
    }

    /// Opens a client whose events reach the front ends as long as it is the one in use.
    async fn connect(&mut self, socket: &Path) -> Result<NumberedClient, NodeError> {
        let (told, mut heard) = mpsc::channel(limits::FRONT_END_QUEUE_MAX);
        let client = NodeClient::open(socket, JOIN_PATIENCE, told).await?;
        self.clients += 1;
        let number = self.clients;
        let (events, requests) = (self.events.clone(), self.requests.clone());
        let in_use = self.in_use.subscribe();
        // Ends with the client's connection.
        tokio::spawn(async move {
            while let Some(event) = heard.recv().await {
                if *in_use.borrow() == number {
                    // No window may be open.
                    drop(events.send(HostEvent::Node { event }));
                }
            }
            // An actor that has ended wants no news.
            drop(requests.send(Request::NodeGone { number }).await);
        });
        Ok(NumberedClient { client, number })
    }

    /// Lets calls and news through the practice network's client, else the home's.
    fn use_client(&self) {
        let practice = self.practice.as_ref().map(|(_, client)| client);
        let client = practice.or(self.opened.as_ref().map(|opened| &opened.client));
        self.in_use
            .send_replace(client.map_or(0, |client| client.number));
        self.client
            .send_replace(client.map(|client| client.client.clone()));
    }

    /// A node that served ended: its holder left, or a defect. The home is opened anew.
    async fn node_gone(&mut self, number: u64) {
        if self
            .practice
            .as_ref()
            .is_some_and(|(_, client)| client.number == number)
        {
            self.practice = None;
        } else if let Some(opened) = self.opened.take_if(|opened| opened.client.number == number) {
            let closed = match opened.running {
                Some(running) => running.close().await,
                None => Ok(()),
            };
            if let Err(error) = closed {
                self.use_client();
                let error = error.into();
                return self.enter(HostState::Failed { error });
            }
        } else {
            return;
        }
        info!("A node is gone");
        self.use_client();
        self.settle().await;
    }

    /// Back to the home's own state, opening it where it is not open.
    async fn settle(&mut self) {
        let is_own = self.opened.as_ref().map(|opened| opened.running.is_some());
        match is_own {
            Some(true) => self.enter(HostState::Running),
            Some(false) => self.enter(HostState::Attached),
            None => self.open_home().await,
        }
    }

    async fn close(&mut self) {
        let practice = self.practice.take();
        let opened = self.opened.take();
        self.use_client();
        let mut ended = Vec::new();
        if let Some((practice, _)) = practice {
            ended.push(practice.close().await);
        }
        if let Some(running) = opened.and_then(|opened| opened.running) {
            ended.push(running.close().await);
        }
        for error in ended.into_iter().filter_map(Result::err) {
            warn!(%error, "A node did not end in order; what was stored is safe");
        }
    }
}
