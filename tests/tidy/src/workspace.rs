//! The packages of the workspace and everything they pull in, as cargo sees them.
//!
//! It keeps names and licences only; rules take it by value of plain lists, so that a
//! twin can hand them a package that does not exist.

use anyhow::Result;
use cargo_metadata::MetadataCommand;

use crate::tree;

/// One package, ours or somebody else's.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its folder from the root of the tree; empty for packages of others.
    pub folder: String,
    /// Names of what it depends on, for every purpose and platform.
    pub dependencies: Vec<String>,
    /// Its licence expression, if it states one.
    pub licence: Option<String>,
    /// Where it comes from; `None` is this tree.
    pub origin: Option<String>,
}

impl Package {
    /// A package of ours that exists only for a test of a rule.
    #[must_use]
    pub fn ours(name: &str, folder: &str, dependencies: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
            ..Self::default()
        }
    }

    /// Whether it holds nothing but tests.
    #[must_use]
    pub fn is_test_suite(&self) -> bool {
        self.folder.starts_with("tests/")
    }
}

/// Asks cargo for every package of the lock file, for all platforms.
///
/// # Errors
///
/// When cargo fails: usually `Cargo.lock` does not match the manifests, or a package
/// of another platform was never fetched (`cargo fetch --locked` does).
pub fn load() -> Result<Vec<Package>> {
    let root = tree::root().canonicalize()?;
    let metadata = MetadataCommand::new()
        .current_dir(&root)
        .other_options(["--locked".to_owned()])
        .exec()?;
    let packages = metadata.packages.iter().map(|package| {
        let folder = package.manifest_path.parent();
        let folder = folder.and_then(|folder| folder.strip_prefix(&root).ok());
        Package {
            name: package.name.to_string(),
            version: package.version.to_string(),
            folder: folder.map(ToString::to_string).unwrap_or_default(),
            dependencies: package
                .dependencies
                .iter()
                .map(|d| d.name.clone())
                .collect(),
            licence: package.license.clone(),
            origin: package.source.as_ref().map(ToString::to_string),
        }
    });
    Ok(packages.collect())
}

/// Every package, for the tests of this package.
///
/// # Panics
///
/// When cargo cannot describe the workspace.
#[must_use]
pub fn real() -> Vec<Package> {
    load().expect("cargo describes the workspace; Cargo.lock matches the manifests")
}

/// The packages of this tree.
#[must_use]
pub fn real_ours() -> Vec<Package> {
    let mut packages = real();
    packages.retain(|package| package.origin.is_none());
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_edges_and_folders() {
        let packages = real_ours();
        let pipeline = packages.iter().find(|p| p.name == "bitdust-pipeline");
        let pipeline = pipeline.expect("the package is a member");
        assert_eq!(pipeline.folder, "crates/pipeline", "relative to the root");
        assert!(
            pipeline.dependencies.iter().any(|d| d == "bitdust-crypto"),
            "our own"
        );
        assert!(
            pipeline.dependencies.iter().any(|d| d == "proptest"),
            "for tests, too"
        );
    }
}
