//! Shards that are owed and lie nowhere here: made anew from what others keep of their packs.
//!
//! One at a time, since each takes the memory of a pack and its shards. The catalogue is asked for a
//! batch of packs of which a supplier lacks its shard, and for the next one when all of that was
//! tried: so what cannot be made holds up nothing else.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tracing::{debug, info};

use bitdust_engine::{DebtFact, Input};
use bitdust_model::limits::OWED_BATCH_MAX;
use bitdust_model::manifest::PackRecord;
use bitdust_model::{DeviceId, ErrorCode, PackId, Position};
use bitdust_pipeline::shard::remake_shard;
use bitdust_store::catalogue::OwedPlace;

use super::{Backup, Remake};
use crate::shared::completion::Completion;
use crate::shared::context::Context;
use crate::shared::driver::Driver;
use crate::shared::fetching::fetch_sealed;
use crate::shared::owed_shard::{OwedShard, Remade, RemadeOutcome};
use crate::shared::task::blocking;
use crate::shared::task_event::TaskEvent;

/// What is asked of the catalogue for one shard.
struct Search {
    /// In which sets, and at which position of each.
    debts: Vec<DebtFact>,
    /// Others wait for their turn: what can hardly be had is not waited for.
    is_awaited: bool,
    /// Packs of which all shards are in memory.
    flights: BTreeSet<PackId>,
    /// Other shards that are.
    loaded: BTreeSet<(PackId, Position)>,
    /// What was found before and not tried yet.
    batch: VecDeque<PackId>,
}

impl Backup {
    /// Makes a shard anew that a supplier is owed; where another one is being made, after it.
    pub(crate) fn remake_shard(
        &mut self,
        driver: &mut Driver,
        completion: Completion,
        device: DeviceId,
        debts: Vec<DebtFact>,
    ) {
        self.remakes.push_back(Remake {
            completion,
            device,
            debts,
        });
        self.begin_remake(driver);
    }

    fn begin_remake(&mut self, driver: &mut Driver) {
        while !self.remakes.is_empty()
            && let Ok(turn) = self.remaking.clone().try_acquire_owned()
            && let Some(wanted) = self.remakes.pop_front()
        {
            let device = wanted.device;
            let search = Search {
                debts: wanted.debts,
                is_awaited: !self.remakes.is_empty(),
                flights: self.flights.keys().copied().collect(),
                loaded: self.loaded.keys().copied().collect(),
                batch: self.owed.remove(&device).unwrap_or_default(),
            };
            let context = self.context.clone();
            driver.spawn(async move {
                let remade = remake(&context, search, device, turn).await;
                let event = |completion| TaskEvent::Remade { completion, remade };
                wanted.completion.bring(event).await;
            });
        }
    }

    /// An owed shard was made anew, or not.
    pub(crate) fn remade(&mut self, driver: &mut Driver, completion: Completion, remade: Remade) {
        let Remade {
            device,
            batch,
            outcome,
            turn,
        } = remade;
        self.owed.insert(device, batch);
        let told = match outcome {
            RemadeOutcome::Shard(owed) => completion.done(Input::ShardRemade(self.take(owed))),
            RemadeOutcome::Nothing => {
                self.owed.remove(&device);
                completion.done(Input::NothingOwed { device })
            }
            RemadeOutcome::Failed(code) => completion.failed(code),
        };
        driver.tell(told);
        drop(turn);
        self.begin_remake(driver);
    }

    /// A shard that was loaded or made anew was not sent: its bytes go.
    pub(crate) fn release_shard(&mut self, pack: PackId, position: Position) {
        self.loaded.remove(&(pack, position));
    }
}

