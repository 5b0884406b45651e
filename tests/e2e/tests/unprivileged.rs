//! A backup by somebody who is not root: what cannot be read is named, and the rest is whole.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::somebody::{is_root, somebody};
use bitdust_e2e_tests::{Machine, Outcome, Stage, World, differences};

#[test]
fn what_somebody_may_not_read_is_named_and_the_rest_comes_back() -> Outcome {
    let world = World::new("unprivileged")?;
    let stage = Stage::prepare(&world, 2, &[])?;
    let mut machine = somebody(&world, &stage)?;
    let source = world.make_folder("source")?;
    std::fs::write(source.join("public"), "for all")?;
    std::fs::write(source.join("secret"), "for nobody")?;
    std::fs::create_dir(source.join("closed"))?;
    std::fs::write(source.join("closed/inside"), "out of reach")?;
    for (name, mode) in [("secret", 0), ("closed", 0), ("public", 0o644)] {
        std::fs::set_permissions(source.join(name), Permissions::from_mode(mode))?;
    }
    // The control: these rights do keep this user out, and only there.
    for (name, opens) in [
        ("public", true),
        ("secret", false),
        ("closed/inside", false),
    ] {
        let is_open = can_open(&machine, &source.join(name))?;
        ensure!(is_open == opens, "control: {name} opens: {is_open}");
    }

    machine
        .order(&["folder", "add", "--"])
        .argument(&source)
        .run()?;
    let reply = machine.attempt(&["backup"])?.expect_code(3)?;
    let path = |name: &str| source.join(name).to_string_lossy().into_owned();
    let mut problems = reply.problems();
    problems.sort();
    let expected = ["closed", "secret"].map(|name| (path(name), "unreadable".to_owned()));
    ensure!(problems == expected, "{}", reply.object);

    let restored = world.path("home/restored");
    let reply = machine
        .order(&["restore", "latest:public", "--to"])
        .argument(&restored)
        .attempt()?;
    // What was root's cannot be given back to root by somebody else, and that is said.
    let mut expected = vec![];
    if is_root()? {
        expected.push((restored.display().to_string(), "not_allowed".to_owned()));
    }
    let reply = reply.expect_code(if expected.is_empty() { 0 } else { 3 })?;
    ensure!(reply.problems() == expected, "{}", reply.object);
    let only = world.make_folder("only")?;
    std::fs::copy(source.join("public"), only.join("public"))?;
    let different = differences(&only, &restored)?;
    let contents = different
        .lines()
        .filter(|line| line.starts_with(">fc") || line.starts_with('*'));
    ensure!(contents.count() == 0, "{different}");
    ensure!(restored.join("public").is_file(), "it did not come back");
    // So that the folder can be removed by whoever runs this.
    std::fs::set_permissions(source.join("closed"), Permissions::from_mode(0o700))?;
    machine.stop()
}

/// Whether the user that a machine runs as can open a file.
fn can_open(machine: &Machine, file: &Path) -> Result<bool> {
    let words = machine.through.iter().cloned();
    let words: Vec<_> = words.chain(["cat".into(), file.into()]).collect();
    let output = Command::new(&words[0]).args(&words[1..]).output()?;
    Ok(output.status.success())
}
