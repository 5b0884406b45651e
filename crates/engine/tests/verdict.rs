//! What is said of how things stand: every kind, what comes before what, and that nothing is called
//! good beside something that is not.

use bitdust_engine::{
    FolderHealth, Health, Surroundings, Trouble, Verdict, folder_verdict, verdict,
};
use bitdust_model::status::Protection;
use bitdust_model::verdict::{Asks, FolderSaid, Level, Said};
use bitdust_model::{FolderId, UnixMillis};

const FEW: Protection = stored(1);
const SOME: Protection = stored(4);
const ENOUGH: u8 = 2;
const NEEDED: u8 = 5;

const fn stored(confirmed: u8) -> Protection {
    Protection::Stored {
        confirmed,
        needed: NEEDED,
    }
}

const fn id(number: u8) -> FolderId {
    FolderId([number; 32])
}

/// A folder that nothing is wrong with.
fn well(number: u8) -> FolderHealth {
    FolderHealth {
        folder: id(number),
        protection: Protection::Safe,
        last_backup: Some(UnixMillis(1_000 * u64::from(number))),
        problems: 0,
        trouble: None,
        is_on_its_way: false,
    }
}

fn with(number: u8, protection: Protection) -> FolderHealth {
    let has_version = protection != Protection::Nothing;
    FolderHealth {
        protection,
        last_backup: well(number).last_backup.filter(|_| has_version),
        ..well(number)
    }
}

fn in_trouble(number: u8, trouble: Trouble) -> FolderHealth {
    FolderHealth {
        trouble: Some(trouble),
        ..well(number)
    }
}

fn with_problems(number: u8, problems: u64) -> FolderHealth {
    FolderHealth {
        problems,
        ..well(number)
    }
}

fn quiet() -> Surroundings {
    Surroundings {
        is_damaged: false,
        is_restore_only: false,
        is_replaced: false,
        is_behind: false,
        is_catching_up: false,
        is_practice: false,
        words_checked: true,
        test_failed: 0,
        enough: Some(ENOUGH),
        within_reach: Some(true),
        survival: None,
        is_sending: false,
        awaited: None,
    }
}

/// A backup runs.
fn sending() -> Surroundings {
    Surroundings {
        is_sending: true,
        ..quiet()
    }
}

/// A backup waits for suppliers.
fn waiting() -> Surroundings {
    Surroundings {
        awaited: Some((1, 4)),
        ..quiet()
    }
}

/// The same folder, with a backup of it that runs.
fn on_its_way(folder: FolderHealth) -> FolderHealth {
    FolderHealth {
        is_on_its_way: true,
        ..folder
    }
}

fn of(folders: &[FolderHealth], around: &Surroundings) -> Verdict {
    verdict(&Health {
        folders: folders.to_vec(),
        around: around.clone(),
    })
}

#[track_caller]
fn check(
    folders: &[FolderHealth],
    around: &Surroundings,
    says: Said,
    (level, asks): (Level, Asks),
    concerned: &[u8],
) -> Verdict {
    let told = of(folders, around);
    assert_eq!(told.first.says, says);
    assert_eq!((told.first.level, told.first.asks), (level, asks));
    let concerned: Vec<_> = concerned.iter().map(|number| id(*number)).collect();
    assert_eq!(told.first.folders, concerned);
    told
}

fn others(told: &Verdict) -> Vec<Said> {
    told.also.iter().map(|finding| finding.says).collect()
}

const QUIETLY_GOOD: (Level, Asks) = (Level::Good, Asks::Nothing);
const LOOK: (Level, Asks) = (Level::Attention, Asks::Nothing);
const ON_ITS_WAY: (Level, Asks) = (Level::Working, Asks::Nothing);
const LOST: (Level, Asks) = (Level::Bad, Asks::Suppliers);

