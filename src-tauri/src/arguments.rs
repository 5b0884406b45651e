//! What the program may be started with. People start it with nothing; the rest is for
//! autostart, for links, and for tests.

use std::ffi::OsString;
use std::path::PathBuf;

use bitdust_node::{Scope, Settings};

/// How links to invitations begin.
pub(crate) const LINK_SCHEME: &str = "bitdust:";

/// Checked arguments.
#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    /// The home and its network.
    pub(crate) settings: Settings,
    /// Start without showing the window.
    pub(crate) hidden: bool,
    /// Start, make one call, quit.
    pub(crate) smoke_test: bool,
    /// A link to an invitation that was opened.
    pub(crate) link: Option<String>,
}

impl Arguments {
    /// Reads arguments without the program's name.
    pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut home = std::env::var_os("BITDUST_HOME").map(PathBuf::from);
        let mut network = None;
        let mut scope = None;
        let mut bootstrap = Vec::new();
        let (mut hidden, mut smoke_test, mut link) = (false, false, None);
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let name = argument.to_string_lossy().into_owned();
                arguments.next().ok_or(format!("{name} needs a value."))
            };
            match argument.to_str() {
                Some("--hidden") => hidden = true,
                Some("--smoke-test") => smoke_test = true,
                Some("--home") => home = Some(PathBuf::from(value()?)),
                Some("--network") => network = Some(text(value()?)?),
                Some("--scope") => scope = Some(scope_of(&text(value()?)?)?),
                Some("--bootstrap") => bootstrap.push(text(value()?)?),
                Some(word) if word.starts_with(LINK_SCHEME) => link = Some(word.to_owned()),
                Some(_) | None => {
                    let shown = argument.to_string_lossy();
                    return Err(format!(
                        "{shown:?} is not understood. The window is started with nothing, or with \
                         --hidden, --home DIR, --network NAME, --scope internet|lan|loopback, \
                         --bootstrap ADDRESS, --smoke-test."
                    ));
                }
            }
        }
        let home = home
            .filter(|home| !home.as_os_str().is_empty())
            .or_else(Settings::default_home)
            .ok_or("This system names no folder for the program's data. Choose one with --home.")?;
        let home = std::path::absolute(&home)
            .map_err(|error| format!("{} cannot be used: {error}", home.display()))?;
        Ok(Self {
            settings: Settings {
                network,
                scope,
                bootstrap,
                ..Settings::of_home(home)
            },
            hidden,
            smoke_test,
            link,
        })
    }
}

fn text(value: OsString) -> Result<String, String> {
    value
        .into_string()
        .map_err(|value| format!("{:?} is no text.", value.to_string_lossy()))
}

fn scope_of(name: &str) -> Result<Scope, String> {
    match name {
        "internet" => Ok(Scope::Internet),
        "lan" => Ok(Scope::Lan),
        "loopback" => Ok(Scope::Loopback),
        _ => Err(format!("{name:?} is no scope: internet, lan or loopback.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn flags_reach_the_settings() {
        let arguments = parse(
            "--home /tmp/x --scope loopback --network play --bootstrap /ip4/127.0.0.1/tcp/1 --hidden",
        )
        .expect("they are understood");
        assert_eq!(arguments.settings.home, PathBuf::from("/tmp/x"));
        assert_eq!(arguments.settings.scope, Some(Scope::Loopback));
        assert_eq!(arguments.settings.network.as_deref(), Some("play"));
        assert_eq!(arguments.settings.bootstrap, ["/ip4/127.0.0.1/tcp/1"]);
        assert!(arguments.hidden && !arguments.smoke_test);
    }

    #[test]
    fn links_are_taken_and_nonsense_is_refused() {
        let arguments = parse("--home /x bitdust://invite/abc").expect("a link");
        assert_eq!(arguments.link.as_deref(), Some("bitdust://invite/abc"));
        for line in ["--home", "--scope moon", "--wipe", "https://example.org"] {
            assert!(parse(line).is_err(), "{line} was taken");
        }
    }
}
