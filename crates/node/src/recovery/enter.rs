//! A recovered device takes over what the identity has, and is entered into its root record.

use std::sync::Arc;

use tracing::debug;

use bitdust_crypto::RootSecrets;
use bitdust_model::intervals::RECORDS_PATIENCE;
use bitdust_model::locator::{Fence, RootRecord};
use bitdust_model::manifest::HeadBundle;
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, Signed, UnixMillis, encode, limits};
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::Introduction;

use super::root::{FOREIGN_SETS_KEY, ForeignSets};
use crate::restore::versions::newest_of_each;
use crate::shared::context::{Context, wall_clock};
use crate::shared::records::{self, KeptRoot, ROOT_KEY};
use crate::shared::recovery_found::Recovered;
use crate::shared::task::blocking;

/// What a device is entered with.
pub(super) struct Entry {
    pub(super) root: Arc<RootSecrets>,
    pub(super) record: RootRecord,
    pub(super) old_machine_gone: bool,
    /// The heads that were taken over.
    pub(super) heads: Vec<HeadBundle>,
    pub(super) suppliers: Vec<Introduction>,
    /// What the person is called from now on; empty: as before.
    pub(super) nickname: String,
    /// When the newest head was written.
    pub(super) newest: Option<UnixMillis>,
    /// Suppliers that confirmed the heads.
    pub(super) confirmed: u32,
    /// Suppliers asked.
    pub(super) of: u32,
}

