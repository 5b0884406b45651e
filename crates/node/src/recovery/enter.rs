//! A recovered device takes over what the identity has, and is entered into its root record.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::debug;

use bitdust_api::host::RecoverAs;

use bitdust_crypto::RootSecrets;
use bitdust_model::HeadRef;
use bitdust_model::head::HeadBundle;
use bitdust_model::intervals::RECORDS_PATIENCE;
use bitdust_model::locator::{ClosedLane, KeyedRecord, RootRecord};
use bitdust_model::roots::{close, say_the_same, united};
use bitdust_model::{DeviceId, ErrorCode, encode, limits};
use bitdust_store::catalogue::Introduction;
use bitdust_store::{CatalogueError, HomePaths, disk_error_code, remove_durably};

use crate::recovery::inheritance::{inherit_folders, inherit_friends};
use crate::recovery::seek::roots_among;
use crate::restore::versions::newest_of_each;
use crate::shared::config::Config;
use crate::shared::context::{Context, wall_clock};
use crate::shared::deposit::deposit;
use crate::shared::error::NodeError;
use crate::shared::fences::{FENCES_KEY, UntoldFences, tell_fences};
use crate::shared::foreign_lanes::{FOREIGN_LANES_KEY, ForeignLanes};
use crate::shared::records;
use crate::shared::recovery_found::{Left, NewestFound, Recovered};
use crate::shared::task::blocking;

/// What a device is entered with.
pub(super) struct Entry {
    pub(super) root: Arc<RootSecrets>,
    pub(super) record: RootRecord,
    /// What this machine becomes.
    pub(super) recover_as: RecoverAs,
    /// The heads that are known of the lanes.
    pub(super) heads: Vec<HeadBundle>,
    /// Where the lanes end if the old machines are gone.
    pub(super) ends: BTreeMap<DeviceId, HeadRef>,
    pub(super) suppliers: Vec<Introduction>,
    /// What the person is called from now on; empty: as before.
    pub(super) nickname: String,
    /// What people are told of versions.
    pub(super) newest: NewestFound,
    /// Of the home, which is whole once this device is entered.
    pub(super) paths: HomePaths,
    /// What the machines before this one leave.
    pub(super) left: Vec<Left>,
}

impl Entry {
    /// Takes over, enters, tells; gives what people are told in the end.
    pub(super) async fn make(self, context: &Context) -> Result<Recovered, ErrorCode> {
        let sets = self.heads.iter().flat_map(|bundle| &bundle.sets);
        let certificates = self.heads.iter().map(|bundle| &bundle.certificate);
        let lanes = ForeignLanes {
            sets: sets.cloned().collect(),
            certificates: certificates.cloned().collect(),
        };
        let (catalogue, suppliers) = (context.catalogue.clone(), self.suppliers.clone());
        let left = self.left.clone();
        blocking(move || {
            catalogue.set_meta(FOREIGN_LANES_KEY, &encode(&lanes))?;
            inherit_friends(&catalogue, &left, wall_clock())?;
            suppliers
                .into_iter()
                .try_for_each(|supplier| catalogue.introduce_supplier(supplier))
        })
        .await?
        .map_err(|error: CatalogueError| error.code())?;
        let worker = context.clone();
        let (snapshots, files) = blocking(move || count_versions(&worker)).await??;
        let record = self.entered(context);
        let is_restore_only = record.is_none();
        // Others that go on keep their folders to themselves.
        let folders = if is_restore_only || !self.is_successor() {
            0
        } else {
            self.inherit_folders(context).await?
        };
        let nickname = match record {
            Some(record) => self.enter_device(context, record).await?,
            None => self.keep_to_itself().await?,
        };
        Ok(Recovered {
            identity: context.identity.to_hex(),
            nickname,
            device: context.device.to_hex(),
            is_restore_only,
            newest: self.newest,
            snapshots,
            files,
            folders,
        })
    }

