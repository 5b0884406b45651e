//! Forward-only migrations of a database, counted in SQLite's `user_version`.
//!
//! A migration that was released is never edited; a new one is added at the end. A database
//! of a newer program is refused untouched.

use rusqlite::{Connection, TransactionBehavior};

/// How a database came to be what it is.
pub struct Schema {
    /// The version that the first step makes: those before it were never released, and are not
    /// read any more.
    pub first: i64,
    /// All steps, oldest first.
    pub steps: &'static [&'static str],
}

/// Why a database was not brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// It was written before the first release; nothing was changed.
    #[error(
        "{database} has version {version}, which was never released and is not read any more; it \
         was left as it is"
    )]
    Unreleased {
        /// Which database.
        database: &'static str,
        /// Its version.
        version: i64,
    },
    /// A newer program wrote it; nothing was changed.
    #[error(
        "{database} has version {version}, this program knows up to {version_max}: use the newer program"
    )]
    Newer {
        /// Which database.
        database: &'static str,
        /// Its version.
        version: i64,
        /// The newest version known here.
        version_max: i64,
    },
    /// A step failed; the database is as it was before that step.
    #[error("{database} could not be brought to version {version}: {source}")]
    Failed {
        /// Which database.
        database: &'static str,
        /// The version that was not reached.
        version: i64,
        /// Why.
        source: rusqlite::Error,
    },
}

/// Brings a database to the newest version: applies each missing step in a transaction of its own.
/// An empty file has version 0, the first step makes `first` of it, each further one the next.
pub fn migrate(
    connection: &mut Connection,
    database: &'static str,
    schema: &Schema,
) -> Result<(), MigrateError> {
    let found = version_of(connection).map_err(|source| MigrateError::Failed {
        database,
        version: 0,
        source,
    })?;
    let Schema { first, steps } = *schema;
    if (1..first).contains(&found) {
        return Err(MigrateError::Unreleased {
            database,
            version: found,
        });
    }
    let done = if found == 0 { 0 } else { found - first + 1 };
    let Some(missing) = usize::try_from(done)
        .ok()
        .and_then(|done| steps.get(done..))
    else {
        return Err(MigrateError::Newer {
            database,
            version: found,
            version_max: first + i64::try_from(steps.len()).unwrap_or(i64::MAX) - 1,
        });
    };
    for (version, step) in (first + done..).zip(missing) {
        apply(connection, version, step).map_err(|source| MigrateError::Failed {
            database,
            version,
            source,
        })?;
        tracing::info!(database, version, "Migrated a database");
    }
    Ok(())
}

fn version_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn apply(connection: &mut Connection, version: i64, step: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);";
    const SECOND: &str = "ALTER TABLE a ADD COLUMN y INTEGER;";
    const OLD: Schema = Schema {
        first: 4,
        steps: &[FIRST],
    };
    const NEW: Schema = Schema {
        first: 4,
        steps: &[FIRST, SECOND],
    };

    fn connection_of(version: i64) -> Connection {
        let connection = Connection::open_in_memory().expect("opened");
        connection
            .pragma_update(None, "user_version", version)
            .expect("set");
        connection
    }

    #[test]
    fn each_step_runs_once_and_in_order() {
        let mut connection = connection_of(0);
        migrate(&mut connection, "test", &OLD).expect("migrated");
        assert_eq!(version_of(&connection).expect("read"), 4);
        migrate(&mut connection, "test", &NEW).expect("migrated further");
        migrate(&mut connection, "test", &NEW).expect("nothing left to do");
        let rows: i64 = connection
            .query_row("SELECT count(*) FROM a WHERE y IS NULL", [], |row| {
                row.get(0)
            })
            .expect("read");
        assert_eq!(rows, 1);
        assert_eq!(version_of(&connection).expect("read"), 5);
    }

    #[test]
    fn a_failed_step_leaves_the_version_before_it() {
        const BROKEN: Schema = Schema {
            first: 4,
            steps: &[
                FIRST,
                "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);",
            ],
        };
        let mut connection = connection_of(0);
        let failed = migrate(&mut connection, "test", &BROKEN).expect_err("refused");
        assert!(failed.to_string().contains("version 5"), "{failed}");
        assert_eq!(version_of(&connection).expect("read"), 4);
        let tables: i64 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'b'",
                [],
                |row| row.get(0),
            )
            .expect("read");
        assert_eq!(tables, 0, "half a step would be the worst of both");
    }

    #[test]
    fn a_newer_database_is_refused_untouched() {
        for version in [5_i64, 1_000, -1] {
            let mut connection = connection_of(version);
            let refused = migrate(&mut connection, "test", &OLD).expect_err("refused");
            assert!(matches!(refused, MigrateError::Newer { .. }), "{refused}");
            assert_eq!(version_of(&connection).expect("read"), version);
        }
    }

    #[test]
    fn a_database_from_before_the_first_release_is_refused_untouched() {
        for version in 1..4 {
            let mut connection = connection_of(version);
            let refused = migrate(&mut connection, "test", &OLD).expect_err("refused");
            assert!(
                matches!(refused, MigrateError::Unreleased { .. }),
                "{refused}"
            );
            assert_eq!(version_of(&connection).expect("read"), version);
        }
    }
}
