//! Which files take names from which: no circles, and the rooms of `node` know each other one
//! way only.
//!
//! A path is followed to the file of the module that it names; a name that a module only hands
//! on is followed further. A parent that declares its children and uses none of them is no part
//! of a circle with them.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::RustFile;

/// Files that may take names from each other in a circle, each with the reason.
const CIRCLES: [(&[&str], &str); 1] = [(
    &[
        "crates/node/src/shared/completion.rs",
        "crates/node/src/shared/task_event.rs",
    ],
    "a message of a task carries the answer that it owes, and an answer is given as a message",
)];

/// Each room of `node` with the rooms it may know. What all use lies in `shared`, the messages of
/// tasks to the wings with it, and knows none.
const ROOMS: [(&str, &[&str]); 9] = [
    ("shared", &[]),
    ("service", &["shared"]),
    ("suppliers", &["shared"]),
    ("restore", &["shared"]),
    ("backup", &["shared"]),
    ("recovery", &["restore", "shared"]),
    ("front", &["backup", "shared", "suppliers"]),
    (
        "runtime",
        &[
            "backup",
            "front",
            "recovery",
            "restore",
            "service",
            "shared",
            "suppliers",
        ],
    ),
    ("home", &["front", "recovery", "runtime", "shared"]),
];

/// Rooms whose state nobody else sees.
const WINGS: [&str; 6] = [
    "backup",
    "front",
    "recovery",
    "restore",
    "service",
    "suppliers",
];

/// What a file takes from another: the names, by the file.
type Takes = BTreeMap<String, BTreeSet<String>>;

/// All arrows of the tree: who takes what from whom.
#[derive(Debug, Default)]
pub struct House {
    arrows: BTreeMap<String, Takes>,
}

impl House {
    /// Reads the arrows off the paths in the files.
    #[must_use]
    pub fn of(files: &[RustFile]) -> Self {
        let modules: BTreeMap<(String, String), &RustFile> = files
            .iter()
            .filter(|rust| !rust.is_test)
            .filter_map(|rust| Some((place(&rust.file.path)?, rust)))
            .collect();
        let mut house = Self::default();
        for ((root, module), rust) in &modules {
            let spots = rust
                .code
                .paths
                .iter()
                .filter(|spot| !spot.is_test && !spot.is_handed_on);
            for spot in spots {
                let Some(path) = absolute(&modules, root, module, &spot.path) else {
                    continue;
                };
                let Some(target) = follow(&modules, root, path, 0) else {
                    continue;
                };
                if target != rust.file.path {
                    let takes = house.arrows.entry(rust.file.path.clone()).or_default();
                    let names = takes.entry(target).or_default();
                    names.insert(spot.last().to_owned());
                }
            }
        }
        house
    }

    /// Groups of files each of which reaches all others of its group.
    fn circles(&self) -> Vec<BTreeSet<&str>> {
        let files: BTreeSet<&str> = self.arrows.keys().map(String::as_str).collect();
        let reach: BTreeMap<&str, BTreeSet<&str>> = files
            .iter()
            .map(|file| (*file, self.reached(file)))
            .collect();
        let mut circles = Vec::new();
        let mut placed: BTreeSet<&str> = BTreeSet::new();
        for file in &files {
            if placed.contains(file) || !reach[file].contains(file) {
                continue;
            }
            let circle: BTreeSet<&str> = reach[file]
                .iter()
                .copied()
                .filter(|other| reach.get(other).is_some_and(|back| back.contains(file)))
                .collect();
            placed.extend(&circle);
            circles.push(circle);
        }
        circles
    }

    fn reached<'a>(&'a self, from: &str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<&str> = vec![from];
        while let Some(file) = waiting.pop() {
            for target in self.arrows.get(file).into_iter().flat_map(Takes::keys) {
                if reached.insert(target.as_str()) {
                    waiting.push(target);
                }
            }
        }
        reached
    }
}

/// Circles of files that the table does not name, with the arrows that close them.
#[must_use]
pub fn circles(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for circle in house.circles() {
        let is_named = CIRCLES
            .iter()
            .any(|(files, _)| circle.iter().eq(files.iter()));
        if is_named {
            continue;
        }
        for file in &circle {
            for (target, names) in &house.arrows[*file] {
                if circle.contains(target.as_str()) {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    offences.push(format!("{file} takes {} of {target}", names.join(", ")));
                }
            }
        }
    }
    offences
}

/// Arrows between the rooms of `node` that the table does not hold.
#[must_use]
pub fn forbidden_arrows(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for (file, takes) in &house.arrows {
        let Some(room) = room(file) else {
            continue;
        };
        let allowed = ROOMS.iter().find(|(name, _)| *name == room);
        for (target, names) in takes {
            let Some(other) = self::room(target).filter(|other| *other != room) else {
                continue;
            };
            if !allowed.is_some_and(|(_, rooms)| rooms.contains(&other)) {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let names = names.join(", ");
                offences.push(format!(
                    "{file} takes {names} of {target}: {room} may not know {other}"
                ));
            }
        }
    }
    offences
}

