//! What packages are made of, for all three systems: the configuration is what Tauri
//! understands, and every file that it names is there.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tauri::utils::config::Config;
use tauri::utils::config::parse::read_from;
use tauri::utils::platform::Target;

const SYSTEMS: [(Target, &[&str]); 3] = [
    (Target::Linux, &["deb", "rpm"]),
    (Target::Windows, &["nsis", "msi"]),
    (Target::MacOS, &["app", "dmg"]),
];
/// Made while a package is built.
const MADE: &str = "package/";
/// Endings of names of files.
const ENDINGS: [&str; 11] = [
    "png", "ico", "icns", "svg", "bmp", "nsh", "hbs", "plist", "service", "xml", "html",
];

#[test]
fn each_system_has_packages_that_tauri_understands() {
    for (system, packages) in SYSTEMS {
        let value = configuration(system);
        let config: Config = serde_json::from_value(value.clone()).expect("it is understood");
        assert!(config.bundle.active);
        assert_eq!(config.identifier, "org.bitdust.desktop");
        let made: Vec<String> = strings(&value["bundle"]["targets"]);
        assert_eq!(made, packages, "{system}");
        for text in ["publisher", "license", "category", "shortDescription"] {
            assert!(value["bundle"][text].is_string(), "{system}: {text}");
        }
    }
}

#[test]
fn every_file_that_a_package_takes_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = BTreeSet::new();
    for (system, _) in SYSTEMS {
        named.extend(files(&configuration(system)["bundle"]));
    }
    assert!(named.len() > 15, "{named:?}");
    for file in named.iter().filter(|file| !file.starts_with(MADE)) {
        assert!(root.join(file).is_file(), "{file} is not there");
    }
}

#[test]
fn links_and_the_second_program_are_in_every_package() {
    for (system, _) in SYSTEMS {
        let schemes = &configuration(system)["plugins"]["deep-link"]["desktop"]["schemes"];
        assert_eq!(strings(schemes), ["bitdust"], "{system}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../installer/package.conf.json");
    let text = std::fs::read_to_string(path).expect("it is there");
    let added: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(
        strings(&added["bundle"]["externalBin"]),
        ["package/bitdust"]
    );
}

fn configuration(system: Target) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    read_from(system, root).expect("it is there").0
}

fn strings(value: &Value) -> Vec<String> {
    let texts = value.as_array().expect("a list").iter();
    texts
        .map(|it| it.as_str().expect("a text").to_owned())
        .collect()
}

/// Names of files in a configuration.
fn files(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => {
            let ending = text.rsplit_once('.').map_or("", |(_, ending)| ending);
            let is_file = ENDINGS.contains(&ending) && !text.contains(' ');
            is_file.then(|| text.clone()).into_iter().collect()
        }
        Value::Array(items) => items.iter().flat_map(files).collect(),
        Value::Object(fields) => fields.values().flat_map(files).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => vec![],
    }
}
