//! The whole product through its window: the real application, the real WebView, real
//! suppliers in processes of their own.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bitdust_e2e_tests::{Desktop, Outcome, Stage, Window, World, differences, eventually};

const SUPPLIERS: u8 = 4;
const SOON: Duration = Duration::from_secs(60);
const A_WHILE: Duration = Duration::from_secs(180);

#[test]
fn a_person_protects_a_folder_and_gets_it_back_on_a_new_machine() -> Outcome {
    let world = World::new("desktop")?;
    let mut stage = Stage::prepare(&world, SUPPLIERS, &[])?;
    let source = make_source(&world)?;
    let copy = world.path("copy");
    copy_tree(&source, &copy)?;
    let desktop = Desktop::start(&world, "screen")?;

    // A person makes an identity in the window.
    let mut owner = world.machine("owner");
    owner.bootstrap = stage
        .suppliers
        .iter()
        .filter_map(|it| it.address().ok())
        .collect();
    let window = desktop.open(&owner)?;
    let words = first_run(&window)?;
    ensure!(words.len() == 24, "{} words", words.len());

    // The command line joins the node that the window runs.
    let status = owner.status()?;
    ensure!(status["nickname"] == "Robin", "{status}");
    ensure!(status["phrase_confirmed"] == true, "{status}");
    for supplier in &stage.suppliers {
        owner.befriend(supplier)?;
    }
    owner.wait_for_suppliers(usize::from(SUPPLIERS))?;

    // A folder is dropped on the window, as from a file manager.
    desktop.drop_folder(&source)?;
    window.click("Protect this folder")?;
    window.picture("added")?;
    eventually("a version is stored safely", A_WHILE, || {
        let status = owner.status()?;
        let is_safe = status["protection"]["kind"] == "safe";
        let has_version = !status["folders"][0]["last_backup"].is_null();
        Ok((is_safe && has_version && status["jobs"] == serde_json::json!([])).then_some(()))
    })?;
    owner.wait_until_spread()?;
    window.go("#/overview")?;
    window.wait_for("4 of 4 kept", SOON)?;
    window.picture("safe")?;

    // Two of four suppliers and the folder are lost; one click brings it back.
    for supplier in stage.suppliers.iter_mut().take(2) {
        supplier.kill()?;
    }
    std::fs::remove_dir_all(&source)?;
    window.go("#/restore")?;
    window.click("Put everything back")?;
    window.click("Restore")?;
    eventually("the folder is back", A_WHILE, || {
        Ok((source.exists() && owner.status()?["jobs"] == serde_json::json!([])).then_some(()))
    })?;
    window.picture("restored")?;
    compare(&copy, &source)?;
    window.quit()?;

    // The machine is lost as well: 24 words and one address bring it back on a bare new one.
    std::fs::remove_dir_all(&owner.home)?;
    std::fs::remove_dir_all(&source)?;
    let heir = world.machine("heir");
    let window = desktop.open(&heir)?;
    let living = stage.suppliers.last().context("a supplier lives")?;
    recover(&window, &words, &living.address()?)?;
    window.picture("found")?;
    window.click("Choose what to restore")?;
    window.click("Put everything back")?;
    window.click("Restore")?;
    eventually("the folder is back on the new machine", A_WHILE, || {
        Ok((source.exists() && heir.status()?["jobs"] == serde_json::json!([])).then_some(()))
    })?;
    compare(&copy, &source)?;
    window.quit()
}

#[test]
fn the_window_joins_a_daemon_that_holds_the_home() -> Outcome {
    let world = World::new("desktop-joins")?;
    let mut owner = world.machine("owner");
    owner.init()?;
    owner.start()?;
    let desktop = Desktop::start(&world, "screen")?;
    let window = desktop.open(&owner)?;
    window.wait_for("Practice on this computer", SOON)?;
    owner.status()?;
    window.go("#/settings/about")?;
    window.wait_for(&owner.device, SOON)?;
    window.quit()?;
    // The daemon outlives the window.
    owner.check_alive()?;
    owner.status().map(drop)
}

/// From the first screen to the overview; gives the 24 words.
fn first_run(window: &Window<'_>) -> Result<Vec<String>> {
    window.click("Start here")?;
    window.fill("Nickname", "Robin")?;
    window.click("Next")?;
    window.click("In a file without protection")?;
    window.click("I understand that the keys lie open on this disk")?;
    window.click("Create")?;
    window.wait_for("These 24 words are your key", SOON)?;
    let numbered = window.texts("ol[aria-label='The 24 words'] li")?;
    let words: Vec<String> = numbered
        .iter()
        .map(|word| {
            word.trim_start_matches(|it: char| it.is_ascii_digit())
                .to_owned()
        })
        .collect();
    window.click("I keep them in a safe place")?;
    window.click("Check three words")?;
    window.wait_for("Three words, to be sure", SOON)?;
    for (index, word) in words.iter().enumerate() {
        let label = format!("Word {}", index + 1);
        let asked = window.texts("label")?;
        if asked.contains(&label) {
            window.fill(&label, word)?;
        }
    }
    window.click("Check")?;
    window.wait_for("Overview", SOON)?;
    Ok(words)
}

fn recover(window: &Window<'_>, words: &[String], address: &str) -> Result<()> {
    window.click("Restore from 24 words")?;
    for (index, word) in words.iter().enumerate() {
        window.fill(&format!("Word {}", index + 1), word)?;
    }
    window.click("Next")?;
    window.fill("Address or invitation", address)?;
    window.click("Next")?;
    window.click("In a file without protection")?;
    window.click("I understand that the keys lie open on this disk")?;
    window.click("Find my backups")?;
    window.wait_for("Here you are, Robin", A_WHILE)
}

fn make_source(world: &World) -> Result<std::path::PathBuf> {
    let source = world.make_folder("pictures")?;
    for album in 0..5 {
        let folder = source.join(format!("album {album}"));
        std::fs::create_dir(&folder)?;
        for number in 0..20_u32 {
            let bytes: Vec<u8> = (0..10_000_u32)
                .map(|at| at.wrapping_mul(number + 7).to_le_bytes()[1])
                .collect();
            std::fs::write(folder.join(format!("bild-{number}.jpg")), bytes)?;
        }
    }
    Ok(source)
}

fn copy_tree(source: &Path, target: &Path) -> Result<()> {
    let done = std::process::Command::new("cp")
        .arg("-a")
        .args([source, target])
        .status()?;
    ensure!(done.success(), "the copy failed");
    Ok(())
}

fn compare(one: &Path, other: &Path) -> Outcome {
    let different = differences(one, other)?;
    ensure!(different.is_empty(), "{different}");
    Ok(())
}
