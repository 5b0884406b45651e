//! The practice network: a customer and some suppliers on this computer, so that the whole
//! product can be felt without anybody else.
//!
//! All of it is real but for the distance: nodes with homes of their own that speak over the
//! loopback interface. Nothing in it is safe, as one disk holds all of it, and every screen
//! says so.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use bitdust_api::host::{PracticeSupplierView, PracticeView};
use bitdust_api::{Answer, ApiError, Call};
use bitdust_crypto::random;
use bitdust_model::intervals::PRACTICE_PATIENCE;
use bitdust_model::{DeviceId, ErrorCode};
use bitdust_store::{Home, HomePaths};

use crate::front::local::socket_path;
use crate::home::facade::{self, InitOptions};
use crate::home::node_client::NodeClient;
use crate::runtime::Stay;
use crate::runtime::start::{self, Running};
use crate::shared::config::Config;
use crate::shared::error::NodeError;
use crate::shared::settings::{Scope, Settings, Unlock};

/// People who keep data in the practice network.
const NAMES: [&str; 6] = ["Ada", "Ben", "Cleo", "Dora", "Emil", "Fay"];
/// The person who practises.
const OWN_NAME: &str = "Me";
/// What each supplier offers.
const OFFER: &str = "50000000000";

/// A practice network that runs.
pub(crate) struct Practice {
    dir: PathBuf,
    suppliers: Vec<Supplier>,
    customer: Running,
}

struct Supplier {
    device: DeviceId,
    home: PathBuf,
    running: Option<Running>,
}

/// Whether a practice network lies in this folder.
pub(crate) fn exists(dir: &Path) -> bool {
    HomePaths::new(dir.join("me")).has_keys()
}

/// Removes a practice network and all it stored.
pub(crate) fn forget(dir: &Path) -> Result<(), NodeError> {
    match std::fs::remove_dir_all(dir) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(NodeError::new(
            ErrorCode::DiskFailed,
            format!("{} cannot be removed: {error}", dir.display()),
        )),
    }
}

impl Practice {
    /// Starts the network, making it first where it is not there.
    pub(crate) async fn start(dir: &Path) -> Result<Self, NodeError> {
        let is_new = !exists(dir);
        let network = network_of(dir, is_new)?;
        let mut suppliers = Vec::new();
        let mut addresses: Vec<String> = Vec::new();
        for (number, name) in NAMES.iter().enumerate() {
            let home = dir.join(format!("supplier-{}", number + 1));
            let settings = settings(&home, &network, &addresses);
            ensure_home(&settings, name)?;
            let running = start::start(Home::open(&home)?, &settings, Stay::Long, None).await?;
            addresses.extend(running.addresses.first().cloned());
            suppliers.push(Supplier {
                device: running.device,
                home,
                running: Some(running),
            });
        }
        let own = settings(&dir.join("me"), &network, &addresses);
        ensure_home(&own, OWN_NAME)?;
        let customer = start::start(Home::open(&own.home)?, &own, Stay::Long, None).await?;
        let practice = Self {
            dir: dir.to_path_buf(),
            suppliers,
            customer,
        };
        if is_new {
            practice.make_friends().await?;
        }
        Ok(practice)
    }

    /// Where the customer's node serves.
    pub(crate) fn socket(&self) -> PathBuf {
        socket_path(&self.dir.join("me"))
    }

    /// What front ends show.
    pub(crate) fn view(&self) -> PracticeView {
        let suppliers = NAMES.iter().zip(&self.suppliers).zip(1..);
        PracticeView {
            suppliers: suppliers
                .map(|((name, supplier), number)| PracticeSupplierView {
                    number,
                    name: (*name).to_owned(),
                    device: supplier.device.to_hex(),
                    runs: supplier.running.is_some(),
                })
                .collect(),
        }
    }

