//! A customer who is not root, whoever runs the test.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

use anyhow::Result;

use crate::machine::Machine;
use crate::stage::Stage;
use crate::world::World;

/// The user and the group that such a customer is where the test runs as root.
pub const NOBODY: u32 = 65_534;

/// Whether this test runs as root.
pub fn is_root() -> Result<bool> {
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

/// Makes the customer, with both suppliers of a stage hired.
pub fn somebody(world: &World, stage: &Stage) -> Result<Machine> {
    let mut machine = world.machine("somebody");
    let home = world.make_folder("home")?;
    machine.home = home.join("of-somebody");
    if is_root()? {
        std::fs::set_permissions(world.folder(), Permissions::from_mode(0o755))?;
        chown(&home, Some(NOBODY), Some(NOBODY))?;
        let user = NOBODY.to_string();
        let words = [
            "setpriv",
            "--reuid",
            &user,
            "--regid",
            &user,
            "--clear-groups",
        ];
        machine.through = words.map(Into::into).to_vec();
    }
    machine.bootstrap.clone_from(&stage.customer.bootstrap);
    machine.init()?;
    machine.set("suppliers", "2")?;
    machine.set("code", "1/2")?;
    machine.start()?;
    for supplier in &stage.suppliers {
        machine.befriend(supplier)?;
    }
    machine.wait_for_suppliers(2)?;
    Ok(machine)
}
