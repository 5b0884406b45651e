//! The first half of the demo: a network comes to life, and a folder goes into it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bitdust_api::Event;
use bitdust_api::view::{StatusView, SupplierView};
use bitdust_model::intervals::{DEMO_LOOK_EVERY, DEMO_PATIENCE};
use bitdust_model::{ByteCount, ErrorCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::machine::{Bench, Machine, Reply, bytes_below, texts};
use super::plan::{Hire, Plan};
use super::story::Story;
use crate::escape::escaped_bytes;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::JobDisplay;
use crate::report::ReportObject;
use crate::text::{code, count, elapsed, fingerprint};

/// Time between two searches for strangers: a practice network need not spare anybody.
const SEARCH_INTERVAL_MILLIS: &str = "200";
/// What a supplier keeps at least, beside twice the folder.
const CONTRACT_BYTES_MIN: u64 = 1_000_000_000;

/// Everything that takes part in a demo.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) output: Output,
    pub(super) plan: Plan,
    pub(super) bench: Bench,
    pub(super) story: Story,
    /// The suppliers, those that are lost included.
    pub(super) suppliers: Vec<Machine>,
    /// The machine whose folder is backed up, until it is lost.
    pub(super) customer: Machine,
    /// The identity's words, which a person would have on paper.
    pub(super) words: String,
    /// Bytes of the folder.
    pub(super) folder_bytes: u64,
    /// What the backup told.
    pub(super) backup: Option<(Exit, ReportObject)>,
}

