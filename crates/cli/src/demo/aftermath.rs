//! The second half of the demo: suppliers and the machine are lost, the words bring
//! everything back, and every byte is compared.

use std::path::{Path, PathBuf};

use bitdust_api::view::{SnapshotView, StatusView};
use bitdust_model::{ByteCount, ErrorCode};
use serde_json::{Value, json};

use super::acts::{Stage, decoded, first_address, run_job};
use super::compare::{Comparison, compare};
use super::machine::{Machine, Reply};
use crate::escape::{escaped, escaped_bytes, percent_escaped, shown_path};
use crate::failure::{Exit, Failure};
use crate::report::ReportObject;
use crate::text::{count, elapsed, fingerprint};

/// Differences that are told to people; machines get all that are listed.
const DIFFERENCES_SHOWN: usize = 20;

impl Stage {
    /// Kills the suppliers that hold the first places, which hold the plainest parts, and
    /// the machine itself; deletes its home.
    pub(super) async fn lose(&mut self, status: &StatusView) -> Result<(), Failure> {
        let order = order_of_loss(status, &self.suppliers);
        let victims: Vec<usize> = order.into_iter().take(self.plan.lose.into()).collect();
        let names: Vec<_> = victims
            .iter()
            .map(|index| self.suppliers[*index].name.clone())
            .collect();
        self.story.step(&format!(
            "Losing {} for good: {}.",
            count(victims.len() as u64, "supplier", "suppliers"),
            listed(&names)
        ))?;
        for index in victims {
            self.suppliers[index].kill().await?;
            self.suppliers[index].addresses.clear();
        }
        self.story.step("Losing the machine: its process is killed, its home is deleted. Only the words on paper are left.")?;
        self.customer.kill().await?;
        tokio::fs::remove_dir_all(&self.customer.home)
            .await
            .map_err(|error| {
                Failure::io("The home of the lost machine cannot be deleted", &error)
            })?;
        Ok(())
    }

    /// Recovers on a new machine and restores there. Gives the folder that was restored and
    /// how that went.
    pub(super) async fn bring_back(&mut self) -> Result<(PathBuf, Result<Exit, Failure>), Failure> {
        let living = self
            .suppliers
            .iter()
            .find(|supplier| !supplier.addresses.is_empty());
        let living = living.ok_or_else(|| {
            Failure::new(
                ErrorCode::TooFewSuppliers,
                "No supplier is left to start from.",
            )
        })?;
        self.story.step(&format!(
            "A bare new machine: the 24 words and the address of {}.",
            living.name
        ))?;
        self.bench.bootstrap = Some(first_address(&living.name, &living.addresses)?);
        let machine = Machine::new(&self.bench, "new-machine");
        let found = self
            .recover(&machine)
            .await
            .map_err(|failure| self.with_loss(failure))?;
        self.story.detail(&found)?;

        self.tell_versions(&machine).await?;

        self.story
            .step("Restoring the latest version from the suppliers that are left.")?;
        let restored = self.bench.folder.join("restored");
        let to = restored.to_str().ok_or_else(|| {
            Failure::usage("The temporary folder's path is not text. Set TMPDIR to another folder.")
        })?;
        let ended = run_job(
            self.output,
            &machine,
            &["restore", "latest", "--to", to],
            "Restoring",
        )
        .await;
        let outcome = match ended {
            Ok(reply) => {
                self.tell_restore(&reply)?;
                Ok(reply.exit)
            }
            Err(failure) => {
                self.story.detail(&failure.message)?;
                Err(failure)
            }
        };
        // A restore that brought nothing back may have made no folder; all of it is missing then.
        tokio::fs::create_dir_all(&restored)
            .await
            .map_err(|error| Failure::io("The folder to restore into cannot be used", &error))?;
        Ok((restored, outcome))
    }

    async fn tell_versions(&self, machine: &Machine) -> Result<(), Failure> {
        let listed = machine
            .run(&["snapshots"])
            .await
            .map_err(|failure| self.with_loss(failure))?;
        let versions: Vec<SnapshotView> = decoded(listed.object["snapshots"].clone())?;
        for version in &versions {
            let files = count(version.files, "file", "files");
            self.story.detail(&format!(
                "A version of {} with {files} ({}).",
                shown_path(&version.path),
                ByteCount(version.bytes)
            ))?;
        }
        Ok(())
    }

