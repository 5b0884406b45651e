//! The command line as it is typed: names, help texts and shapes, nothing checked beyond
//! what clap checks. `settings` turns it into what the program acts on.

use std::ffi::OsString;
use std::path::PathBuf;

use bitdust_api::view::Schedule;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 failed; 2 wrong usage, or a command that belongs to a later release;
3 done, but some files could not be protected or restored (they are listed), or what was
backed up is not safe yet (it says whose pieces are missing).

With --json the result is one JSON object on standard output; `backup`, `restore`, `verify`,
`recover` and `demo` print progress before it, one object a line, each with \"event\". Errors
are {\"error\":{\"code\",\"message\"}}.

In a later release: device revoke, supplier fire, simulate.

Environment: BITDUST_HOME as --home; BITDUST_LOG filters log lines (the daemon's default is
warn,bitdust=info). SSLKEYLOGFILE is never obeyed: the program starts itself again without it.";

/// Keeps your folders, encrypted, on other people's machines, and gives them back from 24 words
#[derive(Debug, Parser)]
#[command(name = "bitdust", version, after_help = AFTER_HELP, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: CommonArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct CommonArguments {
    /// Folder that holds the identity's keys and records [default: the platform's data folder]
    #[arg(long, global = true, value_name = "DIR", env = "BITDUST_HOME", hide_env = true, value_hint = ValueHint::DirPath)]
    pub(crate) home: Option<PathBuf>,
    /// Print JSON for machines
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Name of the network to belong to (remembered)
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// How far the node reaches (remembered)
    #[arg(long, global = true)]
    pub(crate) scope: Option<ScopeArgument>,
    /// Address to listen on, such as /ip4/0.0.0.0/tcp/4001 (remembered; may be repeated)
    #[arg(long, global = true, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
    /// Address of a node to start from (remembered; may be repeated)
    #[arg(long, global = true, value_name = "ADDR")]
    pub(crate) bootstrap: Vec<String>,
    /// Address at which others surely reach this node (remembered; may be repeated)
    #[arg(long, global = true, value_name = "ADDR")]
    pub(crate) external: Vec<String>,
    /// File whose first line is the passphrase of a home whose keys rest under one
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Record what the engine is told and what it decides
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) trace: Option<PathBuf>,
    /// Print log lines to standard error
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

/// How far a node reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeArgument {
    /// The whole internet
    Internet,
    /// The local network
    Lan,
    /// This machine only, for practice
    Loopback,
}

/// How the keys rest on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeysArgument {
    /// In the system's keyring
    Keyring,
    /// In the home, under a passphrase
    Passphrase,
    /// In the home, readable by whoever can read your files
    File,
}

/// What a restore does with files that are there and differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConflictArgument {
    /// The restored file takes the place of the one that is there
    Replace,
    /// The one that is there stays; the restored one gets a name of its own
    KeepBoth,
    /// The one that is there stays; the other is not restored
    Skip,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new identity; prints its 24 words once
    Init {
        /// What others see beside the identity's fingerprint
        #[arg(long, value_name = "NAME")]
        nickname: String,
        /// How the keys rest on this machine [default: keyring]
        #[arg(long)]
        keys: Option<KeysArgument>,
    },
    /// Bring an identity back from its 24 words, read from standard input; this machine becomes a new device of it
    Recover {
        /// The old machines will never write again: nothing is taken from them any more
        #[arg(long, conflicts_with = "restore_only")]
        old_machine_gone: bool,
        /// Only restore: nobody is told of this machine, and nothing is backed up from it
        #[arg(long)]
        restore_only: bool,
        /// How the keys rest on this machine [default: keyring]
        #[arg(long)]
        keys: Option<KeysArgument>,
    },
    /// Machines of your identity
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Change a setting
    Set {
        /// Its name
        key: String,
        /// Its new value
        value: String,
    },
    /// Show a setting, or all
    Get {
        /// Its name
        key: Option<String>,
    },
    /// Run the node until it is told to stop
    Daemon,
    /// Share space with others, such as 10GB; 0 ends the offer
    Offer {
        /// How much, such as 10GB or 500MiB
        size: String,
    },
    /// Print an invitation for a friend
    Invite,
    /// Accept a friend's invitation
    Accept {
        /// The invitation's text
        code: String,
    },
    /// People who keep your data
    #[command(subcommand)]
    Supplier(SupplierCommand),
    /// People whose data is kept here
    #[command(subcommand)]
    Customer(CustomerCommand),
    /// Folders that are backed up
    #[command(subcommand)]
    Folder(FolderCommand),
    /// Back up now
    Backup {
        /// Folders by path or id [default: all]
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folders: Vec<PathBuf>,
    },
    /// List versions, oldest first
    Snapshots,
    /// List what is in a version
    Ls {
        /// A version by id, time or `latest`, and a path in it
        #[arg(value_name = "SNAPSHOT[:PATH]")]
        target: OsString,
    },
    /// Bring files back
    Restore {
        /// A version by id, time or `latest`, and a path in it
        #[arg(value_name = "SNAPSHOT[:PATH]")]
        target: OsString,
        /// Folder to write into
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: PathBuf,
        /// What to do with files that are there and differ
        #[arg(long, default_value = "replace")]
        conflict: ConflictArgument,
    },
    /// Fetch random files from your suppliers and compare them
    Verify {
        /// How many files
        #[arg(long, value_name = "N", default_value_t = 10)]
        sample: u32,
    },
    /// Tell how well everything is kept
    Status,
    /// Back up, lose suppliers and the machine, and recover: a whole network of processes on this machine
    Demo(DemoArguments),
    /// Run thousands of nodes through years of virtual time (in a later release)
    Simulate {
        /// What to simulate
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// Write the pages of all commands into this folder instead
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: Option<PathBuf>,
    },
}