    /// Takes a supplier away or brings it back.
    pub(crate) async fn set_running(&mut self, number: u8, runs: bool) -> Result<(), NodeError> {
        let network = network_of(&self.dir, false)?;
        let entries: Vec<String> = std::iter::once(&self.customer)
            .chain(self.suppliers.iter().filter_map(|it| it.running.as_ref()))
            .filter_map(|running| running.addresses.first().cloned())
            .collect();
        let index = usize::from(number).checked_sub(1);
        let Some(supplier) = index.and_then(|index| self.suppliers.get_mut(index)) else {
            let message = format!("there is no supplier {number} in the practice network");
            return Err(NodeError::new(ErrorCode::NotFound, message));
        };
        match (supplier.running.take(), runs) {
            (Some(running), false) => running.close().await,
            (None, true) => {
                let settings = settings(&supplier.home, &network, &entries);
                let home = Home::open(&supplier.home)?;
                supplier.running = Some(start::start(home, &settings, Stay::Long, None).await?);
                Ok(())
            }
            (before, _) => {
                supplier.running = before;
                Ok(())
            }
        }
    }

    /// Ends all nodes in order.
    pub(crate) async fn close(self) -> Result<(), NodeError> {
        let mut ended = self.customer.close().await;
        for supplier in self.suppliers {
            if let Some(running) = supplier.running {
                let closed = running.close().await;
                ended = ended.and(closed);
            }
        }
        ended
    }

    /// Every supplier invites, the customer accepts.
    async fn make_friends(&self) -> Result<(), NodeError> {
        let own = client(&self.dir.join("me")).await?;
        for supplier in &self.suppliers {
            let other = client(&supplier.home).await?;
            let Answer::Invitation(code) = other.call(Call::Invite).await? else {
                return Err(odd());
            };
            own.call(Call::Accept { code }).await?;
        }
        Ok(())
    }
}

/// A client whose events nobody hears: the channel is closed at once, and they are dropped.
async fn client(home: &Path) -> Result<NodeClient, NodeError> {
    let (events, mut heard) = mpsc::channel(1);
    let client = NodeClient::open(&socket_path(home), PRACTICE_PATIENCE, events).await?;
    // Ends when the client does.
    tokio::spawn(async move { while heard.recv().await.is_some() {} });
    Ok(client)
}

fn odd() -> NodeError {
    ApiError::new(ErrorCode::Internal, "an answer was not what was asked for").into()
}

fn settings(home: &Path, network: &str, bootstrap: &[String]) -> Settings {
    Settings {
        home: home.to_path_buf(),
        network: Some(network.to_owned()),
        scope: Some(Scope::Loopback),
        listen: Vec::new(),
        bootstrap: bootstrap.to_vec(),
        external: Vec::new(),
        unlock: Unlock::None,
        trace: None,
    }
}

/// The network's name: random, so that no two practice networks ever meet.
fn network_of(dir: &Path, is_new: bool) -> Result<String, NodeError> {
    if !is_new {
        return Ok(Config::load(&HomePaths::new(dir.join("me")))?.network);
    }
    let name: [u8; 4] = random();
    Ok(format!("practice-{:08x}", u32::from_be_bytes(name)))
}

/// Makes an identity where there is none. Its keys rest in a plain file: it guards nothing.
fn ensure_home(settings: &Settings, name: &str) -> Result<(), NodeError> {
    let paths = Home::open(&settings.home)?.paths().clone();
    if paths.has_keys() {
        return Ok(());
    }
    let options = InitOptions {
        nickname: name.to_owned(),
        guard: "file".to_owned(),
    };
    facade::init(settings, &options)?;
    let mut config = Config::load(&paths)?;
    config.set("policy.watch_still", "3000")?;
    if name == OWN_NAME {
        config.set("phrase_confirmed", "true")?;
        config.set("contract", "10000000000")?;
    } else {
        config.set("offer", OFFER)?;
    }
    config.save(&paths)
}
