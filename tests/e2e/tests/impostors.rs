//! Impostors and twins: whoever is not the owner changes nothing and reads nothing, and two
//! machines of one owner never write over each other.
//!
//! Packets replayed byte by byte are sent in the tests of `crates/net`: the connections of
//! real processes are encrypted, and nobody outside can repeat a frame of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bitdust_crypto::{
    DeviceKeys, KeyGuard, LocatorKey, Phrase, RootSecrets, SigningKey, head_hash, open_home,
    random, tombstone_hash, verify, verify_header,
};
use bitdust_e2e_tests::ledger::{copy_database, kept_headers, shard_files, signed_headers};
use bitdust_e2e_tests::machine::STRAGGLER_WAIT;
use bitdust_e2e_tests::recording::read_trace;
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences, eventually};
use bitdust_engine::Input;
use bitdust_model::HeadRef;
use bitdust_model::contract::{Contract, ContractKind};
use bitdust_model::deletion::{Tombstone, TombstoneRef};
use bitdust_model::head::{Head, HeadBundle};
use bitdust_model::locator::{Certificate, Fence, KeyedRecord};
use bitdust_model::message::{Body, Fetch, FetchTarget};
use bitdust_model::shard::{SignedHeader, StoreHeader};
use bitdust_model::{
    ByteCount, DeviceId, Epoch, ErrorCode, HeadHash, IdentityId, PackId, Policy, Position,
    Sequence, Signed, TombstoneHash, UnixMillis,
};
use bitdust_net::{Client, NetConfig, NetError, NetEvent, Scope};
use bitdust_store::supplier::StoredContract;
use bitdust_store::{HomePaths, ShardStore};
use bytes::Bytes;
use tokio::runtime::Runtime;

const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_stranger_can_neither_delete_nor_read_nor_write_what_is_not_theirs() -> Outcome {
    let victim = Victim::set_up("stranger")?;
    let runtime = Runtime::new()?;
    let stranger = runtime.block_on(Peer::new_identity(&victim))?;
    let before = victim.files()?;
    runtime.block_on(stranger.try_everything(&victim, Some(ErrorCode::NoContract)))?;
    // Now with a contract of their own: what is not theirs is still not there for them.
    runtime.block_on(stranger.sign_contract(&victim))?;
    runtime.block_on(stranger.try_everything(&victim, None))?;
    ensure!(
        victim.files()? == before,
        "files of the victim were changed"
    );
    victim.restore_and_compare()
}

#[test]
fn the_owner_may_do_what_strangers_may_not() -> Outcome {
    let mut victim = Victim::set_up("owner")?;
    victim.stage.customer.stop()?;
    let runtime = Runtime::new()?;
    let owner = runtime.block_on(Peer::of_home(&victim))?;
    let (_, signed) = victim.headers.first().context("nothing is kept")?;
    let pack = verify_header(signed)?.pack;
    let before = victim.files()?;
    let heads = runtime.block_on(owner.ask(Body::HeadsAsk { after: None }))?;
    ensure!(
        matches!(&heads, Body::Heads { lanes, more: false } if lanes.len() == 1),
        "{heads:?}"
    );
    let list = Body::List {
        lane: victim.lane,
        after: None,
    };
    let listing = runtime.block_on(owner.ask(list))?;
    let is_full = matches!(&listing, Body::Listing { headers, .. } if !headers.is_empty());
    ensure!(is_full, "{listing:?}");
    let tombstone = owner.tombstone(vec![pack]);
    let head = owner.next_head(&victim, &tombstone)?;
    let kept = runtime.block_on(owner.ask(put(head)))?;
    ensure!(matches!(kept, Body::HeadKept(_)), "{kept:?}");
    let grant = None;
    let deleted = runtime.block_on(owner.ask(Body::Delete { tombstone, grant }))?;
    let is_deleted = matches!(&deleted, Body::Deleted { bytes, .. } if *bytes > ByteCount(0));
    ensure!(is_deleted, "{deleted:?}");
    ensure!(victim.files()? != before, "nothing was deleted");
    Ok(())
}