impl Entry {
    /// Takes over, enters, tells; gives what people are told in the end.
    pub(super) async fn make(self, context: &Context) -> Result<Recovered, ErrorCode> {
        let sets = self.heads.iter().flat_map(|bundle| &bundle.sets);
        let sets = ForeignSets {
            sets: sets.cloned().collect(),
        };
        let (catalogue, suppliers) = (context.catalogue.clone(), self.suppliers.clone());
        blocking(move || {
            catalogue.set_meta(FOREIGN_SETS_KEY, &encode(&sets))?;
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
            confirmed: self.confirmed,
            of: self.of,
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
            for bundle in &self.heads {
                let head =
                    bitdust_crypto::verify(&bundle.head).map_err(|_| ErrorCode::NotAuthentic)?;
                fences.push(self.root.fence(head.lane, head.sequence, wall_clock()));
            }
        }
        record.sequence = record.sequence.next();
        record.devices.push(context.secrets.certificate.clone());
        let excess = record.devices.len().saturating_sub(limits::DEVICES_MAX);
        record.devices.drain(..excess);
        record.fences.extend(fences.iter().cloned());
        let excess = record.fences.len().saturating_sub(limits::DEVICES_MAX);
        record.fences.drain(..excess);
        if !self.nickname.is_empty() {
            record.nickname.clone_from(&self.nickname);
        }
        let kept = KeptRoot {
            sequence: record.sequence,
            record: self.root.signing().sign(&record),
        };
        let catalogue = context.catalogue.clone();
        let bytes = encode(&kept);
        blocking(move || catalogue.set_meta(ROOT_KEY, &bytes))
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

/// All versions, and the files of the newest of each folder.
fn count_versions(context: &Context) -> Result<(u64, u64), ErrorCode> {
    let all = context.catalogue.snapshots();
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
    use bitdust_model::locator::Certificate;
    use bitdust_model::{Epoch, IdentityId, Sequence, decode};

    use super::*;
    use crate::recovery::root::foreign_sets;
    use crate::shared::testing::{TestHome, forged, head, set_record};

    const NOW: UnixMillis = UnixMillis(1);

    fn certified(home: &TestHome, device: &DeviceKeys) -> Signed<Certificate> {
        home.root.certify(device, Epoch(0), "", NOW)
    }

    /// The head of an old machine in its own lane.
    fn bundle(home: &TestHome, device: &DeviceKeys, sequence: u64) -> HeadBundle {
        let head = head(home.context.identity, device.device(), sequence);
        HeadBundle {
            head: device.signing().sign(&head),
            sets: Vec::new(),
        }
    }

    /// Enters the device of a home behind those that the root record has, with nobody around.
    fn entry(home: &TestHome, devices: Vec<Signed<Certificate>>) -> Entry {
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
            suppliers: Vec::new(),
            nickname: String::new(),
            newest: None,
            confirmed: 2,
            of: 3,
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
    fn closed(home: &TestHome, record: &RootRecord) -> Vec<(DeviceId, Sequence)> {
        let fences = record.fences.iter().map(|signed| {
            let fence = verify_by(signed, &home.context.identity.0).expect("the root key's");
            (fence.lane, fence.last)
        });
        fences.collect()
    }

    #[tokio::test]
    async fn a_device_is_entered_behind_those_that_were_there() {
        let home = TestHome::new().await;
        let old = certified(&home, &DeviceKeys::generate());
        for (nickname, expected) in [("", "alice"), ("alice again", "alice again")] {
            let entry = Entry {
                nickname: nickname.to_owned(),
                ..entry(&home, vec![old.clone()])
            };
            let recovered = entry.make(&home.context).await.expect("entered");
            let expected = Recovered {
                identity: home.context.identity.to_hex(),
                nickname: expected.to_owned(),
                device: home.context.device.to_hex(),
                newest: None,
                confirmed: 2,
                of: 3,
                snapshots: 0,
                files: 0,
            };
            assert_eq!(recovered, expected);
        }
        let record = kept_root(&home);
        assert_eq!(record.sequence, Sequence(5), "it replaces the old one");
        let own = home.context.secrets.certificate.clone();
        assert_eq!(record.devices, [old, own]);
        assert_eq!(record.nickname, "alice again", "also for the next device");
    }

    #[tokio::test]
    async fn lanes_are_closed_only_where_the_old_machines_are_gone() {
        let home = TestHome::new().await;
        let [laptop, desktop] = [(); 2].map(|()| DeviceKeys::generate());
        let heads = [bundle(&home, &laptop, 9), bundle(&home, &desktop, 3)];
        let lanes = [
            (laptop.device(), Sequence(9)),
            (desktop.device(), Sequence(3)),
        ];
        for (old_machine_gone, expected) in [(false, &lanes[..0]), (true, &lanes[..])] {
            let entry = Entry {
                old_machine_gone,
                heads: heads.to_vec(),
                ..entry(&home, vec![certified(&home, &laptop)])
            };
            entry.make(&home.context).await.expect("entered");
            let record = kept_root(&home);
            assert_eq!(closed(&home, &record), expected, "{old_machine_gone}");
        }
    }

    #[tokio::test]
    async fn the_oldest_devices_and_fences_make_room() {
        let home = TestHome::new().await;
        let certificates: Vec<_> = (0..limits::DEVICES_MAX)
            .map(|_| certified(&home, &DeviceKeys::generate()))
            .collect();
        let lanes: Vec<_> = (1..)
            .map(|lane| DeviceId([lane; 32]))
            .take(limits::DEVICES_MAX)
            .collect();
        let old = DeviceKeys::generate();
        let mut entry = Entry {
            old_machine_gone: true,
            heads: vec![bundle(&home, &old, 9)],
            ..entry(&home, certificates.clone())
        };
        let fences = lanes
            .iter()
            .map(|lane| home.root.fence(*lane, Sequence(1), NOW));
        entry.record.fences = fences.collect();
        entry.make(&home.context).await.expect("entered");
        let record = kept_root(&home);
        let (own, others) = record.devices.split_last().expect("its own at least");
        assert_eq!(*own, home.context.secrets.certificate);
        assert_eq!(others, &certificates[1..]);
        let closed = closed(&home, &record);
        let (newest, others) = closed.split_last().expect("the new one at least");
        assert_eq!(*newest, (old.device(), Sequence(9)));
        let others: Vec<_> = others.iter().map(|(lane, _)| *lane).collect();
        assert_eq!(others, lanes[1..]);
    }

    #[tokio::test]
    async fn sets_and_suppliers_of_the_old_machines_are_taken_over() {
        let home = TestHome::new().await;
        let old = DeviceKeys::generate();
        let set = set_record(home.context.identity, old.device(), 2);
        let head = HeadBundle {
            sets: vec![old.signing().sign(&set)],
            ..bundle(&home, &old, 1)
        };
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
        let known = home.context.catalogue.supplier(supplier).expect("read");
        assert!(known.is_some_and(|supplier| supplier.friend));
    }

    #[tokio::test]
    async fn a_forged_head_closes_no_lane() {
        let home = TestHome::new().await;
        let mut head = bundle(&home, &DeviceKeys::generate(), 1);
        head.head = forged(head.head);
        let entry = Entry {
            old_machine_gone: true,
            heads: vec![head],
            ..entry(&home, Vec::new())
        };
        let made = entry.make(&home.context).await;
        assert_eq!(made, Err(ErrorCode::NotAuthentic));
        let kept = home.context.catalogue.get_meta(ROOT_KEY).expect("read");
        assert_eq!(kept, None, "nothing is signed");
    }
}