    async fn inherit_folders(&self, context: &Context) -> Result<u64, ErrorCode> {
        let (catalogue, left) = (context.catalogue.clone(), self.left.clone());
        let inherited = blocking(move || inherit_folders(&catalogue, &left)).await?;
        inherited.map_err(|error| error.code())
    }

    /// Whether the machines before it will never write again.
    fn is_successor(&self) -> bool {
        self.recover_as == RecoverAs::Successor
    }

    /// The root record with this device in it; `None` where it is not to be entered, or has no place: no lane is
    /// ever dropped, as later recoveries would find nothing of it.
    fn entered(&self, context: &Context) -> Option<RootRecord> {
        if self.recover_as == RecoverAs::Reader {
            return None;
        }
        let mut record = self.record.clone();
        if self.is_successor() {
            for (&lane, &last) in &self.ends {
                close(&mut record, ClosedLane { lane, last });
            }
        }
        if !record.devices.contains(&context.device) {
            record.devices.push(context.device);
        }
        has_room(&record).then_some(record)
    }

    /// Nobody is told of this machine, and no root record is kept: by that a start knows that it only restores.
    async fn keep_to_itself(&self) -> Result<String, ErrorCode> {
        let nickname = match self.nickname.as_str() {
            "" => self.record.nickname.clone(),
            chosen => chosen.to_owned(),
        };
        let (paths, called) = (self.paths.clone(), nickname.clone());
        blocking(move || {
            offer_nothing(&paths)?;
            make_whole(&paths, &called)
        })
        .await??;
        Ok(nickname)
    }

    /// Enters this device into the root record, closes lanes of machines that are gone, and
    /// tells the network and the suppliers; gives the nickname.
    async fn enter_device(
        &self,
        context: &Context,
        mut record: RootRecord,
    ) -> Result<String, ErrorCode> {
        let closed = self.ends.iter().filter(|_| self.is_successor());
        let fences = closed.map(|(&lane, &last)| self.root.fence(lane, last, wall_clock()));
        let fences: Vec<_> = fences.collect();
        let mut kept = self.signed(context, &mut record)?;
        let holders = self.suppliers.iter().map(|supplier| supplier.device);
        let holders = holders.filter(|_| !fences.is_empty()).collect();
        let untold = UntoldFences { fences, holders };
        kept.push((FENCES_KEY.to_owned(), encode(&untold)));
        keep(context, kept).await?;
        self.tell(context, &mut record).await?;
        // Killed before this, the recovery begins anew with another device, and this one stays behind in the root
        // record with a lane in which nothing is. Killed after it, nobody lacks anything that leads to this device.
        let (paths, nickname) = (self.paths.clone(), record.nickname.clone());
        blocking(move || make_whole(&paths, &nickname)).await??;
        Ok(record.nickname)
    }

    /// A root record under the next number, as the catalogue keeps it.
    fn signed(
        &self,
        context: &Context,
        record: &mut RootRecord,
    ) -> Result<Vec<(String, Vec<u8>)>, ErrorCode> {
        if !has_room(record) {
            return Err(ErrorCode::TooMany);
        }
        record.sequence = record.sequence.next();
        if !self.nickname.is_empty() {
            record.nickname.clone_from(&self.nickname);
        }
        records::seal_root(&self.root, &context.network, record)
    }

    /// Tells the network and the suppliers, of whom somebody has to take it. Where another recovery wrote a record
    /// of its own at the same time, both go on as one, under the next number.
    async fn tell(&self, context: &Context, record: &mut RootRecord) -> Result<(), ErrorCode> {
        for _ in 0..limits::ROOT_WRITES_MAX {
            let told = self.tell_network(context).await?;
            let is_kept = told.is_kept(record, self.suppliers.is_empty());
            let others = told.instead.into_iter().flatten().collect();
            let Some(more) = beyond(record, others) else {
                return is_kept.then_some(()).ok_or(ErrorCode::Unreachable);
            };
            *record = more;
            let kept = self.signed(context, record)?;
            keep(context, kept).await?;
        }
        Err(ErrorCode::Busy)
    }

