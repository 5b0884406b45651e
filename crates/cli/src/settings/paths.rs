//! Folders of this machine as they are named: what is there by its real path, the rest by its
//! absolute one.

use std::path::{Path, PathBuf};

use bitdust_model::ErrorCode;

use crate::escape::{escaped_bytes, percent_escaped};
use crate::failure::Failure;

/// A folder that is put under protection has to be there.
pub(super) fn check_new_folder(dir: &Path) -> Result<String, Failure> {
    let shown = escaped_bytes(dir.as_os_str().as_encoded_bytes());
    let found = resolved(dir)
        .map_err(|error| Failure::io(&format!("The folder {shown} cannot be used"), &error))?;
    if !found.is_dir() {
        return Err(Failure::new(
            ErrorCode::BadPath,
            format!("{shown} is no folder. Name the folder that holds it."),
        ));
    }
    Ok(percent_escaped(found.as_os_str().as_encoded_bytes()))
}

/// Folders by path or id.
pub(super) fn folder_names(folders: &[PathBuf]) -> Result<Vec<String>, Failure> {
    folders.iter().map(|folder| folder_name(folder)).collect()
}

/// A folder by path or id. One that is gone can still be named by the path it had.
pub(super) fn folder_name(folder: &Path) -> Result<String, Failure> {
    if let Ok(found) = resolved(folder) {
        return Ok(percent_escaped(found.as_os_str().as_encoded_bytes()));
    }
    if let Some(text) = folder.to_str().filter(|text| is_id(text)) {
        return Ok(text.to_owned());
    }
    Ok(percent_escaped(
        absolute(folder)?.as_os_str().as_encoded_bytes(),
    ))
}

fn is_id(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn resolved(path: &Path) -> std::io::Result<PathBuf> {
    // Windows answers `canonicalize` with a form that other programs do not take.
    if cfg!(windows) {
        std::path::absolute(path).and_then(|path| path.metadata().map(|_| path))
    } else {
        path.canonicalize()
    }
}

/// A path from the root on, whether anything is there or not.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| {
        Failure::io(
            &format!(
                "The path {} cannot be used",
                escaped_bytes(path.as_os_str().as_encoded_bytes())
            ),
            &error,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_by_their_real_path_or_by_id() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let real = folder
            .path()
            .canonicalize()
            .expect("it is there")
            .join("real");
        std::fs::create_dir(&real).expect("the disk works");
        let real_text = real.to_str().expect("a temporary path is text").to_owned();
        assert_eq!(
            folder_name(&real.join("../real")).expect("it is there"),
            real_text
        );
        assert_eq!(
            folder_name(Path::new("7f3a91c2")).expect("an id"),
            "7f3a91c2"
        );
        std::fs::remove_dir(&real).expect("the disk works");
        assert_eq!(folder_name(&real).expect("a path that was"), real_text);
        assert!(check_new_folder(&real).is_err());
    }
}
