//! What a home remembers: a TOML file that people may read and edit.
//!
//! Flags win over the home, the home wins over defaults. `policy.*` may be overridden in
//! scope `loopback` only: everywhere else a changed clock would be a risk to data.

use serde::{Deserialize, Serialize};

use bitdust_api::view::{Schedule, SettingView};
use bitdust_model::{ByteCount, Code, ErrorCode, Policy, limits};

use bitdust_store::{HomePaths, write_durably};

use crate::error::NodeError;
use crate::settings::{Scope, Settings};

const DEFAULT_NETWORK: &str = "main";
/// Friends only, until a person hires strangers.
const DEFAULT_SUPPLIERS: u8 = 0;
const DEFAULT_CONTRACT_BYTES: u64 = 10_000_000_000;

/// The configuration of a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Name of the network.
    pub(crate) network: String,
    /// How far the node reaches.
    pub(crate) scope: Scope,
    /// The nickname.
    pub(crate) nickname: String,
    /// Multiaddresses to listen on; empty: any free port.
    pub(crate) listen: Vec<String>,
    /// Multiaddresses to start from.
    pub(crate) bootstrap: Vec<String>,
    /// Addresses confirmed by hand.
    pub(crate) external: Vec<String>,
    /// The code of new sets; none: by the number of suppliers.
    pub(crate) code: Option<Code>,
    /// Suppliers wanted in all.
    pub(crate) suppliers: u8,
    /// Bytes to ask of each supplier.
    pub(crate) contract: ByteCount,
    /// Bytes offered to others.
    pub(crate) offer: ByteCount,
    /// When folders are backed up by themselves that have no schedule of their own.
    #[serde(with = "as_text")]
    pub(crate) schedule: Schedule,
    /// Whether the words were asked back.
    pub(crate) phrase_confirmed: bool,
    /// Clocks, for practice networks.
    pub(crate) policy: Policy,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            network: DEFAULT_NETWORK.to_owned(),
            scope: Scope::default(),
            nickname: String::new(),
            listen: Vec::new(),
            bootstrap: Vec::new(),
            external: Vec::new(),
            code: None,
            suppliers: DEFAULT_SUPPLIERS,
            contract: ByteCount(DEFAULT_CONTRACT_BYTES),
            offer: ByteCount(0),
            schedule: Schedule::default(),
            phrase_confirmed: false,
            policy: Policy::default(),
        }
    }
}