    async fn recover(&self, machine: &Machine) -> Result<String, Failure> {
        let mut watch = |line: Value| match line["phase"].as_str() {
            Some(phase) if !self.output.is_json() => self.story.detail(phase),
            _ => self.output.object(&line),
        };
        let arguments = ["recover", "--old-machine-gone", "--keys", "file"];
        let reply = machine
            .run_watched(&arguments, Some(&self.words), &mut watch)
            .await?;
        let found = &reply.object;
        Ok(format!(
            "Welcome back, {} · {}: the newest version is confirmed by {} of {} suppliers.",
            found["nickname"].as_str().unwrap_or_default(),
            fingerprint(found["identity"].as_str().unwrap_or_default()),
            found["confirmed"],
            found["of"],
        ))
    }

    fn tell_restore(&self, reply: &Reply) -> Result<(), Failure> {
        let report: ReportObject = decoded(reply.object.clone())?;
        self.story.detail(&format!(
            "{} ({}) in {}.",
            count(report.progress.files_done, "file", "files"),
            report.progress.bytes_done,
            elapsed(std::time::Duration::from_millis(report.took_millis)),
        ))?;
        if report.problem_count() > 0 {
            self.story.detail(&format!(
                "{} could not be restored.",
                count(report.problem_count(), "thing", "things")
            ))?;
        }
        Ok(())
    }

    /// Where more was lost than can be borne, says what that means.
    fn with_loss(&self, mut failure: Failure) -> Failure {
        if self.plan.loses_too_many() {
            let files = self
                .backup
                .as_ref()
                .map_or(0, |(_, report)| report.progress.files_done);
            failure.message = format!(
                "{}. All {files} files are lost: {} of {} suppliers are gone, {} could be borne.",
                failure.message.trim_end_matches('.'),
                self.plan.lose,
                self.plan.suppliers,
                self.plan.bearable()
            );
        }
        failure
    }

    /// Compares and tells the result.
    pub(super) async fn judge(
        &mut self,
        restored: &Path,
        outcome: Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        self.story.step("Comparing every byte with the source.")?;
        let (source, copy) = (self.plan.dir.clone(), restored.to_owned());
        let compared = tokio::task::spawn_blocking(move || compare(&source, &copy))
            .await
            .map_err(|error| {
                Failure::new(ErrorCode::Internal, format!("Comparing stopped: {error}."))
            })?
            .map_err(|error| Failure::io("The two folders cannot be compared", &error))?;
        let backup = self.backup.as_ref().map_or(Exit::Failed, |(exit, _)| *exit);
        let exit = verdict(&compared, backup, &outcome);
        let object = self.result_object(&compared, exit, outcome.as_ref().err());
        let text = self.result_text(&compared, exit);
        self.output.result(&object, || text)?;
        Ok(exit)
    }

    fn result_object(&self, compared: &Comparison, exit: Exit, failure: Option<&Failure>) -> Value {
        let differences: Vec<_> = compared
            .differences
            .iter()
            .map(|found| json!({ "path": percent_escaped(found.path.as_os_str().as_encoded_bytes()), "how": found.kind.to_string() }))
            .collect();
        let mut object = json!({
            "same": compared.is_same(),
            "files": compared.files,
            "bytes": compared.bytes,
            "folders": compared.folders,
            "links": compared.links,
            "not_compared": compared.skipped,
            "lost": compared.lost,
            "differences": differences,
            "differences_unlisted": compared.unlisted,
            "suppliers": self.plan.suppliers,
            "suppliers_lost": self.plan.lose,
            "code": self.plan.code.to_string(),
            "seconds": self.story.elapsed().as_secs_f64(),
        });
        if exit == Exit::Failed {
            let message = failure.map_or(
                "The restored folder is not the same as the source.",
                |failure| &failure.message,
            );
            let code = failure.map_or(ErrorCode::Corrupt, |failure| failure.code);
            object["error"] = json!({ "code": code.name(), "message": message });
        }
        object
    }

