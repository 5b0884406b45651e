//! One SQLite file: one thread that writes, a few connections that read.
//!
//! Every write is a transaction of its own, run in the order in which it was asked for; when
//! `write` returns, the next `read` sees it. Every read sees one transaction. WAL mode lets
//! readers go on while the writer works.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bitdust_model::intervals::DATABASE_PATIENCE;
use bitdust_model::limits::{DATABASE_READERS_MAX, DATABASE_WRITES_WAITING_MAX};
use bitdust_model::{DecodeError, ErrorCode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::durable;
use crate::migrate::{MigrateError, Schema, migrate};

/// Statements each connection keeps prepared: more than either database uses.
const STATEMENTS_KEPT: usize = 128;
/// Page cache of each connection in KiB.
const PAGE_CACHE_KIB: i64 = 8 * 1024;

/// Why a database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file could not be created or opened.
    #[error("the database file {} cannot be opened: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It could not be brought to this program's version.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// SQLite failed.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A row holds what this program never wrote.
    #[error("the database holds a damaged row: {0}")]
    Damaged(#[from] DecodeError),
    /// A number is outside of what its column may hold.
    #[error("{what} {value} is out of range")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: i128,
    },
    /// A row holds a number that this program never wrote.
    #[error("the database holds an impossible {what}: {value}")]
    Impossible {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: i64,
    },
    /// SQLite finds its structure broken.
    #[error("the database is damaged: {finding}")]
    Broken {
        /// What SQLite said first.
        finding: String,
    },
    /// A value has more bytes than its kind may have.
    #[error("{kind} has {bytes} bytes, at most {bytes_max} can be kept")]
    TooLong {
        /// What it is.
        kind: &'static str,
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        bytes_max: usize,
    },
    /// The thread that writes is gone, which only a bug can cause.
    #[error("the database's writer is gone")]
    WriterGone,
}

impl DatabaseError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unusable { source, .. } => durable::code_of(source),
            Self::Migrate(MigrateError::Newer { .. } | MigrateError::Unreleased { .. }) => {
                ErrorCode::Incompatible
            }
            Self::Migrate(MigrateError::Failed { source, .. }) | Self::Sqlite(source) => {
                code_of(source)
            }
            Self::Damaged(_) | Self::Impossible { .. } | Self::Broken { .. } => {
                ErrorCode::DiskFailed
            }
            Self::OutOfRange { .. } | Self::TooLong { .. } => ErrorCode::BadRequest,
            Self::WriterGone => ErrorCode::Internal,
        }
    }

    /// Whether the file itself is broken, so that trying again cannot help.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Broken { .. } => true,
            Self::Migrate(MigrateError::Failed { source, .. }) | Self::Sqlite(source) => matches!(
                source.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
            ),
            Self::Unusable { .. }
            | Self::Migrate(MigrateError::Newer { .. } | MigrateError::Unreleased { .. })
            | Self::Damaged(_)
            | Self::OutOfRange { .. }
            | Self::Impossible { .. }
            | Self::TooLong { .. }
            | Self::WriterGone => false,
        }
    }
}

fn code_of(error: &rusqlite::Error) -> ErrorCode {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        ErrorCode::DiskFull
    } else {
        ErrorCode::DiskFailed
    }
}

/// Endings of the files that are one database together.
pub(crate) const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// Removes a database that nobody has open, where it is there.
pub(crate) fn remove_database(path: &Path) -> std::io::Result<()> {
    for part in PARTS {
        let mut name = path.as_os_str().to_os_string();
        name.push(part);
        durable::remove_if_there(Path::new(&name))?;
    }
    Ok(())
}

/// What must have reached the disk when a write returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It survives a crash of the process; a power cut may take the last writes with it,
    /// newest first, never a part of one.
    Process,
    /// It survives a power cut, and so do all writes before it.
    Power,
}

/// A handle of the database; clones share it. The file is closed with the last of them.
#[derive(Clone)]
pub(crate) struct Database {
    shared: Arc<DatabaseShared>,
}

type DatabaseWork = Box<dyn FnOnce(&mut Connection) + Send>;

struct DatabaseShared {
    readers: Readers,
    /// `None` only while the last handle is being dropped.
    writer: Option<(SyncSender<DatabaseWork>, JoinHandle<()>)>,
}