impl Config {
    /// Reads the configuration of a home; a home without one has the defaults.
    pub(crate) fn load(paths: &HomePaths) -> Result<Self, NodeError> {
        match std::fs::read_to_string(paths.config()) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(NodeError::new(
                ErrorCode::DiskFailed,
                format!("{} cannot be read: {error}", paths.config().display()),
            )),
        }
    }

    /// Writes the configuration durably.
    pub(crate) fn save(&self, paths: &HomePaths) -> Result<(), NodeError> {
        write_durably(&paths.config(), self.to_text()?.as_bytes()).map_err(|error| {
            NodeError::new(
                ErrorCode::DiskFailed,
                format!("{} cannot be written: {error}", paths.config().display()),
            )
        })
    }

    /// Reads a configuration; refuses what is too long, unknown or not allowed.
    pub(crate) fn parse(text: &str) -> Result<Self, NodeError> {
        if text.len() > limits::CONFIG_BYTES_MAX {
            return Err(refused(format!(
                "config.toml has {} bytes, at most {} are allowed",
                text.len(),
                limits::CONFIG_BYTES_MAX
            )));
        }
        let config: Self = toml::from_str(text)
            .map_err(|error| refused(format!("config.toml cannot be read: {error}")))?;
        config.check()?;
        Ok(config)
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> Result<String, NodeError> {
        toml::to_string_pretty(self).map_err(|error| {
            NodeError::new(
                ErrorCode::Internal,
                format!("config.toml cannot be written: {error}"),
            )
        })
    }

    /// Takes over what flags say; they are remembered.
    pub(crate) fn apply(&mut self, settings: &Settings) -> Result<(), NodeError> {
        if let Some(network) = &settings.network {
            self.network.clone_from(network);
        }
        if let Some(scope) = settings.scope {
            self.scope = scope;
        }
        for (flag, kept) in [
            (&settings.listen, &mut self.listen),
            (&settings.bootstrap, &mut self.bootstrap),
            (&settings.external, &mut self.external),
        ] {
            if !flag.is_empty() {
                kept.clone_from(flag);
            }
        }
        self.check()
    }

    /// Changes one setting by its name.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), NodeError> {
        let mut changed = self.clone();
        let bad = |what: &str| refused(format!("{value:?} is no {what} for {key}"));
        match key {
            "network" => value.clone_into(&mut changed.network),
            "scope" => {
                changed.scope = match value {
                    "internet" => Scope::Internet,
                    "lan" => Scope::Lan,
                    "loopback" => Scope::Loopback,
                    _ => return Err(bad("scope (internet, lan, loopback)")),
                }
            }
            "nickname" => value.clone_into(&mut changed.nickname),
            "listen" => changed.listen = list(value),
            "bootstrap" => changed.bootstrap = list(value),
            "external" => changed.external = list(value),
            "code" if value.is_empty() || value == "default" => changed.code = None,
            "code" => {
                changed.code = Some(value.parse().map_err(|error| refused(format!("{error}")))?)
            }
            "suppliers" => {
                changed.suppliers = value.parse().map_err(|_| bad("number of suppliers"))?
            }
            "contract" => {
                changed.contract = ByteCount(value.parse().map_err(|_| bad("number of bytes"))?)
            }
            "offer" => {
                changed.offer = ByteCount(value.parse().map_err(|_| bad("number of bytes"))?)
            }
            "schedule" => {
                changed.schedule = value.parse().map_err(|error| refused(format!("{error}")))?
            }
            "phrase_confirmed" => {
                changed.phrase_confirmed = value.parse().map_err(|_| bad("true or false"))?
            }
            policy if policy.starts_with("policy.") => {
                changed.set_policy(&policy["policy.".len()..], value)?
            }
            _ => {
                return Err(refused(format!(
                    "there is no setting {key:?}; `bitdust get` lists them"
                )));
            }
        }
        changed.check()?;
        *self = changed;
        Ok(())
    }

    /// All settings with where they come from, or one.
    pub(crate) fn views(&self, key: Option<&str>) -> Result<Vec<SettingView>, NodeError> {
        let current = flatten(self)?;
        let default = flatten(&Self::default())?;
        let views = current
            .into_iter()
            .filter(|(name, _)| key.is_none_or(|key| key == name))
            .map(|(name, value)| {
                let is_default = default
                    .iter()
                    .any(|(other, standard)| *other == name && *standard == value);
                let from = if is_default { "default" } else { "home" }.to_owned();
                SettingView {
                    key: name,
                    value,
                    from,
                }
            })
            .collect::<Vec<_>>();
        if let (Some(key), true) = (key, views.is_empty()) {
            return Err(refused(format!(
                "there is no setting {key:?}; `bitdust get` lists them"
            )));
        }
        Ok(views)
    }

    fn set_policy(&mut self, name: &str, value: &str) -> Result<(), NodeError> {
        let number: u64 = value
            .parse()
            .map_err(|_| refused(format!("policy.{name} takes milliseconds, not {value:?}")))?;
        let mut table = toml::Table::try_from(&self.policy)
            .map_err(|error| NodeError::new(ErrorCode::Internal, error.to_string()))?;
        let Some(slot) = table.get_mut(name) else {
            return Err(refused(format!(
                "there is no setting \"policy.{name}\"; `bitdust get` lists them"
            )));
        };
        *slot = toml::Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        self.policy = table
            .try_into()
            .map_err(|error| refused(format!("policy.{name} cannot be {value:?}: {error}")))?;
        Ok(())
    }

    fn check(&self) -> Result<(), NodeError> {
        let network_is_fine = (1..=32).contains(&self.network.len())
            && self
                .network
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !network_is_fine {
            return Err(refused(format!(
                "{:?} is no name of a network: 1 to 32 of a-z, 0-9 and -",
                self.network
            )));
        }
        if self.nickname.len() > limits::NICKNAME_BYTES_MAX {
            return Err(refused(format!(
                "a nickname has at most {} bytes",
                limits::NICKNAME_BYTES_MAX
            )));
        }
        if self.scope != Scope::Loopback && self.policy != Policy::default() {
            return Err(refused(
                "policy.* may be changed in scope loopback only; nothing was changed".to_owned(),
            ));
        }
        for address in self
            .listen
            .iter()
            .chain(&self.bootstrap)
            .chain(&self.external)
        {
            if !address.starts_with('/') {
                return Err(refused(format!(
                    "{address:?} is no address; one looks like /ip4/192.0.2.7/tcp/4001"
                )));
            }
            if address.len() > limits::ADDRESS_BYTES_MAX {
                return Err(refused(format!(
                    "an address has at most {} bytes",
                    limits::ADDRESS_BYTES_MAX
                )));
            }
        }
        Ok(())
    }
}

