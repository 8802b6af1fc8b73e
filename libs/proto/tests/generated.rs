//! What is generated is what the `.proto` files say.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const FILES: [&str; 7] = [
    "jaeger/api_v2/query.proto",
    "jaeger/api_v3/query_service.proto",
    "jaeger/storage/v1/storage.proto",
    "jaeger/storage/v2/trace_storage.proto",
    "jaeger/storage/v2/dependency_storage.proto",
    "skua/rollup/v1/rollup.proto",
    "opentelemetry/proto/collector/trace/v1/trace_service.proto",
];

/// Guarantee: a change of a `.proto` file without one of the generated code does not pass; `UPDATE=1` makes the change.
#[test]
fn generated_code_is_of_these_files() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let new = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("generated");
    fs::create_dir_all(&new)?;
    let mut compiler = protox::Compiler::new([root.join("proto")])?;
    compiler.include_imports(true).include_source_info(false).open_files(FILES)?;
    let descriptors = compiler.file_descriptor_set();
    tonic_prost_build::configure()
        .out_dir(&new)
        .build_transport(false)
        .extern_path(".opentelemetry.proto", "::opentelemetry_proto::tonic")
        .compile_fds_with_config(descriptors, tonic_prost_build::Config::new())?;
    fs::write(new.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;

    let kept = root.join("src/generated");
    let names = [
        "jaeger.api_v2.rs",
        "jaeger.api_v3.rs",
        "jaeger.storage.v1.rs",
        "jaeger.storage.v2.rs",
        "skua.rollup.v1.rs",
        "descriptors.bin",
    ];
    #[expect(clippy::disallowed_methods, reason = "not a setting of the product")]
    let update = std::env::var("UPDATE").is_ok();
    for name in names {
        if update {
            fs::create_dir_all(&kept)?;
            fs::copy(new.join(name), kept.join(name))?;
        }
        let same = fs::read(new.join(name))? == fs::read(kept.join(name))?;
        assert!(same, "src/generated/{name} is not what the .proto files say: UPDATE=1 cargo test -p skua-proto");
    }
    Ok(())
}