/// What the table allows and no file does.
#[must_use]
pub fn idle_permissions(house: &House) -> Vec<String> {
    let known: BTreeSet<(&str, &str)> = house
        .arrows
        .iter()
        .filter_map(|(file, takes)| Some((room(file)?, takes)))
        .flat_map(|(from, takes)| takes.keys().filter_map(move |to| Some((from, room(to)?))))
        .collect();
    let allowed = ROOMS
        .iter()
        .flat_map(|(from, rooms)| rooms.iter().map(move |to| (*from, *to)));
    allowed
        .filter(|pair| !known.contains(pair))
        .map(|(from, to)| format!("{from} may know {to}, and does not"))
        .collect()
}

/// Functions of wings that only hand out a field: what is in a wing is told by what it does.
#[must_use]
pub fn accessors(files: &[RustFile]) -> Vec<String> {
    let mut offences = Vec::new();
    for rust in files.iter().filter(|rust| !rust.is_test) {
        let path = &rust.file.path;
        if !room(path).is_some_and(|room| WINGS.contains(&room)) {
            continue;
        }
        let lines: Vec<&str> = rust.file.text.lines().collect();
        for function in rust.code.functions.iter().filter(|it| !it.is_test) {
            let text = lines
                .iter()
                .skip(function.line - 1)
                .take(function.line_count);
            let text: Vec<&str> = text.copied().collect();
            if hands_out_a_field(&text.join(" ")) {
                let (line, name) = (function.line, &function.name);
                offences.push(format!("{path}:{line} {name} hands out a field"));
            }
        }
    }
    offences
}

/// Whether a function that others may call does no more than `self.field`, or a copy of it.
fn hands_out_a_field(function: &str) -> bool {
    let Some((head, body)) = function.split_once('{') else {
        return false;
    };
    let body = body.trim().trim_end_matches('}').trim();
    let field = body.trim_start_matches('&').strip_prefix("self.");
    let is_public = head.trim_start().starts_with("pub");
    let field = field.map(|field| {
        [".clone()", ".as_ref()", ".as_deref()"]
            .iter()
            .fold(field, |field, copy| field.trim_end_matches(copy))
    });
    is_public
        && field.is_some_and(|field| field.chars().all(|it| it.is_alphanumeric() || it == '_'))
}

/// The room of a file of `node`.
fn room(path: &str) -> Option<&str> {
    let below = path.strip_prefix("crates/node/src/")?;
    let (room, _) = below.split_once('/').or_else(|| below.split_once('.'))?;
    (room != "lib").then_some(room)
}

/// The crate of a file and its module's path in it, `::` between the segments.
fn place(path: &str) -> Option<(String, String)> {
    let (root, below) = path.split_once("src/")?;
    let module = below.strip_suffix(".rs")?;
    let module = match module {
        "lib" | "main" => "",
        module => module,
    };
    Some((root.to_owned(), module.replace('/', "::")))
}

/// A path from the root of its crate, if it names something of this crate.
fn absolute(
    modules: &BTreeMap<(String, String), &RustFile>,
    root: &str,
    module: &str,
    path: &str,
) -> Option<String> {
    let (first, rest) = path.split_once("::")?;
    match first {
        "crate" => Some(rest.to_owned()),
        "self" => Some(join(module, rest)),
        "super" => {
            let parent = parent(module);
            match rest.strip_prefix("super::") {
                Some(rest) => Some(join(self::parent(parent), rest)),
                None => Some(join(parent, rest)),
            }
        }
        child => {
            let child = join(module, child);
            let is_module = modules.contains_key(&(root.to_owned(), child.clone()));
            is_module.then(|| join(&child, rest))
        }
    }
}

/// The file that has what a path from the root of a crate names. A name that a module hands on
/// lies where that module takes it from.
fn follow(
    modules: &BTreeMap<(String, String), &RustFile>,
    root: &str,
    path: String,
    steps: usize,
) -> Option<String> {
    const STEPS_MAX: usize = 4;
    let mut module = path.as_str();
    let rust = loop {
        match modules.get(&(root.to_owned(), module.to_owned())) {
            Some(rust) => break rust,
            None if module.is_empty() => return None,
            None => module = parent(module),
        }
    };
    let below = path[module.len()..].trim_start_matches("::");
    let name = below.split("::").next().unwrap_or_default();
    let handed_on = rust.code.paths.iter().find(|spot| {
        !spot.is_test
            && spot.last() == name
            && spot.path != name
            && is_child(modules, root, module, &spot.path)
    });
    match handed_on {
        Some(spot) if steps < STEPS_MAX && !name.is_empty() => {
            let further = absolute(modules, root, module, &spot.path)?;
            follow(modules, root, further, steps + 1)
        }
        Some(_) | None => Some(rust.file.path.clone()),
    }
}