impl Database {
    /// Opens or creates the file (mode 0600) and migrates it.
    pub(crate) fn open(
        path: &Path,
        name: &'static str,
        schema: &Schema,
    ) -> Result<Self, DatabaseError> {
        let unusable = |source| DatabaseError::Unusable {
            path: path.to_path_buf(),
            source,
        };
        // SQLite gives its companion files the mode of the database, so this decides for all.
        durable::private_file()
            .append(true)
            .create(true)
            .open(path)
            .map_err(unusable)?;
        let mut connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        configure(&connection)?;
        migrate(&mut connection, name, schema)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let (sender, jobs) = sync_channel(DATABASE_WRITES_WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name(format!("{name} writer"))
            .spawn(move || run_writer(connection, &jobs))
            .map_err(unusable)?;
        let readers = Readers {
            path: path.to_path_buf(),
            state: Mutex::default(),
            returned: Condvar::new(),
        };
        Ok(Self {
            shared: Arc::new(DatabaseShared {
                readers,
                writer: Some((sender, thread)),
            }),
        })
    }

    /// Looks through the structure of the whole file. Damage inside of a value is not seen.
    pub(crate) fn quick_check(&self) -> Result<(), DatabaseError> {
        self.look_through("PRAGMA quick_check(1)")
    }

    /// The same a table at a time, as long as `is_wanted`.
    pub(crate) fn check_tables(&self, is_wanted: impl Fn() -> bool) -> Result<(), DatabaseError> {
        let tables: Vec<String> = self.read(|connection| {
            let mut statement =
                connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
            let names = statement.query_map([], |row| row.get(0))?;
            Ok::<_, DatabaseError>(names.collect::<Result<_, _>>()?)
        })?;
        for table in tables {
            if !is_wanted() {
                return Ok(());
            }
            self.look_through(&format!("PRAGMA quick_check('{table}')"))?;
        }
        Ok(())
    }

    fn look_through(&self, pragma: &str) -> Result<(), DatabaseError> {
        let finding: String = self.read(|connection| {
            Ok::<_, DatabaseError>(connection.query_row(pragma, [], |row| row.get(0))?)
        })?;
        if finding == "ok" {
            Ok(())
        } else {
            Err(DatabaseError::Broken { finding })
        }
    }

    /// Runs `work` in a transaction on the writer's thread and waits for it. An error of
    /// `work` rolls everything back.
    pub(crate) fn write<T, E>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (answer, outcome) = sync_channel(1);
        let job: DatabaseWork = Box::new(move |connection| {
            // Nobody stops waiting below, so the answer always has a taker.
            drop(answer.send(transact(connection, durability, work)));
        });
        let Some((sender, _)) = &self.shared.writer else {
            return Err(DatabaseError::WriterGone.into());
        };
        sender.send(job).map_err(|_| DatabaseError::WriterGone)?;
        outcome.recv().map_err(|_| DatabaseError::WriterGone)?
    }

    /// Runs `work` on a reading connection; all it reads is of one transaction.
    pub(crate) fn read<T, E>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<DatabaseError>,
    {
        let lease = self.shared.readers.take()?;
        let transaction = ReadTransaction::begin(lease.connection())?;
        work(transaction.connection)
    }
}

/// A reading transaction. Its statements are prepared once: there are as many of them as of
/// lookups.
struct ReadTransaction<'a> {
    connection: &'a Connection,
}

impl<'a> ReadTransaction<'a> {
    fn begin(connection: &'a Connection) -> Result<Self, DatabaseError> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self { connection })
    }
}

impl Drop for ReadTransaction<'_> {
    fn drop(&mut self) {
        let ended = self
            .connection
            .prepare_cached("ROLLBACK")
            .and_then(|mut statement| statement.execute([]));
        if let Err(error) = ended {
            tracing::warn!(%error, "A reading transaction did not end");
        }
    }
}

impl Drop for DatabaseShared {
    fn drop(&mut self) {
        // Readers first: the last connection to close empties the log into the file.
        self.readers.close_idle();
        if let Some((sender, thread)) = self.writer.take() {
            drop(sender);
            if thread.join().is_err() {
                tracing::error!("The writer of a database panicked");
            }
        }
    }
}

fn run_writer(mut connection: Connection, jobs: &Receiver<DatabaseWork>) {
    for job in jobs {
        job(&mut connection);
    }
}

fn transact<T, E: From<DatabaseError>>(
    connection: &mut Connection,
    durability: Durability,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let synchronous = match durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    };
    connection
        .pragma_update(None, "synchronous", synchronous)
        .map_err(DatabaseError::from)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(DatabaseError::from)?;
    let value = work(&transaction)?;
    transaction.commit().map_err(DatabaseError::from)?;
    Ok(value)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(DATABASE_PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Without it each new value in a statement is a reason to plan it anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB)
}

/// Reading connections, opened when they are needed and kept; at most
/// `DATABASE_READERS_MAX`, further readers wait for one.
struct Readers {
    path: PathBuf,
    state: Mutex<ReadersState>,
    returned: Condvar,
}

#[derive(Default)]
struct ReadersState {
    idle: Vec<Connection>,
    open: usize,
}

impl Readers {
    fn take(&self) -> Result<Lease<'_>, DatabaseError> {
        let mut state = self.lock();
        loop {
            if let Some(connection) = state.idle.pop() {
                return Ok(Lease {
                    readers: self,
                    connection: Some(connection),
                });
            }
            if state.open < DATABASE_READERS_MAX {
                state.open += 1;
                drop(state);
                // The lease gives the place back even when there is no connection in it.
                let mut lease = Lease {
                    readers: self,
                    connection: None,
                };
                lease.connection = Some(open_reader(&self.path)?);
                return Ok(lease);
            }
            state = self
                .returned
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close_idle(&self) {
        self.lock().idle.clear();
    }

    /// A poisoned lock is taken all the same: the list is whole between any two statements.
    fn lock(&self) -> MutexGuard<'_, ReadersState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_reader(path: &Path) -> Result<Connection, DatabaseError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    Ok(connection)
}

/// A reading connection on loan.
struct Lease<'a> {
    readers: &'a Readers,
    /// `None` only between taking a place and opening the connection.
    connection: Option<Connection>,
}

