//! The history that people read: lines by number, the oldest dropped beyond a limit.
//!
//! The facts of a line are text that this crate does not read; front ends do.

use bitdust_model::limits::{HISTORY_LINES_MAX, META_BYTES_MAX};
use bitdust_model::{Severity, UnixMillis};
use rusqlite::{Row, params};

use super::{Catalogue, CatalogueError};
use crate::row::{check_length, from_column, to_column};

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastEvent {
    /// Its number; newer lines have higher ones.
    pub number: u64,
    /// When, by our clock.
    pub at: UnixMillis,
    /// How loud.
    pub severity: Severity,
    /// What happened, for people.
    pub message: String,
    /// What happened, for machines.
    pub facts: String,
}

/// Which lines of the history are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryQuestion {
    /// Only lines older than this number.
    pub before: Option<u64>,
    /// Only lines that are at least so loud.
    pub severity: Option<Severity>,
    /// Only lines that contain this text, in their message or their facts.
    pub text: Option<String>,
}

impl Catalogue {
    /// Writes a line under its number, which is higher than all before. A power cut may take the
    /// newest lines.
    pub fn add_history(&self, line: PastEvent) -> Result<(), CatalogueError> {
        check_length(
            "line of the history",
            line.message.len() + line.facts.len(),
            META_BYTES_MAX,
        )?;
        let number = to_column("number of a line", line.number)?;
        let at = to_column("time", line.at.0)?;
        let kept = to_column("number of lines", HISTORY_LINES_MAX)?;
        self.write(move |transaction| {
            transaction.execute(
                "INSERT INTO history (number, at, severity, message, facts)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    number,
                    at,
                    severity_column(line.severity),
                    line.message,
                    line.facts
                ],
            )?;
            transaction.execute(
                "DELETE FROM history WHERE number <= ?1",
                [number.saturating_sub(kept)],
            )?;
            Ok(())
        })
    }

    /// Lines that fit a question, newest first, at most `limit`.
    pub fn history(
        &self,
        question: &HistoryQuestion,
        limit: usize,
    ) -> Result<Vec<PastEvent>, CatalogueError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let before = question
            .before
            .map_or(Ok(i64::MAX), |before| to_column("number of a line", before))?;
        let (severity, text) = (question.severity_column(), question.text_column());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT number, at, severity, message, facts FROM history
                 WHERE number < ?1 AND severity >= ?2
                 AND (?3 IS NULL OR instr(lower(message), ?3) > 0 OR instr(lower(facts), ?3) > 0)
                 ORDER BY number DESC LIMIT ?4",
            )?;
            let rows = statement.query_and_then(params![before, severity, text, limit], line)?;
            rows.collect()
        })
    }

    /// How many lines fit a question, wherever they are.
    pub fn history_count(&self, question: &HistoryQuestion) -> Result<u64, CatalogueError> {
        let (severity, text) = (question.severity_column(), question.text_column());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT count(*) FROM history WHERE severity >= ?1
                 AND (?2 IS NULL OR instr(lower(message), ?2) > 0 OR instr(lower(facts), ?2) > 0)",
            )?;
            let count: i64 = statement.query_row(params![severity, text], |row| row.get(0))?;
            Ok(from_column("number of lines", count)?)
        })
    }
}

impl HistoryQuestion {
    fn severity_column(&self) -> i64 {
        severity_column(self.severity.unwrap_or(Severity::Note))
    }

    fn text_column(&self) -> Option<String> {
        let text = self.text.as_deref().map(str::to_lowercase);
        text.filter(|text| !text.is_empty())
    }
}

const fn severity_column(severity: Severity) -> i64 {
    match severity {
        Severity::Note => 0,
        Severity::Warning => 1,
        Severity::Problem => 2,
    }
}

fn line(row: &Row<'_>) -> Result<PastEvent, CatalogueError> {
    let severity = match row.get(2)? {
        0_i64 => Severity::Note,
        1 => Severity::Warning,
        _ => Severity::Problem,
    };
    Ok(PastEvent {
        number: from_column("number of a line", row.get(0)?)?,
        at: UnixMillis(from_column("time", row.get(1)?)?),
        severity,
        message: row.get(3)?,
        facts: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(number: u64) -> PastEvent {
        PastEvent {
            number,
            at: UnixMillis(number),
            severity: Severity::Note,
            message: "it happened".to_owned(),
            facts: "{}".to_owned(),
        }
    }

    #[test]
    fn lines_are_kept_under_their_numbers_and_none_twice() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let catalogue = Catalogue::open(&dir.path().join("c.db"), 16).expect("a catalogue");
        for number in [1, 2, 5] {
            catalogue.add_history(line_of(number)).expect("kept");
        }
        assert!(catalogue.add_history(line_of(5)).is_err(), "it is taken");
        let newest = catalogue.history(&HistoryQuestion::default(), 2);
        assert_eq!(newest.expect("read"), [line_of(5), line_of(2)]);
        let far = line_of(HISTORY_LINES_MAX + 2);
        catalogue.add_history(far).expect("kept");
        let count = catalogue.history_count(&HistoryQuestion::default());
        assert_eq!(count.expect("read"), 2, "the oldest ones are dropped");
    }
}