impl Stage {
    /// Sets the stage; nothing runs yet.
    pub(super) fn new(output: Output, plan: &Plan, folder: &Path) -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::io("The program does not know where it lies", &error))?;
        let number = getrandom::u64().map_err(|error| {
            Failure::new(
                ErrorCode::Internal,
                format!("The system gives no random numbers: {error}. Nothing was started."),
            )
        })?;
        let bench = Bench {
            program,
            network: format!("demo-{number:016x}"),
            folder: folder.to_owned(),
            transport: plan.transport,
            bootstrap: None,
        };
        Ok(Self {
            output,
            plan: plan.clone(),
            customer: Machine::new(&bench, "machine"),
            bench,
            story: Story::start(output),
            suppliers: vec![],
            words: String::new(),
            folder_bytes: 0,
            backup: None,
        })
    }

    /// The whole story. May be dropped at any point; `stop_all` has to follow.
    pub(super) async fn play(&mut self) -> Result<Exit, Failure> {
        self.introduce().await?;
        self.start_suppliers().await?;
        self.start_customer().await?;
        self.hire().await?;
        self.back_up().await?;
        let status = self.wait_until_spread().await?;
        self.lose(&status).await?;
        let (restored, outcome) = self.bring_back().await?;
        self.judge(&restored, outcome).await
    }

    /// Kills every process that still runs.
    pub(super) async fn stop_all(&mut self) {
        for machine in self.suppliers.iter_mut().chain([&mut self.customer]) {
            if let Err(failure) = machine.kill().await {
                self.output.note(&failure.message);
            }
        }
    }

    async fn introduce(&mut self) -> Result<(), Failure> {
        let dir = self.plan.dir.clone();
        self.folder_bytes = measured(dir.clone()).await?;
        self.story.step(&format!(
            "A practice network on this machine: {}, a machine with a folder to back up, and nothing else. Nothing leaves this machine.",
            count(self.plan.suppliers.into(), "supplier", "suppliers"),
        ))?;
        self.story.detail(&format!(
            "The folder is {} with {}.",
            escaped_bytes(dir.as_os_str().as_encoded_bytes()),
            ByteCount(self.folder_bytes)
        ))
    }

    async fn start_suppliers(&mut self) -> Result<(), Failure> {
        self.story.step(
            "Starting the suppliers, each a process with an identity and a home of its own.",
        )?;
        let offer = self.contract_bytes().saturating_mul(2).to_string();
        for number in 1..=self.plan.suppliers {
            // In the list before it runs, so that it is stopped whatever happens.
            self.suppliers
                .push(Machine::new(&self.bench, &format!("supplier-{number}")));
            let machine = self.suppliers.last_mut().expect("one was just pushed");
            let made = machine
                .run(&["init", "--nickname", &machine.name, "--keys", "file"])
                .await?;
            made.object["device"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut machine.device);
            machine.start().await?;
            machine.run(&["offer", &offer]).await?;
            let name = format!("{} ({})", machine.name, fingerprint(&machine.device));
            let addresses = machine.addresses.clone();
            self.story.detail(&format!(
                "{name} listens on {}",
                shown_addresses(&addresses)
            ))?;
            if self.bench.bootstrap.is_none() {
                self.bench.bootstrap = Some(first_address(&name, &addresses)?);
            }
        }
        Ok(())
    }

    async fn start_customer(&mut self) -> Result<(), Failure> {
        self.story
            .step("Making an identity on the machine to be lost. Its 24 words go on paper.")?;
        self.customer = Machine::new(&self.bench, "machine");
        let made = self
            .customer
            .run(&["init", "--nickname", "demo", "--keys", "file"])
            .await?;
        self.words = texts(&made.object["words"]).join(" ");
        made.object["device"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut self.customer.device);

        let contract = self.contract_bytes().to_string();
        self.customer.run(&["set", "contract", &contract]).await?;
        self.customer
            .run(&["set", "suppliers", &self.plan.suppliers.to_string()])
            .await?;
        if self.plan.code_was_chosen {
            self.customer
                .run(&["set", "code", &self.plan.code.to_string()])
                .await?;
        }
        if self.plan.hire == Hire::Dht {
            // Offers are spread over places that are looked at one at a time.
            self.customer
                .run(&["set", "policy.search_interval", SEARCH_INTERVAL_MILLIS])
                .await?;
        }
        self.customer.start().await?;
        let identity = made.object["identity"].as_str().unwrap_or_default();
        self.story
            .detail(&format!("demo · {} runs.", fingerprint(identity)))
    }

    async fn hire(&mut self) -> Result<(), Failure> {
        match self.plan.hire {
            Hire::Invitations => {
                self.story.step(
                    "Making friends: each supplier writes an invitation, the machine accepts it.",
                )?;
                for supplier in &self.suppliers {
                    let written = supplier.run(&["invite"]).await?;
                    let invitation = written.object["invitation"]
                        .as_str()
                        .ok_or_else(Failure::odd_answer)?;
                    self.customer.run(&["accept", invitation]).await?;
                }
            }
            Hire::Dht => {
                self.story
                    .step("Looking for suppliers among strangers that offer space.")?;
                let wanted = self.plan.suppliers.to_string();
                let wait = DEMO_PATIENCE.as_secs().to_string();
                self.customer
                    .run(&["supplier", "hire", &wanted, "--wait", &wait])
                    .await?;
            }
        }
        self.wait_for_suppliers().await?;
        self.story.detail(&format!(
            "{}: {}.",
            count(self.plan.suppliers.into(), "supplier", "suppliers"),
            code(self.plan.code)
        ))
    }

    async fn wait_for_suppliers(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + DEMO_PATIENCE;
        loop {
            let listed = self.customer.run(&["supplier", "list"]).await?;
            let suppliers: Vec<SupplierView> = decoded(listed.object["suppliers"].clone())?;
            let ready = suppliers
                .iter()
                .filter(|supplier| supplier.online && supplier.contract_bytes > 0)
                .count();
            if ready >= usize::from(self.plan.suppliers) {
                return Ok(());
            }
            self.check_all_alive().await?;
            if Instant::now() >= deadline {
                return Err(Failure::new(
                    ErrorCode::TooFewSuppliers,
                    format!(
                        "Only {ready} of {} suppliers agreed within {} s.",
                        self.plan.suppliers,
                        DEMO_PATIENCE.as_secs()
                    ),
                ));
            }
            sleep(DEMO_LOOK_EVERY).await;
        }
    }

    async fn back_up(&mut self) -> Result<(), Failure> {
        self.story.step("Backing up the folder.")?;
        let dir = self.plan.dir.to_str().ok_or_else(|| {
            Failure::usage("The demo takes folders whose path is text; this one's is not. Name another folder.")
        })?;
        self.customer.run(&["folder", "add", "--", dir]).await?;
        let reply = run_job(self.output, &self.customer, &["backup"], "Backing up").await?;
        self.check_all_alive().await?;
        let report: ReportObject = decoded(reply.object)?;
        self.story.detail(&format!(
            "{} ({}) in {}; {} after compression.",
            count(report.progress.files_done, "file", "files"),
            report.progress.bytes_done,
            elapsed(Duration::from_millis(report.took_millis)),
            ByteCount(report.packed_bytes),
        ))?;
        if report.problem_count() > 0 {
            self.story.detail(&format!(
                "{} could not be protected.",
                count(report.problem_count(), "thing", "things")
            ))?;
        }
        self.backup = Some((reply.exit, report));
        Ok(())
    }

    /// A backup may end before the last supplier has its part; the loss shall be a fair one.
    async fn wait_until_spread(&mut self) -> Result<StatusView, Failure> {
        let deadline = Instant::now() + DEMO_PATIENCE;
        let view = loop {
            let view: StatusView = decoded(self.customer.run(&["status"]).await?.object)?;
            let is_spread = view.spooled_bytes == 0
                && view
                    .head
                    .as_ref()
                    .is_some_and(|head| head.confirmed >= head.of);
            if is_spread {
                break view;
            }
            self.check_all_alive().await?;
            if Instant::now() >= deadline {
                self.story
                    .detail("Some suppliers still wait for their part; going on without them.")?;
                break view;
            }
            sleep(DEMO_LOOK_EVERY).await;
        };
        let homes: Vec<_> = self
            .suppliers
            .iter()
            .map(|supplier| supplier.home.clone())
            .collect();
        let mut kept = 0;
        for home in homes {
            kept += measured(home).await?;
        }
        self.story.detail(&format!("Status: {}", view.sentence))?;
        self.story
            .detail(&format!("The suppliers keep {} together.", ByteCount(kept)))?;
        let used = view.code.unwrap_or(self.plan.code);
        let bearable = used.n() - used.k();
        if self.plan.lose > bearable && !self.plan.loses_too_many() {
            return Err(Failure::new(
                ErrorCode::TooFewSuppliers,
                format!(
                    "The backup is kept so that {}: losing {} cannot be borne. Nothing was lost.",
                    code(used),
                    self.plan.lose
                ),
            ));
        }
        Ok(view)
    }

    async fn check_all_alive(&mut self) -> Result<(), Failure> {
        for machine in self.suppliers.iter_mut().chain([&mut self.customer]) {
            machine.check_alive().await?;
        }
        Ok(())
    }

    fn contract_bytes(&self) -> u64 {
        self.folder_bytes
            .saturating_mul(2)
            .saturating_add(CONTRACT_BYTES_MIN)
    }
}

