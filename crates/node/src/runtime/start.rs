//! Opens a home and starts its node: lock, configuration, keys, databases, network, engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use bitdust_crypto::{HomeSecrets, random};
use bitdust_engine::{Engine, Facts, Input};
use bitdust_model::set::SetRecord;
use bitdust_model::{ByteCount, DeviceId, ErrorCode, SetId, limits};
use bitdust_net::NetConfig;
use bitdust_pipeline::pack::HEADER_BYTES;
use bitdust_store::supplier::Swept;
use bitdust_store::{Catalogue, Home, ShardStore, Spool};

use super::clock::Clock;
use super::facts::facts;
use super::held_home::HeldHome;
use super::keys::unlock;
use super::questions::Questions;
use super::trace::Trace;
use super::{Inbox, Node, Stay};
use crate::backup::Backup;
use crate::backup::own_sets::OwnSets;
use crate::front::{Front, local};
use crate::recovery::{Recovery, RecoveryStart};
use crate::restore::Restore;
use crate::runtime::checkup::Checkup;
use crate::service::Service;
use crate::service::findings::tell_findings;
use crate::shared::answer::{catalogue_error, or_nothing};
use crate::shared::config::Config;
use crate::shared::context::{Context, wall_clock};
use crate::shared::disk_space::DiskSpace;
use crate::shared::driver::Driver;
use crate::shared::error::NodeError;
use crate::shared::fences::UntoldFences;
use crate::shared::settings::{Scope, Settings};
use crate::shared::task_event::TaskEvent;
use crate::suppliers::{KnownSuppliers, Suppliers};

/// A node that runs in this process.
pub(crate) struct Running {
    /// Asks it to stop; dropping asks too.
    pub(crate) stop: oneshot::Sender<()>,
    /// Ends when it has stopped.
    pub(crate) node: JoinHandle<()>,
    /// Where it listens.
    pub(crate) addresses: Vec<String>,
    /// The machine it is.
    pub(crate) device: DeviceId,
    front_end: JoinHandle<()>,
}

impl Running {
    /// Stops the node in order.
    pub(crate) async fn close(self) -> Result<(), NodeError> {
        // A node that has ended by itself no longer listens.
        let _ended = self.stop.send(());
        let ended = self.node.await;
        self.front_end.abort();
        ended.map_err(|_| {
            NodeError::new(
                ErrorCode::Internal,
                "the node ended in a defect; what was stored is safe",
            )
        })
    }
}

/// Starts the node of a home that this process holds.
pub(crate) async fn start(
    home: Home,
    settings: &Settings,
    stay: Stay,
    recovery: Option<RecoveryStart>,
) -> Result<Running, NodeError> {
    let config = configure(&home, settings, recovery.is_some())?;
    let (secrets, guard) = unlock(&home, settings)?;
    let Opened {
        context,
        net_events,
        task_events,
        network_loop,
        addresses,
        swept,
    } = open_parts(&home, &config, secrets).await?;
    let (facts, records) = facts(&context, &config, stay)?;
    let known = known_suppliers(&context, records)?;
    let sets = OwnSets::of(&facts);
    let (calls_in, calls) = mpsc::channel(limits::FRONT_END_QUEUE_MAX);
    let (events, _) = broadcast::channel(limits::FRONT_END_QUEUE_MAX);
    let home_dir = home.paths().dir().to_path_buf();
    let listener = local::bind(&local::socket_path(&home_dir))?;
    let front_end = tokio::spawn(local::serve(listener, calls_in, events.clone()));
    let (stop, stopped) = oneshot::channel();
    let mut node = Node {
        engine: Engine::new(config.policy.clone()),
        clock: Clock::start(),
        trace: settings.trace.as_deref().map(Trace::create).transpose()?,
        inbox: Inbox {
            net: net_events,
            tasks: task_events,
            calls,
            stop: stopped,
        },
        network_loop,
        driver: Driver::default(),
        backup: Backup::open(context.clone(), &config, home_dir, sets, stay == Stay::Long)?,
        restore: Restore::new(context.clone()),
        recovery: Recovery::new(context.clone()),
        suppliers: Suppliers::new(context.clone(), &config, addresses.clone(), known),
        service: Service::new(context.clone(), &config, &facts.customers),
        front: Front::open(&context.catalogue, events)?,
        questions: Questions::new(),
        context,
        checkup: Checkup::new(stay == Stay::Long),
        is_stopping: false,
        is_restore_only: facts.is_restore_only,
        home: HeldHome::new(home, config.clone(), guard),
    };
    tell_findings(&mut node.driver, &swept);
    node.begin_engine(facts, &config, recovery);
    Ok(Running {
        stop,
        addresses,
        device: node.context.device,
        node: tokio::spawn(node.run()),
        front_end,
    })
}

/// Nobody may know of the machine that a recovery made which was killed.
fn check_whole(home: &Home) -> Result<(), NodeError> {
    if home.paths().is_recovery_unfinished() {
        return Err(NodeError::new(
            ErrorCode::Interrupted,
            "the recovery of this home was broken off, so that it cannot be used yet. Run `bitdust recover` again, \
             with the 24 words, or `bitdust init` for a new identity",
        ));
    }
    Ok(())
}

