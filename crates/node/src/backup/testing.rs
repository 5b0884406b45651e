//! What the tests of this wing begin with.

use bitdust_api::ApiError;
use tokio::sync::oneshot;

use super::Backup;
use crate::backup::folders::{FolderAnswer, FolderCommand};
use crate::backup::own_sets::OwnSets;
use crate::shared::answer::Reported;
use crate::shared::config::Config;
use crate::shared::driver::Ended;
use crate::shared::task_event::TaskEvent;
use crate::shared::testing::TestHome;

/// The answer to a command.
pub(super) type Asked = oneshot::Receiver<Reported>;

/// The backups of a home without folders.
pub(super) fn backup(home: &TestHome, is_daemon: bool) -> Backup {
    let config = Config::default();
    let (context, home_dir) = (home.context.clone(), home.home_dir());
    Backup::open(context, &config, home_dir, OwnSets::default(), is_daemon).expect("a catalogue")
}

/// Asks something about folders.
pub(super) fn asked(backup: &Backup, home: &mut TestHome, command: FolderCommand) -> Asked {
    let (reply, answer) = oneshot::channel();
    backup.command(&mut home.driver, command, reply);
    answer
}

/// Takes in what the next command did, as the loop does; gives what it is answered with.
pub(super) async fn take_in(
    backup: &mut Backup,
    home: &mut TestHome,
    mut asked: Asked,
) -> Result<FolderAnswer, ApiError> {
    if let Ok(refused) = asked.try_recv() {
        return Err(refused.expect_err("nothing is done so fast"));
    }
    let Ended::Command(ended) = home.driver.task_ended().await else {
        panic!("nothing else runs");
    };
    let Some(event) = ended.expect("no defect") else {
        let refused = asked.await.expect("answered");
        return Err(refused.expect_err("what is done comes to the loop"));
    };
    let TaskEvent::FolderCommand { outcome, .. } = *event else {
        panic!("nothing else is brought");
    };
    assert!(asked.try_recv().is_err(), "the loop answers");
    backup.command_done(&mut home.driver, *outcome)
}
