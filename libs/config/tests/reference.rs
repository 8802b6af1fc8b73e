//! The reference page and the samples are as the tables say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use skua_config::{Component, load, reference};

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
    for component in Component::ALL {
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