#[test]
fn all_that_is_well_is_good_or_plain() {
    let folders = [well(1), well(2)];
    check(&folders, &quiet(), Said::Safe, QUIETLY_GOOD, &[]);
    let mut around = quiet();
    around.survival = Some(0.9999);
    check(&folders, &around, Said::Protected, QUIETLY_GOOD, &[]);
    around.survival = Some(0.98);
    check(&folders, &around, Said::Safe, QUIETLY_GOOD, &[]);
    around.is_practice = true;
    around.words_checked = false;
    let plain = (Level::Plain, Asks::Nothing);
    check(&folders, &around, Said::Practice, plain, &[]);
    let asks_for_one = (Level::Plain, Asks::Folder);
    check(&[], &quiet(), Said::NothingChosen, asks_for_one, &[]);
}

#[test]
fn nothing_is_known_of_a_damaged_list() {
    let unknown = (Level::Bad, Asks::Nothing);
    let damaged = Surroundings {
        is_damaged: true,
        ..quiet()
    };
    check(&[well(1)], &damaged, Said::Unknown, unknown, &[]);
    check(&[], &damaged, Said::Unknown, unknown, &[]);
    let folders = [with(1, Protection::Unknown), well(2)];
    check(&folders, &quiet(), Said::Unknown, unknown, &[]);
}

#[test]
fn folders_without_a_backup_are_named() {
    let never = |number| with(number, Protection::Nothing);
    let all = [never(1), never(2)];
    check(&all, &quiet(), Said::NeverBackedUp, LOOK, &[1, 2]);
    let some = [well(1), never(2)];
    let partly = Said::PartlyBackedUp { missing: 1 };
    check(&some, &quiet(), partly, LOOK, &[2]);

    let begun = |number| on_its_way(never(number));
    let around = sending();
    let (both, one) = ([begun(1), begun(2)], [begun(1), never(2)]);
    check(&both, &around, Said::FirstBackup, ON_ITS_WAY, &[1, 2]);
    check(&one, &around, Said::FirstBackup, LOOK, &[1, 2]);
    check(&[well(1), begun(2)], &around, partly, ON_ITS_WAY, &[2]);
    check(&some, &around, partly, LOOK, &[2]);

    let around = waiting();
    let waits = Said::WaitsForPeople { have: 1, need: 4 };
    let people = (Level::Attention, Asks::People);
    check(&all, &around, waits, people, &[1, 2]);
    check(&some, &around, waits, people, &[2]);
    check(&[well(1)], &around, Said::Safe, QUIETLY_GOOD, &[]);
}

#[test]
fn too_few_confirmations_are_told_by_what_they_suffice_for() {
    let says = Said::Stored {
        confirmed: 4,
        needed: NEEDED,
    };
    check(&[well(1), with(2, SOME)], &quiet(), says, LOOK, &[]);
    let around = sending();
    check(&[with(1, SOME)], &around, says, ON_ITS_WAY, &[]);
    // A backup that runs brings back nobody who is gone.
    let (confirmed, enough) = (1, ENOUGH);
    let lost = Said::WouldLose { confirmed, enough };
    check(&[with(1, FEW), with(2, SOME)], &around, lost, LOST, &[]);
}

#[test]
fn what_is_worse_is_said_first_and_the_rest_beside_it() {
    let mut around = quiet();
    (around.test_failed, around.words_checked) = (2, false);
    let mut folders = vec![
        in_trouble(1, Trouble::Failed),
        in_trouble(2, Trouble::Away),
        with_problems(3, 14),
        with(4, FEW),
        with(5, Protection::Nothing),
    ];
    let (confirmed, enough) = (1, ENOUGH);
    let lost = Said::WouldLose { confirmed, enough };
    let told = check(&folders, &around, lost, LOST, &[]);
    let mut rest = vec![
        Said::TestFailed { files: 2 },
        Said::PartlyBackedUp { missing: 1 },
        Said::WordsUnchecked,
        Said::FolderFailed,
        Said::FolderAway,
        Said::Problems { things: 14 },
    ];
    assert_eq!(others(&told), rest);

    folders[3] = with(4, SOME);
    let failed = rest.remove(0);
    let told = check(&folders, &around, failed, LOST, &[]);
    let says = Said::Stored {
        confirmed: 4,
        needed: NEEDED,
    };
    rest.insert(1, says);
    assert_eq!(others(&told), rest);

    around.test_failed = 0;
    check(&folders, &around, rest[0], LOOK, &[5]);
    folders.remove(4);
    check(&folders, &around, says, LOOK, &[]);
    folders.remove(3);
    let words = (Level::Attention, Asks::Words);
    check(&folders, &around, Said::WordsUnchecked, words, &[]);
    around.words_checked = true;
    check(&folders, &around, Said::FolderFailed, LOOK, &[1]);
    folders.remove(0);
    check(&folders, &around, Said::FolderAway, LOOK, &[2]);
    folders.remove(0);
    let told = check(&folders, &around, rest[5], LOOK, &[3]);
    assert!(told.also.is_empty(), "nothing else is wrong");
}

