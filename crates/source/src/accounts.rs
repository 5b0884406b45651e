//! Names of the accounts of this machine, by which owners are kept: the same person often has
//! another number on another machine.
//!
//! The files of the system are read and no directory service is asked; whom they do not name is
//! kept by number.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use bitdust_model::limits;
use bitdust_model::tree::{Meta, OwnerNames};

/// Users and groups that a machine knows, the first of a number first.
#[derive(Debug, Default)]
pub struct Accounts {
    users: Vec<(u32, Vec<u8>)>,
    groups: Vec<(u32, Vec<u8>)>,
}

impl Accounts {
    /// Those of this machine; none where its files cannot be read.
    #[must_use]
    pub fn of_system() -> Self {
        Self {
            users: parse(&read(Path::new("/etc/passwd"))),
            groups: parse(&read(Path::new("/etc/group"))),
        }
    }
}

/// Owners met by a walk.
#[derive(Debug, Default)]
pub struct Owners {
    users: BTreeSet<u32>,
    groups: BTreeSet<u32>,
}

impl Owners {
    /// Takes in whom a thing belongs to. Beyond the limit owners are kept by number alone.
    pub fn add(&mut self, meta: &Meta) {
        for (known, number) in [(&mut self.users, meta.uid), (&mut self.groups, meta.gid)] {
            if known.len() < limits::OWNER_NAMES_MAX {
                known.insert(number);
            }
        }
    }

    /// Their names, as far as the machine knows them.
    #[must_use]
    pub fn names(&self, accounts: &Accounts) -> OwnerNames {
        OwnerNames {
            users: names_of(&self.users, &accounts.users),
            groups: names_of(&self.groups, &accounts.groups),
        }
    }
}

/// Whom numbers of another machine, or of another time, mean here.
#[derive(Debug, Default)]
pub(crate) struct OwnersHere {
    users: BTreeMap<u32, u32>,
    groups: BTreeMap<u32, u32>,
}

impl OwnersHere {
    pub(crate) fn new(names: &OwnerNames, accounts: &Accounts) -> Self {
        Self {
            users: numbers_of(&names.users, &accounts.users),
            groups: numbers_of(&names.groups, &accounts.groups),
        }
    }

    /// The user and group of a thing: by name where this machine knows it, else by number.
    pub(crate) fn of(&self, meta: &Meta) -> (u32, u32) {
        let here = |known: &BTreeMap<u32, u32>, number| *known.get(&number).unwrap_or(&number);
        (here(&self.users, meta.uid), here(&self.groups, meta.gid))
    }
}

fn names_of(numbers: &BTreeSet<u32>, known: &[(u32, Vec<u8>)]) -> Vec<(u32, Vec<u8>)> {
    let mut named = BTreeMap::new();
    for (number, name) in known.iter().filter(|(number, _)| numbers.contains(number)) {
        named.entry(*number).or_insert_with(|| name.clone());
    }
    named.into_iter().collect()
}

fn numbers_of(names: &[(u32, Vec<u8>)], known: &[(u32, Vec<u8>)]) -> BTreeMap<u32, u32> {
    let mut numbers: BTreeMap<&[u8], u32> = BTreeMap::new();
    for (number, name) in known {
        numbers.entry(name).or_insert(*number);
    }
    let here = |(number, name): &(u32, Vec<u8>)| Some((*number, *numbers.get(&name[..])?));
    names.iter().filter_map(here).collect()
}

fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        let max = limits::ACCOUNTS_BYTES_MAX as u64;
        file.take(max).read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => bytes,
        // Without names there are numbers, as on a machine that knows none of these people.
        Err(_) => Vec::new(),
    }
}

/// Lines of `name:password:number:…`.
fn parse(text: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let account = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b':');
        let name = fields.next()?;
        let number = std::str::from_utf8(fields.nth(1)?).ok()?.parse().ok()?;
        let is_name = !name.is_empty() && name.len() <= limits::OWNER_NAME_BYTES_MAX;
        is_name.then(|| (number, name.to_vec()))
    };
    text.split(|byte| *byte == b'\n')
        .filter_map(account)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: &[u8] = b"root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nalso:x:1000:5::/:/bin/sh\n# comment\nbroken:x\nbob:x:1001:1001::/:/bin/sh";
    const HERE: &[u8] = b"root:x:0:0::/:\nbob:x:1000:1000::/:\nalice:x:2000:2000::/:\n";

    #[test]
    fn a_person_is_found_by_name_and_a_stranger_stays_a_number() {
        let of = |text| Accounts {
            users: parse(text),
            groups: parse(text),
        };
        let meta = |uid, gid| Meta {
            uid,
            gid,
            ..Meta::default()
        };
        let mut owners = Owners::default();
        for number in [0, 1000, 1001, 7] {
            owners.add(&meta(number, number));
        }
        let names = owners.names(&of(THERE));
        let expected = [(0, "root"), (1000, "alice"), (1001, "bob")];
        let expected = expected.map(|(number, name)| (number, name.as_bytes().to_vec()));
        assert_eq!(names.users, expected, "the first of a number counts");

        let here = OwnersHere::new(&names, &of(HERE));
        assert_eq!(here.of(&meta(1000, 1001)), (2000, 1000));
        assert_eq!(here.of(&meta(0, 7)), (0, 7));
        assert_eq!(OwnersHere::default().of(&meta(5, 6)), (5, 6));
    }
}