#[test]
fn two_machines_of_one_phrase_keep_to_their_lanes() -> Outcome {
    let world = World::new("two-machines")?;
    let stage = Stage::set_up(&world, 4, Some("2/4"))?;
    let first = &stage.customer;
    let folder_one = folder(&world, "one")?;
    stage.back_up(&folder_one)?;
    let mut second = join(&world, &stage, "second")?;
    second.set("code", "2/4")?;
    second.set("suppliers", "4")?;
    second.start()?;
    second.wait_for_suppliers(4)?;
    let folder_two = folder(&world, "two")?;
    second
        .order(&["folder", "add", "--"])
        .argument(&folder_two)
        .run()?;
    second.run(&["backup"])?;
    // Both go on, in turns.
    for round in 0..2 {
        std::fs::write(folder_one.join("round"), format!("{round} of the first"))?;
        first.run(&["backup"])?;
        std::fs::write(folder_two.join("round"), format!("{round} of the second"))?;
        second.run(&["backup"])?;
    }
    first.wait_until_spread()?;
    second.wait_until_spread()?;
    ensure!(first.device != second.device, "one device twice");
    check_lanes(&world, &stage, &second)?;

    // A third machine finds the versions of both, each with its own contents.
    let mut third = join(&world, &stage, "third")?;
    third.start()?;
    for (machine, folder) in [(first, &folder_one), (&second, &folder_two)] {
        let versions = versions_of(&third, machine)?;
        let newest = versions
            .last()
            .with_context(|| format!("no version of {}", machine.name))?;
        let target = world.path(&format!("restored-{}", machine.name));
        third
            .order(&["restore", newest, "--to"])
            .argument(&target)
            .run()?;
        let different = differences(folder, &target)?;
        ensure!(different.is_empty(), "{}: {different}", machine.name);
    }
    Ok(())
}

#[test]
fn a_machine_that_was_declared_gone_writes_no_more() -> Outcome {
    let world = World::new("declared-gone")?;
    let mut stage = Stage::prepare(&world, 3, &[])?;
    let trace = world.path("first.trace");
    stage.customer.set("code", "1/3")?;
    stage.customer.flags = vec!["--trace".into(), trace.clone().into()];
    stage.customer.start()?;
    stage.hire()?;
    let first = &stage.customer;
    let source = folder(&world, "source")?;
    stage.back_up(&source)?;
    first.wait_until_spread()?;
    let mut second = stage.new_machine(&world, "second")?;
    // Every supplier is waited for, so that every one is told: those who answer late as well.
    second.configure(&[("head_wait", 90_000), ("straggler_wait", 90_000)])?;
    second.recover(&first.words)?;
    std::fs::write(source.join("later"), "written by the machine that is gone")?;
    let _late = first.order(&["backup"]).begin()?;
    for supplier in &stage.suppliers {
        let device = supplier.device.parse()?;
        let refusal = format!("a refusal by {}", supplier.name);
        eventually(&refusal, SOON, || {
            let lines = read_trace(&trace)?;
            let is_there = lines.iter().any(|line| is_fenced(&line.input, device));
            Ok(is_there.then_some(()))
        })?;
    }
    second.start()?;
    let versions = versions_of(&second, first)?;
    ensure!(versions.len() == 1, "{versions:?}");
    for supplier in &stage.suppliers {
        let heads = heads_at(supplier, &world, first)?;
        let numbers = heads
            .iter()
            .map(|bundle| Ok(verify(&bundle.head)?.sequence));
        let numbers = numbers.collect::<Result<Vec<_>>>()?;
        ensure!(
            numbers == [Sequence(1)],
            "{} took {numbers:?}",
            supplier.name
        );
    }
    Ok(())
}

/// Whether a supplier took no shard since the machine is gone.
fn is_fenced(input: &Input, supplier: DeviceId) -> bool {
    matches!(
        input,
        Input::SendFailed { device, code: ErrorCode::Fenced, .. } if *device == supplier
    )
}

/// A further machine of the customer, who goes on with the old one.
fn join(world: &World, stage: &Stage, name: &str) -> Result<Machine> {
    let mut machine = stage.new_machine(world, name)?;
    machine
        .order(&["recover", "--keys", "file"])
        .input(&stage.customer.words)
        .run()?;
    machine.identity.clone_from(&stage.customer.identity);
    machine.set("policy.straggler_wait", STRAGGLER_WAIT)?;
    Ok(machine)
}

