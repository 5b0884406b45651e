//! What a demo is to do, checked before anything starts.

use std::path::{Path, PathBuf};

use bitdust_model::{Code, limits};

use crate::args::{DemoArguments, HireArgument, TransportArgument};
use crate::escape::escaped_bytes;
use crate::failure::Failure;

/// A demo's plan. Invariant: the code has at most as many places as there are suppliers, one
/// supplier stays, and more are lost than can be borne only where that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The folder to back up, by its real path.
    pub(crate) dir: PathBuf,
    /// How many suppliers.
    pub(crate) suppliers: u8,
    /// How many of them are lost.
    pub(crate) lose: u8,
    /// The code that will be in use.
    pub(crate) code: Code,
    /// Whether the person chose it.
    pub(crate) code_was_chosen: bool,
    /// The one transport to use; both where none was chosen.
    pub(crate) transport: Option<Transport>,
    /// Whether the temporary folder stays.
    pub(crate) keep: bool,
    /// How suppliers are found.
    pub(crate) hire: Hire,
}

/// A transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// TCP.
    Tcp,
    /// QUIC over UDP.
    Quic,
}

impl Transport {
    /// Any free port of this machine.
    pub(crate) const fn listen_address(self) -> &'static str {
        match self {
            Self::Tcp => "/ip4/127.0.0.1/tcp/0",
            Self::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
        }
    }
}

/// How suppliers are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hire {
    /// By an invitation of each.
    Invitations,
    /// In the distributed table of offers.
    Dht,
}

const DEFAULT_FOLDER: &str = "/usr/share/doc";

impl Plan {
    /// Checks what was typed.
    pub(crate) fn check(demo: DemoArguments) -> Result<Self, Failure> {
        let most = limits::SUPPLIERS_PER_SET_MAX;
        if demo.suppliers == 0 || usize::from(demo.suppliers) > most {
            return Err(Failure::usage(format!("--suppliers takes 1 to {most}.")));
        }
        let code = match &demo.code {
            Some(text) => check_code(text)?,
            None => Code::default_for(demo.suppliers.into())
                .ok_or_else(|| Failure::usage("--suppliers takes at least 1."))?,
        };
        if code.n() > demo.suppliers {
            return Err(Failure::usage(format!(
                "--code {code} needs {} suppliers, --suppliers gives {}. Raise one or lower the other.",
                code.n(),
                demo.suppliers
            )));
        }
        check_loss(demo.lose, demo.suppliers, code, demo.lose_too_many)?;
        Ok(Self {
            dir: check_dir(demo.dir)?,
            suppliers: demo.suppliers,
            lose: demo.lose,
            code,
            code_was_chosen: demo.code.is_some(),
            transport: demo.transport.map(|transport| match transport {
                TransportArgument::Tcp => Transport::Tcp,
                TransportArgument::Quic => Transport::Quic,
            }),
            keep: demo.keep,
            hire: match demo.hire {
                HireArgument::Invitations => Hire::Invitations,
                HireArgument::Dht => Hire::Dht,
            },
        })
    }

    /// Refuses a folder that holds the demo's own files: it would back up itself.
    pub(crate) fn check_apart(&self, folder: &Path) -> Result<(), Failure> {
        let folder = folder
            .canonicalize()
            .map_err(|error| Failure::io("The temporary folder cannot be used", &error))?;
        if folder.starts_with(&self.dir) {
            return Err(Failure::usage(format!(
                "{} holds the demo's own temporary folder, and it would back up itself. Name another folder, or set TMPDIR.",
                escaped_bytes(self.dir.as_os_str().as_encoded_bytes())
            )));
        }
        Ok(())
    }

    /// How many suppliers may be lost without losing a byte.
    pub(crate) fn bearable(&self) -> u8 {
        self.code.n() - self.code.k()
    }

    /// Whether more are lost than can be borne.
    pub(crate) fn loses_too_many(&self) -> bool {
        self.lose > self.bearable()
    }
}

/// A code as the person wrote it.
fn check_code(text: &str) -> Result<Code, Failure> {
    text.parse()
        .map_err(|error| Failure::usage(format!("{error}.")))
}