/// Whether a path begins with a module of its own.
fn is_child(
    modules: &BTreeMap<(String, String), &RustFile>,
    root: &str,
    module: &str,
    path: &str,
) -> bool {
    let first = path.split("::").next().unwrap_or_default();
    modules.contains_key(&(root.to_owned(), join(module, first)))
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() {
        name.to_owned()
    } else {
        format!("{module}::{name}")
    }
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;
    use crate::tree::File;
    use crate::{assert_clean, tree};

    #[test]
    fn no_files_take_names_in_a_circle() {
        let house = House::of(&tree::real_rust());
        assert_clean("circles of files", &circles(&house));
        // An exception goes with its circle.
        for (files, reason) in CIRCLES {
            let is_there = house.circles().iter().any(|it| it.iter().eq(files.iter()));
            assert!(is_there, "no circle any more: {files:?}, {reason}");
        }
    }

    #[test]
    fn the_rooms_of_the_node_know_each_other_one_way() {
        let house = House::of(&tree::real_rust());
        assert_clean("arrows between rooms", &forbidden_arrows(&house));
        assert_clean("arrows that are gone", &idle_permissions(&house));
        let rooms = house.arrows.keys().filter_map(|file| room(file));
        let rooms: BTreeSet<&str> = rooms.collect();
        assert_eq!(rooms.len(), ROOMS.len(), "{rooms:?}");
    }

    #[test]
    fn no_wing_hands_out_a_field() {
        assert_clean("accessors", &accessors(&tree::real_rust()));
    }

    #[test]
    fn an_accessor_is_caught() {
        let count = |path: &str, body: &str| {
            let text = format!(
                "impl A {{\n    pub(crate) fn a(&self) -> B {{\n        {body}\n    }}\n}}"
            );
            accessors(&read(&[(path, &text)])).len()
        };
        let wing = "crates/node/src/backup.rs";
        assert_eq!(count(wing, "self.a"), 1);
        assert_eq!(count(wing, "&self.a"), 1);
        assert_eq!(count(wing, "self.a.clone()"), 1);
        assert_eq!(
            count("crates/node/src/backup/scan.rs", "self.a.as_ref()"),
            1
        );
        assert_eq!(count("crates/node/src/shared/names.rs", "self.a"), 0);
        assert_eq!(count(wing, "self.a.len()"), 0);
        assert_eq!(count(wing, "self.a()"), 0);
    }

    fn house(files: &[(&str, &str)]) -> House {
        House::of(&read(files))
    }

    fn read(files: &[(&str, &str)]) -> Vec<RustFile> {
        files
            .iter()
            .map(|(path, text)| RustFile {
                file: File::new(path, text),
                code: Code::read(text).expect("tokens"),
                is_test: false,
            })
            .collect()
    }

    #[test]
    fn a_circle_is_caught_however_it_is_written() {
        let both = |a: &str, b: &str| {
            let files = [
                ("crates/x/src/lib.rs", "mod a; pub use a::A; mod b;"),
                ("crates/x/src/a.rs", a),
                ("crates/x/src/b.rs", b),
                ("crates/x/src/a/c.rs", "pub struct C;"),
            ];
            circles(&house(&files)).len()
        };
        assert_eq!(both("use crate::b::B; pub struct A;", "pub struct B;"), 0);
        assert_eq!(both("use crate::b::B;", "use crate::a::A;"), 2);
        assert_eq!(
            both("use crate::b::B;", "use crate::A;"),
            2,
            "handed on by the root"
        );
        assert_eq!(both("use super::b::B;", "fn f() { crate::a::f() }"), 2);
        assert_eq!(
            both("mod c; use c::C; use crate::b::B;", "use crate::a::c::C;"),
            0
        );
        assert_eq!(
            both(
                "pub mod c; pub use c::C; use crate::b::B;",
                "use crate::a::C;"
            ),
            0
        );
        assert_eq!(
            both(
                "use crate::b::B;",
                "#[cfg(test)] mod tests { use crate::a::A; }"
            ),
            0,
            "a test may look at anything"
        );
    }

    #[test]
    fn an_arrow_between_rooms_outside_of_the_table_is_caught() {
        let arrow = |from: &str, to: &str| {
            let (from_file, to_file) = (
                format!("crates/node/src/{from}.rs"),
                format!("crates/node/src/{to}.rs"),
            );
            let text = format!("use crate::{to}::X;");
            let files = [
                (from_file.as_str(), text.as_str()),
                (to_file.as_str(), "pub struct X;"),
            ];
            forbidden_arrows(&house(&files)).len()
        };
        assert_eq!(arrow("backup", "shared"), 0);
        assert_eq!(arrow("shared", "backup"), 1);
        assert_eq!(arrow("service", "backup"), 1);
        assert_eq!(
            arrow("attic", "shared"),
            1,
            "a room that is not in the table"
        );
    }
}
