//! What homes hold, read from outside and from copies: the catalogue's figures, the headers
//! that suppliers keep, and the account of which shard stands at which place of which pack.
//!
//! The key of a pack is derived from its id, so the rule is: one pack id, one content. A
//! pack whose places ever named two shards has met its key with two contents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bitdust_crypto::verify_header;
use bitdust_model::manifest::{PackKind, PackRef};
use bitdust_model::shard::{ShardHeader, SignedHeader};
use bitdust_model::{DeviceId, IdentityId, PackId, Position, SetId, ShardId, UnixMillis, limits};
use bitdust_store::{Catalogue, HomePaths, ShardStore};
use rusqlite::{Connection, OpenFlags};

/// What a catalogue says about the work of its device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Glance {
    /// The newest head that the suppliers have and the catalogue knows of.
    pub published: u64,
    /// The newest head, drafts included.
    pub head: u64,
    /// Receipts.
    pub receipts: u64,
    /// Packs that are not committed.
    pub open_packs: u64,
}

/// Copies the catalogue of a home, which may be at work.
pub fn copy_catalogue(home: &Path, folder: &Path) -> Result<PathBuf> {
    copy_database(&HomePaths::new(home).catalogue(), folder)
}

/// Looks into a copied catalogue.
pub fn glance(catalogue: &Path) -> Result<Glance> {
    let connection = Connection::open(catalogue)?;
    let number = |sql: &str| -> Result<u64> {
        let number: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        Ok(u64::try_from(number)?)
    };
    Ok(Glance {
        published: number("SELECT coalesce(max(sequence), 0) FROM own_heads WHERE published = 1")?,
        head: number("SELECT coalesce(max(sequence), 0) FROM own_heads")?,
        receipts: number("SELECT count(*) FROM confirmations")?,
        open_packs: number("SELECT count(*) FROM packs WHERE state = 0")?,
    })
}

/// A pack that a catalogue knows as committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The ids of its shards by position, as their files are named.
    pub shards: Vec<String>,
    /// The devices that are to have them now, in full; empty where nobody is.
    pub holders: Vec<String>,
    /// What is in it.
    pub kind: PackKind,
    /// Shards that give it back.
    pub k: u8,
    /// Whether a published head leads to it.
    pub is_published: bool,
}

/// The committed packs of a home, which may be at work; its catalogue is copied into a folder.
pub fn committed_packs(home: &Path, folder: &Path) -> Result<Vec<Committed>> {
    let copies = tempfile::tempdir_in(folder)?;
    let copy = copy_catalogue(home, copies.path())?;
    let connection = Connection::open(&copy)?;
    let mut statement = connection.prepare("SELECT pack, state > 1 FROM packs WHERE state > 0")?;
    let rows = statement.query_map([], |row| Ok((PackId(row.get(0)?), row.get(1)?)))?;
    let found = rows.collect::<Result<Vec<(PackId, bool)>, _>>()?;
    drop(statement);
    let holders = holders(&connection)?;
    drop(connection);
    // Places inside of packs are not asked for, so the length of their header does not matter.
    let catalogue = Catalogue::open(&copy, 0)?;
    let mut packs = vec![];
    for (pack, is_published) in found {
        let known = catalogue
            .pack_ref(pack)?
            .context("a pack without its record")?;
        let holder = |position| holders.get(&(known.set, position)).cloned();
        let positions = (0..).take(known.shards.len());
        packs.push(Committed {
            holders: positions
                .map(|position| holder(position).unwrap_or_default())
                .collect(),
            shards: known.shards.iter().map(ShardId::to_hex).collect(),
            kind: known.kind,
            k: known.k,
            is_published,
        });
    }
    Ok(packs)
}