/// At every supplier each lane has packs of its own, and its newest head is the one that its
/// device published.
fn check_lanes(world: &World, stage: &Stage, second: &Machine) -> Outcome {
    let mut packs: BTreeMap<&str, BTreeSet<PackId>> = BTreeMap::new();
    for supplier in &stage.suppliers {
        let heads = heads_at(supplier, world, &stage.customer)?;
        for machine in [&stage.customer, second] {
            let lane: DeviceId = machine.device.parse()?;
            let head = heads.iter().find(|bundle| bundle.head.signer == lane.0);
            let head = verify(&head.context("a lane without a head")?.head)?;
            let published = machine.status()?["head"]["sequence"].as_u64();
            ensure!(
                Some(head.sequence.0) == published,
                "{}: {head:?}",
                machine.name
            );
            let identity = machine.identity.parse()?;
            let headers = kept_headers(&supplier.home, world.folder(), identity, lane)?;
            ensure!(
                !headers.is_empty(),
                "{} keeps nothing of a lane",
                supplier.name
            );
            let own = packs.entry(&machine.name).or_default();
            own.extend(headers.iter().map(|header| header.pack));
        }
    }
    let lanes: Vec<BTreeSet<PackId>> = packs.into_values().collect();
    let [one, two] = &lanes[..] else {
        bail!("{} lanes instead of two", lanes.len());
    };
    let both: Vec<_> = one.intersection(two).collect();
    ensure!(both.is_empty(), "packs of both lanes: {both:?}");
    Ok(())
}

/// The newest heads of all lanes of somebody, as a supplier keeps them.
fn heads_at(supplier: &Machine, world: &World, of: &Machine) -> Result<Vec<HeadBundle>> {
    stored(supplier, world, |store| {
        let lanes = store.heads(of.identity.parse()?, None)?;
        Ok(lanes.into_iter().flat_map(|lane| lane.tips).collect())
    })
}

/// The versions that `of` took, as a machine lists them, oldest first.
fn versions_of(machine: &Machine, of: &Machine) -> Result<Vec<String>> {
    let listed = machine.run(&["snapshots"])?;
    let versions = listed.object["snapshots"].as_array().context("no list")?;
    let own = versions
        .iter()
        .filter(|version| version["device"] == *of.device);
    Ok(own
        .filter_map(|version| version["id"].as_str().map(str::to_owned))
        .collect())
}

fn folder(world: &World, name: &str) -> Result<PathBuf> {
    let folder = world.make_folder(name)?;
    let mut random = world.random();
    for number in 0..3 {
        random.write_file(&folder.join(format!("{name}-{number}")), 3_000_000)?;
    }
    Ok(folder)
}

/// Looks into a copy of what a supplier keeps, files apart.
fn stored<T>(
    supplier: &Machine,
    world: &World,
    look: impl FnOnce(&ShardStore) -> Result<T>,
) -> Result<T> {
    let copy = tempfile::tempdir_in(world.folder())?;
    let (from, to) = (HomePaths::new(&supplier.home), HomePaths::new(copy.path()));
    copy_database(&from.supplier(), copy.path())?;
    look(&ShardStore::open(&to, UnixMillis(0))?.0)
}

/// A customer whose data somebody else is after, and what an attacker may have overheard.
struct Victim {
    stage: Stage,
    source: PathBuf,
    identity: IdentityId,
    lane: DeviceId,
    headers: Vec<(Position, SignedHeader)>,
    heads: Vec<HeadBundle>,
    contract: StoredContract,
    world: World,
}

impl Victim {
    fn set_up(name: &str) -> Result<Self> {
        let world = World::new(name)?;
        let stage = Stage::set_up(&world, 2, Some("1/2"))?;
        let source = folder(&world, "source")?;
        stage.back_up(&source)?;
        stage.customer.wait_until_spread()?;
        let identity = stage.customer.identity.parse()?;
        let lane = stage.customer.device.parse()?;
        let supplier = &stage.suppliers[0];
        let headers = signed_headers(&supplier.home, world.folder(), identity, lane)?;
        let heads = heads_at(supplier, &world, &stage.customer)?;
        let contract = stored(supplier, &world, |store| {
            store.contract(identity, lane)?.context("no contract")
        })?;
        Ok(Self {
            stage,
            source,
            identity,
            lane,
            headers,
            heads,
            contract,
            world,
        })
    }

    fn supplier(&self) -> &Machine {
        &self.stage.suppliers[0]
    }

    /// The files of all shards with their contents.
    fn files(&self) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        let files = shard_files(&self.supplier().home)?;
        files
            .into_iter()
            .map(|file| Ok((file.clone(), std::fs::read(file)?)))
            .collect()
    }

    fn restore_and_compare(&self) -> Outcome {
        let target = self.world.path("restored");
        self.stage
            .customer
            .order(&["restore", "latest", "--to"])
            .argument(&target)
            .run()?;
        let different = differences(&self.source, &target)?;
        ensure!(different.is_empty(), "{different}");
        Ok(())
    }
}

/// A peer that speaks the real protocols and says what it likes.
struct Peer {
    client: Client,
    supplier: DeviceId,
    supplier_identity: IdentityId,
    key: SigningKey,
    identity: IdentityId,
}

