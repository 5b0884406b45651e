//! Every state machine of the engine has its drawing, and every drawing a machine.
//!
//! A machine is a file with a function `step`. Whether a drawing is fresh is tested in
//! the engine, which draws it.

use crate::tree::{File, RustFile};

const MACHINES: &str = "crates/engine/src/fsm";
const DRAWINGS: &str = "docs/fsm";

/// Machines without a drawing and drawings without a machine.
#[must_use]
pub fn unpaired(files: &[File], rust: &[RustFile]) -> Vec<String> {
    // A drawing is named as people write the machine: `set_up.rs` is drawn in `set-up.md`.
    let machines: Vec<String> = rust
        .iter()
        .filter(|r| is_machine(r))
        .map(|r| r.file.stem().replace('_', "-"))
        .collect();
    let drawings: Vec<&str> = files
        .iter()
        .filter(|f| is_drawing(f))
        .map(File::stem)
        .collect();
    let mut offences = Vec::new();
    for name in &machines {
        if drawings.contains(&name.as_str()) {
            continue;
        }
        offences.push(format!("{MACHINES}/{name}.rs has no {DRAWINGS}/{name}.md"));
    }
    for name in drawings {
        if machines.iter().any(|machine| machine == name) {
            continue;
        }
        offences.push(format!("{DRAWINGS}/{name}.md has no {MACHINES}/{name}.rs"));
    }
    offences
}

fn is_machine(rust: &RustFile) -> bool {
    let mut functions = rust.code.functions.iter();
    rust.file.folder() == MACHINES
        && functions.any(|function| function.name == "step" && !function.is_test)
}

fn is_drawing(file: &File) -> bool {
    file.folder() == DRAWINGS && file.extension() == "md" && file.name() != "README.md"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assert_clean, tree};

    #[test]
    fn every_machine_is_drawn() {
        assert_clean(
            "drawings of machines",
            &unpaired(&tree::real(), &tree::real_rust()),
        );
    }

    #[test]
    fn a_machine_without_drawing_is_caught() -> anyhow::Result<()> {
        let machine = File::new("crates/engine/src/fsm/repair.rs", "pub fn step() {}");
        let drawing = File::new("docs/fsm/repair.md", "");
        let helper = File::new("crates/engine/src/fsm/diagram.rs", "pub fn draw() {}");
        let rust = tree::rust_files(&[machine, helper])?;
        let drawings = [drawing];
        assert!(
            unpaired(&drawings, &rust).is_empty(),
            "a pair, and no machine"
        );
        assert_eq!(unpaired(&[], &rust).len(), 1, "not drawn");
        assert_eq!(unpaired(&drawings, &[]).len(), 1, "nothing to draw");
        Ok(())
    }
}