/// Runs a job on a machine and shows its progress as the job's own command would.
pub(super) async fn run_job(
    output: Output,
    machine: &Machine,
    arguments: &[&str],
    title: &'static str,
) -> Result<Reply, Failure> {
    let mut display = JobDisplay::start(output, title);
    let mut watch = |line: Value| match output.is_json() {
        true => output.object(&line),
        false => display.event(&decoded::<Event>(line)?),
    };
    machine.run_watched(arguments, None, &mut watch).await
}

/// The address others start from.
pub(super) fn first_address(name: &str, addresses: &[String]) -> Result<String, Failure> {
    addresses.first().cloned().ok_or_else(|| {
        Failure::new(
            ErrorCode::Unreachable,
            format!("{name} listens nowhere, so nobody can reach it."),
        )
    })
}

/// The first address without the name in it, and how many more there are.
fn shown_addresses(addresses: &[String]) -> String {
    match addresses {
        [] => "nothing".to_owned(),
        [first, rest @ ..] => {
            let plain = first.split("/p2p/").next().unwrap_or_default();
            if rest.is_empty() {
                plain.to_owned()
            } else {
                format!("{plain} and {} more", rest.len())
            }
        }
    }
}

/// What another process of the same program printed.
pub(super) fn decoded<T: DeserializeOwned>(object: Value) -> Result<T, Failure> {
    serde_json::from_value(object).map_err(|error| {
        Failure::new(
            ErrorCode::Malformed,
            format!("A command printed something that does not fit ({error})."),
        )
    })
}

/// Bytes below a folder, counted aside so that signals are heard meanwhile.
async fn measured(folder: PathBuf) -> Result<u64, Failure> {
    tokio::task::spawn_blocking(move || bytes_below(&folder))
        .await
        .map_err(|error| Failure::new(ErrorCode::Internal, format!("Counting stopped: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_shortly() {
        let check = |addresses: &[&str], text: &str| {
            let addresses: Vec<String> = addresses
                .iter()
                .map(|address| (*address).to_owned())
                .collect();
            assert_eq!(shown_addresses(&addresses), text);
        };
        check(&[], "nothing");
        check(&["/ip4/127.0.0.1/tcp/1/p2p/12D3"], "/ip4/127.0.0.1/tcp/1");
        check(
            &["/ip4/127.0.0.1/tcp/1/p2p/12D3", "/ip6/::1/tcp/2"],
            "/ip4/127.0.0.1/tcp/1 and 1 more",
        );
    }
}
