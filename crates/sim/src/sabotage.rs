//! Engines broken on purpose: each breaks one promise, and the checker must see it.

use bitdust_engine::{Input, Output, RecoveryFound, SetFact};
use bitdust_model::ledger::AtHand;
use bitdust_model::status::Protection;
use bitdust_model::{ErrorCode, PositionMask, Sequence};

/// One way to break an engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sabotage {
    /// Not broken.
    #[default]
    None,
    /// Says safe whatever is confirmed.
    SaysSafe,
    /// Commits a pack as soon as it is sealed.
    CommitsEarly,
    /// Seals the lists when the walk is over.
    SealsEarly,
    /// Gives the head out before its pack is placed.
    PublishesEarly,
    /// Calls the head published at once.
    RecordsEarly,
    /// Signs every contract.
    SignsAll,
    /// Lets every shard come.
    StoresAll,
    /// Never sends a shard.
    NeverSends,
    /// Gives up every fetch.
    NeverFetches,
    /// Is not told of what its disk refuses.
    SwallowsFailures,
    /// Believes that what waits for room was written, and tries nothing.
    RetriesNothing,
    /// Takes every committed pack for whole: what a start once did.
    ForgetsDebts,
    /// Makes no version without those that are away: what every backup once did.
    WaitsForTheAbsent,
    /// Calls a head published as soon as one keeps it.
    PublishesAlone,
    /// Says of what is sent again that it has it, without a look.
    TrustsWhatItHas,
    /// Never trusts again a supplier that lost something: what every customer once did.
    NeverTrustsAgain,
    /// Takes the newest head that was told for the newest there is: what recovery once did.
    HidesNewer,
    /// Counts suppliers that have nothing among the k: what recovery once did.
    CountsTheEmpty,
    /// Enters a machine without any version where nobody tells one: what recovery once did.
    EntersWithNothing,
    /// Tries no older version where the lists of the newest cannot be had: what recovery once did.
    TriesTheNewestOnly,
    /// Counts no time in which the machine sleeps: what every node once did.
    StandsStillInSleep,
    /// Takes a proof that lies in its clock's future for one of just now: what every start once did.
    TakesTheFutureForNow,
    /// Waits for those who are late, from its next start on: what every fetch once did.
    WaitsForTheLate,
    /// Forgets published packs of which a shard waits in the spool, at its next start: what every start
    /// once did.
    ForgetsAtStart,
    /// Believes that it knows every head that is kept of its lane: what every machine once did.
    KnowsEveryHead,
    /// Gives a head to whoever comes, before it told what it keeps.
    GivesUnasked,
    /// Takes a list of shards for a proof of them.
    BelievesLists,
    /// Leads on to lists wherever they are: what every backup once did.
    LeadsOnToTheAbsent,
    /// Lists versions by the times at which they were taken: what every catalogue once did.
    OrdersByTime,
}

impl Sabotage {
    /// What the broken engine asks for instead.
    pub(crate) fn bend(self, input: &Input, outputs: &mut Vec<Output>, set: Option<&SetFact>) {
        match self {
            Self::None
            | Self::SaysSafe
            | Self::SwallowsFailures
            | Self::RetriesNothing
            | Self::WaitsForTheAbsent
            | Self::WaitsForTheLate
            | Self::TrustsWhatItHas
            | Self::StandsStillInSleep
            | Self::TakesTheFutureForNow
            | Self::CountsTheEmpty
            | Self::ForgetsAtStart
            | Self::KnowsEveryHead
            | Self::BelievesLists
            | Self::OrdersByTime
            | Self::ForgetsDebts => {}
            Self::GivesUnasked => give_unasked(outputs),
            Self::LeadsOnToTheAbsent => outputs.iter_mut().for_each(lead_anywhere),
            Self::NeverTrustsAgain => {
                outputs.retain(|output| !matches!(output, Output::TrustSupplier { .. }));
            }
            Self::PublishesAlone => outputs.extend(record_at_once(input)),
            Self::HidesNewer => outputs.iter_mut().for_each(hide_newer),
            Self::TriesTheNewestOnly => outputs.iter_mut().for_each(|it| end_with(input, it)),
            Self::EntersWithNothing => outputs.iter_mut().for_each(enter_with_nothing),
            Self::CommitsEarly => {
                if let Input::PackSealed { pack, .. } = input {
                    outputs.push(Output::CommitPack { pack: *pack });
                }
            }
            Self::SealsEarly => {
                if let Input::ScanFinished { job, .. } = input {
                    outputs.push(Output::SealMetadata {
                        job: *job,
                        folders: Vec::new(),
                        at_hand: AtHand::nobody(),
                    });
                }
            }
            Self::PublishesEarly => outputs.extend(put_at_once(input, set)),
            Self::RecordsEarly => {
                if let Input::MetadataSealed { sequence, .. } = input {
                    outputs.push(Output::RecordCommit {
                        sequence: *sequence,
                    });
                }
            }
            Self::SignsAll => bend_refusals(outputs, |ask| Output::AcceptContract { ask }),
            Self::StoresAll => bend_refusals(outputs, |ask| Output::AcceptStore { ask }),
            Self::NeverSends => {
                outputs.retain(|output| !matches!(output, Output::SendShard { .. }));
            }
            Self::NeverFetches => outputs.iter_mut().for_each(give_up),
        }
    }

