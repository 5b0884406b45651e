//! What is said of how things stand, against what is so.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::{Outcome, Stage, World, eventually};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

/// A folder without a version is not as safe as those that have one, and neither is everything.
#[test]
fn a_folder_that_was_never_backed_up_is_not_called_safe() -> Outcome {
    let world = World::new("never-backed-up")?;
    let stage = Stage::set_up(&world, 3, None)?;
    let first = world.make_folder("first")?;
    std::fs::write(first.join("letter"), "Dear all")?;
    stage.back_up(&first)?;
    let customer = &stage.customer;
    eventually("it is safe", SOON, || {
        let status = customer.status()?;
        Ok((status["protection"]["kind"] == "safe").then_some(()))
    })?;
    let second = world.make_folder("second")?;
    let add = customer.order(&["folder", "add", "--schedule", "manual", "--"]);
    add.argument(&second).run()?;
    let status = customer.status()?;
    ensure!(
        status["protection"]["kind"] == "partly" && status["protection"]["missing"] == 1,
        "{}",
        status["protection"]
    );
    let sentence = status["sentence"].as_str().unwrap_or_default();
    ensure!(sentence.contains("1 of 2 folders"), "{sentence}");
    let of = |path: &Path| -> Result<Value> {
        let views = status["folders"].as_array().into_iter().flatten();
        let mut own = views.filter(|view| view["path"] == *path.to_string_lossy());
        Ok(own
            .next()
            .map_or(Value::Null, |view| view["protection"]["kind"].clone()))
    };
    ensure!(of(&first)? == "safe" && of(&second)? == "nothing");
    customer.order(&["backup"]).run()?;
    eventually("all of it is safe", SOON, || {
        let status = customer.status()?;
        Ok((status["protection"]["kind"] == "safe").then_some(()))
    })
}

/// The command line, its JSON and how bad it is say the same, of each folder and of everything.
#[test]
fn one_verdict_is_told_everywhere() -> Outcome {
    let world = World::new("one-verdict")?;
    let mut stage = Stage::set_up(&world, 3, None)?;
    let (first, second) = (world.make_folder("first")?, world.make_folder("second")?);
    std::fs::write(first.join("letter"), "Dear all")?;
    std::fs::write(second.join("letter"), "Dear others")?;
    stage.back_up(&first)?;
    told(&stage, ("practice", "plain"), &["practice"])?;
    let add = stage.customer.order(&["folder", "add", "--"]);
    add.argument(&second).run()?;
    let never = ("partly_backed_up", "attention");
    told(&stage, never, &["practice", "never_backed_up"])?;
    stage.customer.order(&["backup"]).run()?;
    told(&stage, ("practice", "plain"), &["practice"; 2])?;
    let elsewhere = world.path("elsewhere");
    std::fs::rename(&second, &elsewhere)?;
    let away = ("folder_away", "attention");
    told(&stage, away, &["practice", "away"])?;

    // The same beyond a practice, where the words lead to something.
    let customer = &mut stage.customer;
    customer.stop()?;
    customer.set("policy.straggler_wait", "700")?;
    customer.set("listen", "/ip4/127.0.0.1/tcp/0")?;
    customer.scope = "lan";
    customer.start()?;
    let words = ("words_unchecked", "attention");
    told(&stage, words, &["safe", "away"])?;
    stage.customer.set("phrase_confirmed", "true")?;
    told(&stage, away, &["safe", "away"])?;
    std::fs::rename(&elsewhere, &second)?;
    told(&stage, ("safe", "good"), &["safe"; 2])
}

/// Waits until this is said of everything and of each folder, and checks that what people read is that.
fn told(stage: &Stage, (says, level): (&str, &str), folders: &[&str]) -> Outcome {
    let customer = &stage.customer;
    let status = eventually(says, SOON, || {
        let status = customer.status()?;
        let first = &status["verdict"]["first"];
        let is_so = first["says"]["kind"] == says && first["level"] == level;
        Ok(is_so.then_some(status))
    })?;
    let views = status["folders"].as_array().into_iter().flatten();
    let mut kinds: Vec<_> = views
        .map(|view| (view["path"].as_str(), &view["verdict"]["says"]["kind"]))
        .collect();
    kinds.sort_by_key(|(path, _)| *path);
    let kinds: Vec<_> = kinds.into_iter().map(|(_, kind)| kind).collect();
    ensure!(kinds == folders, "{kinds:?} instead of {folders:?}");
    let is_good = kinds.iter().all(|kind| **kind == "safe");
    ensure!(is_good == (level == "good"), "{level} beside {kinds:?}");

    let text = customer.order(&["status"]).plain().run()?.stdout;
    let sentence = status["sentence"].as_str().unwrap_or_default();
    ensure!(text.starts_with(sentence), "{sentence:?} is not in {text}");
    let overall = match level {
        "good" => "Overall: good",
        "plain" => "Overall: nothing is wrong, and nothing is called safe",
        _ => "Overall: needs attention",
    };
    ensure!(text.contains(overall), "{overall:?} is not in {text}");
    for kind in folders {
        let words = match *kind {
            "never_backed_up" => "not backed up yet",
            "away" => "not there now",
            "practice" => "stored for practice",
            kind => kind,
        };
        ensure!(
            text.contains(&format!("  {words}")),
            "{words:?} is not in {text}"
        );
    }
    Ok(())
}

/// A version is confirmed by those who signed for exactly it; and what can be restored now is told
/// by who is there.
#[test]
fn a_version_is_confirmed_by_those_who_have_it() -> Outcome {
    let world = World::new("who-has-it")?;
    let mut stage = Stage::prepare(&world, 6, &[("policy.redial_max", "2000")])?;
    stage.customer.set("code", "2/6")?;
    stage.customer.start()?;
    stage.hire()?;
    let folder = world.make_folder("folder")?;
    std::fs::write(folder.join("letter"), "Dear all")?;
    stage.back_up(&folder)?;
    stage.customer.wait_until_spread()?;
    reach(&stage, 6, Some(4))?;

    stage.suppliers[0].lose()?;
    reach(&stage, 5, Some(3))?;
    std::fs::write(folder.join("second"), "Dear others")?;
    stage.customer.run(&["backup"])?;
    eventually("five have it", SOON, || {
        let head = &stage.customer.status()?["head"];
        ensure!(head["of"] == 6, "{head}");
        ensure!(head["confirmed"].as_u64() <= Some(5), "{head}: one is lost");
        Ok((head["confirmed"] == 5).then_some(()))
    })?;
    for index in [1, 2, 3] {
        stage.suppliers[index].stop()?;
    }
    reach(&stage, 2, Some(0))?;
    stage.suppliers[4].stop()?;
    reach(&stage, 1, None)
}

/// Waits until so many are there, of whom so many may go.
fn reach(stage: &Stage, online: u64, spare: Option<u64>) -> Outcome {
    eventually("what can be restored now", SOON, || {
        let reach = &stage.customer.status()?["reach"];
        let is_so = reach["online"] == online && reach["spare"].as_u64() == spare;
        Ok(is_so.then_some(()))
    })
}
