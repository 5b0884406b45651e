//! Forward-only migrations of a database, counted in SQLite's `user_version`.
//!
//! A migration that was released is never edited; a new one is added at the end. A database
//! of a newer program is refused untouched.

use rusqlite::{Connection, TransactionBehavior};

/// Why a database was not brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
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

/// Brings a database to the newest version: applies each missing step of `steps` in a
/// transaction of its own. Step i makes version i + 1 of version i.
pub fn migrate(
    connection: &mut Connection,
    database: &'static str,
    steps: &[&str],
) -> Result<(), MigrateError> {
    let found = version_of(connection).map_err(|source| MigrateError::Failed {
        database,
        version: 0,
        source,
    })?;
    let version_max = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let Some(done) = usize::try_from(found)
        .ok()
        .filter(|done| *done <= steps.len())
    else {
        return Err(MigrateError::Newer {
            database,
            version: found,
            version_max,
        });
    };
    for (version, step) in (found + 1..).zip(&steps[done..]) {
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

    #[test]
    fn each_step_runs_once_and_in_order() {
        let mut connection = Connection::open_in_memory().expect("opened");
        migrate(&mut connection, "test", &[FIRST]).expect("migrated");
        migrate(&mut connection, "test", &[FIRST, SECOND]).expect("migrated further");
        migrate(&mut connection, "test", &[FIRST, SECOND]).expect("nothing left to do");
        let rows: i64 = connection
            .query_row("SELECT count(*) FROM a WHERE y IS NULL", [], |row| {
                row.get(0)
            })
            .expect("read");
        assert_eq!(rows, 1);
        assert_eq!(version_of(&connection).expect("read"), 2);
    }

    #[test]
    fn a_failed_step_leaves_the_version_before_it() {
        let mut connection = Connection::open_in_memory().expect("opened");
        let broken = "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);";
        let failed = migrate(&mut connection, "test", &[FIRST, broken]).expect_err("refused");
        assert!(failed.to_string().contains("version 2"), "{failed}");
        assert_eq!(version_of(&connection).expect("read"), 1);
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
        for version in [2_i64, 1_000, -1] {
            let mut connection = Connection::open_in_memory().expect("opened");
            connection
                .pragma_update(None, "user_version", version)
                .expect("set");
            let refused = migrate(&mut connection, "test", &[FIRST]).expect_err("refused");
            assert!(matches!(refused, MigrateError::Newer { .. }), "{refused}");
            assert_eq!(version_of(&connection).expect("read"), version);
        }
    }
}
