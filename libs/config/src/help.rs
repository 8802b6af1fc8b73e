//! `--help`, by clap, and the text of `env`.

use clap::Command;

use crate::cli::argument;
use crate::component::Component;
use crate::flag::Flag;
use crate::kind::{Kind, joined};
use crate::storage::{Storage, StorageType};
use crate::tables::tables;

const CREATE_SH: &str = "The variables MODE, DATACENTER, KEYSPACE, REPLICATION_FACTOR, TRACE_TTL, DEPENDENCIES_TTL and \
                         COMPACTION_WINDOW are those of Jaeger's create.sh; CQLSH_HOST, CQLSH_PORT, CASSANDRA_USERNAME and \
                         CASSANDRA_PASSWORD those of its image jaeger-cassandra-schema.";

const IN_BLOCKS: &str = "It only reads, and may run beside the process that has the directory. Spans that are in no block yet, but in that \
                         process's memory and log, are not seen.";

/// The flags of a component with the storages it was asked about, grouped by table.
pub(crate) fn component_help(component: Component, storage: &Storage) -> String {
    let storages: Vec<StorageType> = StorageType::ALL.iter().copied().filter(|one| storage.uses(*one)).collect();
    let words = component.words();
    let (what, after) = match component {
        Component::CassandraSchema => {
            ("Makes what is missing of Jaeger's schema in Cassandra or Scylla, or prints it.".to_owned(), CREATE_SH.to_owned())
        }
        Component::RollupRebuild => (
            "Counts who calls whom, and requests, errors and durations, of a period anew from the spans in the store.".to_owned(),
            after(&storages),
        ),
        Component::ParquetInspect => (
            "Tells what is in a store in Parquet: its blocks, or the columns and services of one: skua parquet inspect <block>."
                .to_owned(),
            IN_BLOCKS.to_owned(),
        ),
        Component::ParquetVerify => (
            "Looks at every block of a store in Parquet, and says what is wrong with it; ends with 1 when something is."
                .to_owned(),
            IN_BLOCKS.to_owned(),
        ),
        Component::ParquetExport => {
            ("Prints spans of the blocks of a store in Parquet as OTLP.".to_owned(), IN_BLOCKS.to_owned())
        }
        component => (format!("The {component} of Skua."), after(&storages)),
    };
    let mut command = Command::new(format!("skua {words}"))
        .about(format!(
            "{what} A flag can also be set by its environment variable or as a key of a config file\n\
             (--config-file); the command line wins over the environment, which wins over the file."
        ))
        .override_usage(format!("skua {words} [--flag=value]..."))
        .after_help(after)
        .disable_help_flag(true)
        .next_line_help(true);
    for table in tables() {
        if table.is_active(component, storage) {
            let rows = table.flags.iter().map(|flag| argument(flag).help(row(flag, component)).help_heading(table.title));
            command = command.args(rows);
        }
    }
    command.render_help().to_string()
}

fn row(flag: &Flag, component: Component) -> String {
    let default = flag.default(component);
    let default = if default.is_empty() { String::new() } else { format!(" [default: {default}]") };
    format!("{}{default} [env: {}]", flag.full_help(), flag.env_name())
}

fn after(storages: &[StorageType]) -> String {
    let names: Vec<&str> = storages.iter().map(|storage| storage.name()).collect();
    let others: Vec<&str> = StorageType::ALL.iter().map(|storage| storage.name()).collect();
    let shown = if names.is_empty() { "no storage".to_owned() } else { names.join(",") };
    format!("Flags of {shown} are listed. SPAN_STORAGE_TYPE brings in those of another: {}.", others.join(", "))
}

/// The text of `skua help`.
pub(crate) fn program_help() -> String {
    let mut text = "\
Skua, a tracing backend compatible with Jaeger.

Usage: skua <component> [--flag=value]...
       skua <command>

Components:
  agent                   receive Thrift over UDP beside the clients; pass it to collectors
  collector               receive spans; write them to Kafka or a store
  ingester                read spans from Kafka; write them to a store
  query                   answer the UI and API clients
  all-in-one              agent, collector and query in one process
  remote-storage          serve a store over gRPC to collectors, ingesters and queries

Commands:
  config print [--origin] <component>   show the effective values, and where each came from
  config check <component>              read the configuration and say what is wrong with it
  cassandra schema [--print]            make Jaeger's schema in Cassandra or Scylla, or print it
  rollup rebuild --from= [--to=]        count a period anew from the spans in the store
  parquet inspect [<block>]             tell what is in a store in Parquet, or in one block of it
  parquet verify                        look at every block of it, and say what is wrong
  parquet export [--from=] [--to=]      print its spans as OTLP
  status [<component>]                  ask a running component whether it is healthy
  env                                   explain the variables that choose storages
  docs flags                            print the reference of all flags (Markdown)
  version                               print the version
  help [<component>]                    list the flags of a component

Started as jaeger-agent, jaeger-collector, jaeger-ingester, jaeger-query, jaeger-all-in-one or jaeger-remote-storage it is
that component, as jaeger-cassandra-schema it makes the schema.
"
    .to_owned();
    text.push_str("A wrong configuration ends with exit code 64.\n");
    text
}

/// The text of `env`: the variables that choose which flags exist.
pub(crate) fn env_help() -> String {
    let mut text = "\
Each flag has an environment variable: its name in capitals with _ for . and -, such as ES_SERVER_URLS for
--es.server-urls. An empty value counts as unset. These choose which flags exist:

"
    .to_owned();
    for table in tables().iter().take(1) {
        for flag in table.flags.iter().filter(|flag| flag.name.ends_with(".type")) {
            let words = if let Kind::Choice(words) = flag.kind { format!(" ({})", joined(words, ", ")) } else { String::new() };
            text.push_str(&format!("  {:<24} {}{words}\n", flag.env_name(), flag.help));
        }
    }
    text
}
