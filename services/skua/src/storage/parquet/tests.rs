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

/// Scenario: the default directory is on a disk that is read-only, or full, or somebody has named it or the storage. Guarantees: an all-in-one that was
/// told nothing goes on in memory where Jaeger would start; all else is an error that says what to do.
#[test]
fn without_a_disk_an_all_in_one_keeps_spans_in_memory_unless_it_was_told_where() {
    let read_only = std::io::Error::from(ErrorKind::ReadOnlyFilesystem);
    let try_it = |component, args: &[&str], env: &[(&str, &str)], error: &std::io::Error| {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        without_disk(&loaded(component, &args, env), "data", error)
    };
    let denied = std::fs::create_dir("/sys/skua-data").expect_err("nobody makes folders there");
    let default = [("SAMPLING_CONFIG_TYPE", "file")];
    for error in [&read_only, &denied] {
        try_it(Component::AllInOne, &[], &default, error).expect("memory");
    }
    let named = [("SPAN_STORAGE_TYPE", "parquet")];
    let full = std::io::Error::from(ErrorKind::StorageFull);
    for (component, args, env, error) in [
        (Component::AllInOne, &[][..], &named, &read_only),
        (Component::AllInOne, &["--parquet.path=data"], &default, &read_only),
        (Component::RemoteStorage, &[], &named, &read_only),
        (Component::AllInOne, &[], &default, &full),
    ] {
        let said = try_it(component, args, env, error).expect_err("an error").to_string();
        assert_eq!(
            said,
            format!("failed to write to --parquet.path=data: {error}; SPAN_STORAGE_TYPE=memory keeps spans in memory")
        );
    }
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