    /// Puts the new records into the DHT and gives them to suppliers, with the fences.
    async fn tell_network(&self, context: &Context) -> Result<Told, ErrorCode> {
        let located = records::locators(context).await?;
        let connected: Vec<DeviceId> = context
            .net
            .peers()
            .await
            .unwrap_or_default()
            .into_iter()
            .map(|peer| peer.device)
            .collect();
        let suppliers = self.suppliers.iter().map(|supplier| supplier.device);
        let told = suppliers
            .filter(|device| connected.contains(device))
            .map(|device| tell_supplier(context, device, located.clone()));
        // The suppliers keep the records and publish them; the DHT need not be waited for long.
        let put = located.iter().map(|record| async {
            let putting = context.net.put_record(record.clone());
            match tokio::time::timeout(RECORDS_PATIENCE, putting).await {
                Ok(Ok(copies)) => copies > 0,
                Ok(Err(error)) => {
                    debug!(%error, "A record could not be put");
                    false
                }
                Err(_) => false,
            }
        });
        let (told, put) = futures::join!(
            futures::future::join_all(told),
            futures::future::join_all(put)
        );
        let instead = told.into_iter().flatten();
        Ok(Told {
            instead: instead
                .map(|records| roots_among(context, &self.root, records))
                .collect(),
            is_put: !put.is_empty() && put.into_iter().all(|is_put| is_put),
        })
    }
}

/// What became of the records.
struct Told {
    /// Root records that suppliers which answered keep instead.
    instead: Vec<Vec<RootRecord>>,
    /// Whether nodes of the DHT answered for each of them, which say nothing of what they keep.
    is_put: bool,
}

impl Told {
    /// Whether somebody keeps the root record, or one that says the same. Where there is no supplier the DHT has to
    /// do.
    fn is_kept(&self, record: &RootRecord, is_alone: bool) -> bool {
        let mut instead = self.instead.iter();
        let is_kept = instead.any(|roots| roots.iter().all(|it| say_the_same(it, record)));
        is_kept || (is_alone && self.is_put)
    }
}

/// Whether a root record has no more machines and closed lanes than it can.
fn has_room(record: &RootRecord) -> bool {
    record.devices.len() + record.fences.len() <= limits::DEVICES_MAX
}

async fn keep(context: &Context, kept: Vec<(String, Vec<u8>)>) -> Result<(), ErrorCode> {
    let catalogue = context.catalogue.clone();
    let kept = blocking(move || catalogue.set_metas(kept)).await?;
    kept.map_err(|error| error.code())
}

/// What a root record and others say together, where one of the others is in its way: it says something else under
/// the same number, or stands above it.
fn beyond(record: &RootRecord, others: Vec<RootRecord>) -> Option<RootRecord> {
    let is_in_the_way = |other: &RootRecord| {
        other.sequence > record.sequence
            || (other.sequence == record.sequence && !say_the_same(other, record))
    };
    if !others.iter().any(is_in_the_way) {
        return None;
    }
    let mut all = others;
    all.push(record.clone());
    united(all)
}

/// What a file of settings that was there before may say does not hold for a machine that only restores.
fn offer_nothing(paths: &HomePaths) -> Result<(), ErrorCode> {
    let code = |error: NodeError| error.code;
    let mut config = Config::load(paths).map_err(code)?;
    for setting in ["offer", "suppliers"] {
        config.set(setting, "0").map_err(code)?;
    }
    config.save(paths).map_err(code)
}

/// Writes down what the person is called, and that the recovery is done.
fn make_whole(paths: &HomePaths, nickname: &str) -> Result<(), ErrorCode> {
    let code = |error: NodeError| error.code;
    let mut config = Config::load(paths).map_err(code)?;
    config.set("nickname", nickname).map_err(code)?;
    config.set("phrase_confirmed", "true").map_err(code)?;
    config.save(paths).map_err(code)?;
    remove_durably(&paths.unfinished_recovery()).map_err(|error| disk_error_code(&error))
}

