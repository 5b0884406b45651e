//! What a recovered machine takes over of those before it beside their versions: folders with their rules and
//! schedules, and friends.

use std::collections::BTreeSet;

use bitdust_model::limits;
use bitdust_model::manifest::{FolderRecord, FriendRecord};
use bitdust_model::{FolderId, UnixMillis};
use bitdust_store::catalogue::Friend;
use bitdust_store::{Catalogue, CatalogueError};

use crate::shared::folder_schedule::{awaiting_setting, put_back};
use crate::shared::recovery_found::Left;

/// Puts folders under protection, each of which waits until it was restored: what lies where it was on a bare
/// machine, if anything, is not its newest version. Gives how many.
pub(super) fn inherit_folders(catalogue: &Catalogue, left: &[Left]) -> Result<u64, CatalogueError> {
    let folders = folders_of(left);
    for folder in &folders {
        put_back(catalogue, folder, vec![awaiting_setting(folder.folder)])?;
    }
    Ok(folders.len() as u64)
}

/// Knows friends again by their names, the newest machine's first.
pub(super) fn inherit_friends(
    catalogue: &Catalogue,
    left: &[Left],
    now: UnixMillis,
) -> Result<(), CatalogueError> {
    // The later in the list, the longer they are friends.
    for (since, friend) in (0..=now.0).rev().zip(friends_of(left)) {
        catalogue.put_friend(Friend {
            device: friend.device,
            identity: friend.identity,
            nickname: friend.nickname,
            addresses: friend.addresses,
            since: UnixMillis(since),
        })?;
    }
    Ok(())
}

/// Those that nobody let go. A machine that took folders over has them under the same ids: those that it does
/// not have any more are not wanted.
fn folders_of(left: &[Left]) -> Vec<FolderRecord> {
    let (mut ids, mut paths) = (BTreeSet::<FolderId>::new(), BTreeSet::new());
    let mut folders = Vec::new();
    for machine in newest_first(left) {
        let is_superseded = machine.folders.iter().any(|it| ids.contains(&it.folder));
        if is_superseded {
            continue;
        }
        for folder in &machine.folders {
            ids.insert(folder.folder);
            if paths.insert(folder.path.clone()) {
                folders.push(folder.clone());
            }
        }
    }
    folders.truncate(limits::FOLDERS_MAX);
    folders
}

fn friends_of(left: &[Left]) -> Vec<FriendRecord> {
    let mut known = BTreeSet::new();
    let all = newest_first(left).into_iter().flat_map(|it| &it.friends);
    let new = all.filter(|friend| known.insert(friend.device)).cloned();
    new.take(limits::FRIENDS_MAX).collect()
}

fn newest_first(left: &[Left]) -> Vec<&Left> {
    let mut machines: Vec<_> = left.iter().collect();
    machines.sort_by_key(|machine| std::cmp::Reverse(machine.written_at));
    machines
}

#[cfg(test)]
mod tests {
    use bitdust_api::view::Schedule;
    use bitdust_model::manifest::{FolderSchedule, Retention};
    use bitdust_model::{DeviceId, IdentityId};

    use super::*;
    use crate::shared::folder_schedule::{awaits_restore, schedule_of};
    use crate::shared::testing::TestHome;

    fn folder(id: u8, path: &str) -> FolderRecord {
        FolderRecord {
            folder: FolderId([id; 32]),
            path: path.as_bytes().to_vec(),
            excludes: vec!["*.tmp".to_owned()],
            crosses_mounts: true,
            schedule: Some(FolderSchedule::Every { minutes: 90 }),
            retention: Retention::KeepAll,
        }
    }

    fn left(written_at: u64, folders: &[(u8, &str)]) -> Left {
        let folders = folders.iter().map(|(id, path)| folder(*id, path));
        Left {
            folders: folders.collect(),
            friends: Vec::new(),
            written_at: UnixMillis(written_at),
        }
    }

    fn ids(left: &[Left]) -> Vec<u8> {
        let folders = folders_of(left).into_iter();
        folders.map(|folder| folder.folder.0[0]).collect()
    }

    #[test]
    fn folders_of_all_machines_come_back_but_those_that_were_let_go() {
        assert!(ids(&[]).is_empty());
        let laptop = left(2, &[(1, "/letters"), (2, "/music")]);
        let desktop = left(1, &[(3, "/letters"), (4, "/films")]);
        let both = [desktop, laptop];
        assert_eq!(ids(&both), [1, 2, 4], "of two of one place the newer");
        let [desktop, laptop] = both;
        let successor = left(3, &[(2, "/music")]);
        let all = [laptop, successor, desktop];
        assert_eq!(
            ids(&all),
            [2, 3, 4],
            "the letters of the laptop were let go"
        );
    }

    #[tokio::test]
    async fn a_folder_comes_back_with_its_rules_and_waits() {
        let home = TestHome::new().await;
        let catalogue = &home.context.catalogue;
        let count = inherit_folders(catalogue, &[left(1, &[(7, "/letters")])]);
        assert_eq!(count.expect("written"), 1);
        let expected = FolderRecord {
            schedule: None,
            ..folder(7, "/letters")
        };
        let id = expected.folder;
        assert_eq!(catalogue.folders().expect("read"), [expected]);
        let schedule = schedule_of(catalogue, id).expect("read");
        assert_eq!(schedule, Some(Schedule::Every { minutes: 90 }));
        assert!(awaits_restore(catalogue, id).expect("read"));
    }

    #[tokio::test]
    async fn friends_come_back_in_their_order() {
        let home = TestHome::new().await;
        let catalogue = &home.context.catalogue;
        let friend = |device: u8, nickname: &str| FriendRecord {
            identity: IdentityId([device; 32]),
            device: DeviceId([device; 32]),
            nickname: nickname.to_owned(),
            addresses: vec!["/ip4/192.0.2.7/tcp/4001".to_owned()],
        };
        let of = |written_at, friends: &[FriendRecord]| Left {
            friends: friends.to_vec(),
            ..left(written_at, &[])
        };
        let older = of(1, &[friend(1, "bob"), friend(3, "carla")]);
        let newer = of(2, &[friend(2, "dora"), friend(1, "robert")]);
        inherit_friends(catalogue, &[older, newer], UnixMillis(1_000)).expect("written");
        let friends = catalogue.friends().expect("read");
        let names: Vec<_> = friends.iter().map(|it| it.nickname.as_str()).collect();
        assert_eq!(names, ["carla", "robert", "dora"], "the oldest first");
    }
}
