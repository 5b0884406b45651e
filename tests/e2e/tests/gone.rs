//! An owner who is away for longer than records live in the DHT: the suppliers have published
//! the locator again, and the words alone find it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_crypto::{DeviceKeys, LocatorKey, Phrase, RootSecrets, SigningKey};
use bitdust_e2e_tests::recording::read_trace;
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences, eventually};
use bitdust_engine::{Input, Output};
use bitdust_model::locator::KeyedRecord;
use bitdust_model::{Epoch, Policy, Sequence, UnixMillis, limits};
use bitdust_net::{Client, NetConfig, NetError, NetEvent, Scope};
use tokio::runtime::Runtime;

/// How long records may take to come, or to die.
const LONG: Duration = Duration::from_secs(240);
/// How long records live here.
const LIFETIME_MILLIS: u64 = 15_000;
/// Time between two rounds of publishing.
const REPUBLISH_MILLIS: u64 = 2_000;

#[test]
fn an_owner_gone_for_longer_than_records_live_is_found_by_the_words() -> Outcome {
    let mut town = Town::set_up("gone", REPUBLISH_MILLIS)?;
    let words = town.lose_owner()?;
    eventually(
        "a supplier publishes what would have died twice",
        LONG,
        || Ok(town.is_published_by_others()?.then_some(())),
    )?;
    let runtime = Runtime::new()?;
    // A look that falls between two publications on a busy machine is repeated.
    eventually("the root record is in the DHT still", LONG, || {
        let sight = runtime.block_on(town.look_up(&words))?;
        Ok(matches!(sight, Sight::Found(_)).then_some(()))
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

/// The twin: where only the owner publishes anew, the same records die with the owner.
#[test]
fn where_suppliers_do_not_publish_again_the_records_die() -> Outcome {
    let mut town = Town::set_up("forgotten", 86_400_000)?;
    let runtime = Runtime::new()?;
    let words = town.stage.customer.words.clone();
    let is_found = |town: &Town| -> Result<bool> {
        let sight = runtime.block_on(town.look_up(&words))?;
        Ok(matches!(sight, Sight::Found(_)))
    };
    // Not the owner alone has it. A look that takes longer than a record lives is repeated.
    eventually("others have what the owner published", LONG, || {
        eventually("the owner has published", LONG, || {
            Ok(is_found(&town)?.then_some(()))
        })?;
        town.stage.customer.kill()?;
        if is_found(&town)? {
            return Ok(Some(()));
        }
        town.stage.customer.start()?;
        Ok(None)
    })?;
    town.lose_owner()?;
    eventually("the record dies", LONG, || {
        let sight = runtime.block_on(town.look_up(&words))?;
        Ok((sight == Sight::Nowhere).then_some(()))
    })
}

/// What a look for a record in the DHT gives.
#[derive(Debug, PartialEq, Eq)]
enum Sight {
    /// It is there, with this number.
    Found(Sequence),
    /// Everybody who might keep it was asked, and nobody does.
    Nowhere,
    /// Somebody did not answer, who may keep it.
    Unknown,
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
    /// The suppliers publish again after so long; the owner does as long as it lives.
    fn set_up(name: &str, republish_millis: u64) -> Result<Self> {
        let world = World::new(name)?;
        let republish = "policy.republish_interval";
        let clocks = [
            ("policy.record_lifetime", LIFETIME_MILLIS.to_string()),
            (republish, republish_millis.to_string()),
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
        let customer = &stage.customer;
        customer.set(republish, &REPUBLISH_MILLIS.to_string())?;
        customer.set("code", "1/3")?;
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

    /// Whether a supplier has published since all died that the owner could publish: by its own
    /// clock, from the end of its last connection with the owner.
    fn is_published_by_others(&self) -> Result<bool> {
        let owner = self.stage.customer.device.parse()?;
        let lines = read_trace(&self.trace)?;
        let down = Input::PeerDown { device: owner };
        let Some(gone) = lines.iter().rev().find(|line| line.input == down) else {
            return Ok(false);
        };
        let dead_at = gone.at + Duration::from_millis(2 * LIFETIME_MILLIS);
        let mut rounds = lines
            .iter()
            .filter(|line| line.outputs.contains(&Output::PublishDeposits));
        Ok(rounds.any(|line| line.at > dead_at))
    }

    /// Looks the owner's root record up like anybody who knows the words, and asks nobody but
    /// the DHT, over the bystander.
    async fn look_up(&self, words: &str) -> Result<Sight> {
        let client = stranger(self.world.network()).await?;
        client.dial_address(&self.bystander.address()?).await?;
        client.bootstrap().await?;
        let root = RootSecrets::from_phrase(&Phrase::parse(words)?);
        let mut newest = None;
        let mut unanswered = false;
        for slot in 0..limits::LOCATOR_SLOTS {
            let key = LocatorKey::root(&root, slot);
            match client.get_record(key.dht_key()).await {
                Ok(Some(record)) => {
                    key.open(&record, self.world.network())?;
                    newest = newest.max(Some(bitdust_crypto::verify(&record)?.sequence));
                }
                Ok(None) => {}
                Err(_) => unanswered = true,
            }
        }
        // A query passes over whoever does not answer. That all take a record of somebody else
        // now shows that nobody is out of reach.
        let everybody = self.stage.suppliers.len() + 1;
        let sight = match newest {
            Some(sequence) => Sight::Found(sequence),
            None if unanswered => Sight::Unknown,
            None if self.leave_record(&client).await? < everybody => Sight::Unknown,
            None => Sight::Nowhere,
        };
        client.shutdown().await;
        Ok(sight)
    }

    /// Puts the record of an identity that was never seen before; gives how many took it.
    async fn leave_record(&self, client: &Client) -> Result<usize> {
        let key = LocatorKey::root(&RootSecrets::from_phrase(&Phrase::generate()), 0);
        let record = key.seal(self.world.network(), Sequence(1), UnixMillis(0), b"new");
        let record = KeyedRecord {
            key: key.dht_key(),
            record,
        };
        match client.put_record(record).await {
            Err(NetError::NoPeers) => Ok(0),
            copies => Ok(copies?),
        }
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