    fn result_text(&self, compared: &Comparison, exit: Exit) -> String {
        let took = elapsed(self.story.elapsed());
        let gone = format!(
            "{} of {} suppliers and the machine",
            self.plan.lose, self.plan.suppliers
        );
        let files = count(compared.files, "file", "files");
        let mut text = if compared.is_same() {
            let links = count(compared.links, "link", "links");
            format!(
                "\nEverything is back without {gone}: {files} ({}), {} and {links} are the same,\n\
                 every byte, permission, time and target. It took {took}.\n",
                ByteCount(compared.bytes),
                count(compared.folders, "folder", "folders"),
            )
        } else {
            let lost = count(compared.lost, "file or link is", "files and links are");
            let differences = count(compared.difference_count(), "difference", "differences");
            format!(
                "\nWithout {gone}, {lost} lost; {files} came back. {differences} to the source:\n"
            )
        };
        for found in compared.differences.iter().take(DIFFERENCES_SHOWN) {
            let path = escaped_bytes(found.path.as_os_str().as_encoded_bytes());
            text.push_str(&format!("  {path}: {}\n", escaped(&found.kind.to_string())));
        }
        let unshown = compared
            .difference_count()
            .saturating_sub(DIFFERENCES_SHOWN as u64);
        if unshown > 0 {
            text.push_str(&format!("  and {unshown} more\n"));
        }
        if self.plan.loses_too_many() && exit == Exit::Done {
            text.push_str("More was lost than can be borne in general; so small a folder travels whole with the list of files.\n");
        }
        if compared.skipped > 0 {
            text.push_str(&format!(
                "{} not compared: nothing brings sockets and devices back.\n",
                count(compared.skipped, "entry", "entries")
            ));
        }
        text
    }
}

/// Same and nothing missed is done; what was listed as missed is incomplete; else it failed.
fn verdict(compared: &Comparison, backup: Exit, restore: &Result<Exit, Failure>) -> Exit {
    match restore {
        Err(_) => Exit::Failed,
        Ok(restore)
            if compared.is_same() || *restore == Exit::Incomplete || backup == Exit::Incomplete =>
        {
            backup.max(*restore)
        }
        Ok(_) => Exit::Failed,
    }
}

/// Suppliers by their place in the set; those without one come last.
fn order_of_loss(status: &StatusView, suppliers: &[Machine]) -> Vec<usize> {
    let place = |machine: &Machine| {
        let view = status
            .suppliers
            .iter()
            .find(|view| view.device == machine.device);
        view.and_then(|view| view.position)
            .map_or(u16::MAX, u16::from)
    };
    let mut order: Vec<usize> = (0..suppliers.len()).collect();
    order.sort_by_key(|index| place(&suppliers[*index]));
    order
}

/// `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [name] => name.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(differences: u64) -> Comparison {
        Comparison {
            unlisted: differences,
            ..Comparison::default()
        }
    }

    #[test]
    fn only_the_same_is_done_and_only_what_was_listed_is_incomplete() {
        let check =
            |differences: u64, backup: Exit, restore: Result<Exit, Failure>, expected: Exit| {
                assert_eq!(verdict(&compared(differences), backup, &restore), expected);
            };
        check(0, Exit::Done, Ok(Exit::Done), Exit::Done);
        check(0, Exit::Incomplete, Ok(Exit::Done), Exit::Incomplete);
        check(3, Exit::Incomplete, Ok(Exit::Done), Exit::Incomplete);
        check(3, Exit::Done, Ok(Exit::Incomplete), Exit::Incomplete);
        check(3, Exit::Done, Ok(Exit::Done), Exit::Failed);
        check(0, Exit::Done, Err(Failure::odd_answer()), Exit::Failed);
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        let check = |names: &[&str], text: &str| {
            assert_eq!(
                listed(
                    &names
                        .iter()
                        .map(|name| (*name).to_owned())
                        .collect::<Vec<_>>()
                ),
                text
            );
        };
        check(&[], "none");
        check(&["a"], "a");
        check(&["a", "b", "c"], "a, b and c");
    }
}
