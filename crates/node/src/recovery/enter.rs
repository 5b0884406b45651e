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
        let nickname = if self.nickname.is_empty() {
            record.nickname.clone()
        } else {
            self.nickname.clone()
        };
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
        Ok(nickname)
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
