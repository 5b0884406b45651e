//! Opens a home and starts its node: lock, configuration, keys, databases, network, engine.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use bitdust_crypto::{HomeSecrets, KeyGuard, RootSecrets, guard_of, open_home, random};
use bitdust_engine::{CustomerFact, Engine, Facts, Input, PackFact, SetFact, SupplierFact};
use bitdust_model::manifest::SetRecord;
use bitdust_model::{ByteCount, Code, ErrorCode, UnixMillis, limits};
use bitdust_net::NetConfig;
use bitdust_pipeline::pack::HEADER_BYTES;
use bitdust_store::catalogue::HistoryQuestion;
use bitdust_store::{Catalogue, Home, ShardStore, Spool};

use crate::backup::watches::{SleepClock, Watches, folder_facts};
use crate::front::local;
use crate::home::facade::Recovered;
use crate::recovery::{Recovery, foreign_sets};
use crate::runtime::trace::Trace;
use crate::runtime::{Inbox, Inputs, NOTICES_MAX, Node, Notices};
use crate::shared::bounded::read_bounded;
use crate::shared::config::Config;
use crate::shared::context::{Context, wall_clock};
use crate::shared::error::NodeError;
use crate::shared::job::JobKind;
use crate::shared::settings::{Scope, Settings, Unlock};

/// A node that runs in this process.
pub(crate) struct Running {
    /// Asks it to stop; dropping asks too.
    pub(crate) stop: oneshot::Sender<()>,
    /// Ends when it has stopped.
    pub(crate) node: JoinHandle<()>,
    /// Where it listens.
    pub(crate) addresses: Vec<String>,
    /// The machine it is.
    pub(crate) device: bitdust_model::DeviceId,
    front_door: JoinHandle<()>,
}

impl Running {
    /// Stops the node in order.
    pub(crate) async fn close(self) -> Result<(), NodeError> {
        // A node that has ended by itself no longer listens.
        let _ended = self.stop.send(());
        let ended = self.node.await;
        self.front_door.abort();
        ended.map_err(|_| {
            NodeError::new(
                ErrorCode::Internal,
                "the node ended in a defect; what was stored is safe",
            )
        })
    }
}

/// What a recovery brings along.
pub(crate) struct RecoveryStart {
    /// The keys of the phrase.
    pub(crate) root: RootSecrets,
    /// Whether the old machines will never write again.
    pub(crate) old_machine_gone: bool,
    /// Who waits for the result.
    pub(crate) reply: oneshot::Sender<Result<Recovered, NodeError>>,
}

/// How long a node is meant to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// Until it is told to stop: folders are backed up by themselves.
    Long,
    /// For one command, which does what it was asked and nothing else.
    Short,
}

/// Starts the node of a home that this process holds.
pub(crate) async fn start(
    home: Home,
    settings: &Settings,
    stay: Stay,
    recovery: Option<RecoveryStart>,
) -> Result<Running, NodeError> {
    let mut config = Config::load(home.paths())?;
    config.apply(settings)?;
    config.save(home.paths())?;
    let (secrets, guard) = unlock(&home, settings)?;
    let Opened {
        context,
        net_events,
        back,
        network_loop,
        addresses,
    } = open_parts(&home, &config, secrets).await?;
    let (facts, sets) = facts(&context, &config, stay)?;
    let (calls_in, calls) = mpsc::channel(limits::FRONT_END_QUEUE_MAX);
    let (events, _) = broadcast::channel(limits::FRONT_END_QUEUE_MAX);
    let listener = local::bind(&local::socket_path(home.paths().dir()))?;
    let front_door = tokio::spawn(local::serve(listener, calls_in, events.clone()));
    let (stop, stopped) = oneshot::channel();
    let inbox = Inbox {
        net: net_events,
        back,
        calls,
        stop: stopped,
    };
    let watches = Watches::new(&context);
    let notices = newest_lines(&context)?;
    let mut node = Node {
        engine: Engine::new(config.policy.clone()),
        started: Instant::now(),
        trace: settings.trace.as_deref().map(Trace::create).transpose()?,
        customers: promises(&facts),
        friends: friends(&context)?,
        home_place: place_of(&home),
        context,
        home,
        config,
        guard,
        inbox,
        events,
        tasks: JoinSet::new(),
        network_loop,
        couriers: BTreeMap::new(),
        peers: BTreeMap::new(),
        contacts: BTreeMap::new(),
        listening: addresses.clone(),
        set: facts.set.clone(),
        sets,
        flights: BTreeMap::new(),
        loaded: BTreeMap::new(),
        fetches: BTreeMap::new(),
        questions: BTreeMap::new(),
        jobs: BTreeMap::new(),
        lookups: BTreeSet::new(),
        inputs: Inputs::default(),
        recovery: None,
        notices,
        next_number: 0,
        progress_told: Instant::now(),
        status_due: true,
        watches,
        sleep_clock: SleepClock::start(),
        acts_by_itself: stay == Stay::Long,
        is_stopping: false,
    };
    node.begin_engine(facts, recovery);
    let device = node.context.device;
    let node = tokio::spawn(node.run());
    Ok(Running {
        stop,
        node,
        addresses,
        device,
        front_door,
    })
}

