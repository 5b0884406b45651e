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
