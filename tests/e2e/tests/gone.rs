//! An owner who is away for longer than records live in the DHT: the suppliers have published
//! the locator again, and the words alone find it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_crypto::{DeviceKeys, LocatorKey, Phrase, RootSecrets, SigningKey};
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences, eventually};
use bitdust_model::{Epoch, Policy, Sequence, UnixMillis, limits};
use bitdust_net::{Client, NetConfig, NetEvent, Scope};
use serde_json::Value;
use tokio::runtime::Runtime;

const SOON: Duration = Duration::from_secs(90);
/// How long records live here.
const LIFETIME_MILLIS: u64 = 15_000;

#[test]
fn an_owner_gone_for_longer_than_records_live_is_found_by_the_words() -> Outcome {
    let mut town = Town::set_up("gone", 2_000)?;
    let words = town.lose_owner()?;
    let lost_at = town.clock()?;
    eventually("records would have died twice", SOON, || {
        let gone = town.clock()?.saturating_sub(lost_at);
        Ok((gone > 2 * LIFETIME_MILLIS).then_some(()))
    })?;
    let runtime = Runtime::new()?;
    // A look that falls between two publications on a busy machine is repeated.
    eventually("the root record is in the DHT still", SOON, || {
        runtime.block_on(town.look_up(&words))
    })?;

    // The only way in is somebody who keeps nothing for the owner.
    let mut machine = town.world.machine("new-machine");
    machine.bootstrap = vec![town.bystander.address()?];
    machine.recover(&words)?;
    machine.start()?;
    let restored = town.world.path("restored");
    machine
        .order(&["restore", "latest", "--to"])
        .argument(&restored)
        .run()?;
    let different = differences(&town.source, &restored)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}

/// The twin: where nobody publishes anew, the same records die.
#[test]
fn where_suppliers_do_not_publish_again_the_records_die() -> Outcome {
    let mut town = Town::set_up("forgotten", 86_400_000)?;
    let runtime = Runtime::new()?;
    let words = town.stage.customer.words.clone();
    let found = runtime.block_on(town.look_up(&words))?;
    ensure!(found.is_some(), "the owner published nothing");
    town.lose_owner()?;
    eventually("the record dies", SOON, || {
        let found = runtime.block_on(town.look_up(&words))?;
        Ok(found.is_none().then_some(()))
    })
}

/// An owner with a backup, three suppliers, and somebody who has to do with neither.
struct Town {
    stage: Stage,
    bystander: Machine,
    source: PathBuf,
    trace: PathBuf,
    world: World,
}

impl Town {
    fn set_up(name: &str, republish_millis: u64) -> Result<Self> {
        let world = World::new(name)?;
        let clocks = [
            ("policy.record_lifetime", LIFETIME_MILLIS.to_string()),
            ("policy.republish_interval", republish_millis.to_string()),
        ];
        let clocks = clocks.each_ref().map(|(key, value)| (*key, value.as_str()));
        let mut stage = Stage::prepare(&world, 3, &clocks)?;
        let trace = world.path("supplier.trace");
        stage.suppliers[1].stop()?;
        stage.suppliers[1].flags = vec!["--trace".into(), trace.clone().into()];
        stage.suppliers[1].start()?;
        let mut bystander = world.machine("bystander");
        bystander.bootstrap.clone_from(&stage.customer.bootstrap);
        bystander.init()?;
        for (key, value) in clocks {
            bystander.set(key, value)?;
        }
        bystander.start()?;
        stage.customer.set("code", "1/3")?;
        stage.customer.start()?;
        stage.hire()?;
        let source = world.make_folder("source")?;
        world.random().write_file(&source.join("file"), 3_000_000)?;
        stage.back_up(&source)?;
        stage.customer.wait_until_spread()?;
        Ok(Self {
            stage,
            bystander,
            source,
            trace,
            world,
        })
    }

    /// The owner's machine is lost; gives the words.
    fn lose_owner(&mut self) -> Result<String> {
        let words = self.stage.customer.words.clone();
        self.stage.customer.lose()?;
        Ok(words)
    }

    /// The time by a supplier's own clock, in milliseconds since its start.
    fn clock(&self) -> Result<u64> {
        newest_time(&self.trace)
    }

    /// Looks the owner's root record up like anybody who knows the words, and asks nobody but
    /// the DHT, over the bystander; gives its number.
    async fn look_up(&self, words: &str) -> Result<Option<Sequence>> {
        let client = stranger(self.world.network()).await?;
        client.dial_address(&self.bystander.address()?).await?;
        client.bootstrap().await?;
        let secrets = RootSecrets::from_phrase(&Phrase::parse(words)?).epoch(Epoch(0));
        let mut newest = None;
        for slot in 0..limits::LOCATOR_SLOTS {
            let key = LocatorKey::root(&secrets, slot);
            // One that is nowhere is an error here, as is a time-out: neither gives a record.
            if let Ok(Some(record)) = client.get_record(key.dht_key()).await {
                key.open(&record, self.world.network())?;
                newest = newest.max(Some(bitdust_crypto::verify(&record)?.sequence));
            }
        }
        client.shutdown().await;
        Ok(newest)
    }
}

/// Somebody new in the network who keeps nothing.
async fn stranger(network: &str) -> Result<Client> {
    let root = RootSecrets::from_phrase(&Phrase::generate());
    let keys = DeviceKeys::generate();
    let (client, mut events, event_loop) = bitdust_net::start(NetConfig {
        network: network.to_owned(),
        scope: Scope::Loopback,
        listen: vec![],
        external: vec![],
        device: SigningKey::from_seed(&keys.signing().seed()),
        certificate: root.certify(&keys, Epoch(0), "stranger", UnixMillis(0)),
        policy: Policy::default(),
        kad_server: Some(false),
    })
    .await?;
    tokio::spawn(event_loop.run());
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let NetEvent::Request { reply, .. } = event {
                reply.refuse(bitdust_model::ErrorCode::NotAllowed);
            }
        }
    });
    Ok(client)
}

/// The time of the last whole line of a growing trace.
fn newest_time(trace: &Path) -> Result<u64> {
    let text = std::fs::read_to_string(trace)?;
    let (whole, _) = text.rsplit_once('\n').context("the trace is empty")?;
    let line: Value = serde_json::from_str(whole.lines().last().context("no line")?)?;
    line["at"].as_u64().context("no time in the trace")
}