fn promises(facts: &Facts) -> BTreeMap<bitdust_model::DeviceId, ByteCount> {
    let customers = facts.customers.iter();
    customers
        .map(|customer| (customer.lane, customer.contract))
        .collect()
}

/// What tells the home's folder from all others.
fn place_of(home: &Home) -> Option<(u64, u64)> {
    let place = std::fs::metadata(home.paths().dir()).ok()?;
    Some((place.dev(), place.ino()))
}

/// Databases and network of a home, opened.
struct Opened {
    context: Context,
    net_events: mpsc::Receiver<bitdust_net::NetEvent>,
    back: mpsc::Receiver<crate::shared::task_event::Back>,
    network_loop: JoinHandle<()>,
    addresses: Vec<String>,
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
    let (back_in, back) = mpsc::channel(limits::ENGINE_INPUTS_MAX);
    let context = Context {
        net,
        catalogue: stores.catalogue,
        shards: stores.shards,
        spool: stores.spool,
        device: secrets.device.device(),
        identity: secrets.identity(),
        secrets,
        network: config.network.clone().into(),
        nickname: config.nickname.clone().into(),
        policy: Arc::new(config.policy.clone()),
        buffers: Arc::default(),
        back: back_in,
    };
    Ok(Opened {
        context,
        net_events,
        back,
        network_loop,
        addresses,
    })
}

impl Node {
    fn begin_engine(&mut self, facts: Facts, recovery: Option<RecoveryStart>) {
        self.tell(Input::Started {
            facts: Box::new(facts),
            seed: random(),
        });
        self.tell(Input::Listening);
        self.reach_bootstrap();
        if let Some(start) = recovery {
            self.recovery = Some(Recovery {
                root: Arc::new(start.root),
                old_machine_gone: start.old_machine_gone,
                reply: Some(start.reply),
                record: None,
                contacts: Vec::new(),
                heads: BTreeMap::new(),
                result: None,
            });
            self.begin(JobKind::Recover, |job| Input::RecoverAsked { job });
        }
    }
}

struct Stores {
    catalogue: Catalogue,
    shards: ShardStore,
    spool: Spool,
}

fn open_stores(home: &Home, spool_bytes: ByteCount) -> Result<Stores, NodeError> {
    let paths = home.paths();
    let header_bytes = u32::try_from(HEADER_BYTES)
        .map_err(|_| NodeError::new(ErrorCode::Internal, "the header of a pack is too long"))?;
    let catalogue = Catalogue::open(&paths.catalogue(), header_bytes).map_err(|error| {
        NodeError::new(
            error.code(),
            format!("the catalogue cannot be opened: {error}"),
        )
    })?;
    let (shards, swept) = ShardStore::open(paths, wall_clock()).map_err(|error| {
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
        spool,
    })
}

