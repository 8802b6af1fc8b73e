//! Every flag of every component: the one source of `--help`, of the reference page and of what may be set.

mod agent;
mod cassandra;
mod cassandra_schema;
mod collector;
mod common;
mod elasticsearch;
mod grpc_storage;
mod ingester;
mod kafka;
mod memory;
mod parquet;
mod prometheus;
mod query;
mod remote_storage;
mod rollup;
mod sampling;
mod tls;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::component::Component;
use crate::flag::Flag;
use crate::kind::Kind;
use crate::storage::{MetricsType, Storage, StorageType};

/// Flags that belong together: they exist for the same components and storages.
#[derive(Debug)]
pub struct Table {
    /// Heading in `--help` and in the reference.
    pub title: &'static str,
    /// Components that have these flags.
    pub tiers: &'static [Component],
    /// Storages that bring these flags along; empty if they are always there.
    pub storages: &'static [StorageType],
    /// The flags, in the order in which they are printed.
    pub flags: Vec<Flag>,
}

impl Table {
    /// Whether a component with this storage has these flags.
    #[must_use]
    pub fn is_active(&self, component: Component, storage: &Storage) -> bool {
        let stored = self.storages.is_empty() || self.storages.iter().any(|storage_type| storage.uses(*storage_type));
        self.tiers.contains(&component) && stored && (!self.is_prometheus() || storage.metrics == Some(MetricsType::Prometheus))
    }

    /// Whether the flags of this table may be named where a component, if it is known which, is configured. All may, so
    /// that one file serves all tiers and a message can say what is missing; only a command's own, which have names as
    /// general as `mode`, are no flags elsewhere.
    pub(crate) fn is_known_to(&self, component: Option<Component>) -> bool {
        match self.tiers {
            commands if self.storages.is_empty() && commands.iter().all(|command| Component::COMMANDS.contains(command)) => {
                component.is_some_and(|component| commands.contains(&component))
            }
            _ => true,
        }
    }

    /// Whether METRICS_STORAGE_TYPE=prometheus, and no storage of spans, brings these flags along.
    pub(crate) fn is_prometheus(&self) -> bool {
        self.title == prometheus::TITLE
    }

    /// Why the flags of this table are not there: `--es.version` needs SPAN_STORAGE_TYPE=elasticsearch.
    pub(crate) fn absence(&self, component: Component, storage: &Storage) -> String {
        if self.is_prometheus() && self.tiers.contains(&component) {
            return "needs METRICS_STORAGE_TYPE=prometheus".to_owned();
        }
        if self.tiers.contains(&component) {
            let needed = self.storages.first().map_or("", |storage_type| storage_type.name());
            return format!("needs SPAN_STORAGE_TYPE={needed} (it is {})", storage.names());
        }
        let owners: Vec<&str> = self.tiers.iter().map(|tier| tier.name()).collect();
        format!("is a flag of {}; this is the {component}", owners.join(" and "))
    }
}

/// All tables and the way from a name to its row.
pub(crate) struct Catalog {
    pub(crate) tables: Vec<Table>,
    /// Lower-case name → table and row.
    index: HashMap<String, (usize, usize)>,
}

impl Catalog {
    /// The row of a name, in any case of letters.
    pub(crate) fn find(&self, name: &str) -> Option<(&Table, &Flag)> {
        let (table, row) = *self.index.get(&name.to_ascii_lowercase())?;
        let table = self.tables.get(table)?;
        Some((table, table.flags.get(row)?))
    }

    /// [`Catalog::find`] of what a component may be told.
    pub(crate) fn find_for(&self, component: Component, name: &str) -> Option<(&Table, &Flag)> {
        self.find(name).filter(|(table, _)| table.is_known_to(Some(component)))
    }

    /// The names that can have been meant.
    pub(crate) fn names(&self, component: Option<Component>) -> impl Iterator<Item = &str> + Clone {
        let known = self.tables.iter().filter(move |table| table.is_known_to(component));
        known.flat_map(|table| &table.flags).map(|flag| flag.name.as_str())
    }

    pub(crate) fn flags(&self) -> impl Iterator<Item = &Flag> + Clone {
        self.tables.iter().flat_map(|table| &table.flags)
    }

    pub(crate) fn active<'a>(&'a self, component: Component, storage: &'a Storage) -> impl Iterator<Item = &'a Flag> + Clone {
        self.tables.iter().filter(move |table| table.is_active(component, storage)).flat_map(|table| &table.flags)
    }

    /// Whether a key is the name of a group of flags, such as `es` or `es.bulk`.
    pub(crate) fn is_group(&self, key: &str) -> bool {
        let prefix = format!("{}.", key.to_ascii_lowercase());
        self.index.keys().any(|name| name.starts_with(&prefix)) || foreign(&prefix).is_some()
    }
}

