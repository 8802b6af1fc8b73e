//! The tiers, and the commands beside them that have flags.

use std::fmt;

/// A tier of the backend, or a command that does its work and ends; each has its own tables of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// Receives Thrift over UDP beside its clients and passes it to collectors.
    Agent,
    /// Receives spans and passes them to Kafka or a store.
    Collector,
    /// Reads Kafka and writes a store.
    Ingester,
    /// Reads a store and answers the UI and API clients.
    Query,
    /// Agent, collector and query in one process.
    AllInOne,
    /// Serves a store to others over gRPC.
    RemoteStorage,
    /// `skua cassandra schema`: makes or prints the schema and ends. No tier: it has no ports and runs no longer than that.
    CassandraSchema,
    /// `skua rollup rebuild`: counts a period anew from the store and ends. No tier either.
    RollupRebuild,
    /// `skua parquet inspect`: tells what is in a store in Parquet and ends. No tier either.
    ParquetInspect,
    /// `skua parquet verify`: looks at every block of it and ends. No tier either.
    ParquetVerify,
    /// `skua parquet export`: prints spans of its blocks as OTLP and ends. No tier either.
    ParquetExport,
}

impl Component {
    /// Every component.
    pub const ALL: &'static [Self] = &[
        Self::Agent,
        Self::Collector,
        Self::Ingester,
        Self::Query,
        Self::AllInOne,
        Self::RemoteStorage,
        Self::CassandraSchema,
        Self::RollupRebuild,
        Self::ParquetInspect,
        Self::ParquetVerify,
        Self::ParquetExport,
    ];

    /// The commands that are no tiers.
    pub const COMMANDS: &'static [Self] =
        &[Self::CassandraSchema, Self::RollupRebuild, Self::ParquetInspect, Self::ParquetVerify, Self::ParquetExport];

    /// Those that look into the blocks of a store in Parquet.
    pub(crate) const OF_PARQUET: &'static [Self] = &[Self::ParquetInspect, Self::ParquetVerify, Self::ParquetExport];

    /// Those that run until they are told to stop, in the order in which a span meets them.
    pub const TIERS: &'static [Self] =
        &[Self::Agent, Self::Collector, Self::Ingester, Self::Query, Self::AllInOne, Self::RemoteStorage];

    /// Those that write or read a store.
    pub(crate) const WITH_STORAGE: &'static [Self] =
        &[Self::Collector, Self::Ingester, Self::Query, Self::AllInOne, Self::RemoteStorage, Self::RollupRebuild];

    /// The subcommand: `agent`, `collector`, `ingester`, `query`, `all-in-one`, `remote-storage`, `cassandra-schema`,
    /// `rollup-rebuild`, `parquet-inspect`, `parquet-verify`, `parquet-export`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Collector => "collector",
            Self::Ingester => "ingester",
            Self::Query => "query",
            Self::AllInOne => "all-in-one",
            Self::RemoteStorage => "remote-storage",
            Self::CassandraSchema => "cassandra-schema",
            Self::RollupRebuild => "rollup-rebuild",
            Self::ParquetInspect => "parquet-inspect",
            Self::ParquetVerify => "parquet-verify",
            Self::ParquetExport => "parquet-export",
        }
    }

    /// As a person types it after `skua`: the name, but that of a command in two words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::CassandraSchema => "cassandra schema",
            Self::RollupRebuild => "rollup rebuild",
            Self::ParquetInspect => "parquet inspect",
            Self::ParquetVerify => "parquet verify",
            Self::ParquetExport => "parquet export",
            tier => tier.name(),
        }
    }

    /// The component of a subcommand.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|component| component.name() == name)
    }

    /// The component that a Jaeger program name stands for: `/usr/bin/jaeger-collector` is the collector.
    #[must_use]
    pub fn from_program_name(program: &str) -> Option<Self> {
        let file = program.rsplit(['/', '\\']).next().unwrap_or(program);
        Self::from_name(file.strip_suffix(".exe").unwrap_or(file).strip_prefix("jaeger-")?)
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
