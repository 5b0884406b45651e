//! A home for tests of wings: real databases in a folder of its own, a real network on the
//! loopback interface, and no loop.

use std::sync::Arc;

use bitdust_crypto::{DeviceKeys, HomeSecrets, Phrase, RootSecrets, SigningKey};
use bitdust_engine::Input;
use bitdust_model::head::{Head, HeadBundle};
use bitdust_model::manifest::{BlobRef, ChunkRecord, PackKind, PackRef};
use bitdust_model::set::SetRecord;
use bitdust_model::shard::{ShardHeader, SignedHeader, StoreHeader};
use bitdust_model::{
    ByteCount, ChunkId, CodeVersion, DeviceId, Epoch, HeadHash, IdentityId, PackId, Policy,
    Position, Sequence, SetHash, SetId, ShardId, Signed, UnixMillis, WriterId, limits,
};
use bitdust_net::{Client, NetConfig, NetEvent, Scope};
use bitdust_pipeline::pack::HEADER_BYTES;
use bitdust_pipeline::shard::shard_id;
use bitdust_store::{Begin, Catalogue, Home, ShardStore, Spool};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::shared::context::{Context, wall_clock};
use crate::shared::disk_space::DiskSpace;
use crate::shared::driver::Driver;
use crate::shared::task_event::TaskEvent;

/// A node of the network, as long as it is kept.
pub(crate) struct Neighbour {
    _net: Client,
    _heard: mpsc::Receiver<NetEvent>,
    network: JoinHandle<()>,
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.network.abort();
    }
}

/// A home with everything but a node.
pub(crate) struct TestHome {
    pub(crate) context: Context,
    /// The keys of the phrase, of which a home keeps nothing.
    pub(crate) root: Arc<RootSecrets>,
    /// What tasks bring back.
    pub(crate) events: mpsc::Receiver<TaskEvent>,
    pub(crate) driver: Driver,
    dir: TempDir,
    /// What the network tells; it ends where nobody listens.
    _heard: mpsc::Receiver<NetEvent>,
    network: JoinHandle<()>,
}

impl TestHome {
    /// A home of a new identity.
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::open(dir.path().join("home").as_path()).expect("a home");
        let paths = home.paths();
        let root = RootSecrets::from_phrase(&Phrase::generate());
        let device = DeviceKeys::generate();
        let certificate = root.certify(&device, Epoch(0), "tester", wall_clock());
        let secrets = HomeSecrets::of(&root, device, certificate, Epoch(0));
        let secrets = Arc::new(secrets.expect("secrets"));
        let policy = Policy::default();
        let (net, heard, event_loop) = bitdust_net::start(NetConfig {
            network: "wing-test".to_owned(),
            scope: Scope::Loopback,
            listen: Vec::new(),
            external: Vec::new(),
            device: SigningKey::from_seed(&secrets.device.signing().seed()),
            certificate: secrets.certificate.clone(),
            policy: policy.clone(),
            kad_server: None,
        })
        .await
        .expect("a network");
        let header_bytes = u32::try_from(HEADER_BYTES).expect("a short header");
        let catalogue = Catalogue::open(&paths.catalogue(), header_bytes).expect("a catalogue");
        let (shards, _) = ShardStore::open(paths, wall_clock()).expect("a store");
        let spool = ByteCount(limits::SPOOL_BYTES_MIN);
        let (events_in, events) = mpsc::channel(limits::ENGINE_INPUTS_MAX);
        let context = Context {
            net,
            catalogue,
            scratch: paths.scratch().into(),
            shards,
            spool: Spool::open(&paths.spool(), spool).expect("a spool"),
            device: secrets.device.device(),
            identity: secrets.identity(),
            secrets,
            network: "wing-test".into(),
            nickname: "tester".into(),
            policy: Arc::new(policy),
            buffers: Arc::default(),
            disk_space: Arc::new(DiskSpace::new(events_in.clone())),
            task_events: events_in,
        };
        Self {
            context,
            root: Arc::new(root),
            events,
            driver: Driver::default(),
            dir,
            _heard: heard,
            network: tokio::spawn(event_loop.run()),
        }
    }

    /// A folder with files for a backup, by its path as text.
    pub(crate) fn folder(&self, name: &str) -> String {
        let folder = self.dir.path().join(name);
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::write(folder.join("letter"), b"dear reader").expect("written");
        folder.display().to_string()
    }

    /// Somebody else joins, whom this home knows as a node of the DHT.
    pub(crate) async fn meet_somebody(&self) -> Neighbour {
        let root = RootSecrets::from_phrase(&Phrase::generate());
        let device = DeviceKeys::generate();
        let (net, heard, event_loop) = bitdust_net::start(NetConfig {
            network: "wing-test".to_owned(),
            scope: Scope::Loopback,
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            external: Vec::new(),
            device: SigningKey::from_seed(&device.signing().seed()),
            certificate: root.certify(&device, Epoch(0), "somebody", wall_clock()),
            policy: Policy::default(),
            kad_server: Some(true),
        })
        .await
        .expect("a network");
        let network = tokio::spawn(event_loop.run());
        let addresses = net.listening().await.expect("it listens");
        let met = self.context.net.dial_address(&addresses[0]).await;
        assert_eq!(met.ok(), Some(device.device()));
        let joined = async {
            while self.context.net.bootstrap().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        let joined = tokio::time::timeout(std::time::Duration::from_secs(10), joined).await;
        assert!(joined.is_ok(), "it is no node of the DHT");
        Neighbour {
            _net: net,
            _heard: heard,
            network,
        }
    }

    /// Where the home lies.
    pub(crate) fn home_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("home")
    }

    /// Keeps a shard for a device of a customer, the only one of its pack; gives its header as
    /// it was signed.
    pub(crate) fn keep_shard(
        &self,
        owner: IdentityId,
        device: &DeviceKeys,
        pack: u8,
        bytes: &[u8],
    ) -> SignedHeader {
        let header = store_header(owner, device.device(), pack, bytes);
        let signed = device.signing().sign(&header).into();
        let shard = only_shard(&header);
        let begun = self.context.shards.begin(&shard, &signed);
        let Begin::Write(mut writer) = begun.expect("its place is free") else {
            panic!("it was kept before");
        };
        writer.fill([bytes]).expect("written");
        writer.finish(wall_clock()).expect("kept");
        signed
    }

    /// A head of a device of this identity with its certificate and these sets.
    pub(crate) fn bundle(
        &self,
        device: &DeviceKeys,
        head: &Head,
        sets: Vec<Signed<SetRecord>>,
    ) -> HeadBundle {
        HeadBundle {
            head: device.signing().sign(head),
            sets,
            certificate: self.root.certify(device, Epoch(0), "", UnixMillis(1)),
        }
    }

    /// What the engine was told, in order.
    pub(crate) fn told(&mut self) -> Vec<Input> {
        std::iter::from_fn(|| self.driver.next_input()).collect()
    }

    /// What people were told, in order.
    pub(crate) fn notices(&mut self) -> Vec<String> {
        let notices = std::iter::from_fn(|| self.driver.next_notice());
        notices.map(|notice| notice.message).collect()
    }
}