impl Peer {
    /// Somebody new.
    async fn new_identity(victim: &Victim) -> Result<Self> {
        let root = RootSecrets::from_phrase(&Phrase::generate());
        let keys = DeviceKeys::generate();
        let certificate = root.certify(&keys, Epoch(0), "stranger", UnixMillis(0));
        Self::start(victim, keys.signing(), certificate).await
    }

    /// The device of the victim's home itself, whose node does not run now.
    async fn of_home(victim: &Victim) -> Result<Self> {
        let keys = std::fs::read(HomePaths::new(&victim.stage.customer.home).keys())?;
        let secrets = open_home(&keys, KeyGuard::File)?;
        Self::start(
            victim,
            secrets.device.signing(),
            secrets.certificate.clone(),
        )
        .await
    }

    async fn start(
        victim: &Victim,
        key: &SigningKey,
        certificate: Signed<Certificate>,
    ) -> Result<Self> {
        let identity = IdentityId(certificate.signer);
        let (client, mut events, event_loop) = bitdust_net::start(NetConfig {
            network: victim.world.network().to_owned(),
            scope: Scope::Loopback,
            listen: vec![],
            external: vec![],
            device: SigningKey::from_seed(&key.seed()),
            certificate,
            policy: Policy::default(),
            kad_server: None,
        })
        .await?;
        tokio::spawn(event_loop.run());
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let NetEvent::Request { reply, .. } = event {
                    reply.refuse(ErrorCode::NotAllowed);
                }
            }
        });
        let supplier = client.dial_address(&victim.supplier().address()?).await?;
        let supplier_identity = victim.supplier().identity.parse()?;
        let key = SigningKey::from_seed(&key.seed());
        Ok(Self {
            client,
            supplier,
            supplier_identity,
            key,
            identity,
        })
    }

    async fn ask(&self, body: Body) -> Result<Body, NetError> {
        self.client.request(self.supplier, body).await
    }

    /// Signs a contract like any customer.
    async fn sign_contract(&self, victim: &Victim) -> Outcome {
        ensure!(
            self.identity != victim.identity,
            "the stranger is the victim"
        );
        let contract = Contract {
            customer: self.identity,
            lane: self.device(),
            supplier_identity: self.supplier_identity,
            supplier: self.supplier,
            kind: ContractKind::Stranger,
            bytes: ByteCount(1_000_000),
            reserve: ByteCount(0),
            term_days: None,
            patience_days: 1,
            replaces: None,
            proposed_at: UnixMillis(0),
            nonce: random(),
        };
        let answer = self.ask(Body::Propose(self.key.sign(&contract))).await?;
        ensure!(matches!(answer, Body::ContractSigned(_)), "{answer:?}");
        Ok(())
    }

    fn device(&self) -> DeviceId {
        DeviceId(self.key.public())
    }

    /// That packs of this lane are given up, for the first time.
    fn tombstone(&self, packs: Vec<PackId>) -> Signed<Tombstone> {
        self.key.sign(&Tombstone {
            owner: self.identity,
            lane: self.device(),
            number: Sequence(1),
            previous: TombstoneHash([0; 32]),
            packs,
            written_at: UnixMillis(0),
        })
    }

    /// The head after the victim's newest one; it names a tombstone.
    fn next_head(&self, victim: &Victim, tombstone: &Signed<Tombstone>) -> Result<HeadBundle> {
        let newest = victim.heads.first().context("no head was kept")?;
        let last = verify(&newest.head)?;
        let head = self.key.sign(&Head {
            sequence: Sequence(last.sequence.0 + 1),
            previous: head_hash(&newest.head),
            tombstone: Some(TombstoneRef {
                number: Sequence(1),
                hash: tombstone_hash(tombstone),
            }),
            ..last
        });
        Ok(HeadBundle {
            head,
            ..newest.clone()
        })
    }

    /// Everything that only the owner may do. `code`: how all of it is refused, where one
    /// code is expected.
    async fn try_everything(&self, victim: &Victim, code: Option<ErrorCode>) -> Outcome {
        let headers = victim.headers.iter();
        let packs = headers.map(|(_, signed)| Ok(verify_header(signed)?.pack));
        let tombstone = self.tombstone(packs.collect::<Result<_>>()?);
        let grant = None;
        let deleted = self.ask(Body::Delete { tombstone, grant }).await;
        check_refused("delete", deleted, code)?;
        let list = Body::List {
            lane: victim.lane,
            after: None,
        };
        match self.ask(list).await {
            Ok(Body::Listing {
                headers,
                more: false,
            }) if code.is_none() => {
                ensure!(headers.is_empty(), "a stranger was told of {headers:?}");
            }
            other => check_refused("list", other, code)?,
        }
        match self.ask(Body::HeadsAsk { after: None }).await {
            Ok(Body::Heads { lanes, .. }) if code.is_none() => {
                ensure!(lanes.is_empty(), "a stranger was told of {lanes:?}");
            }
            other => check_refused("heads", other, code)?,
        }
        self.try_forgeries(victim).await?;
        self.try_shards(victim).await
    }

    /// What the victim signed, said again by somebody else, and what only looks like it.
    async fn try_forgeries(&self, victim: &Victim) -> Outcome {
        let bundle = victim.heads.first().context("no head was kept")?;
        let replayed = self.ask(put(bundle.clone())).await;
        check_refused("a head of the victim", replayed, None)?;
        let newer = Head {
            sequence: Sequence(1_000),
            ..verify(&bundle.head)?
        };
        let forged = HeadBundle {
            head: self.key.sign(&newer),
            sets: vec![],
            certificate: bundle.certificate.clone(),
        };
        check_refused("a forged head", self.ask(put(forged)).await, None)?;
        let contract = Body::Propose(victim.contract.contract.clone());
        check_refused("a contract of the victim", self.ask(contract).await, None)?;
        let fence = self.key.sign(&Fence {
            identity: victim.identity,
            lane: victim.lane,
            last: HeadRef {
                sequence: Sequence(0),
                hash: HeadHash([0; 32]),
            },
            issued_at: UnixMillis(0),
        });
        check_refused(
            "a forged fence",
            self.ask(Body::FencePut(fence)).await,
            None,
        )?;
        let forged = forged_record(victim)?;
        let deposited = self.ask(Body::Deposit(vec![forged.clone()])).await;
        check_refused("a forged record", deposited, None)?;
        let put = self.client.put_record(forged).await;
        ensure!(put.is_err(), "a forged record was put into the DHT");
        Ok(())
    }

    async fn try_shards(&self, victim: &Victim) -> Outcome {
        let bulk = self.client.bulk(self.supplier).await?;
        for (position, signed) in &victim.headers {
            let header = verify_header(signed)?;
            let (position, shard) = (*position, header.at(*position).context("no shard")?.shard);
            let (set, pack) = (header.set, header.pack);
            for target in [
                FetchTarget::Shard(shard),
                FetchTarget::Place {
                    set,
                    pack,
                    position,
                },
            ] {
                let fetched = bulk
                    .fetch(
                        Fetch {
                            target,
                            offset: 0,
                            length: 1,
                        },
                        |_| true,
                    )
                    .await;
                ensure!(
                    matches!(fetched, Err(NetError::Refused { .. })),
                    "{fetched:?}"
                );
            }
            let bytes = Bytes::from(vec![0; usize::try_from(header.shard_bytes)?]);
            let stored = bulk.store(signed.clone(), position, bytes.clone()).await;
            ensure!(
                matches!(stored, Err(NetError::Refused { .. })),
                "replayed: {stored:?}"
            );
            let own = StoreHeader {
                lane: self.device(),
                ..header.clone()
            };
            let own = self.key.sign(&own).into();
            let stored = bulk.store(own, position, bytes).await;
            ensure!(stored.is_err(), "in the victim's name: {stored:?}");
        }
        Ok(())
    }
}

/// A newer record under a key of the victim, sealed and signed with keys of somebody else.
fn forged_record(victim: &Victim) -> Result<KeyedRecord> {
    let deposits = stored(victim.supplier(), &victim.world, |store| {
        Ok(store.deposits(None, 10)?)
    })?;
    let genuine = deposits.first().context("no record was deposited")?;
    let own = LocatorKey::root(&RootSecrets::from_phrase(&Phrase::generate()), 0);
    let sealed = own.seal(
        victim.world.network(),
        Sequence(1_000),
        UnixMillis(0),
        b"forged",
    );
    Ok(KeyedRecord {
        key: genuine.key,
        record: sealed,
    })
}

fn put(bundle: HeadBundle) -> Body {
    Body::HeadPut {
        bundle: Box::new(bundle),
        between: vec![],
        receipts: vec![],
    }
}

fn check_refused(what: &str, answer: Result<Body, NetError>, code: Option<ErrorCode>) -> Outcome {
    match answer {
        Err(NetError::Refused { refusal }) => {
            let is_expected = code.is_none_or(|code| refusal.code == code);
            ensure!(is_expected, "{what} was refused with {:?}", refusal.code);
            Ok(())
        }
        other => bail!("{what} was not refused: {other:?}"),
    }
}
