//! `completions` and `man`: made from the same description as the command line itself.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use crate::args::Arguments;
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(super) fn completions(output: Output, shell: Shell) -> Result<Exit, Failure> {
    let script = completion_script(shell);
    let object = json!({ "shell": shell.to_string(), "script": script });
    output.result(&object, || script)?;
    Ok(Exit::Done)
}

/// Prints the page of `bitdust`, or writes the pages of all commands into a folder.
pub(super) fn man(output: Output, to: Option<&Path>) -> Result<Exit, Failure> {
    let Some(folder) = to else {
        let page = manual_page()?;
        output.result(&json!({ "page": page }), || page.clone())?;
        return Ok(Exit::Done);
    };
    write_pages(folder)
        .map_err(|error| Failure::io("The manual pages cannot be written", &error))?;
    let shown = folder.to_string_lossy();
    output.result(&json!({ "done": true, "folder": shown }), || {
        format!(
            "The manual pages are in {}.\n",
            crate::escape::escaped(&shown)
        )
    })?;
    Ok(Exit::Done)
}

fn write_pages(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
}

fn completion_script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "bitdust", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn manual_page() -> Result<String, Failure> {
    let mut page = Vec::new();
    Man::new(Arguments::command())
        .render(&mut page)
        .map_err(|error| Failure::io("The manual page cannot be made", &error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in [
            Shell::Bash,
            Shell::Elvish,
            Shell::Fish,
            Shell::PowerShell,
            Shell::Zsh,
        ] {
            let script = completion_script(shell);
            for word in ["bitdust", "snapshots", "bootstrap"] {
                assert!(script.contains(word), "{shell} does not know {word}");
            }
        }
    }

    #[test]
    fn the_manual_page_has_its_sections() -> Result<(), Failure> {
        let page = manual_page()?;
        for part in [
            ".TH bitdust 1",
            ".SH SYNOPSIS",
            "bitdust\\-restore(1)",
            "Exit codes",
        ] {
            assert!(page.contains(part), "{part:?} is missing");
        }
        Ok(())
    }

    #[test]
    fn all_commands_get_a_page_of_their_own() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_pages(&folder.path().join("man")).expect("the pages are written");
        for page in ["bitdust.1", "bitdust-restore.1", "bitdust-folder-add.1"] {
            assert!(
                folder.path().join("man").join(page).is_file(),
                "{page} is missing"
            );
        }
    }
}
