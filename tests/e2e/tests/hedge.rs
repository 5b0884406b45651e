//! Suppliers that are held or killed at the moment in which a restore begins: what they hold is asked
//! of others, and nobody waits until requests to them have failed.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use bitdust_e2e_tests::{Outcome, Stage, World, differences};

const SUPPLIERS: u8 = 6;
/// As many as may go.
const SILENT: usize = 3;
const WITHIN: Duration = Duration::from_secs(120);
/// Far below what a request to somebody who does not answer takes to fail, and far above what it takes
/// to ask somebody else on a busy machine.
const LONGER_MAX: Duration = Duration::from_secs(10);

/// They stay connected and answer nothing.
#[test]
fn a_restore_beside_suppliers_that_are_held() -> Outcome {
    check("held", |stage, supplier| {
        stage.suppliers[supplier].hold(true)
    })
}

/// Their connections may seem to live for a while.
#[test]
fn a_restore_beside_suppliers_that_were_just_killed() -> Outcome {
    check("killed", |stage, supplier| stage.suppliers[supplier].kill())
}

fn check(name: &str, silence: impl Fn(&mut Stage, usize) -> Outcome) -> Outcome {
    let mut scene = Scene::set_up(name)?;
    let alone = scene.restore("alone")?;
    // Those at the first places are asked first.
    let status = scene.stage.customer.status()?;
    let order = scene.stage.by_place(&status)?;
    for &supplier in order.iter().take(SILENT) {
        silence(&mut scene.stage, supplier)?;
    }
    let first = scene.restore("first")?;
    let second = scene.restore("second")?;
    eprintln!(
        "{name}: {:.2} s, then {:.2} s, with all {:.2} s",
        first.as_secs_f64(),
        second.as_secs_f64(),
        alone.as_secs_f64()
    );
    for took in [first, second] {
        ensure!(took < alone + LONGER_MAX, "{took:?}, with all {alone:?}");
    }
    Ok(())
}

struct Scene {
    stage: Stage,
    source: PathBuf,
    world: World,
}

impl Scene {
    /// A customer whose folder all suppliers have their part of.
    fn set_up(name: &str) -> Result<Self> {
        let world = World::new(&format!("hedge-{name}"))?;
        let stage = Stage::set_up(&world, SUPPLIERS, Some("3/6"))?;
        let source = world.make_folder("source")?;
        let mut random = world.random();
        for file in 0..6 {
            random.write_file(&source.join(format!("file-{file}")), 2_000_000)?;
        }
        stage.back_up(&source)?;
        stage.customer.wait_until_spread()?;
        Ok(Self {
            stage,
            source,
            world,
        })
    }

    /// Restores everything, compares it, and says how long the restore took.
    fn restore(&self, name: &str) -> Result<Duration> {
        let target = self.world.path(name);
        let restore = self.stage.customer.order(&["restore", "latest", "--to"]);
        let reply = restore.argument(&target).within(WITHIN).run()?;
        let different = differences(&self.source, &target)?;
        ensure!(different.is_empty(), "{different}");
        Ok(reply.took)
    }
}
