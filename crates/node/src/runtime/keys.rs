//! What guards the keys of a home, and the keys themselves.

use bitdust_crypto::{GuardKind, HomeSecrets, KeyGuard, guard_of, open_home};
use bitdust_model::{ErrorCode, limits};
use bitdust_store::{Home, HomePaths};

use crate::shared::bounded::read_bounded;
use crate::shared::error::NodeError;
use crate::shared::settings::{Settings, Unlock};

/// Opens the keys as the home guards them.
pub(super) fn unlock(
    home: &Home,
    settings: &Settings,
) -> Result<(HomeSecrets, &'static str), NodeError> {
    let path = home.paths().keys();
    let bytes = read_bounded(&path, limits::KEY_FILE_BYTES_MAX).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            let folder = home.paths().dir().display().to_string();
            let message = format!(
                "there is no identity in {folder}; make one with `bitdust init` or bring one back \
                 with `bitdust recover`"
            );
            return NodeError::new(ErrorCode::NotFound, message);
        }
        let message = format!("{} cannot be read: {error}", path.display());
        NodeError::new(ErrorCode::DiskFailed, message)
    })?;
    let refused = |error: bitdust_crypto::KeystoreError| {
        NodeError::new(
            ErrorCode::NotAllowed,
            format!("the keys of this home cannot be opened: {error}"),
        )
    };
    let kind = guard_of(&bytes).map_err(refused)?;
    let label = keyring_label(home);
    let (guard, name) = match (kind, &settings.unlock) {
        (GuardKind::File, _) => (KeyGuard::File, "file"),
        (GuardKind::Keyring, _) => (KeyGuard::Keyring { home_label: &label }, "keyring"),
        (GuardKind::Passphrase, Unlock::Passphrase(passphrase)) => {
            (KeyGuard::Passphrase(passphrase), "passphrase")
        }
        (GuardKind::Passphrase, Unlock::None) => {
            return Err(NodeError::new(
                ErrorCode::NotAllowed,
                "this home is locked with a passphrase; give it with --passphrase-file",
            ));
        }
    };
    Ok((open_home(&bytes, guard).map_err(refused)?, name))
}

/// Whether a home is locked with a passphrase that has to be given.
pub(crate) fn is_locked(paths: &HomePaths) -> bool {
    let bytes = std::fs::read(paths.keys());
    let guard = bytes.ok().and_then(|bytes| guard_of(&bytes).ok());
    guard == Some(GuardKind::Passphrase)
}

/// What tells this home from others in the keyring.
pub(crate) fn keyring_label(home: &Home) -> String {
    home.paths().dir().display().to_string()
}
