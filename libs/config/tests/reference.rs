//! The reference page and the samples are as the tables say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use skua_config::{Component, Origin, load, reference};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Scenario: a flag was changed. Guarantees: the page is written again.
#[test]
fn the_reference_page_is_current() {
    let page = std::fs::read_to_string(root().join("docs/reference/flags.md")).unwrap_or_default();
    assert!(
        page == reference(),
        "docs/reference/flags.md is not what the tables say; write it again:\n\
         cargo run -p skua-config --example reference > docs/reference/flags.md"
    );
}

/// Scenario: each sample, in YAML and in TOML. Guarantees: it loads for its component without a warning, and both say the same.
#[test]
fn the_samples_load() {
    for component in Component::TIERS {
        let loaded = ["yaml", "toml"].map(|extension| {
            let path = root().join(format!("config/{component}.{extension}"));
            let args = [format!("--config-file={}", path.display())];
            let loaded = load(*component, &args, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(loaded.warnings(), <[String; 0]>::default(), "{component}.{extension}");
            loaded.print(false).replace(".toml", ".yaml")
        });
        assert_eq!(loaded[0], loaded[1], "{component}: YAML and TOML differ");
    }
}

/// The keys of a sample's block about Cassandra without their comment signs; texts in it stay out.
fn cassandra_block(sample: &str) -> String {
    let block = sample.lines().skip_while(|line| !line.starts_with("# Cassandra ")).skip(1);
    let lines = block.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("# "));
    let is_key = |line: &&str| {
        let key = line.trim_start().split([' ', ':']).next().unwrap_or_default();
        let rest = line.trim_start().strip_prefix(key).unwrap_or_default();
        key.starts_with('[') || rest.starts_with(" = ") || rest.starts_with(':')
    };
    lines.filter(is_key).map(|line| format!("{line}\n")).collect()
}

/// Scenario: a user takes a sample's block about Cassandra for the one in force. Guarantees: it loads without a warning, the
/// YAML says what the TOML says, and it is about Cassandra.
#[test]
fn the_commented_samples_load() {
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let env = BTreeMap::from([("SPAN_STORAGE_TYPE".to_owned(), "cassandra".to_owned())]);
    for component in [Component::Ingester, Component::Query, Component::AllInOne] {
        let loaded = ["yaml", "toml"].map(|extension| {
            let sample = std::fs::read_to_string(root().join(format!("config/{component}.{extension}"))).unwrap_or_default();
            let path = directory.path().join(format!("x.{extension}"));
            std::fs::write(&path, cassandra_block(&sample)).unwrap_or_else(|error| panic!("{error}"));
            let args = [format!("--config-file={}", path.display())];
            let loaded = load(component, &args, &env).unwrap_or_else(|error| panic!("{component}: {error}"));
            assert_eq!(loaded.warnings(), <[String; 0]>::default(), "{component}.{extension}");
            assert!(matches!(loaded.origin_of("cassandra.servers"), Some(Origin::File { .. })), "{component}.{extension}");
            loaded.print(false).replace(".toml", ".yaml")
        });
        assert_eq!(loaded[0], loaded[1], "{component}: YAML and TOML differ");
    }
}
