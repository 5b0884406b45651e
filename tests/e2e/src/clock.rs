//! The clocks of one machine, which a test sets: a small library stands before those of the system in
//! each process of that machine (`clock.c`).

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};

use crate::world::World;

/// Where the wall clock's and the other clock's distance lie in the file.
const WALL_AT: u64 = 0;
const SINCE_BOOT_AT: u64 = 8;

/// What the processes of a machine take for the time.
#[derive(Debug)]
pub struct Clock {
    library: PathBuf,
    path: PathBuf,
    file: File,
}

impl Clock {
    /// A clock that is right.
    pub fn new(world: &World, name: &str) -> Result<Self> {
        let library = world.path(&format!("{name}-clock.so"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/clock.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"]);
        let built = compiler.args([&library, &source]).output()?;
        let said = String::from_utf8_lossy(&built.stderr);
        ensure!(built.status.success(), "cc: {said}");
        let path = world.path(&format!("{name}-clock"));
        let mut options = File::options();
        let file = options
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        let clock = Self {
            library,
            path,
            file,
        };
        clock.set_wall(0)?;
        clock.put(SINCE_BOOT_AT, 0)?;
        Ok(clock)
    }

    /// Sets the wall clock so many milliseconds ahead of what is right, or behind it.
    pub fn set_wall(&self, milliseconds: i64) -> Result<()> {
        self.put(WALL_AT, milliseconds)
    }

    /// Sets the wall clock to a moment, by its seconds since 1970.
    pub fn set_wall_to(&self, seconds: i64) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        self.set_wall(seconds * 1_000 - i64::try_from(now.as_millis())?)
    }

    /// Lets the machine sleep for a while. Its processes do not run meanwhile; whoever calls this sees
    /// to that.
    pub fn sleep(&self, span: Duration) -> Result<()> {
        let span = i64::try_from(span.as_millis())?;
        for clock in [WALL_AT, SINCE_BOOT_AT] {
            let mut bytes = [0; 8];
            self.file.read_exact_at(&mut bytes, clock)?;
            self.put(clock, i64::from_ne_bytes(bytes) + span)?;
        }
        Ok(())
    }

    /// Has a command live by this clock.
    pub(crate) fn lend(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library);
        command.env("BITDUST_TEST_CLOCK", &self.path);
    }

    fn put(&self, clock: u64, milliseconds: i64) -> Result<()> {
        let bytes = milliseconds.to_ne_bytes();
        self.file
            .write_all_at(&bytes, clock)
            .context("the clock cannot be set")
    }
}