/// A pack of one shard, which nobody holds.
pub(crate) fn pack_ref() -> PackRef {
    PackRef {
        pack: PackId([5; 32]),
        kind: PackKind::Data,
        epoch: Epoch(0),
        set: SetId([1; 32]),
        k: 1,
        code_version: CodeVersion::Vandermonde1,
        pack_bytes: 64,
        shards: vec![ShardId([6; 32])],
    }
}

/// The header of the only shard of a pack.
pub(crate) fn store_header(
    owner: IdentityId,
    lane: DeviceId,
    pack: u8,
    bytes: &[u8],
) -> StoreHeader {
    let shard_bytes = u32::try_from(bytes.len()).expect("a short shard");
    StoreHeader {
        owner,
        lane,
        epoch: Epoch(0),
        set: SetId([1; 32]),
        pack: PackId([pack; 32]),
        kind: PackKind::Data,
        k: 1,
        code_version: CodeVersion::Vandermonde1,
        pack_bytes: shard_bytes,
        shard_bytes,
        shards: vec![shard_id(bytes)],
    }
}

/// What the header of a pack with one shard says of it.
pub(crate) fn only_shard(header: &StoreHeader) -> ShardHeader {
    header.at(Position(0)).expect("it has one")
}

/// A head of a lane, whose commit nobody holds.
pub(crate) fn head(owner: IdentityId, lane: DeviceId, sequence: u64) -> Head {
    let commit = pack_ref();
    let manifest = BlobRef {
        pack: commit.pack,
        offset: 0,
        counter: 0,
        record: ChunkRecord {
            chunk: ChunkId([7; 32]),
            stored_bytes: 20,
            raw_bytes: 20,
            compressed: false,
        },
    };
    Head {
        owner,
        lane,
        writer: WriterId([8; 16]),
        epoch: Epoch(0),
        sequence: Sequence(sequence),
        previous: HeadHash([0; 32]),
        home: SetId([1; 32]),
        sets: Vec::new(),
        tombstone: None,
        commit,
        manifest,
        written_at: UnixMillis(1),
    }
}

/// A set of a lane, without positions.
pub(crate) fn set_record(owner: IdentityId, lane: DeviceId, k: u8) -> SetRecord {
    SetRecord {
        set: SetId([1; 32]),
        owner,
        lane,
        version: Sequence(1),
        previous: SetHash([0; 32]),
        k,
        positions: Vec::new(),
        mandate: None,
    }
}

/// The same with another signature than its signer's.
pub(crate) fn forged<T>(mut signed: Signed<T>) -> Signed<T> {
    signed.signature.0[0] ^= 1;
    signed
}

impl Drop for TestHome {
    fn drop(&mut self) {
        self.network.abort();
    }
}
