//! Whatever moment a process ends at: what was promised is there, the rest is put in order.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use bitdust_model::{ByteCount, ErrorCode, UnixMillis};
use bitdust_store::home::HomePaths;
use bitdust_store::supplier::{Begin, ShardStore, Swept};

use crate::support::{
    NOW, Supplier, begin_writing, device, header, identity, keep_bytes, noise, pack, signed_header,
    store_bytes, wall_clock,
};

const HOUR_MS: u64 = 60 * 60 * 1000;
/// Tells a child process of these tests where its home is.
const CHILD_HOME: &str = "BITDUST_TEST_CHILD_HOME";

#[test]
fn a_broken_off_transfer_goes_on_where_it_stopped() {
    let home = Supplier::new();
    let bytes = noise(1, 200_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    let mut writer = begin_writing(&store, &header);
    writer.fill([&bytes[..123_456]]).expect("written");
    drop(writer);
    drop(store);

    let (store, swept) = home.open();
    assert_eq!(swept, Swept::default());
    assert_eq!(
        store.stored_at(identity(1), header.shard).expect("asked"),
        None
    );
    assert_eq!(begin_writing(&store, &header).offset(), 123_456);
    store_bytes(&store, &header, &bytes);
    assert_eq!(fs::read(home.file(&header)).expect("read"), bytes);
}

#[test]
fn a_beginning_that_was_damaged_is_noticed_at_the_end() {
    let home = Supplier::new();
    let bytes = noise(1, 200_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    let mut writer = begin_writing(&store, &header);
    writer.fill([&bytes[..100_000]]).expect("written");
    drop(writer);
    fs::write(home.beside(&header, "part"), vec![0; 100_000]).expect("as after a power cut");
    let mut writer = begin_writing(&store, &header);
    assert_eq!(writer.offset(), 100_000);
    writer.fill([&bytes[100_000..]]).expect("written");
    assert_eq!(
        writer.finish(NOW).expect_err("refused").code(),
        ErrorCode::Corrupt
    );
    assert_eq!(
        begin_writing(&store, &header).offset(),
        0,
        "from the beginning"
    );

    fs::write(home.beside(&header, "part"), vec![0; 200_001]).expect("longer than the shard");
    assert_eq!(begin_writing(&store, &header).offset(), 0);
}

#[test]
fn a_complete_part_needs_no_further_byte() {
    let home = Supplier::new();
    let bytes = noise(1, 200_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    let mut writer = begin_writing(&store, &header);
    writer.fill([&bytes]).expect("written");
    drop(writer);
    drop(store);
    // The hash tree may have been written before the end, or a part of it.
    fs::write(home.beside(&header, "obao"), [1, 2, 3]).expect("a stray tree");

    let (store, _) = home.open();
    let writer = begin_writing(&store, &header);
    assert_eq!(writer.remaining(), 0);
    writer.finish(NOW).expect("finished");
    store
        .read_range(identity(1), header.shard, 0, 1, &mut Vec::new())
        .expect("read");
}

#[test]
fn a_named_file_without_a_row_is_adopted_with_its_header() {
    let home = Supplier::new();
    let bytes = noise(1, 200_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    store_bytes(&store, &header, &bytes);
    drop(store);
    home.sql("DELETE FROM shards");

    let (store, swept) = home.open();
    assert_eq!(
        swept,
        Swept {
            adopted: 1,
            ..Swept::default()
        }
    );
    let page = store
        .list(identity(1), device(1), None, 10)
        .expect("listed");
    assert_eq!(page.headers, [(header.position, signed_header(&header))]);
    assert_eq!(
        store.usage(identity(1)).expect("asked").bytes,
        ByteCount(200_000)
    );
    assert!(matches!(
        store
            .begin(&header, &signed_header(&header))
            .expect("begun"),
        Begin::Have { .. }
    ));
}

#[test]
fn a_named_file_whose_row_failed_is_taken_up_without_a_restart() {
    let home = Supplier::new();
    let bytes = noise(1, 200_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    store_bytes(&store, &header, &bytes);
    home.sql("DELETE FROM shards");
    let writer = begin_writing(&store, &header);
    assert_eq!(writer.remaining(), 0);
    writer.finish(NOW).expect("finished");
    assert_eq!(
        store.usage(identity(1)).expect("asked").bytes,
        ByteCount(200_000)
    );
}

#[test]
fn a_lost_database_is_made_anew_from_the_files() {
    let home = Supplier::new();
    let (store, _) = home.open();
    for number in 0..5 {
        let bytes = noise(number, 20_000);
        store_bytes(
            &store,
            &header(identity(number % 2), device(1), number, &bytes),
            &bytes,
        );
    }
    drop(store);
    fs::remove_file(home.paths.supplier()).expect("removed");
    let (store, swept) = home.open();
    assert_eq!(swept.adopted, 5);
    assert_eq!(
        store.usage_total().expect("asked").bytes,
        ByteCount(100_000)
    );
}

#[test]
fn files_that_belong_to_nothing_are_removed_and_foreign_ones_left() {
    let home = Supplier::new();
    let bytes = noise(1, 20_000);
    let mut header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    store_bytes(&store, &header, &bytes);
    drop(store);
    let bucket = home.file(&header).parent().expect("a folder").to_path_buf();
    // A shard without a header beside it, one with another's, and a tree without a shard.
    let stray = |name: &str| bucket.join(format!("{}{}", &header.shard.to_hex()[..62], name));
    fs::write(stray("00"), b"bytes").expect("written");
    fs::write(stray("01"), &bytes).expect("written");
    fs::copy(home.beside(&header, "obao"), stray("01.obao")).expect("copied");
    fs::write(stray("02.obao"), b"tree").expect("written");
    fs::write(bucket.join("README"), b"a person's note").expect("written");

    let (store, swept) = home.open();
    assert_eq!(
        swept,
        Swept {
            removed: 2,
            ..Swept::default()
        }
    );
    let mut names: Vec<_> = fs::read_dir(&bucket)
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(bucket.join("README").exists());
    header.owner = identity(1);
    assert!(
        store
            .stored_at(identity(1), header.shard)
            .expect("asked")
            .is_some()
    );
}

/// Nothing is lost while it is away, and nothing is written where it is to be mounted.
#[test]
fn a_disk_that_is_away_loses_nothing() {
    let home = Supplier::new();
    let bytes = noise(1, 20_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    store_bytes(&store, &header, &bytes);
    let elsewhere = home.dir.path().join("elsewhere");
    let unplug = || fs::rename(home.paths.shards(), &elsewhere).expect("unplugged");
    let plug_in = || fs::rename(&elsewhere, home.paths.shards()).expect("plugged in");
    let another = noise(2, 20_000);
    let next = crate::support::header(identity(1), device(1), 2, &another);
    let is_away = |store: &ShardStore| {
        let mut out = Vec::new();
        let read = store.read_range(identity(1), header.shard, 0, 1, &mut out);
        let again = store.begin(&header, &signed_header(&header)).map(drop);
        let new = store.begin(&next, &signed_header(&next)).map(drop);
        for refused in [read.map(drop), again, new] {
            let refused = refused.expect_err("nothing is known of any");
            assert_eq!(refused.code(), ErrorCode::DiskFailed, "{refused}");
        }
    };
    let is_back = |store: &ShardStore| {
        store
            .read_range(identity(1), header.shard, 0, 1, &mut Vec::new())
            .expect("read");
        assert_eq!(
            store.stored_at(identity(1), header.shard).expect("asked"),
            Some(NOW)
        );
    };

    // While it runs.
    unplug();
    is_away(&store);
    plug_in();
    is_back(&store);
    drop(store);

    // And at a start; the folder that it is mounted on may be there.
    for is_mounted_on in [false, true] {
        unplug();
        if is_mounted_on {
            fs::create_dir(home.paths.shards()).expect("made");
        }
        let (store, swept) = home.open();
        let nothing_but_that = Swept {
            is_away: true,
            ..Swept::default()
        };
        assert_eq!(swept, nothing_but_that);
        assert_eq!(store.usage_total().expect("asked").shards, 1);
        is_away(&store);
        if is_mounted_on {
            fs::remove_dir(home.paths.shards()).expect("empty still");
        }
        plug_in();
        is_back(&store);
    }
}

#[test]
fn a_file_that_vanished_while_open_is_asked_for_again() {
    let home = Supplier::new();
    let bytes = noise(1, 20_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    store_bytes(&store, &header, &bytes);
    fs::remove_file(home.file(&header)).expect("removed");
    store_bytes(&store, &header, &bytes);
    assert_eq!(store.usage_total().expect("asked").shards, 1);
}

#[test]
fn an_interrupted_delete_is_completed() {
    let home = Supplier::new();
    let bytes = noise(1, 20_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    store_bytes(&store, &header, &bytes);
    let tree = fs::read(home.beside(&header, "obao")).expect("read");
    store
        .delete(identity(1), device(1), &[pack(1)], NOW)
        .expect("deleted");
    drop(store);
    // As if the process had ended between the database and the files.
    let graced = home
        .paths
        .graced()
        .join(header.owner.to_hex())
        .join(header.shard.to_hex());
    fs::rename(&graced, home.file(&header)).expect("moved back");
    fs::write(home.beside(&header, "obao"), tree).expect("put back");

    let (store, swept) = home.open();
    assert_eq!(
        swept,
        Swept {
            graced: 1,
            ..Swept::default()
        }
    );
    assert!(graced.exists());
    assert_eq!(
        store.stored_at(identity(1), header.shard).expect("asked"),
        None
    );
    assert_eq!(
        store.usage_total().expect("asked").graced,
        ByteCount(20_000)
    );
}

#[test]
fn half_received_shards_are_kept_for_a_day() {
    let home = Supplier::new();
    let (store, _) = home.open();
    let bytes = noise(1, 20_000);
    let header = header(identity(1), device(1), 1, &bytes);
    begin_writing(&store, &header)
        .fill([&bytes[..5_000]])
        .expect("written");
    drop(store);
    let (store, swept) = home.open_at(UnixMillis(wall_clock().0 + 23 * HOUR_MS));
    assert_eq!(swept.parts_removed, 0);
    drop(store);
    let (store, swept) = home.open_at(UnixMillis(wall_clock().0 + 25 * HOUR_MS));
    assert_eq!(swept.parts_removed, 1);
    assert_eq!(begin_writing(&store, &header).offset(), 0);
}

#[test]
fn a_newer_supplier_database_is_refused() {
    let home = Supplier::new();
    drop(home.open());
    home.sql("PRAGMA user_version = 7");
    let Err(refused) = ShardStore::open(&home.paths, NOW) else {
        panic!("it was opened")
    };
    assert_eq!(refused.code(), ErrorCode::Incompatible);
}

/// Runs one ignored test of this program in a process of its own, behind `wrapper`.
fn child(wrapper: &[&str], name: &str, home: &HomePaths) -> Command {
    let program = std::env::current_exe().expect("this program");
    let mut command = match wrapper.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    };
    command
        .args(["--ignored", "--exact", name, "--nocapture"])
        .env(CHILD_HOME, home.dir());
    command
}

#[test]
fn every_receipt_of_a_killed_process_is_kept() {
    let home = Supplier::new();
    for round in 0..3_u64 {
        let mut child = child(&[], "crash::child_stores_until_it_is_killed", &home.paths)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut receipts = Vec::new();
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        for line in lines.map_while(Result::ok) {
            receipts.extend(
                line.rsplit_once("receipt ")
                    .and_then(|(_, number)| number.parse::<u64>().ok()),
            );
            if receipts.len() as u64 == 10 + round {
                child.kill().expect("killed");
            }
        }
        child.wait().expect("gone");
        assert!(
            receipts.len() as u64 >= 10 + round,
            "the child ended too early: {receipts:?}"
        );
        let (store, swept) = home.open();
        assert_eq!(
            (swept.missing, swept.damaged, swept.removed),
            (0, 0, 0),
            "{swept:?}"
        );
        for number in receipts {
            let bytes = noise(number, 150_000);
            let header = header(identity(1), device(1), number, &bytes);
            store
                .read_range(identity(1), header.shard, 0, u64::MAX, &mut Vec::new())
                .expect("it was promised");
        }
    }
}

#[test]
#[ignore = "a part of every_receipt_of_a_killed_process_is_kept"]
fn child_stores_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD_HOME) else {
        return;
    };
    let (store, _) = ShardStore::open(&HomePaths::new(dir), wall_clock()).expect("opened");
    for number in 0..10_000 {
        let bytes = noise(number, 150_000);
        let header = header(identity(1), device(1), number, &bytes);
        keep_bytes(&store, &header, &bytes);
        let mut out = std::io::stdout().lock();
        writeln!(out, "receipt {number}")
            .and_then(|()| out.flush())
            .expect("told");
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_the_transfer_goes_on_after_it() {
    let home = Supplier::new();
    drop(home.open());
    // No file may pass 512 KiB; without the trap the system would end the process.
    let limit = [
        "sh",
        "-c",
        "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\"",
    ];
    let ended = child(&limit, "crash::child_meets_a_full_disk", &home.paths)
        .status()
        .expect("a child");
    assert!(ended.success(), "{ended}");
    let bytes = noise(1, 1_000_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    assert_eq!(
        begin_writing(&store, &header).offset(),
        512 * 1024,
        "what fitted is kept"
    );
    store_bytes(&store, &header, &bytes);
}

#[test]
#[ignore = "a part of a_full_disk_is_told_and_the_transfer_goes_on_after_it"]
fn child_meets_a_full_disk() {
    let Some(dir) = std::env::var_os(CHILD_HOME) else {
        return;
    };
    let (store, _) = ShardStore::open(&HomePaths::new(dir), wall_clock()).expect("opened");
    let bytes = noise(1, 1_000_000);
    let header = header(identity(1), device(1), 1, &bytes);
    let mut writer = begin_writing(&store, &header);
    let refused = writer.fill([&bytes]).expect_err("there is no room");
    assert_eq!(refused.code(), ErrorCode::DiskFull, "{refused}");
}

/// A disk that damages it again and again is not filled with the remains.
#[test]
fn few_damaged_databases_are_kept() {
    let home = Supplier::new();
    let aside = |number: u64| {
        home.paths
            .dir()
            .join(format!("supplier.db.damaged-{number}"))
    };
    let wal = |path: &std::path::Path| {
        let mut name = path.as_os_str().to_os_string();
        name.push("-wal");
        std::path::PathBuf::from(name)
    };
    for number in 1..=6 {
        fs::write(home.paths.supplier(), noise(number, 20_000)).expect("overwritten");
        if number == 4 {
            fs::write(wal(&home.paths.supplier()), b"of the fourth").expect("written");
        }
        let (_, swept) = home.open();
        assert!(swept.is_replaced, "{number}");
    }
    let kept = (1..=3).map(|number| (number, number)).chain([(4, 6)]);
    for (name, number) in kept {
        let bytes = fs::read(aside(name)).expect("kept");
        assert!(bytes == noise(number, 20_000), "{name}");
    }
    assert!(!aside(5).exists(), "no more than these");
    assert!(!wal(&aside(4)).exists(), "it belonged to another");
}

/// Whatever stands in the database, what lies in files is served, and a backup of the own folders
/// does not wait for it: the file is kept under another name, and what it said is read from the files.
#[test]
fn a_damaged_database_is_put_aside_and_made_anew_from_the_files() {
    let home = Supplier::new();
    let bytes = noise(1, 40_000);
    let kept = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    store_bytes(&store, &kept, &bytes);
    drop(store);
    let whole = fs::read(home.paths.supplier()).expect("read");
    let mut holed = whole.clone();
    // The header of a page in the middle: the file is a database, and opens.
    let page = 3 * 4_096;
    holed[page..page + 64].fill(0);
    for (number, damaged) in [(1, noise(9, 20_000)), (2, holed)] {
        fs::write(home.paths.supplier(), &damaged).expect("overwritten");
        let (store, swept) = home.open();
        assert!(swept.is_replaced, "{swept:?}");
        assert_eq!(swept.adopted, 1, "{swept:?}");
        let mut out = Vec::new();
        store
            .read_range(identity(1), kept.shard, 0, 40_000, &mut out)
            .expect("served");
        assert_eq!(store.owners().expect("read"), [identity(1)]);
        let complete = store.is_complete(identity(1), device(1)).expect("read");
        assert!(!complete, "what else was known of the lane is lost");
        let aside = home
            .paths
            .dir()
            .join(format!("supplier.db.damaged-{number}"));
        assert!(fs::read(aside).expect("kept") == damaged, "as it was");
        drop(store);
        let (_, swept) = home.open();
        assert!(!swept.is_replaced, "the new one is whole");
    }
}

/// Not even whether anything is kept is known then, and nothing is changed.
#[test]
fn a_store_that_cannot_be_opened_refuses_everything_and_loses_nothing() {
    let home = Supplier::new();
    let bytes = noise(1, 40_000);
    let kept = header(identity(1), device(1), 1, &bytes);
    let (store, _) = home.open();
    store_bytes(&store, &kept, &bytes);
    drop(store);
    let (database, well) = (home.paths.supplier(), home.paths.dir().join("well"));
    fs::rename(&database, &well).expect("renamed");
    fs::create_dir(&database).expect("made");
    let (store, swept) = ShardStore::open_or_shut(&home.paths, NOW).expect("shut");
    assert!(swept.is_shut && store.is_shut());
    let mut out = Vec::new();
    let refused = store.read_range(identity(1), kept.shard, 0, 40_000, &mut out);
    let refused = refused.expect_err("refused").code();
    assert_eq!(refused, ErrorCode::Busy, "nothing is said to be lost");
    assert!(store.owners().is_err() && store.usage_total().is_err());
    drop(store);
    fs::remove_dir(&database).expect("removed");
    fs::rename(&well, &database).expect("renamed");
    let (store, swept) = ShardStore::open_or_shut(&home.paths, NOW).expect("open");
    assert_eq!(swept, Swept::default());
    store
        .read_range(identity(1), kept.shard, 0, 40_000, &mut out)
        .expect("served");
    // What another version wrote is for that to read.
    drop(store);
    let connection = rusqlite::Connection::open(&database).expect("opened");
    let newer = connection.pragma_update(None, "user_version", 999);
    newer.expect("written");
    drop(connection);
    let refused = ShardStore::open_or_shut(&home.paths, NOW).err();
    let refused = refused.map(|error| error.code());
    assert_eq!(refused, Some(ErrorCode::Incompatible));
}
