//! Which of our crates may know which.
//!
//! The table is the shape of the program; a new edge is a decision and is made here
//! first. Dependencies for tests and builds count like any other.

use crate::workspace::Package;

const PREFIX: &str = "bitdust-";

/// Each crate with the crates it may depend on.
const ALLOWED: [(&str, &[&str]); 12] = [
    ("model", &[]),
    ("crypto", &["model"]),
    ("pipeline", &["crypto", "model"]),
    ("engine", &["model"]),
    ("sim", &["engine", "model"]),
    ("source", &["model"]),
    ("store", &["model"]),
    ("net", &["crypto", "model"]),
    (
        "node",
        &[
            "api", "crypto", "engine", "model", "net", "pipeline", "source", "store",
        ],
    ),
    ("api", &["model"]),
    ("cli", &["api", "model", "node", "sim"]),
    ("desktop", &["api", "model", "node"]),
];

/// Edges between our packages that the table does not hold.
#[must_use]
pub fn forbidden_edges(packages: &[Package]) -> Vec<String> {
    let mut offences = Vec::new();
    let suites: Vec<&str> = names_of_suites(packages);
    for package in packages {
        let short = package.name.strip_prefix(PREFIX).unwrap_or(&package.name);
        let allowed = ALLOWED.iter().find(|(name, _)| *name == short);
        if allowed.is_none() && !package.is_test_suite() {
            offences.push(format!("{} has no row in the table of edges", package.name));
        }
        for dependency in &package.dependencies {
            if suites.contains(&dependency.as_str()) {
                offences.push(format!(
                    "{} depends on the test suite {dependency}",
                    package.name
                ));
            }
            let Some(target) = dependency.strip_prefix(PREFIX) else {
                continue;
            };
            if allowed.is_some_and(|(_, targets)| !targets.contains(&target)) {
                offences.push(format!("{} may not depend on {dependency}", package.name));
            }
        }
    }
    offences
}

fn names_of_suites(packages: &[Package]) -> Vec<&str> {
    let suites = packages.iter().filter(|package| package.is_test_suite());
    suites.map(|package| package.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assert_clean, workspace};

    #[test]
    fn crates_know_only_whom_they_may() {
        assert_clean(
            "edges between crates",
            &forbidden_edges(&workspace::real_ours()),
        );
    }

    #[test]
    fn an_edge_outside_of_the_table_is_caught() {
        let suite = Package::ours(
            "bitdust-tidy-tests",
            "tests/tidy",
            &["bitdust-net", "bitdust-store"],
        );
        check(std::slice::from_ref(&suite), 0);
        check(
            &[Package::ours(
                "bitdust-net",
                "crates/net",
                &["bitdust-crypto", "serde"],
            )],
            0,
        );
        check(
            &[Package::ours(
                "bitdust-net",
                "crates/net",
                &["bitdust-store"],
            )],
            1,
        );
        check(
            &[Package::ours(
                "bitdust-model",
                "crates/model",
                &["bitdust-api"],
            )],
            1,
        );
        check(
            &[Package::ours("bitdust-helpers", "crates/helpers", &[])],
            1,
        );
        // The suite is found twice: as a suite, and as no row of the table.
        check(
            &[
                suite,
                Package::ours("bitdust-cli", "crates/cli", &["bitdust-tidy-tests"]),
            ],
            2,
        );
    }

    fn check(packages: &[Package], expected: usize) {
        let offences = forbidden_edges(packages);
        assert_eq!(offences.len(), expected, "{offences:?}");
    }
}