/// `bitdust device …`
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// List the machines of your identity
    List,
    /// Shut a machine out of your identity (in a later release)
    Revoke {
        /// Its id
        #[arg(value_name = "ID")]
        device: String,
    },
}

/// `bitdust supplier …`
#[derive(Debug, Subcommand)]
pub(crate) enum SupplierCommand {
    /// List suppliers and how they do
    List,
    /// Look for suppliers until there are N in all
    Hire {
        /// How many in all
        #[arg(value_name = "N")]
        count: u8,
        /// Seconds to wait for them; a running daemon goes on searching afterwards
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        wait: u32,
    },
    /// Part with a supplier (in a later release)
    Fire {
        /// Its id
        #[arg(value_name = "ID")]
        device: String,
    },
}

/// `bitdust customer …`
#[derive(Debug, Subcommand)]
pub(crate) enum CustomerCommand {
    /// List people whose data is kept here
    List,
}

/// `bitdust folder …`
#[derive(Debug, Subcommand)]
pub(crate) enum FolderCommand {
    /// Back up this folder from now on
    Add {
        /// The folder
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// Leave out what matches, in .gitignore syntax (may be repeated)
        #[arg(long, value_name = "PATTERN")]
        exclude: Vec<String>,
        /// Leave out other file systems that are mounted inside of it
        #[arg(long)]
        one_file_system: bool,
        /// When the daemon backs it up by itself: on-change, manual, or every so often (60m)
        /// [default: as `bitdust get schedule` says]
        #[arg(long, value_name = "WHEN")]
        schedule: Option<Schedule>,
    },
    /// List folders and how well they are kept
    List,
    /// Stop backing up a folder; its stored versions stay
    Remove {
        /// The folder by path or id
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
}

/// `bitdust demo …`
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Folder to back up [default: /usr/share/doc, or the current folder where there is none]
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
    /// How many suppliers
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub(crate) suppliers: u8,
    /// How many of them are lost for good
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) lose: u8,
    /// Any K of N suppliers give everything back [default: the usual one for so many suppliers]
    #[arg(long, value_name = "K/N")]
    pub(crate) code: Option<String>,
    /// Transport to use [default: both, the faster wins]
    #[arg(long)]
    pub(crate) transport: Option<TransportArgument>,
    /// Keep the temporary folder with all homes, logs and restored files
    #[arg(long)]
    pub(crate) keep: bool,
    /// How suppliers are found
    #[arg(long, default_value = "invitations")]
    pub(crate) hire: HireArgument,
    /// Lose more suppliers than can be borne, to see what the program says then
    #[arg(long)]
    pub(crate) lose_too_many: bool,
}

/// A transport of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransportArgument {
    /// TCP
    Tcp,
    /// QUIC, over UDP
    Quic,
}

/// How the demo finds suppliers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HireArgument {
    /// As friends, by an invitation of each
    Invitations,
    /// As strangers, in the distributed table of offers
    Dht,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_of_all_commands_is_as_reviewed() {
        let mut command = Arguments::command().term_width(100).version("VERSION");
        command.build();
        insta::assert_snapshot!("help", tree_of_help(&mut command, "bitdust"));
    }

    #[test]
    fn words_of_the_workshop_do_not_reach_people() {
        let mut command = Arguments::command().term_width(100);
        command.build();
        let help = tree_of_help(&mut command, "bitdust").to_lowercase();
        for word in ["shard", "erasure", "pack ", "packs", "repository"] {
            assert!(!help.contains(word), "{word:?} is in the help");
        }
    }

    #[test]
    fn commands_are_read_as_typed() {
        let check = |line: &str, debug: &str| {
            let arguments =
                Arguments::try_parse_from(line.split(' ')).expect("a line of the manual");
            assert!(
                format!("{:?}", arguments.command).starts_with(debug),
                "{line} gave {:?}",
                arguments.command
            );
        };
        check("bitdust status", "Status");
        check(
            "bitdust --json folder add /x --exclude *.o --exclude *.tmp --one-file-system --schedule 60m",
            "Folder(Add { dir: \"/x\", exclude: [\"*.o\", \"*.tmp\"], one_file_system: true, schedule: Some(Every { minutes: 60 })",
        );
        check(
            "bitdust restore latest:a/b --to /y --json",
            "Restore { target: \"latest:a/b\", to: \"/y\", conflict: Replace",
        );
        check(
            "bitdust supplier hire 6",
            "Supplier(Hire { count: 6, wait: 60 })",
        );
        check(
            "bitdust simulate --nodes 1000 years 5",
            "Simulate { arguments: [\"--nodes\", \"1000\", \"years\", \"5\"]",
        );
        check(
            "bitdust demo --suppliers 4 --lose 2 --code 2/4",
            "Demo(DemoArguments { dir: None, suppliers: 4, lose: 2",
        );
    }

    /// The flags of every command are shown once, at the top of the tree.
    fn tree_of_help(command: &mut clap::Command, name: &str) -> String {
        let mut text = format!("### {name}\n\n{}\n", command.render_long_help());
        for child in command.get_subcommands_mut() {
            if child.get_name() == "help" {
                continue;
            }
            let name = format!("{name} {}", child.get_name());
            let help = tree_of_help(child, &name);
            text.push_str(&without_common_flags(&help));
        }
        text
    }

    fn without_common_flags(help: &str) -> String {
        let mut is_common = false;
        let mut kept = String::new();
        for line in help.lines() {
            let is_heading = !line.is_empty() && !line.starts_with(' ');
            if is_heading {
                is_common = line == "Options of every command:";
            }
            if !is_common {
                kept.push_str(line.trim_end());
                kept.push('\n');
            }
        }
        kept
    }
}
