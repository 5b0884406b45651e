//! Records what the engine was told and what it asked for, one JSON line a step, so that a
//! real run can be played back into a fresh engine.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use bitdust_engine::trace::TraceLine;
use bitdust_store::disk_error_code;

use crate::shared::error::NodeError;

/// An open trace file.
pub(crate) struct Trace {
    file: BufWriter<File>,
}

impl Trace {
    /// Begins a trace; an older file of that name is replaced.
    pub(crate) fn create(path: &Path) -> Result<Self, NodeError> {
        let file = File::create(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Self {
            file: BufWriter::new(file),
        })
    }

    /// Adds a step and hands it to the system, so that a killed node leaves whole lines.
    pub(crate) fn record(&mut self, line: &TraceLine) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")?;
        self.file.flush()
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> NodeError {
    NodeError::new(
        disk_error_code(error),
        format!("the trace {} cannot be written: {error}", path.display()),
    )
}
