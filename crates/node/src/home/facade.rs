//! What front ends enter by: make a home, recover one, hold or join one.

use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use bitdust_api::host::RecoverAs;
use bitdust_api::view::JobPhase;
use bitdust_api::{Answer, ApiError, Call, Event};
use bitdust_crypto::{DeviceKeys, HomeSecrets, KeyGuard, Phrase, RootSecrets, seal_home};
use bitdust_model::intervals::JOIN_PATIENCE;
use bitdust_model::{DeviceId, Epoch, ErrorCode};
use bitdust_pipeline::pack::HEADER_BYTES;
use bitdust_store::{
    Catalogue, Home, HomeError, HomePaths, disk_error_code, remove_durably, write_durably,
};

use crate::front::local::{self, Client};
use crate::recovery::RecoveryStart;
use crate::recovery::root::first_root;
use crate::runtime::Stay;
use crate::runtime::keys;
use crate::runtime::start::{self, Running};
use crate::shared::config::Config;
use crate::shared::context::wall_clock;
use crate::shared::error::NodeError;
use crate::shared::records::{is_restore_only, seal_root};
use crate::shared::recovery_found::Recovered;
use crate::shared::settings::{Settings, Unlock};

/// How a new home is made.
#[derive(Debug, Clone)]
pub struct InitOptions {
    /// The nickname.
    pub nickname: String,
    /// `keyring`, `passphrase` (with [`crate::Unlock::Passphrase`]) or `file`.
    pub guard: String,
}

/// A home that was made.
#[derive(Debug, Clone)]
pub struct Initialised {
    /// The 24 words, shown once and never kept.
    pub words: Vec<String>,
    /// The identity in full.
    pub identity: String,
    /// The device in full.
    pub device: String,
}

/// How a home is recovered.
#[derive(Debug, Clone)]
pub struct RecoverOptions {
    /// The 24 words as they were typed.
    pub phrase: String,
    /// As in [`InitOptions`].
    pub guard: String,
    /// What this machine becomes.
    pub recover_as: RecoverAs,
}

/// Makes a new identity in a new home. Refuses a home that has one.
pub fn init(settings: &Settings, options: &InitOptions) -> Result<Initialised, NodeError> {
    let home = Home::open(&settings.home)?;
    let mut config = new_config(&home, settings, &options.guard)?;
    config.set("nickname", &options.nickname)?;
    config.set("phrase_confirmed", "false")?;
    let phrase = Phrase::generate();
    let root = RootSecrets::from_phrase(&phrase);
    let (guard, nickname) = (&options.guard, &options.nickname);
    let made = make_device(&home, settings, &config, &root, guard, nickname)?;
    Ok(Initialised {
        words: phrase.words().into_iter().map(str::to_owned).collect(),
        identity: root.identity().to_hex(),
        device: made.to_hex(),
    })
}

/// Recovers an identity into a new home from the phrase and one way into the network.
/// `progress` gets what is going on, also as a short phrase. A recovery that fails leaves no home.
pub async fn recover(
    settings: &Settings,
    options: &RecoverOptions,
    progress: impl Fn(JobPhase, &str) + Send,
) -> Result<Recovered, NodeError> {
    let begun = begin_recovery(settings, options).await?;
    progress(JobPhase::Seeking, "looking for your suppliers");
    let watcher = Client::join(&local::socket_path(&settings.home), JOIN_PATIENCE).await;
    end_recovery(begun, watcher, progress).await
}

/// A recovery under way, in a node of the new home.
struct BegunRecovery {
    paths: HomePaths,
    running: Running,
    result: oneshot::Receiver<Result<Recovered, NodeError>>,
}

async fn begin_recovery(
    settings: &Settings,
    options: &RecoverOptions,
) -> Result<BegunRecovery, NodeError> {
    let phrase = Phrase::parse(&options.phrase).map_err(|error| {
        NodeError::new(
            ErrorCode::BadRequest,
            format!("{error}; nothing was changed"),
        )
    })?;
    let home = Home::open(&settings.home)?;
    let mut config = Config::load(home.paths())?;
    config.apply(settings)?;
    if config.bootstrap.is_empty() {
        return Err(NodeError::new(
            ErrorCode::BadRequest,
            "a way into the network is needed: the address of any node of it, best of a friend who keeps your data \
             (--bootstrap ADDRESS); nothing was changed",
        ));
    }
    key_guard(&options.guard, &settings.unlock, "")?;
    give_up_reader(&home)?;
    let config = new_config(&home, settings, &options.guard)?;
    let root = RootSecrets::from_phrase(&phrase);
    let paths = home.paths().clone();
    write_durably(&paths.unfinished_recovery(), b"")
        .map_err(|error| not_written(&paths.unfinished_recovery(), &error))?;
    if let Err(error) = make_device(&home, settings, &config, &root, &options.guard, "") {
        return Err(forget(&home, error));
    }
    let (reply, result) = oneshot::channel();
    let start = RecoveryStart {
        root,
        recover_as: options.recover_as,
        paths: paths.clone(),
        reply,
    };
    match start::start(home, settings, Stay::Short, Some(start)).await {
        Ok(running) => Ok(BegunRecovery {
            paths,
            running,
            result,
        }),
        Err(error) => Err(begin_anew(&paths, error)),
    }
}

