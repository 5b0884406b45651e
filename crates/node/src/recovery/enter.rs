//! A recovered device takes over what the identity has, and is entered into its root record.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::debug;

use bitdust_crypto::RootSecrets;
use bitdust_model::HeadRef;
use bitdust_model::head::HeadBundle;
use bitdust_model::intervals::RECORDS_PATIENCE;
use bitdust_model::locator::{ClosedLane, Fence, RootRecord};
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, Signed, encode, limits};
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::Introduction;

use crate::restore::versions::newest_of_each;
use crate::shared::context::{Context, wall_clock};
use crate::shared::foreign_lanes::{FOREIGN_LANES_KEY, ForeignLanes};
use crate::shared::records;
use crate::shared::recovery_found::{NewestFound, Recovered};
use crate::shared::task::blocking;

/// What a device is entered with.
pub(super) struct Entry {
    pub(super) root: Arc<RootSecrets>,
    pub(super) record: RootRecord,
    pub(super) old_machine_gone: bool,
    /// The heads that are known of the lanes.
    pub(super) heads: Vec<HeadBundle>,
    /// Where the lanes end if the old machines are gone.
    pub(super) ends: BTreeMap<DeviceId, HeadRef>,
    pub(super) suppliers: Vec<Introduction>,
    /// What the person is called from now on; empty: as before.
    pub(super) nickname: String,
    /// What people are told of versions.
    pub(super) newest: NewestFound,
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
        blocking(move || {
            catalogue.set_meta(FOREIGN_LANES_KEY, &encode(&lanes))?;
            suppliers
                .into_iter()
                .try_for_each(|supplier| catalogue.introduce_supplier(supplier))
        })
        .await?
        .map_err(|error: CatalogueError| error.code())?;
        let nickname = self.enter_device(context).await?;
        let worker = context.clone();
        let (snapshots, files) = blocking(move || count_versions(&worker)).await??;
        Ok(Recovered {
            identity: context.identity.to_hex(),
            nickname,
            device: context.device.to_hex(),
            newest: self.newest,
            snapshots,
            files,
        })
    }

    /// Enters this device into the root record, closes lanes of machines that are gone, and
    /// tells the network and the suppliers; gives the nickname.
    async fn enter_device(&self, context: &Context) -> Result<String, ErrorCode> {
        let mut record = self.record.clone();
        let mut fences = Vec::new();
        if self.old_machine_gone {
            for (&lane, &last) in &self.ends {
                close(&mut record, ClosedLane { lane, last });
                fences.push(self.root.fence(lane, last, wall_clock()));
            }
        }
        record.sequence = record.sequence.next();
        if !record.devices.contains(&context.device) {
            record.devices.push(context.device);
        }
        // No lane is ever dropped: later recoveries would find nothing of it.
        if record.devices.len() + record.fences.len() > limits::DEVICES_MAX {
            return Err(ErrorCode::TooMany);
        }
        if !self.nickname.is_empty() {
            record.nickname.clone_from(&self.nickname);
        }
        let kept = records::seal_root(&self.root, &context.network, &record)?;
        let catalogue = context.catalogue.clone();
        blocking(move || catalogue.set_metas(kept))
            .await?
            .map_err(|error| error.code())?;
        self.tell_network(context, &fences).await?;
        Ok(record.nickname)
    }

    /// Puts the new records into the DHT and gives them to suppliers, with the fences.
    async fn tell_network(
        &self,
        context: &Context,
        fences: &[Signed<Fence>],
    ) -> Result<(), ErrorCode> {
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
            .map(|device| {
                let bodies = fences
                    .iter()
                    .cloned()
                    .map(Body::FencePut)
                    .chain([Body::Deposit(located.clone())]);
                tell_supplier(context, device, bodies.collect())
            });
        // The suppliers keep the records and publish them; the DHT need not be waited for long.
        let put = located.iter().map(|record| async {
            let putting = context.net.put_record(record.clone());
            let put = tokio::time::timeout(RECORDS_PATIENCE, putting).await;
            if let Ok(Err(error)) = put {
                debug!(%error, "A record could not be put");
            }
        });
        futures::join!(
            futures::future::join_all(told),
            futures::future::join_all(put)
        );
        Ok(())
    }
}

/// Closes a lane in the root record. Of two ends of one lane the earlier counts, as at suppliers.
fn close(record: &mut RootRecord, closed: ClosedLane) {
    record.devices.retain(|device| *device != closed.lane);
    let known = record
        .fences
        .iter_mut()
        .find(|fence| fence.lane == closed.lane);
    match known {
        Some(known) if known.last.sequence > closed.last.sequence => *known = closed,
        Some(_) => {}
        None => record.fences.push(closed),
    }
}