/// Finds a pack, fetches it and makes the shard.
async fn remake(
    context: &Context,
    search: Search,
    device: DeviceId,
    turn: OwnedSemaphorePermit,
) -> Remade {
    let is_awaited = search.is_awaited;
    let catalogue = context.clone();
    let (found, batch) = match blocking(move || next_owed(&catalogue, search)).await {
        Ok((found, batch)) => (found, batch),
        Err(code) => (Err(code), VecDeque::new()),
    };
    let outcome = match found {
        Ok(Some((record, debt)))
            if is_awaited && record.confirmed.and(debt.reachable).count() < record.pack.k =>
        {
            RemadeOutcome::Failed(ErrorCode::TooFewShards)
        }
        Ok(Some((record, debt))) => match shard_of(context, &record, debt.position).await {
            Ok(shard) => {
                let position = debt.position;
                debug!(pack = %record.pack.pack, %position, "Made an owed shard anew");
                RemadeOutcome::Shard(OwedShard {
                    record: Box::new(record),
                    is_committed: true,
                    position,
                    shard,
                    device,
                })
            }
            Err(code) => {
                let (pack, code) = (record.pack.pack, code);
                info!(%pack, code = code.name(), "An owed shard cannot be made anew now");
                RemadeOutcome::Failed(code)
            }
        },
        Ok(None) => RemadeOutcome::Nothing,
        Err(code) => RemadeOutcome::Failed(code),
    };
    Remade {
        device,
        batch,
        outcome,
        turn,
    }
}

const fn place_of(debt: &DebtFact) -> OwedPlace {
    OwedPlace {
        set: debt.set,
        position: debt.position,
        reachable: debt.reachable,
    }
}

/// A pack of which a shard is owed, and where.
type Owed = Option<(PackRecord, DebtFact)>;

/// The next pack of which the shard is owed and not at hand, and what is left of the batch: that is
/// filled from all sets together, so that what cannot be made in one holds up no other.
fn next_owed(context: &Context, search: Search) -> (Result<Owed, ErrorCode>, VecDeque<PackId>) {
    let mut batch = search.batch;
    let mut is_new = false;
    loop {
        let Some(pack) = batch.pop_front() else {
            if is_new {
                return (Ok(None), batch);
            }
            is_new = true;
            let places: Vec<_> = search.debts.iter().map(place_of).collect();
            match context.catalogue.owed(&places, OWED_BATCH_MAX) {
                Ok(owed) => batch.extend(owed),
                Err(error) => return (Err(error.code()), batch),
            }
            continue;
        };
        if search.flights.contains(&pack) {
            continue;
        }
        let record = match context.catalogue.pack_record(pack) {
            Ok(record) => record,
            Err(error) => return (Err(error.code()), batch),
        };
        let place = record.and_then(|record| {
            let mut debts = search.debts.iter();
            let debt = *debts.find(|debt| debt.set == record.pack.set)?;
            let is_owed = !record.confirmed.has(debt.position);
            let is_at_hand = search.loaded.contains(&(pack, debt.position));
            (is_owed && !is_at_hand).then_some((record, debt))
        });
        if place.is_some() {
            return (Ok(place), batch);
        }
    }
}

async fn shard_of(
    context: &Context,
    record: &PackRecord,
    position: Position,
) -> Result<Bytes, ErrorCode> {
    let sealed = fetch_sealed(context, record.pack.clone(), record.confirmed).await?;
    let (context, pack) = (context.clone(), record.pack.clone());
    blocking(move || {
        let secrets = context.epoch(pack.epoch).ok_or(ErrorCode::Internal)?;
        let sealed = sealed.last().map(<[u8]>::to_vec).unwrap_or_default();
        let made = remake_shard(secrets, &pack, sealed, position).ok_or(ErrorCode::Corrupt)?;
        Ok(Bytes::from(made.bytes))
    })
    .await?
}

#[cfg(test)]
mod tests {
    use bitdust_engine::{Output, OwedFact, SetFact};
    use bitdust_model::manifest::PackKind;
    use bitdust_model::{Code, CodeVersion, PositionMask, SetId};
    use bitdust_pipeline::PackBuilder;
    use bitdust_pipeline::shard::make_shards;

