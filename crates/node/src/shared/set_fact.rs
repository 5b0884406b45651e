//! Set records as the engine knows them.

use bitdust_engine::{PositionFact, SetFact};
use bitdust_model::Code;
use bitdust_model::set::{PositionRecord, SetRecord};

/// A set as the engine knows it; `None` where its numbers are no code.
pub(crate) fn set_fact(record: &SetRecord) -> Option<SetFact> {
    let n = u8::try_from(record.positions.len()).ok()?;
    let code = Code::new(record.k, n).ok()?;
    Some(set_fact_of(record, code))
}

/// The same of a record that was made for a code.
pub(crate) fn set_fact_of(record: &SetRecord, code: Code) -> SetFact {
    let position = |position: &PositionRecord| PositionFact {
        state: position.state,
        holder: position.current.map(|holder| holder.device),
    };
    SetFact {
        set: record.set,
        version: record.version,
        code,
        positions: record.positions.iter().map(position).collect(),
    }
}
