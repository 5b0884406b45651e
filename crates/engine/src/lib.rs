//! Every decision, as state machines without IO, clock, threads or randomness of their own.
//!
//! The contract: hand in one [`Input`] with [`Engine::handle`], drain [`Engine::poll`] until
//! it is `None`, then read [`Engine::wake_at`]. The engine moves ids and decisions, never
//! bytes; a recorded run plays back exactly ([`trace::replay`]).

mod backoff;
mod engine;
mod fsm;
pub mod io;
mod ledger;
mod pace;
mod random;
mod rules;
mod safety;
mod start;
mod timer;
pub mod trace;
mod transition;
mod verdict;
mod view;

pub use engine::Engine;
pub use io::{
    Access, AskId, ClaimedHead, CustomerFact, DebtFact, Facts, FetchId, FolderFact, HeadFact,
    HomeFact, Input, InputKind, JobId, LaneFact, ListsRead, OfferFact, Output, OutputKind,
    OwedFact, PackFact, Phase, PlaceFact, PositionFact, ReceiptFact, RecordScope, RecoveryFound,
    SetFact, SupplierFact, TipFact, ToldVersion, VersionFact, Wait, WantedHead, set_for_new_packs,
};
pub use random::Random;
pub use rules::{LaneTold, is_believed, known_at, may_go_on, published_at, sample, shown_wait};
pub use safety::overall;
pub use start::{DraftFact, PacksAtStart, SealedPackFact, packs_at_start};
pub use timer::WakeReason;
pub use transition::{Machine, Subject, Transition};
pub use verdict::{
    Finding, FolderHealth, FolderVerdict, Health, Surroundings, Trouble, Verdict, folder_verdict,
    verdict,
};
pub use view::{
    CustomerView, EngineView, FolderView, FolderWork, HeadStand, JobView, Reach, SupplierView,
};