    use super::*;
    use crate::backup::testing::backup;
    use crate::shared::buffers::Lent;
    use crate::shared::context::wall_clock;
    use crate::shared::fetch_request::{NO_JOB, Plain, WantedPart};
    use crate::shared::testing::TestHome;

    const SET: SetId = SetId([1; 32]);
    const LATE: Position = Position(3);

    fn device(position: Position) -> DeviceId {
        DeviceId([position.0 + 1; 32])
    }

    /// A committed pack of four positions, of which the last is not confirmed: its bytes, its
    /// record, and the shard that is owed.
    fn owe(home: &TestHome, number: u8) -> (Vec<u8>, PackRecord, Vec<u8>) {
        let (context, code) = (&home.context, Code::new(2, 4).expect("a code"));
        let mut builder = PackBuilder::new(PackKind::Data);
        let raw = [number; 5_000];
        builder.push(context.current().chunk_id(&raw), &raw);
        let sealed = builder.seal(context.current(), [number; 32]);
        let shards = make_shards(context.current(), SET, sealed.clone(), code, Vec::new());
        let record = PackRecord {
            pack: bitdust_model::manifest::PackRef {
                pack: sealed.pack,
                kind: sealed.kind,
                epoch: sealed.epoch,
                set: SET,
                k: code.k(),
                code_version: CodeVersion::Vandermonde1,
                pack_bytes: sealed.pack_bytes(),
                shards: shards.ids.clone(),
            },
            random: [number; 32],
            confirmed: PositionMask::default(),
            chunks: sealed.chunks.clone(),
        };
        let catalogue = &context.catalogue;
        catalogue.record_pack(record.clone()).expect("recorded");
        for position in [0, 1, 2].map(Position) {
            let by = device(position);
            catalogue
                .confirm_shard(record.pack.pack, position, by, None, wall_clock())
                .expect("confirmed");
        }
        catalogue.commit_pack(record.pack.pack).expect("committed");
        let owed = shards.iter().last().map(|(_, _, bytes)| bytes.to_vec());
        (sealed.bytes, record, owed.expect("four shards"))
    }

    fn wing(home: &TestHome) -> Backup {
        let mut wing = backup(home, false);
        let holders = [0, 1, 2, 3].map(|position| device(Position(position)));
        let code = Code::new(2, 4).expect("a code");
        wing.sets.form(SetFact::formed(SET, code, holders));
        wing
    }

    /// Has the wing make a shard; what is fetched for it is answered with these bytes.
    async fn remade(wing: &mut Backup, home: &mut TestHome, bytes: &[u8]) -> Input {
        let late = device(LATE);
        let debts = vec![DebtFact {
            set: SET,
            position: LATE,
            reachable: PositionMask(0b1111),
        }];
        let output = Output::RemakeShard {
            device: late,
            debts: debts.clone(),
        };
        let completion = Completion::of(&output, &home.context.task_events).expect("answered");
        wing.remake_shard(&mut home.driver, completion, late, debts);
        loop {
            let event = home.events.recv().await.expect("the task speaks");
            if let TaskEvent::Remade { completion, remade } = event {
                wing.remade(&mut home.driver, completion, remade);
                return home.told().pop().expect("told");
            }
            let TaskEvent::FetchWanted(request) = event else {
                panic!("nothing else happens");
            };
            assert_eq!(request.job, NO_JOB);
            let all_but_one = [0, 1, 2].map(Position).into_iter().collect();
            assert_eq!(request.wanted, WantedPart::Sealed(all_but_one));
            let lent = Lent::new(bytes.to_vec(), home.context.buffers.clone());
            let sealed = Plain::new(lent, vec![bytes.len()]);
            assert!(request.reply.send(Ok(sealed)).is_ok(), "it waits for it");
        }
    }