/// The catalog, built once.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
        let tables = vec![
            common::storage_types(),
            common::common(),
            common::process(),
            common::downsampling(),
            common::multi_tenancy(),
            collector::collector(),
            rollup::rollup(),
            rollup::counting(),
            period(),
            sampling::file(),
            sampling::adaptive(),
            agent::ports(),
            agent::reporter(),
            query::query(),
            remote_storage::grpc(),
            ingester::ingester(),
            kafka::producer(),
            kafka::consumer(),
            elasticsearch::primary(),
            elasticsearch::archive(),
            cassandra::connection(),
            cassandra::spans(),
            cassandra::archive(),
            cassandra_schema::command(),
            grpc_storage::primary(),
            grpc_storage::archive(),
            memory::memory(),
            parquet::place(),
            parquet::parquet(),
            parquet::inspect(),
            parquet::export(),
            prometheus::prometheus(),
        ];
        let mut index = HashMap::new();
        for (number, table) in tables.iter().enumerate() {
            for (row, flag) in table.flags.iter().enumerate() {
                index.insert(flag.name.to_ascii_lowercase(), (number, row));
            }
        }
        Catalog { tables, index }
    });
    &CATALOG
}

/// Of the commands that are about a period of time.
fn period() -> Table {
    let flags = vec![
        Flag::new("from", Kind::String, "", "where the period begins: 2026-01-31T12:00:00Z, or so long ago: 48h"),
        Flag::new("to", Kind::String, "", "where it ends, in the same way; empty = as late as can be"),
    ];
    Table { title: "period", tiers: &[Component::RollupRebuild, Component::ParquetExport], storages: &[], flags }
}

/// Every table, in the order of the reference page.
#[must_use]
pub fn tables() -> &'static [Table] {
    &catalog().tables
}

/// Flags of Jaeger that no table has, by the start of their names, and what to do about them.
const FOREIGN: &[(&str, &str)] = &[
    ("badger.directory-", "is a flag of Badger, whose files Skua cannot read: use SPAN_STORAGE_TYPE=parquet and --parquet.path"),
    (
        "badger.span-store-ttl",
        "is a flag of Badger, which Skua does not have: use SPAN_STORAGE_TYPE=parquet and --parquet.retention",
    ),
    (
        "badger.ephemeral",
        "is a flag of Badger, which Skua does not have: use SPAN_STORAGE_TYPE=memory for what was true, SPAN_STORAGE_TYPE=parquet \
         and --parquet.path for what was false",
    ),
    ("badger.consistency", "is a flag of Badger, which Skua does not have: use SPAN_STORAGE_TYPE=parquet and --parquet.wal.sync"),
    ("badger.", "is a flag of Badger, which Skua does not have: use SPAN_STORAGE_TYPE=parquet and --parquet.path"),
];

/// What a flag of Jaeger that no table has would need.
pub(crate) fn foreign(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    FOREIGN
        .iter()
        .find(|(start, _)| if start.ends_with(['.', '-']) { name.starts_with(start) } else { name == *start })
        .map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: all tables together. Guarantees: a name and a variable stand for one flag, no flag is also a group,
    /// names are lower-case but for Jaeger's one exception, and each default is of its type and accepted; what a flag
    /// falls back on is of its type and shows the same default.
    #[test]
    fn tables_are_sound() {
        let mut names = std::collections::BTreeSet::new();
        let mut variables = std::collections::BTreeSet::new();
        for flag in catalog().flags() {
            assert!(names.insert(flag.name.to_ascii_lowercase()), "{} is there twice", flag.name);
            assert!(variables.insert(flag.env_name()), "{} is there twice", flag.env_name());
            assert!(!catalog().is_group(&flag.name), "{} is a flag and a group", flag.name);
            assert!(foreign(&flag.name).is_none(), "{} is ours and foreign", flag.name);
            assert!(flag.name == flag.name.to_ascii_lowercase() || flag.name == "ingester.deadlockInterval", "{}", flag.name);
            assert!(!flag.help.is_empty() && !flag.help.ends_with('.'), "{}: {:?}", flag.name, flag.help);
            for component in Component::ALL {
                let default = flag.typed_default(*component);
                assert_eq!(flag.refusal(&default, *component), None, "{}", flag.name);
            }
            if let Some(fallback) = &flag.fallback {
                let (_, other) = catalog().find(fallback).expect(fallback);
                let same = (other.kind, other.common_default(), other.fallback.is_none());
                assert_eq!(same, (flag.kind, flag.common_default(), true), "{} and {fallback}", flag.name);
            }
        }
    }
}
