//! What concerns bringing back: restores and look-ups with their fetches, and recoveries.

use crate::engine::{Engine, Task};
use crate::fsm::{fetch, recovery, restore};
use crate::io::Input;

impl Engine {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    pub(super) fn route_restore(&mut self, input: Input) -> Option<Input> {
        match input {
            Input::RestoreAsked { job } => self.ask_restore(job),
            Input::FetchWanted {
                fetch,
                job,
                pack,
                k,
                direct,
                places,
            } => {
                self.want_fetch(fetch, job, pack, fetch::Wanted { k, direct, places });
            }
            Input::RangeFetched { fetch, position } => {
                self.tasks
                    .push_back(Task::Fetch(fetch, fetch::Event::RangeFetched { position }));
            }
            Input::RangeFailed {
                fetch,
                position,
                device,
                code,
            } => {
                let event = fetch::Event::RangeFailed {
                    position,
                    device,
                    code,
                };
                self.tasks.push_back(Task::Fetch(fetch, event));
                if let Some(pack) = self.fetches.get(&fetch).map(|fetch| fetch.pack) {
                    self.not_given(device, (pack, position), code);
                }
            }
            Input::FetchDecoded { fetch } => {
                self.tasks
                    .push_back(Task::Fetch(fetch, fetch::Event::Decoded));
            }
            Input::DecodeFailed { fetch, code } => {
                self.tasks
                    .push_back(Task::Fetch(fetch, fetch::Event::DecodeFailed { code }));
            }
            Input::RestoreWritten { job, .. } => {
                self.tasks
                    .push_back(Task::Restore(job, restore::Event::Written));
            }
            Input::RestoreFailed { job, code } => {
                self.tasks
                    .push_back(Task::Restore(job, restore::Event::Failed { code }));
            }
            Input::LookUpEnded { job } => self.drop_fetches(job),
            other => return Some(other),
        }
        None
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`family` is the exhaustive match"
    )]
    pub(super) fn route_recovery(&mut self, input: Input) -> Option<Input> {
        let (job, event) = match input {
            Input::RecoverAsked { job } => {
                self.ask_recovery(job);
                return None;
            }
            Input::RootFound { job, devices } => (job, recovery::Event::RootFound { devices }),
            Input::RootMissing { job } => (job, recovery::Event::RootMissing),
            Input::RootNotSought { job, code } | Input::LanesNotSought { job, code } => {
                (job, recovery::Event::SeekFailed { code })
            }
            Input::LanesSought {
                job,
                missing,
                lanes,
            } => (job, recovery::Event::LanesSought { missing, lanes }),
            Input::HeadsHeard { job, device, heads } => {
                (job, recovery::Event::HeadsHeard { device, heads })
            }
            Input::HeadsFailed { job, device, .. } => {
                (job, recovery::Event::HeadsFailed { device })
            }
            Input::CatalogueRebuilt { job, lists } => (job, recovery::Event::Rebuilt { lists }),
            Input::DeviceEntered { job } => (job, recovery::Event::Entered),
            Input::RebuildFailed { job, code } => (job, recovery::Event::RebuildFailed { code }),
            Input::DeviceNotEntered { job, code } => (job, recovery::Event::NotEntered { code }),
            other => return Some(other),
        };
        self.tasks.push_back(Task::Recovery(job, event));
        None
    }
}