fn check_loss(lose: u8, suppliers: u8, code: Code, lose_too_many: bool) -> Result<(), Failure> {
    let bearable = code.n() - code.k();
    if lose > bearable && !lose_too_many {
        return Err(Failure::usage(format!(
            "With {suppliers} suppliers any {} of {} give everything back, so at most {bearable} may be lost, not {lose}. \
             Lower --lose, raise --suppliers, or add --lose-too-many to see what happens then.",
            code.k(),
            code.n(),
        )));
    }
    if lose_too_many && lose <= bearable {
        return Err(Failure::usage(format!(
            "--lose-too-many needs --lose above {bearable}: {lose} lost suppliers can be borne."
        )));
    }
    if lose >= suppliers {
        return Err(Failure::usage(format!(
            "One supplier has to stay as the way into the network: --lose takes at most {}.",
            suppliers - 1
        )));
    }
    Ok(())
}

fn check_dir(dir: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let dir = match dir {
        Some(dir) => dir,
        None if Path::new(DEFAULT_FOLDER).is_dir() => PathBuf::from(DEFAULT_FOLDER),
        None => PathBuf::from("."),
    };
    let shown = escaped_bytes(dir.as_os_str().as_encoded_bytes());
    let real = dir
        .canonicalize()
        .map_err(|error| Failure::io(&format!("The folder {shown} cannot be used"), &error))?;
    if !real.is_dir() {
        return Err(Failure::usage(format!(
            "{shown} is no folder. Name the folder that holds it."
        )));
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(
        suppliers: u8,
        lose: u8,
        code: Option<&str>,
        lose_too_many: bool,
    ) -> DemoArguments {
        DemoArguments {
            dir: Some(PathBuf::from(".")),
            suppliers,
            lose,
            code: code.map(str::to_owned),
            transport: None,
            keep: false,
            hire: HireArgument::Invitations,
            lose_too_many,
        }
    }

    #[test]
    fn the_usual_code_goes_with_the_number_of_suppliers() {
        let plan = Plan::check(arguments(6, 3, None, false)).expect("a plan");
        assert_eq!(
            (
                plan.code.to_string().as_str(),
                plan.bearable(),
                plan.loses_too_many()
            ),
            ("2/6", 4, false)
        );
    }

    #[test]
    fn losses_that_cannot_be_borne_are_refused_unless_wanted() {
        let check =
            |suppliers: u8, lose: u8, code: Option<&str>, too_many: bool, refusal: Option<&str>| {
                let plan = Plan::check(arguments(suppliers, lose, code, too_many));
                match (plan, refusal) {
                    (Ok(plan), None) => assert_eq!(plan.loses_too_many(), too_many),
                    (Err(failure), Some(part)) => {
                        assert!(failure.message.contains(part), "{failure}")
                    }
                    (plan, refusal) => panic!("{plan:?} instead of {refusal:?}"),
                }
            };
        check(6, 4, None, false, None);
        check(6, 5, None, false, Some("at most 4 may be lost"));
        check(6, 5, None, true, None);
        check(6, 3, None, true, Some("can be borne"));
        check(6, 6, None, true, Some("has to stay"));
        check(6, 3, Some("4/6"), false, Some("at most 2"));
        check(6, 2, Some("4/6"), false, None);
        check(4, 2, Some("3/6"), false, Some("needs 6 suppliers"));
        check(0, 0, None, false, Some("--suppliers"));
        check(31, 3, None, false, Some("--suppliers"));
        check(1, 0, None, false, None);
    }

    #[test]
    fn a_folder_that_holds_the_demo_itself_is_refused() {
        let outer = tempfile::tempdir().expect("a temporary folder");
        let inner = tempfile::tempdir_in(outer.path()).expect("a temporary folder in it");
        let mut demo = arguments(6, 3, None, false);
        demo.dir = Some(outer.path().to_owned());
        let plan = Plan::check(demo).expect("a plan");
        assert!(plan.check_apart(inner.path()).is_err());
        assert!(plan.check_apart(&std::env::temp_dir()).is_ok());
    }
}
