//! What the program acts on: the command line, checked.
//!
//! Invariant: everything that can be known to be wrong before a home is opened is refused
//! here, so that wrong usage never leaves anything half done.

mod common;
mod paths;
mod target;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use bitdust_api::call::Conflict;
use bitdust_api::host::RecoverAs;
use bitdust_api::view::Schedule;
use bitdust_model::{ByteCount, limits};
use bitdust_node::Settings;
use clap_complete::Shell;

use crate::args::{
    Arguments, Command, ConflictArgument, CustomerCommand, DeviceCommand, FolderCommand,
    KeysArgument, SupplierCommand,
};
use crate::demo::Plan;
use crate::escape::{escaped, percent_escaped};
use crate::failure::Failure;
use crate::size::parse_size;
use common::{check_common, refuse_network_flags};
use paths::{absolute, check_new_folder, folder_name, folder_names};
use target::check_target;

/// A checked command line.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// What the home is opened with.
    pub(crate) node: Settings,
    /// Whether machines read the output.
    pub(crate) json: bool,
    /// Whether log lines are wanted.
    pub(crate) verbose: bool,
    /// What to do.
    pub(crate) task: Task,
}

/// How the keys of a new home shall rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keys {
    /// The way.
    pub(crate) guard: Guard,
    /// Whether the person chose it.
    pub(crate) was_chosen: bool,
}

/// A way in which keys rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// The system's keyring.
    Keyring,
    /// Under a passphrase.
    Passphrase,
    /// A file that whoever reads the person's files can read.
    File,
}

impl Guard {
    /// The node's name for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Passphrase => "passphrase",
            Self::File => "file",
        }
    }
}

/// What to do, checked.
#[derive(Debug)]
pub(crate) enum Task {
    /// A new identity.
    Init { nickname: String, keys: Keys },
    /// An identity from its words.
    Recover { recover_as: RecoverAs, keys: Keys },
    /// The machines of the identity.
    DeviceList,
    /// Changes a setting.
    Set { key: String, value: String },
    /// Shows settings.
    Get { key: Option<String> },
    /// Runs the node.
    Daemon,
    /// Shares space.
    Offer { space: ByteCount },
    /// A new invitation.
    Invite,
    /// Accepts one.
    Accept { code: String },
    /// The suppliers.
    SupplierList,
    /// Looks for suppliers.
    SupplierHire { count: u8, wait_seconds: u32 },
    /// The customers.
    CustomerList,
    /// Puts a folder under protection.
    FolderAdd {
        path: String,
        excludes: Vec<String>,
        crosses_mounts: bool,
        schedule: Option<Schedule>,
    },
    /// The folders.
    FolderList,
    /// Takes a folder from protection.
    FolderRemove { folder: String },
    /// Backs up now.
    Backup { folders: Vec<String> },
    /// The versions.
    Snapshots,
    /// What is in one.
    Ls { target: String },
    /// Brings files back.
    Restore {
        target: String,
        to: String,
        conflict: Conflict,
    },
    /// A test restore.
    Verify { sample: u32 },
    /// Health.
    Status,
    /// A whole network on this machine.
    Demo(Plan),
    /// A completion script.
    Completions { shell: Shell },
    /// Manual pages.
    Man { to: Option<PathBuf> },
    /// A command of a later release.
    NotYet {
        name: &'static str,
        instead: &'static str,
    },
}

impl Invocation {
    /// Checks a command line.
    pub(crate) fn check(arguments: Arguments) -> Result<Self, Failure> {
        let Arguments { common, command } = arguments;
        if matches!(command, Command::Demo(_)) {
            refuse_network_flags(&common)?;
        }
        let task = check_command(command)?;
        let json = common.json;
        let verbose = common.verbose;
        Ok(Self {
            node: check_common(common)?,
            json,
            verbose,
            task,
        })
    }
}

const fn recover_as(old_machine_gone: bool, restore_only: bool) -> RecoverAs {
    match (old_machine_gone, restore_only) {
        (_, true) => RecoverAs::Reader,
        (true, false) => RecoverAs::Successor,
        (false, false) => RecoverAs::Another,
    }
}

fn check_command(command: Command) -> Result<Task, Failure> {
    let task = match command {
        Command::Init { nickname, keys } => Task::Init {
            nickname: check_nickname(nickname)?,
            keys: check_keys(keys),
        },
        Command::Recover {
            old_machine_gone,
            restore_only,
            keys,
        } => Task::Recover {
            recover_as: recover_as(old_machine_gone, restore_only),
            keys: check_keys(keys),
        },
        Command::Device(DeviceCommand::List) => Task::DeviceList,
        Command::Device(DeviceCommand::Revoke { device: _ }) => Task::NotYet {
            name: "device revoke",
            instead: "To close the lane of a lost machine, use `bitdust recover --old-machine-gone` on a new one.",
        },
        Command::Set { key, value } => Task::Set { key, value },
        Command::Get { key } => Task::Get { key },
        Command::Daemon => Task::Daemon,
        Command::Offer { size } => Task::Offer {
            space: parse_size(&size).map_err(|error| Failure::usage(format!("{error}.")))?,
        },
        Command::Invite => Task::Invite,
        Command::Accept { code } => Task::Accept {
            code: check_invitation(&code)?,
        },
        Command::Supplier(command) => check_supplier(command)?,
        Command::Customer(CustomerCommand::List) => Task::CustomerList,
        Command::Folder(command) => check_folder(command)?,
        Command::Backup { folders } => Task::Backup {
            folders: folder_names(&folders)?,
        },
        Command::Snapshots => Task::Snapshots,
        Command::Ls { target } => Task::Ls {
            target: check_target(&target)?,
        },
        Command::Restore {
            target,
            to,
            conflict,
        } => check_restore(&target, &to, conflict)?,
        Command::Verify { sample: 0 } => {
            return Err(Failure::usage("--sample takes at least 1 file."));
        }
        Command::Verify { sample } => Task::Verify { sample },
        Command::Status => Task::Status,
        Command::Demo(demo) => Task::Demo(Plan::check(demo)?),
        Command::Simulate { arguments: _ } => Task::NotYet {
            name: "simulate",
            instead: "`bitdust demo` shows a real network on this machine.",
        },
        Command::Completions { shell } => Task::Completions { shell },
        Command::Man { to } => Task::Man { to },
    };
    Ok(task)
}

