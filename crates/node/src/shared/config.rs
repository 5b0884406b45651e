//! What a home remembers: a TOML file that people may read and edit.
//!
//! Flags win over the home, the home wins over defaults. `policy.*` may be overridden in
//! scope `loopback` only: everywhere else a changed clock would be a risk to data.

use serde::{Deserialize, Serialize};

use bitdust_api::view::{Schedule, SettingView};
use bitdust_model::{ByteCount, Code, ErrorCode, Policy, limits};

use bitdust_store::{HomePaths, disk_error_code, write_durably};

use crate::shared::bounded::read_bounded;
use crate::shared::error::NodeError;
use crate::shared::settings::{Scope, Settings};

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
    /// Bytes of this disk for shards whose supplier is away, from the next start on.
    pub(crate) spool: ByteCount,
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
            spool: ByteCount(limits::SPOOL_BYTES_MAX),
            schedule: Schedule::default(),
            phrase_confirmed: false,
            policy: Policy::default(),
        }
    }
}

impl Config {
    /// Reads the configuration of a home; a home without one has the defaults.
    pub(crate) fn load(paths: &HomePaths) -> Result<Self, NodeError> {
        let path = paths.config();
        match read_bounded(&path, limits::CONFIG_BYTES_MAX) {
            Ok(bytes) => Self::parse(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(NodeError::new(
                ErrorCode::DiskFailed,
                format!("{} cannot be read: {error}", path.display()),
            )),
        }
    }

    /// Writes the configuration durably.
    pub(crate) fn save(&self, paths: &HomePaths) -> Result<(), NodeError> {
        write_durably(&paths.config(), self.to_text()?.as_bytes()).map_err(|error| {
            NodeError::new(
                disk_error_code(&error),
                format!("{} cannot be written: {error}", paths.config().display()),
            )
        })
    }

    /// Reads a configuration; refuses what is too long, unknown or not allowed.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, NodeError> {
        if bytes.len() > limits::CONFIG_BYTES_MAX {
            return Err(refused(format!(
                "config.toml has more than {} bytes",
                limits::CONFIG_BYTES_MAX
            )));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| refused(format!("config.toml is no text: {error}")))?;
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
            "network" if value == changed.network => {}
            // What the words open is sealed for one network: in another nobody would find it.
            "network" => {
                return Err(refused(format!(
                    "this home belongs to the network {:?}; make another home for {value:?}",
                    changed.network
                )));
            }
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
            "spool" => {
                changed.spool = ByteCount(value.parse().map_err(|_| bad("number of bytes"))?)
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
        // The file knows no larger whole numbers.
        if self.offer.max(self.contract).0 > i64::MAX.unsigned_abs() {
            return Err(refused(format!(
                "offer and contract have at most {} bytes",
                i64::MAX
            )));
        }
        let spool_range = limits::SPOOL_BYTES_MIN..=limits::SPOOL_BYTES_MAX;
        if !spool_range.contains(&self.spool.0) {
            return Err(refused(format!(
                "spool has {} to {} bytes",
                spool_range.start(),
                spool_range.end()
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
    use proptest::collection::vec;
    use proptest::prelude::*;

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
        assert_eq!(Config::parse(text.as_bytes()).expect("it parses"), config);
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
        assert!(Config::parse(b"scope = \"lan\"\n[policy]\ncheck_interval = 5\n").is_err());
    }

    #[test]
    fn a_home_stays_in_its_network() {
        let mut config = Config::default();
        let same = config.network.clone();
        config.set("network", &same).expect("as it is");
        let error = config.set("network", "another").expect_err("another");
        assert!(error.message.contains("another home"), "{}", error.message);
        assert_eq!(config, Config::default());
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
            ("offer", "9223372036854775808"),
            ("spool", "67108863"),
            ("spool", "4294967297"),
        ] {
            assert!(
                Config::default().set(key, value).is_err(),
                "{key}={value} was taken"
            );
        }
        assert!(Config::parse(b"unknown = 1").is_err());
        assert!(Config::parse(b"nickname = \"\xff\"").is_err());
        assert!(Config::parse(&vec![b'#'; limits::CONFIG_BYTES_MAX]).is_ok());
        assert!(Config::parse(&vec![b'#'; limits::CONFIG_BYTES_MAX + 1]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_configuration_without_end_is_refused_and_not_read_to_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths = HomePaths::new(folder.path());
        std::os::unix::fs::symlink("/dev/zero", paths.config()).expect("a link");
        let error = Config::load(&paths).expect_err("it never ends");
        assert_eq!(error.code, ErrorCode::BadRequest);
        assert!(error.message.contains("more than 65536 bytes"), "{error}");
    }

    proptest! {
        #[test]
        fn garbage_is_no_configuration(bytes in vec(any::<u8>(), 0..400)) {
            is_refused_or_sound(&bytes)?;
        }

        #[test]
        fn any_text_is_a_configuration_or_an_error(
            lines in vec(("[a-z_.]{0,12}|network|listen|code|offer|suppliers|policy", "\\PC{0,40}|[0-9]{1,25}|\\[.{0,20}\\]"), 0..8),
        ) {
            let lines = lines.iter().map(|(key, value)| format!("{key} = {value}\n"));
            is_refused_or_sound(lines.collect::<String>().as_bytes())?;
        }

        #[test]
        fn a_mutated_configuration_is_refused_or_sound(
            at: prop::sample::Index,
            byte: u8,
            kind in 0_u8..3,
        ) {
            let mut bytes = full().to_text().expect("it serialises").into_bytes();
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
            is_refused_or_sound(&bytes)?;
        }

        #[test]
        fn any_setting_is_taken_whole_or_refused(
            key in "[a-z_.]{0,30}|network|scope|listen|code|offer|contract|policy\\.[a-z_]{0,20}",
            value in "\\PC{0,80}|[0-9]{0,25}",
        ) {
            let mut config = full();
            let before = config.clone();
            match config.set(&key, &value) {
                Ok(()) => is_refused_or_sound(config.to_text().expect("it serialises").as_bytes())?,
                Err(error) => {
                    prop_assert_eq!(error.code, ErrorCode::BadRequest);
                    prop_assert_eq!(config, before);
                }
            }
        }
    }

    /// A configuration in which every kind of value is there.
    fn full() -> Config {
        Config {
            network: "practice-1".to_owned(),
            scope: Scope::Loopback,
            nickname: "Zoë".to_owned(),
            listen: vec!["/ip4/127.0.0.1/tcp/4001".to_owned()],
            code: Code::new(3, 6).ok(),
            ..Config::default()
        }
    }

    /// What is read is within its bounds and is the same when it is written and read again.
    fn is_refused_or_sound(bytes: &[u8]) -> Result<(), TestCaseError> {
        match Config::parse(bytes) {
            Ok(config) => {
                prop_assert!((1..=32).contains(&config.network.len()));
                prop_assert!(config.nickname.len() <= limits::NICKNAME_BYTES_MAX);
                let text = config
                    .to_text()
                    .map_err(|error| TestCaseError::fail(error.message))?;
                prop_assert_eq!(Config::parse(text.as_bytes()).ok(), Some(config));
            }
            Err(error) => prop_assert_eq!(error.code, ErrorCode::BadRequest),
        }
        Ok(())
    }
}