fn known_suppliers(
    context: &Context,
    sets: BTreeMap<SetId, SetRecord>,
) -> Result<KnownSuppliers, NodeError> {
    let catalogue = &context.catalogue;
    let friends = or_nothing(catalogue, catalogue.friends());
    let untold = or_nothing(catalogue, UntoldFences::kept(catalogue));
    Ok(KnownSuppliers {
        friends: friends.map_err(catalogue_error)?,
        sets,
        unfenced: untold.map_err(catalogue_error)?.holders,
    })
}

/// The settings of a home that can be started, with what flags say, which is remembered.
fn configure(home: &Home, settings: &Settings, is_recovery: bool) -> Result<Config, NodeError> {
    if !is_recovery {
        check_whole(home)?;
    }
    let mut config = Config::load(home.paths())?;
    if let Some(network) = &settings.network {
        config.set("network", network)?;
    }
    config.apply(settings)?;
    config.save(home.paths())?;
    Ok(config)
}

/// Databases and network of a home, opened.
struct Opened {
    context: Context,
    net_events: mpsc::Receiver<bitdust_net::NetEvent>,
    task_events: mpsc::Receiver<TaskEvent>,
    network_loop: JoinHandle<()>,
    addresses: Vec<String>,
    swept: Swept,
}

async fn open_parts(
    home: &Home,
    config: &Config,
    secrets: HomeSecrets,
) -> Result<Opened, NodeError> {
    let secrets = Arc::new(secrets);
    let stores = open_stores(home, config.spool)?;
    let (net, net_events, event_loop) = bitdust_net::start(NetConfig {
        network: config.network.clone(),
        scope: net_scope(config.scope),
        listen: config.listen.clone(),
        external: config.external.clone(),
        device: bitdust_crypto::SigningKey::from_seed(&secrets.device.signing().seed()),
        certificate: secrets.certificate.clone(),
        policy: config.policy.clone(),
        kad_server: None,
    })
    .await
    .map_err(|error| {
        NodeError::new(error.code(), format!("the network cannot be used: {error}"))
    })?;
    let network_loop = tokio::spawn(event_loop.run());
    let addresses = net
        .listening()
        .await
        .map_err(|error| NodeError::new(error.code(), error.to_string()))?;
    let (events_in, task_events) = mpsc::channel(limits::ENGINE_INPUTS_MAX);
    let context = Context {
        net,
        catalogue: stores.catalogue,
        scratch: home.paths().scratch().into(),
        shards: stores.shards,
        spool: stores.spool,
        device: secrets.device.device(),
        identity: secrets.identity(),
        secrets,
        network: config.network.clone().into(),
        nickname: config.nickname.clone().into(),
        policy: Arc::new(config.policy.clone()),
        buffers: Arc::default(),
        disk_space: Arc::new(DiskSpace::new(events_in.clone())),
        task_events: events_in,
    };
    Ok(Opened {
        context,
        net_events,
        task_events,
        network_loop,
        addresses,
        swept: stores.swept,
    })
}

impl Node {
    pub(super) fn begin_engine(
        &mut self,
        facts: Facts,
        config: &Config,
        recovery: Option<RecoveryStart>,
    ) {
        let driver = &mut self.driver;
        driver.tell(Input::Started {
            facts: Box::new(facts),
            seed: random(),
        });
        driver.tell(Input::Listening);
        self.checkup.tell_damage(&self.context, driver);
        self.suppliers
            .reach_bootstrap(driver, config.bootstrap.clone());
        if let Some(start) = recovery {
            let nickname = config.nickname.clone();
            let begun = self.recovery.begin(driver, start, nickname);
            self.restore.recovery_began(&begun);
            self.job_began(begun);
        }
        self.settle();
    }
}

struct Stores {
    catalogue: Catalogue,
    shards: ShardStore,
    swept: Swept,
    spool: Spool,
}

fn open_stores(home: &Home, spool_bytes: ByteCount) -> Result<Stores, NodeError> {
    let paths = home.paths();
    let header_bytes = u32::try_from(HEADER_BYTES)
        .map_err(|_| NodeError::new(ErrorCode::Internal, "the header of a pack is too long"))?;
    let catalogue =
        Catalogue::open_or_scratch(&paths.catalogue(), header_bytes).map_err(|error| {
            NodeError::new(
                error.code(),
                format!("the catalogue cannot be opened: {error}"),
            )
        })?;
    let (shards, swept) = ShardStore::open_or_shut(paths, wall_clock()).map_err(|error| {
        NodeError::new(
            error.code(),
            format!("what is kept for others cannot be opened: {error}"),
        )
    })?;
    tracing::debug!(?swept, "Opened what is kept for others");
    let spool = Spool::open(&paths.spool(), spool_bytes).map_err(|error| {
        NodeError::new(error.code(), format!("the spool cannot be opened: {error}"))
    })?;
    Ok(Stores {
        catalogue,
        shards,
        swept,
        spool,
    })
}

/// The network's word for a scope.
pub(crate) const fn net_scope(scope: Scope) -> bitdust_net::Scope {
    match scope {
        Scope::Internet => bitdust_net::Scope::Internet,
        Scope::Lan => bitdust_net::Scope::Lan,
        Scope::Loopback => bitdust_net::Scope::Loopback,
    }
}