/// Follows a recovery to its end, and ends its node.
async fn end_recovery(
    begun: BegunRecovery,
    watcher: Result<Client, NodeError>,
    progress: impl Fn(JobPhase, &str) + Send,
) -> Result<Recovered, NodeError> {
    let BegunRecovery {
        paths,
        running,
        result,
    } = begun;
    let recovered = match watcher {
        Ok(watcher) => watch(watcher, result, progress).await,
        Err(error) => Err(error),
    };
    let closed = running.close().await;
    match recovered {
        Ok(recovered) => {
            closed?;
            Ok(recovered)
        }
        // Why it failed says more than how its node ended.
        Err(error) => Err(begin_anew(&paths, error)),
    }
}

/// After a recovery that failed its home is as before, unless it was done before it failed: then others know of
/// the machine, and the home is whole.
fn begin_anew(paths: &HomePaths, error: NodeError) -> NodeError {
    match Home::open(paths.dir()) {
        Ok(home) => forget(&home, error),
        // Somebody began anew meanwhile.
        Err(_) => error,
    }
}

/// Removes what a recovery made, where it is not done; gives why it failed, and what is there all the same.
fn forget(home: &Home, error: NodeError) -> NodeError {
    let message = match forget_unfinished(home) {
        Ok(()) if home.paths().has_keys() => {
            "this machine is one of yours all the same, and its home can be used".to_owned()
        }
        Ok(()) => return error,
        Err(left) => left.message,
    };
    NodeError::new(error.code, format!("{}; {message}", error.message))
}

/// Tells what is going on until the result is there.
async fn watch(
    mut watcher: Client,
    result: oneshot::Receiver<Result<Recovered, NodeError>>,
    progress: impl Fn(JobPhase, &str) + Send,
) -> Result<Recovered, NodeError> {
    let mut result = std::pin::pin!(result);
    let mut told = String::new();
    let recovered = loop {
        tokio::select! {
            recovered = &mut result => break recovered,
            event = watcher.event() => {
                if let Some(Event::Progress { phase, doing, .. }) = event
                    && phase != told
                {
                    progress(doing, &phase);
                    told = phase;
                }
            }
        }
    };
    recovered.unwrap_or_else(|_| {
        Err(NodeError::new(
            ErrorCode::Interrupted,
            "the recovery was interrupted; start it again",
        ))
    })
}

/// Holds the home until a signal or `Call::Shutdown`. `ready` is called with the addresses
/// once the node listens and serves the local socket.
pub async fn daemon(
    settings: &Settings,
    ready: impl FnOnce(&[String]) + Send,
) -> Result<(), NodeError> {
    let home = Home::open(&settings.home)?;
    let mut running = start::start(home, settings, Stay::Long, None).await?;
    ready(&running.addresses);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|error| {
        NodeError::new(
            ErrorCode::Internal,
            format!("signals cannot be heard: {error}"),
        )
    })?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        ended = &mut running.node => {
            return ended.map_err(|_| NodeError::new(ErrorCode::Internal, "the node ended in a defect; what was stored is safe"));
        }
    }
    running.close().await
}

/// A way to a node: one that runs in another process, or one held for this command alone.
pub struct Connection {
    client: Client,
    running: Option<Running>,
}

/// Joins the node that holds the home, or holds it for the duration of this connection.
pub async fn connect(settings: &Settings) -> Result<Connection, NodeError> {
    let socket = local::socket_path(&settings.home);
    let running = match Home::open(&settings.home) {
        Ok(home) => Some(start::start(home, settings, Stay::Short, None).await?),
        Err(error) if error.code() == ErrorCode::HomeHeld => None,
        Err(error) => return Err(error.into()),
    };
    let client = Client::join(&socket, JOIN_PATIENCE).await?;
    Ok(Connection { client, running })
}

impl Connection {
    /// Whether another process holds the home.
    #[must_use]
    pub const fn is_attached(&self) -> bool {
        self.running.is_none()
    }

    /// One call, one answer.
    pub async fn call(&mut self, call: Call) -> Result<Answer, ApiError> {
        self.client.call(call).await
    }

