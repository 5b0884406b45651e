//! Key files: each guard opens what it sealed, and nothing else.

use bitdust_crypto::{
    GuardKind, HomeSecrets, KeyGuard, KeystoreError, PassphraseCost, guard_of, open_home,
    seal_home, seal_home_at_cost, seal_to,
};
use bitdust_model::Epoch;
use bitdust_model::limits::{ARGON_MEMORY_KIB_MAX, KEY_FILE_BYTES_MAX};

use crate::world::Person;

const RIGHT: KeyGuard<'_> = KeyGuard::Passphrase("correct horse");
const WRONG: KeyGuard<'_> = KeyGuard::Passphrase("battery staple");
const KEYRING: KeyGuard<'_> = KeyGuard::Keyring {
    home_label: "a home of the tests",
};

#[test]
fn a_passphrase_opens_what_it_sealed() {
    let home = Person::new().home;
    let file = seal_cheaply(&home, RIGHT);
    assert_eq!(guard_of(&file).ok(), Some(GuardKind::Passphrase));
    check_same(
        &home,
        &open_home(&file, RIGHT).expect("the passphrase is right"),
    );
}

#[test]
fn the_standard_cost_is_what_homes_get() {
    let home = Person::new().home;
    let file = seal_home(&home, RIGHT).expect("64 MiB are free");
    let cost = [64 * 1024_u32, 3, 1].map(u32::to_le_bytes).concat();
    assert_eq!(&file[7..19], cost.as_slice());
    check_same(
        &home,
        &open_home(&file, RIGHT).expect("the passphrase is right"),
    );
}

#[test]
fn a_file_guard_needs_nothing_but_the_file() {
    let home = Person::new().home;
    let file = seal_cheaply(&home, KeyGuard::File);
    assert_eq!(guard_of(&file).ok(), Some(GuardKind::File));
    check_same(
        &home,
        &open_home(&file, KeyGuard::File).expect("the file is whole"),
    );
}

#[test]
fn a_wrong_passphrase_is_told_from_a_damaged_file() {
    let file = seal_cheaply(&Person::new().home, RIGHT);
    assert!(matches!(
        open_home(&file, WRONG),
        Err(KeystoreError::WrongPassphrase)
    ));
    let mut damaged = file;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    assert!(matches!(
        open_home(&damaged, RIGHT),
        Err(KeystoreError::Damaged)
    ));
}

#[test]
fn another_guard_than_the_files_is_refused_by_name() {
    let home = Person::new().home;
    let check = |sealing: KeyGuard<'_>, opening: KeyGuard<'_>, kind: GuardKind| {
        let file = seal_cheaply(&home, sealing);
        let refused = open_home(&file, opening);
        assert!(matches!(refused, Err(KeystoreError::OtherGuard { found }) if found == kind));
    };
    check(RIGHT, KeyGuard::File, GuardKind::Passphrase);
    check(RIGHT, KEYRING, GuardKind::Passphrase);
    check(KeyGuard::File, RIGHT, GuardKind::File);
    check(KeyGuard::File, KEYRING, GuardKind::File);
}

#[test]
fn a_change_of_any_byte_of_a_key_file_is_noticed() {
    let home = Person::new().home;
    for guard in [RIGHT, KeyGuard::File] {
        let file = seal_cheaply(&home, guard);
        for index in 0..file.len() {
            let mut altered = file.clone();
            altered[index] ^= 1;
            assert!(open_home(&altered, guard).is_err(), "byte {index}");
            mend_checksum(&mut altered);
            // Only the flips that leave the cost cheap are worth their time.
            if !(7..19).contains(&index) && index < file.len() - 16 {
                assert!(
                    open_home(&altered, guard).is_err(),
                    "byte {index}, checksum mended"
                );
            }
            assert!(open_home(&file[..index], guard).is_err(), "cut at {index}");
        }
    }
}

