//! Which of our crates may use which crates of others.
//!
//! A cipher, the network library or the database in one place only: that is what
//! makes each of them replaceable and reviewable.

use crate::workspace::Package;

/// Crates of others with the crates of ours that may name them. A star at the end of
/// a name stands for anything.
const OWNED: [(&[&str], &[&str]); 9] = [
    (&["libp2p*", "futures-rustls", "yamux"], &["net"]),
    (&["rusqlite", "libsqlite3-sys"], &["store"]),
    (
        &[
            "aes",
            "aes-gcm",
            "argon2",
            "aws-lc-rs",
            "bip39",
            "curve25519-dalek",
            "ed25519-dalek",
            "hkdf",
            "keyring*",
            "ring",
            "sha2",
            "x25519-dalek",
        ],
        &["crypto"],
    ),
    (&["fastcdc", "reed-solomon-*", "zstd*"], &["pipeline"]),
    (&["blake3"], &["crypto", "pipeline", "store"]),
    (&["bao-tree"], &["pipeline", "store"]),
    (&["ignore", "notify*"], &["source"]),
    (&["tokio*"], &["net", "node", "cli", "desktop"]),
    (&["clap*", "indicatif"], &["cli"]),
];

/// Uses of owned crates by packages that do not own them.
#[must_use]
pub fn strangers(packages: &[Package]) -> Vec<String> {
    let mut offences = Vec::new();
    for package in packages.iter().filter(|package| !package.is_test_suite()) {
        let short = package
            .name
            .strip_prefix("bitdust-")
            .unwrap_or(&package.name);
        for dependency in &package.dependencies {
            let owned = OWNED
                .iter()
                .find(|(names, _)| names.iter().any(|n| is_named(n, dependency)));
            if let Some((_, owners)) = owned
                && !owners.contains(&short)
            {
                let owners = owners.join(", ");
                offences.push(format!(
                    "{} uses {dependency}, which belongs to {owners}",
                    package.name
                ));
            }
        }
    }
    offences
}

fn is_named(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assert_clean, workspace};

    #[test]
    fn owned_crates_stay_with_their_owners() {
        assert_clean(
            "owners of foreign crates",
            &strangers(&workspace::real_ours()),
        );
    }

    #[test]
    fn a_foreign_crate_in_the_wrong_place_is_caught() {
        check("engine", &["serde", "postcard"], 0);
        check("pipeline", &["zstd", "blake3", "bao-tree"], 0);
        check("engine", &["tokio"], 1);
        check("node", &["libp2p-kad", "tokio-util", "rusqlite"], 2);
        check("source", &["blake3", "sha2", "notify-debouncer-full"], 2);
        let suite = Package::ours("bitdust-e2e-tests", "tests/e2e", &["libp2p", "rusqlite"]);
        assert!(
            strangers(&[suite]).is_empty(),
            "test suites may use anything"
        );
    }

    fn check(short: &str, dependencies: &[&str], expected: usize) {
        let folder = format!("crates/{short}");
        let package = Package::ours(&format!("bitdust-{short}"), &folder, dependencies);
        let offences = strangers(&[package]);
        assert_eq!(offences.len(), expected, "{offences:?}");
    }
}
