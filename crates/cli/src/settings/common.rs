//! The flags that every command takes: which home is opened, with what, and in which network.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bitdust_model::limits;
use bitdust_node::{Scope, Settings, Unlock};

use super::paths::absolute;
use crate::args::{CommonArguments, ScopeArgument};
use crate::escape::escaped_bytes;
use crate::failure::Failure;

/// As the node's configuration has it.
const NETWORK_NAME_BYTES_MAX: usize = 32;

/// Checks the flags that every command takes.
pub(super) fn check_common(common: CommonArguments) -> Result<Settings, Failure> {
    let home = match &common.home {
        Some(home) if home.as_os_str().is_empty() => {
            return Err(Failure::usage("--home needs a folder."));
        }
        Some(home) => absolute(home)?,
        None => default_home()?,
    };
    if let Some(network) = &common.network {
        check_network(network)?;
    }
    for (flag, addresses) in [
        ("--listen", &common.listen),
        ("--bootstrap", &common.bootstrap),
        ("--external", &common.external),
    ] {
        check_addresses(flag, addresses)?;
    }
    let unlock = match &common.passphrase_file {
        Some(file) => Unlock::Passphrase(read_passphrase(file)?),
        None => Unlock::None,
    };
    let trace = common.trace.as_deref().map(absolute).transpose()?;
    let scope = common.scope.map(|scope| match scope {
        ScopeArgument::Internet => Scope::Internet,
        ScopeArgument::Lan => Scope::Lan,
        ScopeArgument::Loopback => Scope::Loopback,
    });
    Ok(Settings {
        home,
        network: common.network,
        scope,
        listen: common.listen,
        bootstrap: common.bootstrap,
        external: common.external,
        unlock,
        trace,
    })
}

/// The demo makes homes and a network of its own; a flag that it would ignore is refused.
pub(super) fn refuse_network_flags(common: &CommonArguments) -> Result<(), Failure> {
    let given = [
        ("--network", common.network.is_some()),
        ("--scope", common.scope.is_some()),
        ("--listen", !common.listen.is_empty()),
        ("--bootstrap", !common.bootstrap.is_empty()),
        ("--external", !common.external.is_empty()),
        ("--passphrase-file", common.passphrase_file.is_some()),
        ("--trace", common.trace.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(Failure::usage(format!(
            "The demo makes homes and a network of its own and cannot take {flag}. Leave it out."
        ))),
        None => Ok(()),
    }
}

fn default_home() -> Result<PathBuf, Failure> {
    Settings::default_home().ok_or_else(|| {
        Failure::usage(
            "This system names no folder for the program's data. Choose one with --home DIR.",
        )
    })
}

fn check_network(name: &str) -> Result<(), Failure> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.is_empty() && name.len() <= NETWORK_NAME_BYTES_MAX && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{name:?} is no name of a network: 1 to {NETWORK_NAME_BYTES_MAX} of a-z, 0-9 and -."
    )))
}

fn check_addresses(flag: &str, addresses: &[String]) -> Result<(), Failure> {
    if addresses.len() > limits::ADDRESSES_MAX {
        return Err(Failure::usage(format!(
            "{flag} may be given {} times at most.",
            limits::ADDRESSES_MAX
        )));
    }
    for address in addresses {
        let is_shaped =
            address.starts_with('/') && address.len() > 1 && !address.contains(char::is_whitespace);
        if !is_shaped || address.len() > limits::ADDRESS_BYTES_MAX {
            return Err(Failure::usage(format!(
                "{address:?} is no address for {flag}: write it like /ip4/192.0.2.7/tcp/4001."
            )));
        }
    }
    Ok(())
}

fn read_passphrase(file: &Path) -> Result<String, Failure> {
    let shown = escaped_bytes(file.as_os_str().as_encoded_bytes());
    let failed = |error| {
        Failure::io(
            &format!("The passphrase file {shown} cannot be read"),
            &error,
        )
    };
    let limit = u64::try_from(limits::PASSPHRASE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut text = String::new();
    std::fs::File::open(file)
        .map_err(failed)?
        .take(limit + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() > limits::PASSPHRASE_BYTES_MAX {
        return Err(Failure::usage(format!(
            "The passphrase file {shown} has more than {} bytes.",
            limits::PASSPHRASE_BYTES_MAX
        )));
    }
    let passphrase = text.lines().next().unwrap_or_default();
    if passphrase.is_empty() {
        return Err(Failure::usage(format!(
            "The passphrase file {shown} has no first line. Write the passphrase there."
        )));
    }
    Ok(passphrase.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_file_gives_its_first_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("passphrase");
        std::fs::write(&file, "correct horse \r\nrest\n").expect("the disk works");
        assert_eq!(
            read_passphrase(&file).expect("there is one"),
            "correct horse "
        );
        std::fs::write(&file, "\nsecond\n").expect("the disk works");
        assert!(read_passphrase(&file).is_err());
        std::fs::write(&file, "x".repeat(limits::PASSPHRASE_BYTES_MAX + 1))
            .expect("the disk works");
        assert!(read_passphrase(&file).is_err());
    }
}
