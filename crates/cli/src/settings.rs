//! What the program acts on: the command line, checked.
//!
//! Invariant: everything that can be known to be wrong before a home is opened is refused
//! here, so that wrong usage never leaves anything half done.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bitdust_api::call::Conflict;
use bitdust_api::view::Schedule;
use bitdust_model::{ByteCount, ErrorCode, limits};
use bitdust_node::{Scope, Settings, Unlock};
use clap_complete::Shell;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::args::{
    Arguments, Command, CommonArguments, ConflictArgument, CustomerCommand, DeviceCommand,
    FolderCommand, KeysArgument, ScopeArgument, SupplierCommand,
};
use crate::demo::Plan;
use crate::escape::{escaped_bytes, percent_escaped};
use crate::failure::Failure;
use crate::size::parse_size;

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
    Recover { old_machine_gone: bool, keys: Keys },
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

fn check_command(command: Command) -> Result<Task, Failure> {
    let task = match command {
        Command::Init { nickname, keys } => Task::Init {
            nickname: check_nickname(nickname)?,
            keys: check_keys(keys),
        },
        Command::Recover {
            old_machine_gone,
            keys,
        } => Task::Recover {
            old_machine_gone,
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
            folders: folders
                .iter()
                .map(|folder| folder_name(folder))
                .collect::<Result<_, _>>()?,
        },
        Command::Snapshots => Task::Snapshots,
        Command::Ls { target } => Task::Ls {
            target: check_target(&target)?,
        },
        Command::Restore {
            target,
            to,
            conflict,
        } => Task::Restore {
            target: check_target(&target)?,
            to: percent_escaped(absolute(&to)?.as_os_str().as_encoded_bytes()),
            conflict: match conflict {
                ConflictArgument::Replace => Conflict::Replace,
                ConflictArgument::KeepBoth => Conflict::KeepBoth,
                ConflictArgument::Skip => Conflict::Skip,
            },
        },
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

fn check_common(common: CommonArguments) -> Result<Settings, Failure> {
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
fn refuse_network_flags(common: &CommonArguments) -> Result<(), Failure> {
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

fn check_nickname(nickname: String) -> Result<String, Failure> {
    let trimmed = nickname.trim();
    if trimmed.is_empty() || trimmed.len() > limits::NICKNAME_BYTES_MAX {
        return Err(Failure::usage(format!(
            "A nickname has 1 to {} bytes, this one has {}. Choose another.",
            limits::NICKNAME_BYTES_MAX,
            trimmed.len()
        )));
    }
    if crate::escape::escaped(trimmed) != trimmed {
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

fn check_network(name: &str) -> Result<(), Failure> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.is_empty() && name.len() <= NETWORK_NAME_BYTES_MAX && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{name:?} is no name of a network: 1 to {NETWORK_NAME_BYTES_MAX} of a-z, 0-9 and -."
    )))
}

/// As the node's configuration has it.
const NETWORK_NAME_BYTES_MAX: usize = 32;

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

fn check_target(target: &OsStr) -> Result<String, Failure> {
    // Names come as `ls` shows them, so a percent sign in text is left alone.
    let text = match target.to_str() {
        Some(text) => text.to_owned(),
        None => percent_escaped(target.as_encoded_bytes()),
    };
    if text.is_empty() || text.starts_with(':') {
        return Err(Failure::usage(
            "Name a version by id, by time or as `latest`; `bitdust snapshots` lists them.",
        ));
    }
    Ok(with_exact_time(&text).unwrap_or(text))
}

/// Local times as `bitdust snapshots` prints them become exact ones; a minute or a day means
/// its end, so that the version of that minute is found.
fn with_exact_time(target: &str) -> Option<String> {
    let is_plain = |time: &str| {
        time.bytes()
            .all(|byte| byte.is_ascii_digit() || b"-: T".contains(&byte))
    };
    let (time, rest) = [19, 16, 10]
        .into_iter()
        .filter_map(|length| target.split_at_checked(length))
        .find(|(time, _)| {
            is_plain(time) && time.get(4..5) == Some("-") && time.parse::<DateTime>().is_ok()
        })?;
    if !rest.is_empty() && !rest.starts_with(':') {
        // It goes on, with a zone for example, and is exact already.
        return None;
    }
    let start: DateTime = time.parse().ok()?;
    let end = match time.len() {
        10 => start
            .with()
            .hour(23)
            .minute(59)
            .second(59)
            .millisecond(999)
            .build()
            .ok()?,
        16 => start.with().second(59).millisecond(999).build().ok()?,
        _ => start.with().millisecond(999).build().ok()?,
    };
    let exact = end.to_zoned(TimeZone::system()).ok()?.timestamp();
    Some(format!("{exact}{rest}"))
}

/// A folder that is put under protection has to be there.
fn check_new_folder(dir: &Path) -> Result<String, Failure> {
    let shown = escaped_bytes(dir.as_os_str().as_encoded_bytes());
    let found = resolved(dir)
        .map_err(|error| Failure::io(&format!("The folder {shown} cannot be used"), &error))?;
    if !found.is_dir() {
        return Err(Failure::new(
            ErrorCode::BadPath,
            format!("{shown} is no folder. Name the folder that holds it."),
        ));
    }
    Ok(percent_escaped(found.as_os_str().as_encoded_bytes()))
}

/// A folder by path or id. One that is gone can still be named by the path it had.
fn folder_name(folder: &Path) -> Result<String, Failure> {
    if let Ok(found) = resolved(folder) {
        return Ok(percent_escaped(found.as_os_str().as_encoded_bytes()));
    }
    if let Some(text) = folder.to_str().filter(|text| is_id(text)) {
        return Ok(text.to_owned());
    }
    Ok(percent_escaped(
        absolute(folder)?.as_os_str().as_encoded_bytes(),
    ))
}

fn is_id(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn resolved(path: &Path) -> std::io::Result<PathBuf> {
    // Windows answers `canonicalize` with a form that other programs do not take.
    if cfg!(windows) {
        std::path::absolute(path).and_then(|path| path.metadata().map(|_| path))
    } else {
        path.canonicalize()
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| {
        Failure::io(
            &format!(
                "The path {} cannot be used",
                escaped_bytes(path.as_os_str().as_encoded_bytes())
            ),
            &error,
        )
    })
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

    #[test]
    fn folders_are_named_by_their_real_path_or_by_id() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let real = folder
            .path()
            .canonicalize()
            .expect("it is there")
            .join("real");
        std::fs::create_dir(&real).expect("the disk works");
        let real_text = real.to_str().expect("a temporary path is text").to_owned();
        assert_eq!(
            folder_name(&real.join("../real")).expect("it is there"),
            real_text
        );
        assert_eq!(
            folder_name(Path::new("7f3a91c2")).expect("an id"),
            "7f3a91c2"
        );
        std::fs::remove_dir(&real).expect("the disk works");
        assert_eq!(folder_name(&real).expect("a path that was"), real_text);
        assert!(check_new_folder(&real).is_err());
    }

    #[test]
    fn local_times_become_exact_and_everything_else_is_left_alone() {
        let check = |target: &str, seconds: i64, rest: &str| {
            let exact = with_exact_time(target).expect("a time");
            let local: DateTime = "2026-11-23T00:00:00".parse().expect("a time");
            let midnight = local
                .to_zoned(TimeZone::system())
                .expect("a local time")
                .timestamp();
            let expected =
                jiff::Timestamp::from_millisecond((midnight.as_second() + seconds) * 1000 + 999);
            assert_eq!(
                exact,
                format!("{}{rest}", expected.expect("a time in range")),
                "{target}"
            );
        };
        check("2026-11-23 08:15", 8 * 3600 + 15 * 60 + 59, "");
        check(
            "2026-11-23 08:15:07:docs/a",
            8 * 3600 + 15 * 60 + 7,
            ":docs/a",
        );
        check("2026-11-23T08:15:docs", 8 * 3600 + 15 * 60 + 59, ":docs");
        check("2026-11-23", 24 * 3600 - 1, "");
        check("2026-11-23:12", 24 * 3600 - 1, ":12");
        for other in [
            "latest",
            "latest:2026-11-23",
            "7f3a91c2",
            "20261123deadbeef",
            "2026-11-23T08:15:00Z:x",
            "2026-11-23T08:15+05:00",
            "2026-13-01",
        ] {
            assert_eq!(with_exact_time(other), None, "{other}");
        }
    }

    #[test]
    fn an_invitation_that_a_mail_broke_into_lines_is_whole_again() {
        assert_eq!(
            check_invitation("bd1abc\n  def ").expect("a text"),
            "bd1abcdef"
        );
    }
}