    #[tokio::test]
    async fn an_owed_shard_is_made_from_the_pack_and_is_at_hand_until_it_is_sent() {
        let mut home = TestHome::new().await;
        let (sealed, record, owed) = owe(&home, 1);
        let mut wing = wing(&home);
        let pack = record.pack.pack;
        let told = remade(&mut wing, &mut home, &sealed).await;
        let expected = Input::ShardRemade(OwedFact {
            pack,
            set: SET,
            kind: PackKind::Data,
            position: LATE,
            device: device(LATE),
            confirmed: PositionMask(0b111),
            is_committed: true,
        });
        assert_eq!(told, expected);
        let (_, at_hand) = wing.shard_at_hand(pack, LATE).expect("in memory");
        assert_eq!(at_hand, owed);
        let told = remade(&mut wing, &mut home, &sealed).await;
        let nothing = Input::NothingOwed {
            device: device(LATE),
        };
        assert_eq!(told, nothing, "it is at hand");
        wing.release_shard(pack, LATE);
        assert!(wing.shard_at_hand(pack, LATE).is_none());
        let told = remade(&mut wing, &mut home, &sealed).await;
        assert_eq!(told, expected, "it is owed as before");
    }

    #[tokio::test]
    async fn what_cannot_be_made_holds_up_no_other_and_is_tried_again() {
        let mut home = TestHome::new().await;
        let (first, ..) = owe(&home, 1);
        let (second, record, _) = owe(&home, 2);
        let mut wing = wing(&home);
        let failed = |code| Input::RemakeFailed {
            device: device(LATE),
            code,
        };
        let mut wrong = first.clone();
        wrong[100] ^= 1;
        let told = remade(&mut wing, &mut home, &wrong).await;
        assert_eq!(told, failed(ErrorCode::Corrupt));
        let told = remade(&mut wing, &mut home, &second).await;
        assert!(
            matches!(told, Input::ShardRemade(OwedFact { pack, .. }) if pack == record.pack.pack)
        );
        let told = remade(&mut wing, &mut home, &first).await;
        assert!(matches!(told, Input::ShardRemade(_)), "the first again");
    }

    /// Who holds the last position of one set, and another's third: what lacks one in either is found, at
    /// the position of its own set.
    #[tokio::test]
    async fn what_is_owed_in_any_of_the_sets_is_found() {
        let home = TestHome::new().await;
        let (_, record, _) = owe(&home, 1);
        let other = SetId([2; 32]);
        let mut second = record.clone();
        (second.pack.pack, second.pack.set) = (PackId([7; 32]), other);
        second.chunks.clear();
        let catalogue = &home.context.catalogue;
        catalogue.record_pack(second.clone()).expect("recorded");
        catalogue.commit_pack(second.pack.pack).expect("committed");
        let debt = |set, position| DebtFact {
            set,
            position: Position(position),
            reachable: PositionMask(0b1111),
        };
        let search = |debts: &[DebtFact], loaded| Search {
            debts: debts.to_vec(),
            is_awaited: false,
            flights: BTreeSet::new(),
            loaded,
            batch: VecDeque::new(),
        };
        let found = |search| {
            let (found, batch) = next_owed(&home.context, search);
            let found = found.expect("looked up");
            (
                found.map(|(record, debt)| (record.pack.pack, debt.position)),
                batch.len(),
            )
        };
        let both = [debt(SET, LATE.0), debt(other, 2)];
        let first = (record.pack.pack, LATE);
        let then = (second.pack.pack, Position(2));
        assert_eq!(found(search(&both, BTreeSet::new())), (Some(first), 1));
        assert_eq!(
            found(search(&both, BTreeSet::from([first]))),
            (Some(then), 0)
        );
        let elsewhere = BTreeSet::from([(first.0, Position(2))]);
        assert_eq!(
            found(search(&both, elsewhere)).0,
            Some(first),
            "another's shard"
        );
        let all = BTreeSet::from([first, then]);
        assert_eq!(found(search(&both, all)).0, None, "they are at hand");
        assert_eq!(found(search(&both[1..], BTreeSet::new())).0, Some(then));
        assert_eq!(found(search(&[], BTreeSet::new())).0, None);
    }
}