/// Opens the keys as the home guards them.
fn unlock(home: &Home, settings: &Settings) -> Result<(HomeSecrets, &'static str), NodeError> {
    let path = home.paths().keys();
    let bytes = read_bounded(&path, limits::KEY_FILE_BYTES_MAX).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            let folder = home.paths().dir().display().to_string();
            let message = format!(
                "there is no identity in {folder}; make one with `bitdust init` or bring one back \
                 with `bitdust recover`"
            );
            return NodeError::new(ErrorCode::NotFound, message);
        }
        let message = format!("{} cannot be read: {error}", path.display());
        NodeError::new(ErrorCode::DiskFailed, message)
    })?;
    let refused = |error: bitdust_crypto::KeystoreError| {
        NodeError::new(
            ErrorCode::NotAllowed,
            format!("the keys of this home cannot be opened: {error}"),
        )
    };
    let kind = guard_of(&bytes).map_err(refused)?;
    let label = keyring_label(home);
    let (guard, name) = match (kind, &settings.unlock) {
        (bitdust_crypto::GuardKind::File, _) => (KeyGuard::File, "file"),
        (bitdust_crypto::GuardKind::Keyring, _) => {
            (KeyGuard::Keyring { home_label: &label }, "keyring")
        }
        (bitdust_crypto::GuardKind::Passphrase, Unlock::Passphrase(passphrase)) => {
            (KeyGuard::Passphrase(passphrase), "passphrase")
        }
        (bitdust_crypto::GuardKind::Passphrase, Unlock::None) => {
            return Err(NodeError::new(
                ErrorCode::NotAllowed,
                "this home is locked with a passphrase; give it with --passphrase-file",
            ));
        }
    };
    Ok((open_home(&bytes, guard).map_err(refused)?, name))
}

/// Whether a home is locked with a passphrase that has to be given.
pub(crate) fn is_locked(paths: &bitdust_store::HomePaths) -> bool {
    let bytes = std::fs::read(paths.keys());
    let guard = bytes.ok().and_then(|bytes| guard_of(&bytes).ok());
    guard == Some(bitdust_crypto::GuardKind::Passphrase)
}

/// What tells this home from others in the keyring.
pub(crate) fn keyring_label(home: &Home) -> String {
    home.paths().dir().display().to_string()
}

/// The network's word for a scope.
pub(crate) const fn net_scope(scope: Scope) -> bitdust_net::Scope {
    match scope {
        Scope::Internet => bitdust_net::Scope::Internet,
        Scope::Lan => bitdust_net::Scope::Lan,
        Scope::Loopback => bitdust_net::Scope::Loopback,
    }
}

fn newest_lines(context: &Context) -> Result<Notices, NodeError> {
    let lines = context
        .catalogue
        .history(&HistoryQuestion::default(), NOTICES_MAX)
        .map_err(crate::runtime::calls::catalogue_error)?;
    Ok(lines.into_iter().map(crate::front::history::line).collect())
}

fn friends(context: &Context) -> Result<BTreeSet<bitdust_model::IdentityId>, NodeError> {
    let friends = context
        .catalogue
        .friends()
        .map_err(crate::runtime::calls::catalogue_error)?;
    Ok(friends.into_iter().map(|friend| friend.identity).collect())
}

/// Everything the engine must know at its start, and the set records behind it.
fn facts(
    context: &Context,
    config: &Config,
    stay: Stay,
) -> Result<(Facts, BTreeMap<bitdust_model::SetId, SetRecord>), NodeError> {
    let catalogue = &context.catalogue;
    let error = crate::runtime::calls::catalogue_error;
    let mut sets = BTreeMap::new();
    let mut current: Option<SetRecord> = None;
    for own in catalogue.sets().map_err(error)? {
        let Ok(record) = bitdust_crypto::verify_by(&own.record, &context.device.0) else {
            continue;
        };
        current = Some(record.clone());
        sets.insert(record.set, record);
    }
    for record in
        foreign_sets(context).map_err(|code| NodeError::new(code, "the catalogue is damaged"))?
    {
        sets.entry(record.set).or_insert(record);
    }
    let set = current.as_ref().and_then(set_fact);
    let now = wall_clock();
    let head = catalogue.newest_head().map_err(error)?;
    let facts = Facts {
        device: context.device,
        identity: context.identity,
        code_wanted: config.code,
        suppliers_wanted: config.suppliers,
        contract_bytes: config.contract,
        suppliers: catalogue
            .suppliers()
            .map_err(error)?
            .into_iter()
            .map(|supplier| SupplierFact {
                device: supplier.device,
                identity: supplier.identity,
                friend: supplier.friend,
                contract: supplier.contract.is_some().then_some(supplier.bytes),
                proved_ago_ms: supplier.last_proof.map(|at| since(at, now)),
                doubted: supplier.doubted,
            })
            .collect(),
        set: set.clone(),
        customers: customers(context)?,
        offered: config.offer,
        packs: unsettled_packs(context, set.as_ref())?,
        folders: match stay {
            Stay::Long => folder_facts(catalogue, config.schedule).map_err(error)?,
            Stay::Short => Vec::new(),
        },
        head_draft: head
            .as_ref()
            .filter(|head| !head.published)
            .map(|head| head.sequence),
        head: catalogue
            .newest_published_head()
            .map_err(error)?
            .map(|head| head.sequence),
    };
    Ok((facts, sets))
}