fn check_restore(target: &OsStr, to: &Path, conflict: ConflictArgument) -> Result<Task, Failure> {
    Ok(Task::Restore {
        target: check_target(target)?,
        to: percent_escaped(absolute(to)?.as_os_str().as_encoded_bytes()),
        conflict: match conflict {
            ConflictArgument::Replace => Conflict::Replace,
            ConflictArgument::KeepBoth => Conflict::KeepBoth,
            ConflictArgument::Skip => Conflict::Skip,
        },
    })
}

fn check_supplier(command: SupplierCommand) -> Result<Task, Failure> {
    let task = match command {
        SupplierCommand::List => Task::SupplierList,
        SupplierCommand::Hire { count, wait } => Task::SupplierHire {
            count: check_supplier_count(count)?,
            wait_seconds: wait,
        },
        SupplierCommand::Fire { device: _ } => Task::NotYet {
            name: "supplier fire",
            instead: "A supplier that lost data is no longer counted by itself.",
        },
    };
    Ok(task)
}

fn check_folder(command: FolderCommand) -> Result<Task, Failure> {
    let task = match command {
        FolderCommand::Add {
            dir,
            exclude,
            one_file_system,
            schedule,
        } => Task::FolderAdd {
            path: check_new_folder(&dir)?,
            excludes: check_excludes(exclude)?,
            crosses_mounts: !one_file_system,
            schedule,
        },
        FolderCommand::List => Task::FolderList,
        FolderCommand::Remove { folder } => Task::FolderRemove {
            folder: folder_name(&folder)?,
        },
    };
    Ok(task)
}

fn check_nickname(nickname: String) -> Result<String, Failure> {
    let trimmed = nickname.trim();
    if trimmed.is_empty() || trimmed.len() > limits::NICKNAME_BYTES_MAX {
        return Err(Failure::usage(format!(
            "A nickname has 1 to {} bytes, this one has {}. Choose another.",
            limits::NICKNAME_BYTES_MAX,
            trimmed.len()
        )));
    }
    if escaped(trimmed) != trimmed {
        return Err(Failure::usage(
            "A nickname has no control or invisible characters. Choose another.",
        ));
    }
    Ok(trimmed.to_owned())
}

fn check_keys(keys: Option<KeysArgument>) -> Keys {
    let guard = match keys {
        None | Some(KeysArgument::Keyring) => Guard::Keyring,
        Some(KeysArgument::Passphrase) => Guard::Passphrase,
        Some(KeysArgument::File) => Guard::File,
    };
    Keys {
        guard,
        was_chosen: keys.is_some(),
    }
}

fn check_invitation(code: &str) -> Result<String, Failure> {
    let code: String = code.split_whitespace().collect();
    if code.is_empty() || code.len() > limits::INVITATION_BYTES_MAX {
        return Err(Failure::usage(
            "This is no invitation. Copy the whole text that `bitdust invite` printed on your friend's machine.",
        ));
    }
    Ok(code)
}

fn check_supplier_count(count: u8) -> Result<u8, Failure> {
    if count == 0 || usize::from(count) > limits::SUPPLIERS_MAX {
        return Err(Failure::usage(format!(
            "The number of suppliers is between 1 and {}.",
            limits::SUPPLIERS_MAX
        )));
    }
    Ok(count)
}

fn check_excludes(excludes: Vec<String>) -> Result<Vec<String>, Failure> {
    if excludes.len() > limits::EXCLUDES_MAX {
        return Err(Failure::usage(format!(
            "A folder has at most {} patterns.",
            limits::EXCLUDES_MAX
        )));
    }
    Ok(excludes)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn refusal(line: &[&str]) -> Failure {
        let words = ["bitdust"].iter().chain(line);
        let arguments = Arguments::try_parse_from(words).expect("clap takes the line");
        Invocation::check(arguments).expect_err("the line is wrong")
    }

    #[test]
    fn wrong_values_are_refused_before_anything_is_opened() {
        let check = |line: &[&str], part: &str| {
            let failure = refusal(line);
            assert_eq!(
                failure.exit(),
                crate::failure::Exit::Usage,
                "{line:?}: {failure}"
            );
            assert!(failure.message.contains(part), "{line:?} said {failure}");
        };
        check(&["offer", "lots"], "no size");
        check(&["init", "--nickname", " "], "nickname");
        check(&["init", "--nickname", "a\u{202e}b"], "invisible");
        check(&["status", "--network", "Main"], "network");
        check(&["status", "--listen", "127.0.0.1:80"], "address");
        check(&["verify", "--sample", "0"], "--sample");
        check(&["supplier", "hire", "0"], "between 1");
        check(&["accept", " "], "invitation");
        check(&["ls", ":a"], "version");
        check(&["demo", "--network", "x"], "demo");
        check(&["demo", "--suppliers", "4", "--code", "3/2"], "no code");
    }

    #[test]
    fn an_invitation_that_a_mail_broke_into_lines_is_whole_again() {
        assert_eq!(
            check_invitation("bd1abc\n  def ").expect("a text"),
            "bd1abcdef"
        );
    }
}