    /// The next event; `None` when the node is gone. May be dropped: nothing is lost.
    pub async fn event(&mut self) -> Option<Event> {
        self.client.event().await
    }

    /// Leaves; a node held for this connection is stopped in order.
    pub async fn close(self) -> Result<(), NodeError> {
        match self.running {
            Some(running) => running.close().await,
            None => Ok(()),
        }
    }
}

/// The configuration of a home that is about to get an identity. What a recovery left that was killed goes:
/// nobody was told of the machine that it made.
fn new_config(home: &Home, settings: &Settings, guard: &str) -> Result<Config, NodeError> {
    // Nothing is removed for what cannot be done.
    key_guard(guard, &settings.unlock, "")?;
    forget_unfinished(home)?;
    if home.paths().has_keys() {
        return Err(NodeError::new(
            ErrorCode::BadRequest,
            format!(
                "{} has an identity already; nothing was changed",
                home.paths().dir().display()
            ),
        ));
    }
    check_unused(home.paths())?;
    let mut config = Config::load(home.paths())?;
    config.apply(settings)?;
    Ok(config)
}

/// A catalogue whose keys are gone is of another machine: it is not gone on from, and not removed.
fn check_unused(paths: &HomePaths) -> Result<(), NodeError> {
    let path = paths.catalogue();
    if !path.exists() {
        return Ok(());
    }
    let catalogue = Catalogue::open(&path, header_bytes()?);
    if catalogue
        .and_then(|catalogue| catalogue.is_unused())
        .unwrap_or(false)
    {
        return Ok(());
    }
    let message = format!(
        "{} is there without its keys; nothing was changed. Choose another folder, or move this one aside",
        path.display()
    );
    Err(NodeError::new(ErrorCode::BadRequest, message))
}

fn header_bytes() -> Result<u32, NodeError> {
    u32::try_from(HEADER_BYTES)
        .map_err(|error| NodeError::new(ErrorCode::Internal, error.to_string()))
}

/// A machine that only restores has nothing that the words do not bring back: a recovery takes its place.
fn give_up_reader(home: &Home) -> Result<(), NodeError> {
    let paths = home.paths();
    if !paths.has_keys() || paths.is_recovery_unfinished() {
        return Ok(());
    }
    let catalogue = Catalogue::open(&paths.catalogue(), header_bytes()?);
    let is_reader = catalogue.and_then(|catalogue| is_restore_only(&catalogue));
    // Of one that cannot be read nothing is known.
    if !is_reader.unwrap_or(false) {
        return Ok(());
    }
    let mut config = Config::load(paths)?;
    config.set("nickname", "")?;
    config.save(paths)?;
    write_durably(&paths.unfinished_recovery(), b"")
        .map_err(|error| not_written(&paths.unfinished_recovery(), &error))
}

/// Makes keys and certificate of a new device, and keeps its settings. The keys come last: a home
/// with keys is whole.
fn make_device(
    home: &Home,
    settings: &Settings,
    config: &Config,
    root: &RootSecrets,
    guard: &str,
    nickname: &str,
) -> Result<DeviceId, NodeError> {
    let device = DeviceKeys::generate();
    let id = device.device();
    let epoch = Epoch(0);
    let certificate = root.certify(&device, epoch, nickname, wall_clock());
    let internal =
        |error: &dyn std::fmt::Display| NodeError::new(ErrorCode::Internal, error.to_string());
    let record = first_root(root, id, nickname);
    let kept = seal_root(root, &config.network, &record)
        .map_err(|code| NodeError::new(code, "the record is too long"))?;
    let secrets =
        HomeSecrets::of(root, device, certificate, epoch).map_err(|error| internal(&error))?;
    let label = keys::keyring_label(home);
    let guard = key_guard(guard, &settings.unlock, &label)?;
    let sealed = seal_home(&secrets, guard)
        .map_err(|error| NodeError::new(ErrorCode::NotAllowed, error.to_string()))?;
    let catalogue =
        Catalogue::open(&home.paths().catalogue(), header_bytes()?).map_err(|error| {
            NodeError::new(
                error.code(),
                format!("the catalogue cannot be made: {error}"),
            )
        })?;
    if !nickname.is_empty() {
        catalogue.set_metas(kept).map_err(|error| {
            NodeError::new(
                error.code(),
                format!("the catalogue cannot be written: {error}"),
            )
        })?;
    }
    config.save(home.paths())?;
    write_durably(&home.paths().keys(), &sealed)
        .map_err(|error| not_written(&home.paths().keys(), &error))?;
    Ok(id)
}

fn not_written(path: &Path, error: &std::io::Error) -> NodeError {
    let message = format!("{} cannot be written: {error}", path.display());
    NodeError::new(disk_error_code(error), message)
}