impl Lease<'_> {
    fn connection(&self) -> &Connection {
        self.connection
            .as_ref()
            .expect("a lease that was handed out has a connection")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.lock();
        match self.connection.take() {
            Some(connection) if connection.is_autocommit() => state.idle.push(connection),
            // Its transaction did not end: whoever had it next would be refused.
            Some(_) | None => state.open -= 1,
        }
        drop(state);
        self.readers.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: Schema = Schema {
        first: 1,
        steps: &["CREATE TABLE numbers (x INTEGER NOT NULL) STRICT;"],
    };

    fn open(dir: &tempfile::TempDir) -> Database {
        Database::open(&dir.path().join("test.db"), "test", &SCHEMA).expect("opened")
    }

    fn insert(database: &Database, x: i64) -> Result<(), DatabaseError> {
        database.write(Durability::Process, move |transaction| {
            transaction.execute("INSERT INTO numbers VALUES (?1)", [x])?;
            Ok(())
        })
    }

    fn sum(database: &Database) -> Result<i64, DatabaseError> {
        database.read(|connection| {
            Ok(
                connection.query_row("SELECT coalesce(sum(x), 0) FROM numbers", [], |row| {
                    row.get(0)
                })?,
            )
        })
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let database = open(&dir);
        insert(&database, 1).expect("written");
        let failed: Result<(), DatabaseError> = database.write(Durability::Power, |transaction| {
            transaction.execute("INSERT INTO numbers VALUES (2)", [])?;
            transaction.execute("INSERT INTO nowhere VALUES (2)", [])?;
            Ok(())
        });
        assert!(matches!(failed, Err(DatabaseError::Sqlite(_))));
        assert_eq!(sum(&database).expect("read"), 1);
    }

    #[test]
    fn a_panic_in_a_write_is_an_error_for_all_later_ones_and_reads_go_on() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let database = open(&dir);
        insert(&database, 1).expect("written");
        let lost: Result<(), DatabaseError> =
            database.write(Durability::Process, |_| panic!("a bug in a write"));
        assert!(matches!(lost, Err(DatabaseError::WriterGone)));
        assert!(matches!(
            insert(&database, 2),
            Err(DatabaseError::WriterGone)
        ));
        assert_eq!(sum(&database).expect("read"), 1);
    }

    #[test]
    fn a_reader_whose_transaction_did_not_end_is_not_lent_again() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let database = open(&dir);
        insert(&database, 1).expect("written");
        for _ in 0..2 * DATABASE_READERS_MAX {
            let lease = database.shared.readers.take().expect("a reader");
            let begun = lease.connection().execute_batch("BEGIN");
            begun.expect("nobody else's transaction is open");
            drop(lease);
            assert_eq!(sum(&database).expect("read"), 1);
        }
    }

    #[test]
    fn many_threads_read_whole_moments_while_one_writes() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let database = open(&dir);
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..2 * DATABASE_READERS_MAX)
                .map(|_| {
                    let database = database.clone();
                    scope.spawn(move || {
                        let mut last = 0;
                        while last < 400 {
                            let now = sum(&database).expect("read");
                            assert_eq!(now % 2, 0, "half a transaction was seen");
                            assert!(now >= last, "time went back");
                            last = now;
                        }
                    })
                })
                .collect();
            for _ in 0..200 {
                database
                    .write(
                        Durability::Process,
                        |transaction| -> Result<(), DatabaseError> {
                            transaction.execute("INSERT INTO numbers VALUES (1)", [])?;
                            transaction.execute("INSERT INTO numbers VALUES (1)", [])?;
                            Ok(())
                        },
                    )
                    .expect("written");
            }
            for reader in readers {
                reader.join().expect("a reader that saw no error");
            }
        });
    }

    #[test]
    fn the_last_handle_closes_the_file_and_leaves_no_log() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let database = open(&dir);
        insert(&database, 1).expect("written");
        sum(&database).expect("read");
        drop(database);
        let names: Vec<_> = std::fs::read_dir(dir.path())
            .expect("listed")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, ["test.db"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_database_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a temporary folder");
        let database = open(&dir);
        insert(&database, 1).expect("written");
        for name in ["test.db", "test.db-wal"] {
            let mode = std::fs::metadata(dir.path().join(name))
                .expect("it exists")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_file_that_is_no_database_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("test.db");
        std::fs::write(&path, [7; 4096]).expect("written");
        let Err(refused) = Database::open(&path, "test", &SCHEMA) else {
            panic!("garbage was opened")
        };
        assert_eq!(refused.code(), ErrorCode::DiskFailed);
        assert_eq!(
            std::fs::read(&path).expect("read"),
            [7; 4096],
            "nothing was overwritten"
        );
    }
}
