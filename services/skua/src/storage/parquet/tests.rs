use super::*;
use std::collections::BTreeMap;

fn loaded(component: Component, args: &[String], env: &[(&str, &str)]) -> Loaded {
    let env: BTreeMap<_, _> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    skua_config::load(component, args, &env).unwrap_or_else(|error| panic!("{error}"))
}

/// Scenario: a directory that is not there yet, a bucket, and a file where the directory should be. Guarantees: the directory is made and is
/// empty, a bucket is not looked at, and the file is an error that names the flag and the cause.
#[test]
fn a_directory_is_tried() {
    let folder = tempfile::tempdir().expect("a folder");
    let (new, file) = (folder.path().join("a/b"), folder.path().join("file"));
    std::fs::write(&file, "x").expect("a file");
    let of = |path: &str| {
        let args = [format!("--parquet.path={path}"), "--parquet.wal.path=log".to_owned()];
        is_possible(&loaded(Component::AllInOne, &args, &[("SPAN_STORAGE_TYPE", "parquet")]))
    };
    assert!(of(&new.display().to_string()).expect("possible"));
    assert_eq!(std::fs::read_dir(&new).expect("made").count(), 0);
    assert!(of("s3://nowhere").expect("asked later"));
    let error = of(&file.display().to_string()).expect_err("a file").to_string();
    let start = format!("failed to write to --parquet.path={}: ", file.display());
    assert!(error.starts_with(&start) && error.ends_with("; SPAN_STORAGE_TYPE=memory keeps spans in memory"), "{error}");
}

/// Guarantee: the flags' defaults are the store's own, and each flag is a field of its settings.
#[test]
fn the_flags_are_the_stores_settings() {
    let all = loaded(Component::AllInOne, &[], &[("SPAN_STORAGE_TYPE", "parquet")]);
    let config: skua_store_parquet::Config = all.section("parquet").expect("a section");
    assert_eq!(format!("{config:?}"), format!("{:?}", skua_store_parquet::Config::default()));
    let flags = skua_config::tables().iter().find(|table| table.title == "parquet").expect("a table").flags.iter();
    let text = format!("{config:?}").replace('_', "-");
    for flag in flags {
        let field = flag.name.rsplit('.').next().unwrap_or_default();
        assert!(text.contains(&format!("{field}: ")), "{} is no setting of the store", flag.name);
    }
}