/// All versions, and the files of the newest of each folder.
fn count_versions(context: &Context) -> Result<(u64, u64), ErrorCode> {
    let all = context.catalogue.snapshots(wall_clock());
    let all = all.map_err(|error| error.code())?.len() as u64;
    let newest = newest_of_each(context)?;
    Ok((all, newest.iter().map(|snapshot| snapshot.files).sum()))
}

async fn tell_supplier(context: &Context, device: DeviceId, bodies: Vec<Body>) {
    for body in bodies {
        if let Err(error) = context.net.request(device, body).await {
            debug!(%error, "A supplier was not told of this device");
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

    /// Enters the device of a home behind those that the root record has, with nobody around.
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
            old_machine_gone: false,
            heads: Vec::new(),
            ends: BTreeMap::new(),
            suppliers: Vec::new(),
            nickname: String::new(),
            newest: NewestFound::default(),
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
        let old = DeviceId([7; 32]);
        for (nickname, expected) in [("", "alice"), ("alice again", "alice again")] {
            let entry = Entry {
                nickname: nickname.to_owned(),
                ..entry(&home, vec![old])
            };
            let recovered = entry.make(&home.context).await.expect("entered");
            let expected = Recovered {
                identity: home.context.identity.to_hex(),
                nickname: expected.to_owned(),
                device: home.context.device.to_hex(),
                newest: NewestFound::default(),
                snapshots: 0,
                files: 0,
            };
            assert_eq!(recovered, expected);
        }
        let record = kept_root(&home);
        assert_eq!(record.sequence, Sequence(5), "it replaces the old one");
        assert_eq!(record.devices, [old, home.context.device]);
        assert_eq!(record.nickname, "alice again", "also for the next device");
    }

    #[tokio::test]
    async fn lanes_are_closed_only_where_the_old_machines_are_gone() {
        let home = TestHome::new().await;
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let last = |sequence| closed_lane(0, sequence).last;
        let ends = [(laptop.device(), last(9)), (desktop.device(), last(3))];
        let lanes = [
            (laptop.device(), Sequence(9)),
            (desktop.device(), Sequence(3)),
        ];
        for (old_machine_gone, expected) in [(false, &lanes[..0]), (true, &lanes[..])] {
            let entry = Entry {
                old_machine_gone,
                ends: ends.into(),
                ..entry(&home, vec![laptop.device()])
            };
            entry.make(&home.context).await.expect("entered");
            let record = kept_root(&home);
            let closed = closed(&record).into_iter().collect::<BTreeMap<_, _>>();
            let expected = expected.iter().copied().collect();
            assert_eq!(closed, expected, "{old_machine_gone}");
            let is_open = record.devices.contains(&laptop.device());
            assert_eq!(is_open, !old_machine_gone, "it is one or the other");
        }
    }

    /// One that is dropped could never be found by a recovery again.
    #[tokio::test]
    async fn no_device_and_no_fence_makes_room_for_another() {
        let home = TestHome::new().await;
        let device = |number: usize| DeviceId([u8::try_from(number).expect("few"); 32]);
        let devices: Vec<_> = (1..limits::DEVICES_MAX).map(device).collect();
        let last = entry(&home, devices.clone());
        assert!(last.make(&home.context).await.is_ok(), "as many as can be");
        let kept = kept_root(&home);
        assert_eq!(kept.devices.len(), limits::DEVICES_MAX);
        let mut beyond = entry(&home, devices);
        beyond.record.fences = vec![closed_lane(200, 1)];
        let refused = beyond.make(&home.context).await;
        assert_eq!(refused, Err(ErrorCode::TooMany));
        assert_eq!(kept_root(&home), kept, "nothing is signed");
    }

    #[test]
    fn of_two_ends_of_a_lane_the_earlier_counts() {
        let mut record = RootRecord {
            identity: IdentityId([1; 32]),
            epoch: Epoch(0),
            sequence: Sequence(1),
            nickname: String::new(),
            devices: vec![DeviceId([7; 32]), DeviceId([8; 32])],
            fences: Vec::new(),
        };
        for last in [5, 3, 9] {
            close(&mut record, closed_lane(7, last));
        }
        assert_eq!(record.fences, [closed_lane(7, 3)]);
        assert_eq!(record.devices, [DeviceId([8; 32])]);
    }

    #[tokio::test]
    async fn sets_and_suppliers_of_the_old_machines_are_taken_over() {
        let home = TestHome::new().await;
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
        entry.make(&home.context).await.expect("entered");
        assert_eq!(foreign_sets(&home.context), Ok(vec![set]));
        let known = foreign_certificates(&home.context).expect("read");
        let known = known.iter().map(|it| (it.device, it.issued_at));
        assert_eq!(known.collect::<Vec<_>>(), [(old.device(), since)]);
        let known = home.context.catalogue.supplier(supplier).expect("read");
        assert!(known.is_some_and(|supplier| supplier.friend));
    }
}
