//! `skua cassandra schema`: prints or makes the schema, and ends.

use crate::command::{complain, say};
use crate::process::Failure;
use skua_config::Loaded;
use skua_runtime::logs;
use skua_store_cassandra::{Config, Schema, SchemaConfig};
use std::process::ExitCode;

pub(crate) fn run(loaded: &Loaded) -> ExitCode {
    match carry_out(loaded) {
        Ok(text) => say(&text),
        Err(e) => {
            complain(&format_args!("failed to make the schema: {e}"));
            ExitCode::FAILURE
        }
    }
}

/// What to print.
fn carry_out(loaded: &Loaded) -> Result<String, Failure> {
    let parameters: SchemaConfig = loaded.section("")?;
    let schema = Schema::new(&loaded.get_string("keyspace"), &parameters)?;
    if loaded.get_bool("print") {
        return Ok(schema.script());
    }
    logs::init(&loaded.get_string("log-level"), logs::Encoding::Auto);
    let mut config: Config = loaded.section("cassandra")?;
    config.servers = loaded.get_list("cqlsh-host");
    config.port = u16::try_from(loaded.get_u64("cqlsh-port"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(schema.create(&config))?;
    Ok(format!("the keyspace {} has Jaeger's schema", schema.keyspace()))
}