    /// What the broken engine says of itself.
    pub(crate) const fn bend_protection(self, told: Protection) -> Protection {
        match self {
            Self::SaysSafe => Protection::Safe,
            Self::None
            | Self::CommitsEarly
            | Self::SealsEarly
            | Self::PublishesEarly
            | Self::RecordsEarly
            | Self::SignsAll
            | Self::StoresAll
            | Self::NeverSends
            | Self::NeverFetches
            | Self::SwallowsFailures
            | Self::RetriesNothing
            | Self::WaitsForTheAbsent
            | Self::WaitsForTheLate
            | Self::HidesNewer
            | Self::CountsTheEmpty
            | Self::EntersWithNothing
            | Self::TriesTheNewestOnly
            | Self::PublishesAlone
            | Self::TrustsWhatItHas
            | Self::NeverTrustsAgain
            | Self::StandsStillInSleep
            | Self::TakesTheFutureForNow
            | Self::LeadsOnToTheAbsent
            | Self::ForgetsAtStart
            | Self::KnowsEveryHead
            | Self::BelievesLists
            | Self::GivesUnasked
            | Self::OrdersByTime
            | Self::ForgetsDebts => told,
        }
    }
}

/// The first head to whoever is asked for its newest.
fn give_unasked(outputs: &mut Vec<Output>) {
    let sequence = Sequence(1);
    let asked = outputs.iter().filter_map(|output| {
        if let Output::AskTip { device } = *output {
            Some(Output::PutHead { device, sequence })
        } else {
            None
        }
    });
    let given: Vec<_> = asked.collect();
    outputs.extend(given);
}

/// All positions count as there.
fn lead_anywhere(output: &mut Output) {
    if let Output::StartScan { at_hand, .. } | Output::SealMetadata { at_hand, .. } = output {
        at_hand.positions = PositionMask(u32::MAX);
    }
}

fn put_at_once(input: &Input, set: Option<&SetFact>) -> Option<Output> {
    if let Input::MetadataSealed { sequence, .. } = input {
        let (_, device) = set?.holders().next()?;
        return Some(Output::PutHead {
            device,
            sequence: *sequence,
        });
    }
    None
}

fn record_at_once(input: &Input) -> Option<Output> {
    if let Input::HeadKept { sequence, .. } = input {
        let sequence = *sequence;
        return Some(Output::RecordCommit { sequence });
    }
    None
}

fn give_up(output: &mut Output) {
    if let Output::FetchRange { fetch, .. } = output {
        let (fetch, code) = (*fetch, ErrorCode::TooFewShards);
        *output = Output::GiveUpFetch { fetch, code };
    }
}

fn hide_newer(output: &mut Output) {
    if let Output::EnterDevice { found, .. } = output {
        found.unheard.clear();
    }
}

fn enter_with_nothing(output: &mut Output) {
    if let Output::JobEnded { job, failure, .. } = output
        && *failure == Some(ErrorCode::VersionsMissing)
    {
        let (job, found) = (*job, RecoveryFound::default());
        *output = Output::EnterDevice { job, found };
    }
}

/// Ends a recovery where it would go on to another version.
fn end_with(input: &Input, output: &mut Output) {
    let goes_on = matches!(input, Input::CatalogueRebuilt { .. });
    if let (true, Output::RebuildCatalogue { job, .. }) = (goes_on, &output) {
        *output = Output::JobEnded {
            job: *job,
            failure: Some(ErrorCode::TooFewShards),
            unchanged: false,
        };
    }
}

fn bend_refusals(outputs: &mut [Output], accept: impl Fn(bitdust_engine::AskId) -> Output) {
    for output in outputs {
        if let Output::Refuse { ask, .. } = output {
            *output = accept(*ask);
        }
    }
}
