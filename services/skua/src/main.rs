//! The one binary: `skua <tier>`, or a tier under its Jaeger name (`jaeger-collector`, …). A table of contents.

mod agent;
mod cassandra_schema;
mod collector;
mod command;
mod ingester;
mod metrics;
mod parquet_tools;
mod process;
mod query;
mod remote_storage;
mod rollup_rebuild;
mod rollups;
mod sampling;
mod storage;
mod together;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let argv: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    match skua_config::parse(&argv, &skua_config::ProcessEnvironment) {
        Ok(command) => command::execute(command),
        Err(e) => {
            command::complain(&e);
            ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(u8::MAX))
        }
    }
}
