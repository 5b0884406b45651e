//! The engine's whole vocabulary: what it is told and what it asks for.
//!
//! Inputs are facts that happened; outputs are effects that the node must do and answer. The
//! engine moves ids, sizes and decisions, never bytes. All of it can be recorded and played
//! back, so nothing here holds a secret or a file name.

mod completion;
mod facts;
mod ids;
mod inputs;
mod outputs;
mod recovery;
mod sets;

pub use facts::{
    Access, ClaimedHead, CustomerFact, Facts, FolderFact, OfferFact, OwedFact, PackFact, PlaceFact,
    ReceiptFact, RecordScope, SupplierFact, TipFact, VersionFact, Wait,
};
pub use ids::{AskId, FetchId, JobId};
pub use inputs::{Input, InputKind};
pub use outputs::{Output, OutputKind, Phase};
pub use recovery::{
    HeadFact, HomeFact, LaneFact, ListsRead, RecoveryFound, ToldVersion, WantedHead,
};
pub use sets::{DebtFact, PositionFact, SetFact, set_for_new_packs};
