//! A machine made of a folder of commands, for trying scripts on.
//!
//! It has the real commands that every system has and stand-ins that write down how
//! they were called. Nothing outside of its folder is changed, nothing is fetched.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::tree;

/// Real commands that every system has.
const BASICS: [&str; 17] = [
    "bash",
    "cat",
    "chmod",
    "cp",
    "dirname",
    "env",
    "grep",
    "gzip",
    "ln",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "sha256sum",
    "sort",
    "tar",
];
/// What a machine that is ready has beside a toolchain.
pub(crate) const TOOLS: [&str; 9] = [
    "cc",
    "curl",
    "rsync",
    "b3sum",
    "shellcheck",
    "strace",
    "unshare",
    "ss",
    "ip",
];

/// A machine made of a folder: `bin` holds its commands, `site` what can be fetched.
pub(crate) struct Machine {
    folder: TempDir,
    /// One machine at a time: a process that starts while another thread has a
    /// command open for writing keeps it busy, and then it cannot be run.
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());

/// What one run of the script did.
#[derive(Debug)]
pub(crate) struct Run {
    /// Whether it ended well.
    pub(crate) done: bool,
    /// What it printed.
    pub(crate) text: String,
    /// How it called the stand-ins.
    pub(crate) calls: Vec<String>,
}

impl Machine {
    /// A machine of root's that lacks nothing.
    pub(crate) fn ready() -> Result<Self> {
        let machine = Self {
            folder: tempfile::tempdir()?,
            _turn: TURN.lock().unwrap_or_else(PoisonError::into_inner),
        };
        for name in ["bin", "home", "site", "tree/installer", "tree/.ci"] {
            fs::create_dir_all(machine.path(name))?;
        }
        for name in BASICS {
            machine.lend(name)?;
        }
        for name in [
            "installer/setup-dev.sh",
            "rust-toolchain.toml",
            "Makefile",
            ".ci/run",
        ] {
            fs::copy(tree::root().join(name), machine.path("tree").join(name))?;
        }
        for name in TOOLS {
            machine.command(name, "")?;
        }
        machine.command("id", "echo 0")?;
        machine.command(
            "uname",
            "case ${1:-} in -m) echo x86_64 ;; *) echo Linux ;; esac",
        )?;
        machine.command("cargo", "")?;
        machine.stand_in("rustup", "")?;
        for name in ["cargo", "cargo-clippy", "rustfmt"] {
            machine.write(&format!("home/.rustup/toolchains/1.95.0-x/bin/{name}"), "")?;
        }
        Ok(machine)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes an executable file.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// Lets the machine have a real command of this one.
    pub(crate) fn lend(&self, name: &str) -> Result<()> {
        symlink(real_command(name)?, self.path("bin").join(name))?;
        Ok(())
    }

    /// A command that does `body` and leaves no trace.
    pub(crate) fn command(&self, name: &str, body: &str) -> Result<()> {
        self.write(
            &format!("bin/{name}"),
            &format!("#!/usr/bin/env bash\n{body}\n"),
        )
    }

    /// A command that writes down how it was called and does `body`.
    pub(crate) fn stand_in(&self, name: &str, body: &str) -> Result<()> {
        self.command(name, &self.recording(name, body))
    }

    /// A script of the tree that writes down that it was called, and with which `PROFILE`.
    pub(crate) fn stand_in_script(&self, name: &str) -> Result<()> {
        let profile = format!("{name} ${{PROFILE:-}}");
        let text = format!("#!/usr/bin/env bash\n{}\n", self.recording(&profile, ""));
        self.write(&format!("tree/{name}"), &text)
    }

    fn recording(&self, name: &str, body: &str) -> String {
        format!(
            "said=\"{name} $*\"; echo \"${{said% }}\" >>'{}'\n{body}",
            self.path("calls").display()
        )
    }

    /// A `curl --output FILE ADDRESS` that fetches from `site`.
    fn serve(&self) -> Result<()> {
        let site = self.path("site");
        let body = format!(
            "cp '{}'/\"${{@: -1##*/}}\" \"${{@: -2:1}}\"",
            site.display()
        );
        let body = body.replace("${@: -1##*/}", "$(last=\"${@: -1}\"; echo \"${last##*/}\")");
        self.stand_in("curl", &body)
    }

    pub(crate) fn serve_rustup(&self) -> Result<()> {
        let rustup = self.path("home/.cargo/bin/rustup");
        let inner = self.recording("rustup", "");
        let body = format!(
            "mkdir -p \"${{HOME}}/.cargo/bin\"\ncat >'{0}' <<'END'\n#!/usr/bin/env bash\n{inner}\nEND\nchmod +x '{0}'",
            rustup.display()
        );
        self.write("site/rustup-init.sh", &self.recording("installer", &body))?;
        self.serve()
    }

    pub(crate) fn serve_node(&self) -> Result<()> {
        let name = "node-v22.20.0-linux-x64";
        for (program, body) in [("node", "echo v22.20.0"), ("npm", ""), ("npx", "")] {
            let text = format!("#!/usr/bin/env bash\n{body}\n");
            self.write(&format!("site/{name}/bin/{program}"), &text)?;
        }
        let pack =
            format!("tar -czf {name}.tar.gz {name} && sha256sum {name}.tar.gz >SHASUMS256.txt");
        let status = Command::new("bash")
            .args(["-c", &pack])
            .current_dir(self.path("site"))
            .status()?;
        anyhow::ensure!(status.success(), "the archive is packed");
        self.serve()
    }

    pub(crate) fn remove(&self, names: &[&str]) -> Result<()> {
        for name in names {
            let path = self.path("bin").join(name);
            if path.exists() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    pub(crate) fn remove_toolchain(&self) -> Result<()> {
        fs::remove_dir_all(self.path("home/.rustup"))?;
        Ok(())
    }

    /// Runs the set-up script.
    pub(crate) fn run(&self) -> Result<Run> {
        self.run_script("tree/installer/setup-dev.sh")
    }

    /// Runs a script with nothing but this machine around it.
    pub(crate) fn run_script(&self, script: &str) -> Result<Run> {
        let calls = self.path("calls");
        fs::write(&calls, "")?;
        let output = Command::new(self.path("bin/bash"))
            .arg(self.path(script))
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("site"))
            .output()?;
        let text = [output.stdout, output.stderr].concat();
        let calls = fs::read_to_string(&calls)?;
        Ok(Run {
            done: output.status.success(),
            text: String::from_utf8_lossy(&text).into_owned(),
            calls: calls.lines().map(str::to_owned).collect(),
        })
    }
}

fn real_command(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").context("PATH is set")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .with_context(|| format!("this machine has {name}"))
}