/// What a person chose to guard the keys with.
fn key_guard<'a>(
    name: &str,
    unlock: &'a Unlock,
    home_label: &'a str,
) -> Result<KeyGuard<'a>, NodeError> {
    let message = match (name, unlock) {
        ("file", _) => return Ok(KeyGuard::File),
        ("keyring", _) => return Ok(KeyGuard::Keyring { home_label }),
        ("passphrase", Unlock::Passphrase(passphrase)) => {
            return Ok(KeyGuard::Passphrase(passphrase));
        }
        ("passphrase", Unlock::None) => "give the passphrase with --passphrase-file".to_owned(),
        (other, _) => format!("keys can be kept in keyring, passphrase or file, not in {other:?}"),
    };
    Err(NodeError::new(ErrorCode::BadRequest, message))
}

/// Removes what a recovery made that failed or was killed, so that it can be tried again in the same home. The
/// file that says so goes last: as long as it is there nobody was told of the machine.
fn forget_unfinished(home: &Home) -> Result<(), NodeError> {
    let paths = home.paths();
    if !paths.is_recovery_unfinished() {
        return Ok(());
    }
    let database = paths.catalogue();
    let beside = |ending: &str| {
        let mut name = database.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    };
    for file in [
        paths.keys(),
        database.clone(),
        beside("-wal"),
        beside("-shm"),
        paths.unfinished_recovery(),
    ] {
        remove_durably(&file).map_err(|error| {
            let message = format!(
                "{}, which is left of a recovery that was broken off, cannot be removed: {error}. Remove it and try again",
                file.display()
            );
            NodeError::new(disk_error_code(&error), message)
        })?;
    }
    Ok(())
}

impl From<HomeError> for NodeError {
    fn from(error: HomeError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::shared::settings::Scope;

    fn settings(folder: &Path) -> Settings {
        Settings {
            network: Some("recovery-test".to_owned()),
            scope: Some(Scope::Loopback),
            bootstrap: vec!["/ip4/127.0.0.1/tcp/1".to_owned()],
            ..Settings::of_home(folder.join("home"))
        }
    }

    fn has_keys(settings: &Settings) -> bool {
        let home = Home::open(&settings.home).expect("nobody holds it");
        home.paths().has_keys()
    }

    #[tokio::test]
    async fn a_recovery_that_cannot_be_followed_may_be_tried_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        let options = RecoverOptions {
            phrase: Phrase::generate().words().join(" "),
            guard: "file".to_owned(),
            recover_as: RecoverAs::Another,
        };
        for attempt in 1..=2 {
            let begun = begin_recovery(&settings, &options).await;
            let begun = begun.unwrap_or_else(|error| panic!("{attempt}: {error}"));
            let silent = NodeError::new(ErrorCode::HomeHeld, "it does not answer");
            let ended = end_recovery(begun, Err(silent), |_, _| {}).await;
            let code = ended.err().map(|error| error.code);
            assert_eq!(code, Some(ErrorCode::HomeHeld));
            assert!(!has_keys(&settings), "{attempt}: a home is left");
        }
    }

    /// One that backs up is never given up for a recovery.
    #[test]
    fn a_home_that_only_restores_makes_way_for_a_recovery() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        let home = Home::open(&settings.home).expect("a home");
        let root = RootSecrets::from_phrase(&Phrase::generate());
        for (nickname, makes_way) in [("", true), ("Robin", false)] {
            let config = new_config(&home, &settings, "file").expect("settings");
            make_device(&home, &settings, &config, &root, "file", nickname).expect("made");
            give_up_reader(&home).expect("looked at");
            assert_eq!(home.paths().is_recovery_unfinished(), makes_way);
            let again = new_config(&home, &settings, "file");
            assert_eq!(again.is_ok(), makes_way);
            assert_eq!(home.paths().has_keys(), !makes_way);
        }
    }

    /// Of an identity whose words nobody has seen nothing may be left.
    #[test]
    fn settings_that_cannot_be_kept_leave_no_keys() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = settings(folder.path());
        let home = Home::open(&settings.home).expect("a home");
        let config = new_config(&home, &settings, "file").expect("settings");
        let in_the_way = home.paths().config();
        std::fs::create_dir(&in_the_way).expect("made");
        let root = RootSecrets::from_phrase(&Phrase::generate());
        let made = make_device(&home, &settings, &config, &root, "file", "Robin");
        assert!(made.is_err());
        assert!(!home.paths().has_keys());
        std::fs::remove_dir(&in_the_way).expect("removed");
        let made = make_device(&home, &settings, &config, &root, "file", "Robin");
        assert!(made.is_ok(), "it may be tried again: {made:?}");
    }
}