#[test]
fn what_is_on_its_way_is_said_after_what_needs_somebody() {
    let mut around = sending();
    around.words_checked = false;
    let words = (Level::Attention, Asks::Words);
    let told = check(&[with(1, SOME)], &around, Said::WordsUnchecked, words, &[]);
    assert!(matches!(others(&told)[..], [Said::Stored { .. }]));
    // They lead nowhere before there is something, and are no business of a practice.
    let never = [on_its_way(with(1, Protection::Nothing))];
    check(&never, &around, Said::FirstBackup, ON_ITS_WAY, &[1]);
    around.is_practice = true;
    assert!(of(&[with(1, SOME)], &around).also.is_empty());
}

#[test]
fn the_oldest_backup_counts() {
    let folders = [well(3), well(2), with(1, Protection::Nothing)];
    let told = of(&folders, &quiet());
    assert_eq!(told.oldest_backup, Some(UnixMillis(2_000)));
    assert_eq!(of(&folders[2..], &quiet()).oldest_backup, None);
    let mut around = quiet();
    around.within_reach = Some(false);
    let told = of(&folders[..1], &around);
    assert_eq!(told.within_reach, Some(false));
    assert_eq!(told.first.level, Level::Good, "they are away, not lost");
}

#[test]
fn a_folder_has_a_verdict_of_its_own() {
    let mut around = quiet();
    let says = |folder: &FolderHealth, around: &Surroundings| {
        let told = folder_verdict(folder, around);
        (told.says, told.level)
    };
    let never = with(1, Protection::Nothing);
    let (few, some) = (with(1, FEW), with(1, SOME));
    let (confirmed, enough, needed) = (1, ENOUGH, NEEDED);
    let lost = (FolderSaid::WouldLose { confirmed, enough }, Level::Bad);
    let confirmed = 4;
    let stored = FolderSaid::Stored { confirmed, needed };
    let failed = in_trouble(1, Trouble::Failed);
    let (unknown, look) = ((FolderSaid::Unknown, Level::Bad), Level::Attention);
    assert_eq!(says(&with(1, Protection::Unknown), &around), unknown);
    assert_eq!(says(&never, &around), (FolderSaid::NeverBackedUp, look));
    assert_eq!(says(&few, &around), lost);
    assert_eq!(says(&some, &around), (stored, look));
    assert_eq!(says(&failed, &around), (FolderSaid::Failed, look));
    let away = in_trouble(1, Trouble::Away);
    assert_eq!(says(&away, &around), (FolderSaid::Away, look));
    let but = FolderSaid::Problems { things: 3 };
    assert_eq!(says(&with_problems(1, 3), &around), (but, look));
    let safe = (FolderSaid::Safe, Level::Good);
    assert_eq!(says(&well(1), &around), safe);
    let trouble = failed.trouble;
    let failed_too = FolderHealth { trouble, ..few };
    assert_eq!(says(&failed_too, &around), lost, "what is worse");
    around.survival = Some(0.9999);
    let protected = (FolderSaid::Protected, Level::Good);
    assert_eq!(says(&well(1), &around), protected);
    around.is_sending = true;
    let first = (FolderSaid::FirstBackup, Level::Working);
    assert_eq!(says(&on_its_way(never), &around), first);
    assert_eq!(says(&some, &around), (stored, Level::Working));
    around.is_behind = true;
    let behind = (FolderSaid::Behind, Level::Bad);
    assert_eq!(says(&well(1), &around), behind);
    around.is_replaced = true;
    let replaced = (FolderSaid::Replaced, Level::Bad);
    assert_eq!(says(&well(1), &around), replaced);
    assert_eq!(of(&[well(1)], &around).first.says, Said::Replaced);
    around.is_replaced = false;
    around.is_behind = false;
    around.is_practice = true;
    let practice = (FolderSaid::Practice, Level::Plain);
    assert_eq!(says(&well(1), &around), practice);
    around.is_damaged = true;
    assert_eq!(says(&well(1), &around), unknown);
}