/// Who has which position of which set.
fn holders(connection: &Connection) -> Result<BTreeMap<(SetId, u8), String>> {
    let mut statement = connection.prepare(
        "SELECT set_id, position, device FROM positions JOIN holders ON holders.id = positions.holder",
    )?;
    let rows = statement.query_map([], |row| {
        let device = DeviceId(row.get(2)?).to_hex();
        Ok(((SetId(row.get(0)?), row.get(1)?), device))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Which shards were ever named for a place of a pack.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    places: BTreeMap<(PackId, Position), BTreeSet<ShardId>>,
}

impl Ledger {
    /// Takes in a pack that a customer sealed.
    pub fn add_pack(&mut self, pack: &PackRef) {
        for (position, shard) in (0..).map(Position).zip(&pack.shards) {
            self.places
                .entry((pack.pack, position))
                .or_default()
                .insert(*shard);
        }
    }

    /// Takes in a header that a supplier keeps.
    pub fn add_header(&mut self, header: &ShardHeader) {
        self.places
            .entry((header.pack, header.position))
            .or_default()
            .insert(header.shard);
    }

    /// Takes in every pack of a copied catalogue; gives their number.
    pub fn add_catalogue(&mut self, catalogue: &Path) -> Result<usize> {
        let connection = Connection::open(catalogue)?;
        let mut statement = connection.prepare("SELECT pack FROM packs")?;
        let packs = statement
            .query_map([], |row| Ok(PackId(row.get(0)?)))?
            .collect::<Result<Vec<_>, _>>()?;
        drop(statement);
        drop(connection);
        // Places inside of packs are not asked for, so the length of their header does not matter.
        let opened = Catalogue::open(catalogue, 0)?;
        for pack in &packs {
            self.add_pack(
                &opened
                    .pack_ref(*pack)?
                    .context("a pack without its record")?,
            );
        }
        Ok(packs.len())
    }

    /// Takes in every header of a lane that a supplier keeps; gives their number.
    pub fn add_supplier(
        &mut self,
        home: &Path,
        folder: &Path,
        identity: &str,
        lane: &str,
    ) -> Result<usize> {
        let headers = kept_headers(home, folder, identity.parse()?, lane.parse()?)?;
        for header in &headers {
            self.add_header(header);
        }
        Ok(headers.len())
    }

    /// Places that were counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Places of packs that met more than one content.
    #[must_use]
    pub fn collisions(&self) -> Vec<String> {
        let double = self.places.iter().filter(|(_, shards)| shards.len() > 1);
        double
            .map(|((pack, position), shards)| {
                format!("pack {pack} position {position}: {shards:?}")
            })
            .collect()
    }
}

/// The headers of a lane that a supplier keeps, their signatures checked.
pub fn kept_headers(
    home: &Path,
    folder: &Path,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<Vec<ShardHeader>> {
    let signed = signed_headers(home, folder, identity, lane)?;
    signed
        .iter()
        .map(|(position, signed)| {
            let pack = verify_header(signed)?;
            ensure!(pack.lane == lane, "a header of {}", pack.lane);
            pack.at(*position).context("a position without a shard")
        })
        .collect()
}

/// The same as they were signed, read from a copy of the home; the shards themselves are
/// linked and not copied.
pub fn signed_headers(
    home: &Path,
    folder: &Path,
    identity: IdentityId,
    lane: DeviceId,
) -> Result<Vec<(Position, SignedHeader)>> {
    let copy = tempfile::tempdir_in(folder)?;
    let (from, to) = (HomePaths::new(home), HomePaths::new(copy.path()));
    copy_database(&from.supplier(), copy.path())?;
    let linked = Command::new("cp")
        .arg("-al")
        .args([from.shards(), to.shards()])
        .output()?;
    ensure!(
        linked.status.success(),
        "cp: {}",
        String::from_utf8_lossy(&linked.stderr)
    );
    let (store, _) = ShardStore::open(&to, UnixMillis(0))?;
    let mut headers = vec![];
    let mut after = None;
    loop {
        let page = store.list(identity, lane, after, limits::LIST_ENTRIES_MAX)?;
        after = match page.headers.last() {
            Some((position, signed)) => verify_header(signed)?.at(*position),
            None => None,
        }
        .map(|header| header.shard);
        headers.extend(page.headers);
        if !page.more {
            return Ok(headers);
        }
    }
}

/// How many lanes a supplier has closed.
pub fn closed_lanes(home: &Path, folder: &Path) -> Result<usize> {
    let copy = copy_database(&HomePaths::new(home).supplier(), folder)?;
    let connection = Connection::open(copy)?;
    let count: i64 = connection.query_row("SELECT count(*) FROM fences", [], |row| row.get(0))?;
    Ok(usize::try_from(count)?)
}

/// What a supplier has of everybody, table by table: how many rows, and the sum of their numbers where records are
/// replaced by later ones.
pub fn kept_rows(home: &Path, folder: &Path) -> Result<BTreeMap<&'static str, (i64, i64)>> {
    let copy = copy_database(&HomePaths::new(home).supplier(), folder)?;
    let connection = Connection::open(copy)?;
    let tables = [
        ("contracts", "0"),
        ("shards", "0"),
        ("graced", "0"),
        ("heads", "sequence"),
        ("set_records", "version"),
        ("fences", "last"),
        ("deposits", "sequence"),
    ];
    let counted = tables.into_iter().map(|(table, number)| {
        let sql = format!("SELECT count(*), coalesce(sum({number}), 0) FROM {table}");
        let row = connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((table, row))
    });
    counted.collect()
}

/// The files of the shards that a supplier keeps: those whose names are ids.
pub fn shard_files(home: &Path) -> Result<Vec<PathBuf>> {
    files_without_ending(HomePaths::new(home).shards())
}

/// Shards that wait in the spool of a customer's home.
pub fn spool_files(home: &Path) -> Result<Vec<PathBuf>> {
    files_without_ending(HomePaths::new(home).spool())
}

fn files_without_ending(folder: PathBuf) -> Result<Vec<PathBuf>> {
    let mut folders = vec![folder];
    let mut files = vec![];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Copies a database with what waits in its log; a program may write it meanwhile. The copy is of one
/// moment: its file and its log copied one after the other could be of two.
pub fn copy_database(database: &Path, folder: &Path) -> Result<PathBuf> {
    let name = database.file_name().context("a database has a name")?;
    let copy = folder.join(name);
    // An earlier copy, and what whoever opened it left beside it.
    for ending in ["", "-wal", "-shm"] {
        let mut path = copy.as_os_str().to_owned();
        path.push(ending);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| database.display().to_string())?;
    let into = copy.to_str().context("a plain path")?;
    connection.execute("VACUUM INTO ?1", [into])?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use bitdust_model::manifest::PackKind;
    use bitdust_model::{CodeVersion, Epoch};

    use super::*;

    #[test]
    fn a_pack_that_meets_two_contents_is_caught() {
        let mut ledger = Ledger::default();
        for position in 0..3 {
            ledger.add_header(&header(1, position, position));
            ledger.add_header(&header(1, position, position));
            ledger.add_header(&header(2, position, position + 10));
        }
        assert_eq!((ledger.len(), ledger.collisions().len()), (6, 0));
        ledger.add_header(&header(2, 1, 99));
        let collisions = ledger.collisions();
        assert_eq!(collisions.len(), 1, "{collisions:?}");
        assert!(
            collisions[0].starts_with("pack 02020202 position 1"),
            "{collisions:?}"
        );
    }

    fn header(pack: u8, position: u8, shard: u8) -> ShardHeader {
        ShardHeader {
            owner: IdentityId([0; 32]),
            lane: DeviceId([0; 32]),
            epoch: Epoch(0),
            set: SetId([0; 32]),
            position: Position(position),
            pack: PackId([pack; 32]),
            kind: PackKind::Data,
            k: 3,
            code_version: CodeVersion::Vandermonde1,
            pack_bytes: 1,
            shard: ShardId([shard; 32]),
            shard_bytes: 1,
        }
    }
}
