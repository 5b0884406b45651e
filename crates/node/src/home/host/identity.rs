//! An identity made, confirmed by its words, or recovered, for a window.

use bitdust_api::host::{CreatedView, GuardChoice, RecoverAs, RecoveredView};
use bitdust_api::view::JobPhase;
use bitdust_api::{ApiError, Call, HostAnswer, HostState};
use bitdust_crypto::invitation;
use bitdust_model::{ErrorCode, IdentityId};

use super::{Actor, HostReply, Request};
use crate::home::facade::{self, InitOptions, RecoverOptions};
use crate::shared::recovery_found::Recovered;
use crate::shared::settings::{Settings, Unlock};

impl Actor {
    /// The keyword for `init` and `recover`; a passphrase unlocks from now on.
    fn choose(&mut self, guard: &GuardChoice) -> String {
        match guard {
            GuardChoice::Keyring => "keyring".to_owned(),
            GuardChoice::Passphrase { passphrase } => {
                self.settings.unlock = Unlock::Passphrase(passphrase.clone());
                "passphrase".to_owned()
            }
            GuardChoice::File => "file".to_owned(),
        }
    }

    /// Compares words typed with those that were shown. Right ones are remembered, and the
    /// phrase is forgotten.
    pub(super) async fn confirm(&mut self, typed: &[(u8, String)]) -> Result<HostAnswer, ApiError> {
        let Some(created) = &self.created else {
            let message = "the words are not kept; type all 24 to check them";
            return Err(ApiError::new(ErrorCode::NotFound, message));
        };
        let is_right = !typed.is_empty()
            && typed.iter().all(|(place, word)| {
                let index = usize::from(*place).checked_sub(1);
                let shown = index.and_then(|index| created.words.get(index));
                shown.is_some_and(|shown| shown == &word.trim().to_lowercase())
            });
        if is_right {
            if let Some(opened) = &self.opened {
                let call = Call::SettingsSet {
                    key: "phrase_confirmed".to_owned(),
                    value: "true".to_owned(),
                };
                opened.client.client.call(call).await?;
            }
            self.created = None;
        }
        Ok(HostAnswer::WordsAreRight(is_right))
    }

    pub(super) async fn create(
        &mut self,
        nickname: &str,
        guard: &GuardChoice,
    ) -> Result<HostAnswer, ApiError> {
        if !matches!(self.state, HostState::Absent) {
            let message = "there is an identity in this home already; nothing was changed";
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        let options = InitOptions {
            nickname: nickname.trim().to_owned(),
            guard: self.choose(guard),
        };
        if options.nickname.is_empty() {
            let message = "a nickname is needed; nothing was made";
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        }
        let settings = self.settings.clone();
        let made = crate::shared::task::blocking(move || facade::init(&settings, &options)).await;
        let made =
            made.map_err(|code| ApiError::new(code, crate::shared::words::failure(code)))??;
        let view = CreatedView {
            words: made.words.clone(),
            identity: made.identity.clone(),
            fingerprint: fingerprint(&made.identity),
        };
        self.created = Some(made);
        self.open_home().await;
        Ok(HostAnswer::Created(view))
    }

    /// Runs beside the actor, so that its progress can be shown.
    pub(super) fn begin_recovery(
        &mut self,
        phrase: String,
        way_in: &str,
        recover_as: RecoverAs,
        guard: &GuardChoice,
        reply: HostReply,
    ) {
        if !matches!(self.state, HostState::Absent) {
            let message = "there is an identity in this home already; nothing was changed";
            return drop(reply.send(Err(ApiError::new(ErrorCode::BadRequest, message))));
        }
        let guard = self.choose(guard);
        let mut settings = self.settings.clone();
        if let Err(error) = enter_by(&mut settings, way_in) {
            return drop(reply.send(Err(error)));
        }
        let options = RecoverOptions {
            phrase,
            guard,
            recover_as,
        };
        self.enter(HostState::Recovering {
            phase: JobPhase::Seeking,
        });
        let requests = self.requests.clone();
        tokio::spawn(async move {
            let teller = requests.clone();
            let progress = move |phase, _: &str| {
                // A phase that finds the queue full is followed by another.
                let _told = teller.try_send(Request::Phase { phase });
            };
            let found = facade::recover(&settings, &options, progress).await;
            let result = found.map(recovered_view).map_err(ApiError::from);
            let request = Request::Recovered {
                result: Box::new(result),
                reply,
            };
            // An actor that has ended answers nobody.
            drop(requests.send(request).await);
        });
    }

    pub(super) async fn recovered(
        &mut self,
        result: Result<RecoveredView, ApiError>,
        reply: HostReply,
    ) {
        // One that failed when it was done leaves a home all the same.
        self.open_home().await;
        drop(reply.send(result.map(HostAnswer::Recovered)));
    }
}

/// A way into the network: an address, or an invitation, which brings its network along.
fn enter_by(settings: &mut Settings, way_in: &str) -> Result<(), ApiError> {
    let way_in = way_in.trim();
    if way_in.is_empty() && !settings.bootstrap.is_empty() {
        return Ok(());
    }
    if way_in.starts_with('/') {
        settings.bootstrap = vec![way_in.to_owned()];
        return Ok(());
    }
    let found = invitation::from_text(way_in).map_err(|error| {
        let message = format!(
            "this is neither an address (like /ip4/192.0.2.7/tcp/4001) nor an invitation: {error}; \
             nothing was changed"
        );
        ApiError::new(ErrorCode::BadRequest, message)
    })?;
    settings.bootstrap = found.contact.addresses;
    settings.network = Some(found.network);
    Ok(())
}

fn recovered_view(found: Recovered) -> RecoveredView {
    let newest = found.newest;
    RecoveredView {
        identity: found.identity,
        nickname: found.nickname,
        is_restore_only: found.is_restore_only,
        newest: newest.newest,
        number: newest.number,
        confirmed: newest.confirmed,
        of: newest.of,
        newer: newest.newer,
        unread: newest.unread,
        index_missing: newest.index_missing,
        older_missing: newest.older_missing,
        is_sure: newest.is_sure,
        snapshots: found.snapshots,
        files: found.files,
        folders: found.folders,
    }
}

fn fingerprint(identity: &str) -> String {
    let parsed = identity.parse::<IdentityId>();
    parsed.map_or_else(|_| identity.to_owned(), |id| id.fingerprint())
}