#[test]
fn a_file_that_asks_for_too_much_memory_is_refused() {
    let mut file = seal_cheaply(&Person::new().home, RIGHT);
    file[7..11].copy_from_slice(&(ARGON_MEMORY_KIB_MAX + 1).to_le_bytes());
    mend_checksum(&mut file);
    assert!(matches!(
        open_home(&file, RIGHT),
        Err(KeystoreError::Cost { .. })
    ));
    assert!(PassphraseCost::new(ARGON_MEMORY_KIB_MAX + 1, 1, 1).is_err());
    assert!(PassphraseCost::new(8, 1, 1).is_ok());
    assert!(PassphraseCost::new(8, 0, 1).is_err());
    assert!(
        PassphraseCost::new(8, 1, 2).is_err(),
        "eight KiB are for one lane"
    );
    assert!(PassphraseCost::new(8, u32::MAX, 1).is_err());
}

#[test]
fn passphrases_without_content_or_without_end_are_refused() {
    let home = Person::new().home;
    let check = |passphrase: &str| {
        let guard = KeyGuard::Passphrase(passphrase);
        let refused = seal_home_at_cost(&home, guard, PassphraseCost::CHEAPEST);
        assert!(matches!(
            refused,
            Err(KeystoreError::PassphraseLength { bytes }) if bytes == passphrase.len()
        ));
    };
    check("");
    check(&"a".repeat(1025));
}

#[test]
fn other_files_and_other_versions_are_told_apart() {
    let refused = guard_of(b"PK\x03\x04 something else");
    assert!(matches!(refused, Err(KeystoreError::NotAKeyFile)));
    let mut newer = seal_cheaply(&Person::new().home, RIGHT);
    newer[5] = 3;
    assert!(matches!(
        guard_of(&newer),
        Err(KeystoreError::Version { version: 3 })
    ));
    newer[5] = 1;
    assert!(matches!(
        guard_of(&newer),
        Err(KeystoreError::Unreleased { version: 1 })
    ));
    let giant = guard_of(&vec![0; KEY_FILE_BYTES_MAX + 1]);
    assert!(matches!(giant, Err(KeystoreError::TooLong { .. })));
}

#[cfg(target_os = "linux")]
#[test]
fn a_missing_keyring_is_an_error_and_nothing_takes_its_place() {
    // The keyring is chosen once in a process, so the check runs in one of its own, whose
    // session bus does not exist.
    let own = std::env::current_exe().expect("the path of this test");
    let output = std::process::Command::new(own)
        .args(["--ignored", "--exact", "keystore::without_a_session_bus"])
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .output()
        .expect("this test runs again");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "run by a_missing_keyring_is_an_error_and_nothing_takes_its_place"]
fn without_a_session_bus() {
    let home = Person::new().home;
    let error = seal_home(&home, KEYRING).expect_err("there is no keyring");
    let message = error.to_string();
    assert!(
        matches!(error, KeystoreError::KeyringMissing { .. }),
        "{message}"
    );
    assert!(message.contains("passphrase"), "{message}");
    assert!(message.contains("file"), "{message}");
}

fn seal_cheaply(home: &HomeSecrets, guard: KeyGuard<'_>) -> Vec<u8> {
    seal_home_at_cost(home, guard, PassphraseCost::CHEAPEST).expect("the home is sealed")
}

/// Makes the checksum of altered bytes right again, as an attacker would.
fn mend_checksum(file: &mut [u8]) {
    let (covered, checksum) = file.split_at_mut(file.len() - 16);
    checksum.copy_from_slice(&blake3::hash(covered).as_bytes()[..16]);
}

fn check_same(one: &HomeSecrets, other: &HomeSecrets) {
    assert_eq!(one.identity(), other.identity());
    assert_eq!(one.device.device(), other.device.device());
    assert_eq!(one.certificate, other.certificate);
    for epoch in [Epoch(0), Epoch(1)] {
        let name = |home: &HomeSecrets| {
            let secrets = home.epoch(epoch).expect("both have the epoch");
            (secrets.chunk_id(b"same"), secrets.gear_seed())
        };
        assert_eq!(name(one), name(other));
    }
    let slots = |home: &HomeSecrets| -> Vec<_> {
        let slots = home.root_slots.iter();
        slots.map(bitdust_crypto::RootSlot::dht_key).collect()
    };
    assert_eq!(slots(one), slots(other));
    let boxed = seal_to(&one.device.exchange_public(), b"to the device");
    assert!(other.open_sealed(&boxed).is_ok());
    let boxed = seal_to(&one.exchange_public(), b"to the identity");
    assert!(other.open_sealed(&boxed).is_ok());
}
