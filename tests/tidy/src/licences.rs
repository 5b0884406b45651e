//! The licence policy of `deny.toml`, applied to every package of the lock file.
//!
//! `cargo deny` applies the same file where it is installed; here it is applied
//! without it, so that the policy is tested on every machine.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use toml::{Table, Value};

use crate::workspace::Package;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Which licences may come in, and for whom there are exceptions.
#[derive(Debug, Default)]
pub struct Policy {
    allowed: Vec<String>,
    exceptions: BTreeMap<String, Vec<String>>,
}

impl Policy {
    /// Reads `[licenses]` of a `deny.toml`.
    ///
    /// # Errors
    ///
    /// When the text is not TOML or has another shape.
    pub fn read(text: &str) -> Result<Self> {
        let table: Table = text.parse().context("deny.toml is TOML")?;
        let licences = table.get("licenses").context("deny.toml has [licenses]")?;
        let allowed = strings(licences.get("allow").context("[licenses] has allow")?)?;
        let mut exceptions = BTreeMap::new();
        for exception in licences
            .get("exceptions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let name = exception.get("crate").and_then(Value::as_str);
            let name = name.context("an exception names its crate")?;
            let extra = strings(exception.get("allow").context("an exception has allow")?)?;
            exceptions.insert(name.to_owned(), extra);
        }
        Ok(Self {
            allowed,
            exceptions,
        })
    }

    /// Whether `expression` can be met by licences that `package` may have.
    ///
    /// # Errors
    ///
    /// When the expression is not one.
    pub fn accepts(&self, package: &str, expression: &str) -> Result<bool> {
        let extra = self.exceptions.get(package);
        let holds = |licence: &str| {
            let is_extra = extra.is_some_and(|extra| extra.iter().any(|l| l == licence));
            is_extra || self.allowed.iter().any(|l| l == licence)
        };
        let spaced = expression
            .replace('(', " ( ")
            .replace(')', " ) ")
            .replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let (value, rest) = either(&words, &holds)?;
        ensure!(rest.is_empty(), "words left over in {expression}");
        Ok(value)
    }
}

fn strings(value: &Value) -> Result<Vec<String>> {
    let list = value.as_array().context("a list")?;
    let strings = list
        .iter()
        .map(|item| Ok(item.as_str().context("a string")?.to_owned()));
    strings.collect()
}

type Answer<'a> = Result<(bool, &'a [&'a str])>;

fn either<'a>(words: &'a [&'a str], holds: &impl Fn(&str) -> bool) -> Answer<'a> {
    let (mut value, mut rest) = both(words, holds)?;
    while let ["OR", after @ ..] = rest {
        let (right, left_over) = both(after, holds)?;
        value |= right;
        rest = left_over;
    }
    Ok((value, rest))
}

fn both<'a>(words: &'a [&'a str], holds: &impl Fn(&str) -> bool) -> Answer<'a> {
    let (mut value, mut rest) = one(words, holds)?;
    while let ["AND", after @ ..] = rest {
        let (right, left_over) = one(after, holds)?;
        value &= right;
        rest = left_over;
    }
    Ok((value, rest))
}

fn one<'a>(words: &'a [&'a str], holds: &impl Fn(&str) -> bool) -> Answer<'a> {
    match words {
        ["(", after @ ..] => {
            let (value, rest) = either(after, holds)?;
            let [")", rest @ ..] = rest else {
                bail!("a parenthesis is not closed");
            };
            Ok((value, rest))
        }
        ["AND" | "OR" | "WITH" | ")", ..] | [] => bail!("a licence is missing"),
        [licence, "WITH", exception, rest @ ..] => {
            Ok((holds(&format!("{licence} WITH {exception}")), rest))
        }
        [licence, rest @ ..] => Ok((holds(licence), rest)),
    }
}

/// Packages that the policy does not accept, or that come from elsewhere than the
/// public registry.
#[must_use]
pub fn refused(policy: &Policy, packages: &[Package]) -> Vec<String> {
    let mut offences = Vec::new();
    for package in packages {
        let name = format!("{} {}", package.name, package.version);
        match package
            .licence
            .as_deref()
            .map(|text| policy.accepts(&package.name, text))
        {
            Some(Ok(true)) => {}
            Some(Ok(false)) => {
                offences.push(format!("{name}: {:?} is not in deny.toml", package.licence))
            }
            Some(Err(error)) => offences.push(format!("{name}: {:?}: {error}", package.licence)),
            None => offences.push(format!("{name} states no licence")),
        }
        if package
            .origin
            .as_deref()
            .is_some_and(|origin| origin != REGISTRY)
        {
            offences.push(format!("{name} comes from {:?}", package.origin));
        }
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assert_clean, tree, workspace};

    const DENY: &str = "[licenses]\nallow = [\"MIT\", \"ISC\", \"Apache-2.0 WITH LLVM-exception\"]\n\
        exceptions = [{ crate = \"soft\", allow = [\"MPL-2.0\"] }]";

    #[test]
    fn every_package_has_a_licence_that_we_accept() -> Result<()> {
        let deny = std::fs::read_to_string(tree::root().join("deny.toml"))?;
        let packages = workspace::real();
        assert!(
            packages.len() > 100,
            "the packages of others are listed, too"
        );
        assert_clean("licences", &refused(&Policy::read(&deny)?, &packages));
        Ok(())
    }

    #[test]
    fn expressions_mean_what_they_say() -> Result<()> {
        let policy = Policy::read(DENY)?;
        let rows = [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT", true),
            ("GPL-3.0-only/MIT", true),
            ("GPL-3.0-only AND MIT", false),
            ("ISC AND (GPL-3.0-only OR MIT)", true),
            ("(ISC OR MIT) AND GPL-3.0-only", false),
            ("GPL-3.0-only AND ISC OR MIT", true),
            ("Apache-2.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
        ];
        for (expression, expected) in rows {
            assert_eq!(policy.accepts("any", expression)?, expected, "{expression}");
        }
        assert!(policy.accepts("soft", "MPL-2.0")?, "an exception");
        assert!(!policy.accepts("other", "MPL-2.0")?, "for one crate only");
        for broken in ["", "MIT OR", "(MIT", "MIT)", "MIT ISC"] {
            assert!(
                policy.accepts("any", broken).is_err(),
                "{broken:?} is no expression"
            );
        }
        Ok(())
    }

    #[test]
    fn a_package_outside_of_the_policy_is_caught() -> Result<()> {
        let policy = Policy::read(DENY)?;
        let package = |licence: Option<&str>, origin: &str| Package {
            licence: licence.map(str::to_owned),
            origin: Some(origin.to_owned()),
            ..Package::ours("x", "", &[])
        };
        assert!(
            refused(&policy, &[package(Some("MIT"), REGISTRY)]).is_empty(),
            "fine"
        );
        assert_eq!(
            refused(&policy, &[package(Some("AGPL-3.0-only"), REGISTRY)]).len(),
            1,
            "licence"
        );
        assert_eq!(
            refused(&policy, &[package(None, REGISTRY)]).len(),
            1,
            "silence"
        );
        assert_eq!(
            refused(&policy, &[package(Some("MIT"), "git+https://x")]).len(),
            1,
            "origin"
        );
        Ok(())
    }
}