/// All versions, and the files of the newest of each folder.
fn count_versions(context: &Context) -> Result<(u64, u64), ErrorCode> {
    let all = context.catalogue.snapshots(wall_clock());
    let all = all.map_err(|error| error.code())?.len() as u64;
    let newest = newest_of_each(context)?;
    Ok((all, newest.iter().map(|snapshot| snapshot.files).sum()))
}

/// The fences first: what they close is to stay closed. Gives what is kept instead of the records; `None`: it was
/// not told.
async fn tell_supplier(
    context: &Context,
    device: DeviceId,
    located: Vec<KeyedRecord>,
) -> Option<Vec<KeyedRecord>> {
    if let Err(code) = tell_fences(context, device).await {
        debug!(code = code.name(), "A supplier was not told what is closed");
    }
    match deposit(context, device, located).await {
        Ok(instead) => Some(instead),
        Err(code) => {
            debug!(code = code.name(), "A supplier was not told of this device");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use bitdust_crypto::{DeviceKeys, verify_by};
    use bitdust_model::{Epoch, HeadHash, IdentityId, Sequence, UnixMillis, decode};

    use super::*;
    use crate::shared::foreign_lanes::{foreign_certificates, foreign_sets};
    use crate::shared::records::{KeptRoot, ROOT_KEY};
    use crate::shared::testing::{TestHome, head, set_record};

    /// The head of an old machine in its own lane.
    fn bundle(home: &TestHome, device: &DeviceKeys, sequence: u64) -> HeadBundle {
        let head = head(home.context.identity, device.device(), sequence);
        home.bundle(device, &head, Vec::new())
    }

    fn closed_lane(lane: u8, last: u64) -> ClosedLane {
        ClosedLane {
            lane: DeviceId([lane; 32]),
            last: HeadRef {
                sequence: Sequence(last),
                hash: HeadHash([0; 32]),
            },
        }
    }

    /// Enters the device of a home behind those that the root record has, with no supplier around.
    fn entry(home: &TestHome, devices: Vec<DeviceId>) -> Entry {
        let record = RootRecord {
            identity: home.context.identity,
            epoch: Epoch(0),
            sequence: Sequence(4),
            nickname: "alice".to_owned(),
            devices,
            fences: Vec::new(),
        };
        Entry {
            root: home.root.clone(),
            record,
            recover_as: RecoverAs::Another,
            heads: Vec::new(),
            ends: BTreeMap::new(),
            suppliers: Vec::new(),
            nickname: String::new(),
            newest: NewestFound::default(),
            paths: HomePaths::new(home.home_dir()),
            left: Vec::new(),
        }
    }

    /// The root record as it is published from now on.
    fn kept_root(home: &TestHome) -> RootRecord {
        let bytes = home.context.catalogue.get_meta(ROOT_KEY).expect("read");
        let kept: KeptRoot = decode(&bytes.expect("kept")).expect("as it was written");
        let record = verify_by(&kept.record, &home.context.identity.0).expect("the root key's");
        assert_eq!(kept.sequence, record.sequence, "it says so itself");
        record
    }

    /// Which lanes a root record closes, and after what.
    fn closed(record: &RootRecord) -> Vec<(DeviceId, Sequence)> {
        let fences = record.fences.iter();
        fences
            .map(|fence| (fence.lane, fence.last.sequence))
            .collect()
    }

    #[tokio::test]
    async fn a_device_is_entered_behind_those_that_were_there() {
        let home = TestHome::new().await;
        let _somebody = home.meet_somebody().await;
        let old = DeviceId([7; 32]);
        for (number, nickname, expected) in [(4, "", "alice"), (5, "alice again", "alice again")] {
            let mut entry = entry(&home, vec![old]);
            entry.record.sequence = Sequence(number);
            nickname.clone_into(&mut entry.nickname);
            let recovered = entry.make(&home.context).await.expect("entered");
            let expected = Recovered {
                identity: home.context.identity.to_hex(),
                nickname: expected.to_owned(),
                device: home.context.device.to_hex(),
                is_restore_only: false,
                newest: NewestFound::default(),
                snapshots: 0,
                files: 0,
                folders: 0,
            };
            assert_eq!(recovered, expected);
        }
        let record = kept_root(&home);
        assert_eq!(record.sequence, Sequence(6), "it replaces the old one");
        assert_eq!(record.devices, [old, home.context.device]);
        assert_eq!(record.nickname, "alice again", "also for the next device");
    }

    /// Until somebody else knows of the machine its home is of no use.
    #[tokio::test]
    async fn the_home_is_whole_once_somebody_took_the_records() {
        let home = TestHome::new().await;
        let paths = HomePaths::new(home.home_dir());
        bitdust_store::write_durably(&paths.unfinished_recovery(), b"").expect("written");
        let alone = entry(&home, Vec::new()).make(&home.context).await;
        assert_eq!(alone, Err(ErrorCode::Unreachable));
        assert!(paths.is_recovery_unfinished());
        assert!(Config::load(&paths).expect("read").nickname.is_empty());
        let _somebody = home.meet_somebody().await;
        let mut again = entry(&home, Vec::new());
        again.record.sequence = Sequence(5);
        let told = again.make(&home.context).await;
        assert!(told.is_ok(), "{told:?}");
        assert!(!paths.is_recovery_unfinished());
        assert_eq!(Config::load(&paths).expect("read").nickname, "alice");
    }

    /// P10: with the largest number alone one of two machines would be lost for good.
    #[test]
    fn what_another_recovery_wrote_at_the_same_time_is_united_with_the_own() {
        let record = |sequence, devices: &[u8]| RootRecord {
            identity: IdentityId([1; 32]),
            epoch: Epoch(0),
            sequence: Sequence(sequence),
            nickname: "alice".to_owned(),
            devices: devices.iter().map(|it| DeviceId([*it; 32])).collect(),
            fences: Vec::new(),
        };
        let own = record(6, &[1, 2]);
        assert_eq!(beyond(&own, Vec::new()), None);
        assert_eq!(beyond(&own, vec![record(5, &[1, 4])]), None, "it is older");
        let resealed = beyond(&own, vec![record(6, &[2, 1])]);
        assert_eq!(resealed, None, "both say the same");
        let less = beyond(&own, vec![record(6, &[1])]).expect("it is kept in its place");
        assert_eq!(less.devices.len(), 2);
        let other = beyond(&own, vec![record(6, &[1, 3])]).expect("one more");
        assert_eq!(other.sequence, Sequence(6), "the next is the seventh");
        assert_eq!(other.devices.len(), 3);
        let above = beyond(&own, vec![record(9, &[1])]).expect("above it");
        assert_eq!(above.sequence, Sequence(9));
        assert!(above.devices.contains(&DeviceId([2; 32])));
        let told = |instead| Told {
            instead,
            is_put: true,
        };
        assert!(
            !told(Vec::new()).is_kept(&own, false),
            "no supplier answered"
        );
        assert!(told(Vec::new()).is_kept(&own, true), "there is none");
        assert!(told(vec![Vec::new()]).is_kept(&own, false));
        let others = vec![vec![record(6, &[1])], vec![record(6, &[2, 1])]];
        assert!(
            told(others.clone()).is_kept(&own, false),
            "the second says the same"
        );
        assert!(!told(others[..1].to_vec()).is_kept(&own, false));
    }

    #[tokio::test]
    async fn lanes_are_closed_only_where_the_old_machines_are_gone() {
        let home = TestHome::new().await;
        let _somebody = home.meet_somebody().await;
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let last = |sequence| closed_lane(0, sequence).last;
        let ends = [(laptop.device(), last(9)), (desktop.device(), last(3))];
        let lanes = [
            (laptop.device(), Sequence(9)),
            (desktop.device(), Sequence(3)),
        ];
        for (number, recover_as, expected) in [
            (4, RecoverAs::Another, &lanes[..0]),
            (5, RecoverAs::Successor, &lanes[..]),
        ] {
            let mut entry = Entry {
                recover_as,
                ends: ends.into(),
                ..entry(&home, vec![laptop.device()])
            };
            entry.record.sequence = Sequence(number);
            entry.make(&home.context).await.expect("entered");
            let record = kept_root(&home);
            let closed = closed(&record).into_iter().collect::<BTreeMap<_, _>>();
            let expected = expected.iter().copied().collect();
            assert_eq!(closed, expected, "{recover_as:?}");
            let is_open = record.devices.contains(&laptop.device());
            let is_closed = recover_as == RecoverAs::Successor;
            assert_eq!(is_open, !is_closed, "it is one or the other");
        }
    }

    /// One that is dropped could never be found by a recovery again.
    #[tokio::test]
    async fn no_device_and_no_fence_makes_room_for_another() {
        let home = TestHome::new().await;
        let _somebody = home.meet_somebody().await;
        let device = |number: usize| DeviceId([u8::try_from(number).expect("few"); 32]);
        let devices: Vec<_> = (1..limits::DEVICES_MAX).map(device).collect();
        let last = entry(&home, devices.clone());
        assert!(last.make(&home.context).await.is_ok(), "as many as can be");
        let kept = kept_root(&home);
        assert_eq!(kept.devices.len(), limits::DEVICES_MAX);
        let mut beyond = entry(&home, devices);
        beyond.record.fences = vec![closed_lane(200, 1)];
        let reader = beyond.make(&home.context).await;
        let reader = reader.map(|recovered| recovered.is_restore_only);
        assert_eq!(
            reader,
            Ok(true),
            "what they wrote can be restored all the same"
        );
        assert_eq!(kept_root(&home), kept, "nothing is signed");
    }

    /// With nobody around it cannot even be told by mistake.
    #[tokio::test]
    async fn a_machine_that_only_restores_writes_nothing() {
        let home = TestHome::new().await;
        let paths = HomePaths::new(home.home_dir());
        bitdust_store::write_durably(&paths.unfinished_recovery(), b"").expect("written");
        let reader = Entry {
            recover_as: RecoverAs::Reader,
            ..entry(&home, vec![DeviceId([7; 32])])
        };
        let reader = reader.make(&home.context).await.expect("nobody is needed");
        assert!(reader.is_restore_only);
        assert!(!paths.is_recovery_unfinished(), "it can be used");
        assert_eq!(Config::load(&paths).expect("read").nickname, "alice");
        for key in [ROOT_KEY, FENCES_KEY] {
            let kept = home.context.catalogue.get_meta(key).expect("read");
            assert_eq!(kept, None, "{key}");
        }
        assert_eq!(records::locators(&home.context).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn sets_and_suppliers_of_the_old_machines_are_taken_over() {
        let home = TestHome::new().await;
        let _somebody = home.meet_somebody().await;
        let old = DeviceKeys::generate();
        let set = set_record(home.context.identity, old.device(), 2);
        // A supplier sends what it likes beside the head.
        let liar = DeviceKeys::generate();
        let of_liar = set_record(home.context.identity, liar.device(), 3);
        let head = HeadBundle {
            sets: vec![
                liar.signing().sign(&set),
                liar.signing().sign(&of_liar),
                old.signing().sign(&set),
            ],
            ..bundle(&home, &old, 1)
        };
        let since = UnixMillis(1);
        let supplier = DeviceId([2; 32]);
        let entry = Entry {
            heads: vec![head],
            suppliers: vec![Introduction {
                device: supplier,
                identity: IdentityId([3; 32]),
                friend: true,
                addresses: Vec::new(),
                seen: None,
            }],
            ..entry(&home, Vec::new())
        };
        let entered = entry.make(&home.context).await;
        assert_eq!(entered, Err(ErrorCode::Unreachable), "it is not there");
        assert_eq!(foreign_sets(&home.context), Ok(vec![set]));
        let known = foreign_certificates(&home.context).expect("read");
        let known = known.iter().map(|it| (it.device, it.issued_at));
        assert_eq!(known.collect::<Vec<_>>(), [(old.device(), since)]);
        let known = home.context.catalogue.supplier(supplier).expect("read");
        assert!(known.is_some_and(|supplier| supplier.friend));
    }
}