/// A schedule as people write it.
mod as_text {
    use bitdust_api::view::Schedule;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        schedule: &Schedule,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(schedule)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Schedule, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

fn refused(message: String) -> NodeError {
    NodeError::new(ErrorCode::BadRequest, message)
}

fn list(value: &str) -> Vec<String> {
    value
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn flatten(config: &Config) -> Result<Vec<(String, String)>, NodeError> {
    let table = toml::Table::try_from(config)
        .map_err(|error| NodeError::new(ErrorCode::Internal, error.to_string()))?;
    let mut flat = vec![];
    if !table.contains_key("code") {
        flat.push(("code".to_owned(), "default".to_owned()));
    }
    for (name, value) in table {
        if let toml::Value::Table(inner) = value {
            let inner = inner.into_iter();
            flat.extend(inner.map(|(key, value)| (format!("{name}.{key}"), plain(&value))));
        } else {
            flat.push((name, plain(&value)));
        }
    }
    flat.sort();
    Ok(flat)
}

fn plain(value: &toml::Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    if let Some(items) = value.as_array() {
        return items.iter().map(plain).collect::<Vec<_>>().join(",");
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_survives_its_own_text() {
        let mut config = Config::default();
        config.set("scope", "loopback").expect("a scope");
        config.set("code", "3/6").expect("a code");
        config.set("schedule", "90m").expect("a schedule");
        config
            .set("policy.check_interval", "1500")
            .expect("a policy in loopback");
        let text = config.to_text().expect("it serialises");
        assert_eq!(Config::parse(&text).expect("it parses"), config);
        let view = config
            .views(Some("policy.check_interval"))
            .expect("it is there");
        assert_eq!(
            (view[0].value.as_str(), view[0].from.as_str()),
            ("1500", "home")
        );
    }

    #[test]
    fn clocks_are_refused_outside_of_practice() {
        let mut config = Config::default();
        let error = config
            .set("policy.check_interval", "1500")
            .expect_err("scope is internet");
        assert!(error.message.contains("loopback"), "{}", error.message);
        assert_eq!(config, Config::default());
        assert!(Config::parse("scope = \"lan\"\n[policy]\ncheck_interval = 5\n").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for (key, value) in [
            ("code", "7/3"),
            ("network", "Größe"),
            ("suppliers", "300"),
            ("nothing", "1"),
            ("schedule", "4m"),
            ("schedule", "often"),
            ("scope", "moon"),
            ("bootstrap", "friend.example:4001"),
        ] {
            assert!(
                Config::default().set(key, value).is_err(),
                "{key}={value} was taken"
            );
        }
        assert!(Config::parse("unknown = 1").is_err());
        assert!(Config::parse(&"#".repeat(limits::CONFIG_BYTES_MAX + 1)).is_err());
    }
}