const fn since(at: UnixMillis, now: UnixMillis) -> u64 {
    now.0.saturating_sub(at.0)
}

fn set_fact(record: &SetRecord) -> Option<SetFact> {
    let holders: Vec<_> = record
        .positions
        .iter()
        .map(|position| position.current.map(|holder| holder.device))
        .collect::<Option<_>>()?;
    let code = Code::new(record.k, u8::try_from(holders.len()).ok()?).ok()?;
    Some(SetFact {
        set: record.set,
        code,
        holders,
    })
}

fn customers(context: &Context) -> Result<Vec<CustomerFact>, NodeError> {
    let store_error = |error: bitdust_store::ShardError| {
        NodeError::new(error.code(), format!("what is kept for others: {error}"))
    };
    let mut facts = Vec::new();
    for contract in context.shards.contracts().map_err(store_error)? {
        let used = context
            .shards
            .usage_of_lane(contract.identity, contract.lane)
            .map_err(store_error)?;
        facts.push(CustomerFact {
            identity: contract.identity,
            lane: contract.lane,
            contract: contract.bytes,
            used: used.bytes,
        });
    }
    Ok(facts)
}

/// Packs that were sealed and not committed: those that can go on from the spool, the rest is
/// forgotten and its files are sealed anew.
fn unsettled_packs(context: &Context, set: Option<&SetFact>) -> Result<Vec<PackFact>, NodeError> {
    let error = crate::runtime::calls::catalogue_error;
    let spool = context.spool.list();
    let mut packs: BTreeMap<bitdust_model::PackId, PackFact> = BTreeMap::new();
    for pack in context.catalogue.unconfirmed_packs().map_err(error)? {
        let confirmed = pack
            .confirmed
            .iter()
            .map(|(position, _)| *position)
            .collect();
        let fact = PackFact {
            pack: pack.pack.pack,
            kind: pack.pack.kind,
            confirmed,
            spooled: Vec::new(),
        };
        packs.insert(fact.pack, fact);
    }
    for entry in &spool {
        if let Some(fact) = packs.get_mut(&entry.pack) {
            fact.spooled.push(entry.position);
        } else if let Some(known) = context.catalogue.pack_ref(entry.pack).map_err(error)? {
            let confirmations = context.catalogue.confirmations(entry.pack).map_err(error)?;
            let confirmed = confirmations
                .iter()
                .map(|confirmation| confirmation.position)
                .collect();
            let fact = PackFact {
                pack: entry.pack,
                kind: known.kind,
                confirmed,
                spooled: vec![entry.position],
            };
            packs.insert(entry.pack, fact);
        }
    }
    let n = set.map_or(0, |set| usize::from(set.code.n()));
    let mut kept = Vec::new();
    for fact in packs.into_values() {
        let at_hand = fact.confirmed.len() + fact.spooled.len();
        let known_at = set.map_or(u8::MAX, |set| bitdust_engine::known_at(fact.kind, set.code));
        if at_hand >= n || fact.confirmed.len() >= usize::from(known_at) {
            kept.push(fact);
        } else {
            context.catalogue.drop_pack(fact.pack).map_err(error)?;
        }
    }
    Ok(kept)
}
