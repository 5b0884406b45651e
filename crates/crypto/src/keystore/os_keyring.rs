//! The keyring of the operating system: one random key for each home.
//!
//! It never makes a key where it could not first see that there is none, and never
//! overwrites one.

use keyring::{Entry, Error};
use zeroize::Zeroizing;

use super::error::KeystoreError;
use crate::derive::Secret;
use crate::random::random;

/// Under what name the keyring shows our entries.
const SERVICE: &str = "BitDust home key";

/// The place of a home's key in the keyring.
pub(super) fn entry(home_label: &str) -> Result<Entry, KeystoreError> {
    if let Err(error) = Entry::store_status() {
        return Err(missing(error));
    }
    Entry::new(SERVICE, home_label).map_err(|error| missing(&error))
}

/// The key that is there, or else a new one that is stored and read back.
pub(super) fn key_for_sealing(entry: &Entry, home_label: &str) -> Result<Secret, KeystoreError> {
    match read(entry, home_label) {
        Ok(key) => return Ok(key),
        Err(KeystoreError::KeyringEntryMissing { .. }) => {}
        Err(error) => return Err(error),
    }
    let key = Secret::new(random());
    entry
        .set_secret(key.as_slice())
        .map_err(|error| missing(&error))?;
    if *read(entry, home_label)? != *key {
        return Err(missing(&"it did not keep what it was given"));
    }
    Ok(key)
}

/// The key that is there.
pub(super) fn key_for_opening(entry: &Entry, home_label: &str) -> Result<Secret, KeystoreError> {
    read(entry, home_label)
}

fn read(entry: &Entry, home_label: &str) -> Result<Secret, KeystoreError> {
    let secret = match entry.get_secret() {
        Ok(secret) => Zeroizing::new(secret),
        Err(Error::NoEntry) => {
            return Err(KeystoreError::KeyringEntryMissing {
                home_label: home_label.to_owned(),
            });
        }
        Err(error) => return Err(missing(&error)),
    };
    let Ok(key) = <[u8; 32]>::try_from(secret.as_slice()) else {
        return Err(KeystoreError::KeyringKeyWrong {
            home_label: home_label.to_owned(),
        });
    };
    Ok(Secret::new(key))
}

fn missing(reason: &dyn std::fmt::Display) -> KeystoreError {
    KeystoreError::KeyringMissing {
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fields, Lock, open, parse, seal};
    use super::*;
    use crate::home_secrets::HomeSecrets;
    use crate::identity::{DeviceKeys, RootSecrets};
    use crate::phrase::Phrase;
    use bitdust_model::{Epoch, UnixMillis};
    use keyring_core::api::CredentialStoreApi;

    #[test]
    fn a_keyring_keeps_one_key_for_a_home_and_opens_what_it_sealed() {
        let store = keyring_core::mock::Store::new().expect("the mock store starts");
        let entry = mock_entry(&store, "home");
        let first = key_for_sealing(&entry, "home").expect("a key is made");
        let home = home();
        let sealed = seal(
            &home,
            &Lock {
                fields: Fields::Keyring,
                key: first.clone(),
            },
        )
        .expect("the home is sealed");

        let again = key_for_sealing(&entry, "home").expect("the key is there");
        let found = key_for_opening(&entry, "home").expect("the key is there");

        assert_eq!(
            *again, *first,
            "sealing again must not lock out the file before"
        );
        let parsed = parse(&sealed).expect("a key file");
        let opened = open(&parsed, &found, KeystoreError::Damaged).expect("the home opens");
        assert_eq!(opened.device.device(), home.device.device());
    }

    #[test]
    fn a_keyring_without_the_key_is_told_from_one_with_a_wrong_key() {
        let store = keyring_core::mock::Store::new().expect("the mock store starts");
        let missing = key_for_opening(&mock_entry(&store, "other"), "other");
        assert!(matches!(
            missing,
            Err(KeystoreError::KeyringEntryMissing { home_label }) if home_label == "other"
        ));

        let short = mock_entry(&store, "short");
        short.set_secret(&[1; 31]).expect("the mock takes it");
        let wrong = key_for_opening(&short, "short");
        assert!(matches!(wrong, Err(KeystoreError::KeyringKeyWrong { .. })));
        let sealing = key_for_sealing(&short, "short");
        assert!(
            matches!(sealing, Err(KeystoreError::KeyringKeyWrong { .. })),
            "a secret that is not ours is never overwritten"
        );
    }

    #[test]
    fn a_locked_keyring_is_missing_and_makes_no_key() {
        let store = keyring_core::mock::Store::new().expect("the mock store starts");
        let entry = mock_entry(&store, "locked");
        let credential: &keyring_core::mock::Cred = entry
            .inner
            .as_any()
            .downcast_ref()
            .expect("a mock credential");
        credential.set_error(Error::NoStorageAccess("locked".into()));

        let refused = key_for_sealing(&entry, "locked");

        assert!(matches!(refused, Err(KeystoreError::KeyringMissing { .. })));
        assert!(matches!(entry.get_secret(), Err(Error::NoEntry)));
    }

    fn mock_entry(store: &keyring_core::mock::Store, label: &str) -> Entry {
        let inner = store
            .build("test", label, None)
            .expect("the mock builds any entry");
        Entry { inner }
    }

    fn home() -> HomeSecrets {
        let root = RootSecrets::from_phrase(&Phrase::generate());
        let device = DeviceKeys::generate();
        let certificate = root.certify(&device, Epoch(0), "", UnixMillis(1));
        HomeSecrets::of(&root, device, certificate, Epoch(0)).expect("a matching certificate")
    }
}