/// Nothing of it is missed, and nothing of it is called safe.
#[test]
fn a_folder_that_waits_to_be_restored_is_named_and_asks_for_it() {
    let waiting = FolderHealth {
        trouble: Some(Trouble::AwaitsRestore),
        ..with(2, Protection::Nothing)
    };
    let told = of(&[well(1), waiting.clone()], &quiet());
    assert_eq!(told.first.says, Said::AwaitsRestore);
    assert_eq!(
        (told.first.level, told.first.asks),
        (Level::Attention, Asks::Restore)
    );
    assert_eq!(told.first.folders, [id(2)]);
    assert!(told.also.is_empty(), "{:?}", told.also);
    let of_folder = folder_verdict(&waiting, &quiet()).says;
    assert_eq!(of_folder, FolderSaid::AwaitsRestore);
}

/// Each state that a folder may be in.
fn all_folders(number: u8) -> Vec<FolderHealth> {
    let mut all = Vec::new();
    for protection in [Protection::Nothing, FEW, SOME, Protection::Safe] {
        for trouble in [
            None,
            Some(Trouble::Failed),
            Some(Trouble::Away),
            Some(Trouble::AwaitsRestore),
        ] {
            for bits in 0..4_u8 {
                let folder = with(number, protection);
                all.push(FolderHealth {
                    problems: u64::from(bits & 1 != 0),
                    is_on_its_way: bits & 2 != 0,
                    trouble,
                    ..folder
                });
            }
        }
    }
    all
}

/// Everything that may be so beside the folders.
fn all_surroundings() -> Vec<Surroundings> {
    let mut all = Vec::new();
    for bits in 0..=255_u8 {
        let is = |bit: u8| bits & (1 << bit) != 0;
        all.push(Surroundings {
            is_damaged: is(0),
            is_behind: is(7),
            is_practice: is(1),
            words_checked: is(2),
            test_failed: u64::from(is(3)),
            survival: is(4).then_some(0.9999),
            is_sending: is(5),
            awaited: is(6).then_some((1, 4)),
            ..quiet()
        });
    }
    all
}

#[test]
fn nothing_is_called_good_beside_something_that_is_not() {
    for around in all_surroundings() {
        for first in all_folders(1) {
            for second in all_folders(2) {
                let folders = [first.clone(), second];
                let told = of(&folders, &around);
                let is_well = |folder: &FolderHealth| {
                    let is_safe = folder.protection == Protection::Safe;
                    is_safe && folder.trouble.is_none() && folder.problems == 0
                };
                let nothing_is_wrong = folders.iter().all(is_well)
                    && !around.is_damaged
                    && !around.is_behind
                    && !around.is_practice
                    && around.words_checked
                    && around.test_failed == 0;
                let is_good = told.first.level == Level::Good;
                assert_eq!(is_good, nothing_is_wrong, "{folders:?} {around:?}");
                let levels = folders.iter().map(|it| folder_verdict(it, &around).level);
                let worst = levels.max().expect("two folders");
                assert!(told.first.level >= worst, "{folders:?} {around:?} {told:?}");
                let mut before = &told.first;
                for finding in &told.also {
                    assert!(finding.level <= before.level, "{told:?}");
                    assert!(finding.level > Level::Plain, "{told:?} is no trouble");
                    before = finding;
                }
            }
        }
    }
}
