//! Making the schema.

use super::tables::{self, Kept, TYPES, Table, Type};
use crate::config::{Config, SchemaConfig};
use crate::error;
use crate::session::Connector;
use scylla::client::session::Session;
use skua_store::{ErrorKind, StoreError};
use std::fmt::Write;

/// Two days.
const TRACE_TTL: u64 = 172_800;
/// The longest that the server takes: 20 years.
const LONGEST_TTL: u64 = 20 * 365 * 24 * 3600;

/// Parameters of a schema, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    keyspace: String,
    replication: String,
    /// Seconds.
    trace_ttl: u64,
    /// Seconds; 0 means for ever.
    dependencies_ttl: u64,
    window: (u64, &'static str),
}

impl Schema {
    /// Reads the parameters.
    ///
    /// # Errors
    /// `Invalid`; names the parameter.
    pub fn new(keyspace: &str, c: &SchemaConfig) -> Result<Self, StoreError> {
        check_keyspace(keyspace)?;
        let trace_ttl = ttl("trace-ttl", &c.trace_ttl, TRACE_TTL)?;
        Ok(Self {
            keyspace: keyspace.to_owned(),
            replication: replication(c)?,
            trace_ttl,
            dependencies_ttl: ttl("dependencies-ttl", &c.dependencies_ttl, 0)?,
            window: if c.compaction_window.is_empty() { thirtieth(trace_ttl) } else { window(&c.compaction_window)? },
        })
    }

    /// The keyspace.
    pub fn keyspace(&self) -> &str {
        &self.keyspace
    }

    /// The CQL statements, without semicolons, in the order in which they have to be carried out. Each leaves alone what is there.
    pub fn statements(&self) -> Vec<String> {
        let ks = &self.keyspace;
        let keyspace = format!("CREATE KEYSPACE IF NOT EXISTS {ks} WITH replication = {}", self.replication);
        let types = TYPES.iter().map(|t| self.create_type(t));
        std::iter::once(keyspace).chain(types).chain(tables::all().map(|t| self.create_table(t))).collect()
    }

    /// The statement that makes the table of roll-ups, whatever the parameters.
    pub(crate) fn rollups(&self) -> String {
        self.create_table(&tables::ROLLUPS)
    }

    /// A script for `cqlsh`.
    pub fn script(&self) -> String {
        self.statements().iter().fold(String::new(), |mut script, statement| {
            let _ = writeln!(script, "{statement};\n");
            script
        })
    }

    /// Connects, makes what is missing, and checks that it is all there afterwards.
    ///
    /// # Errors
    /// `Invalid` for a wrong configuration, `Unavailable` when no server can be reached, `Unsupported` when a table of ours is there
    /// with other columns.
    pub async fn create(&self, config: &Config) -> Result<(), StoreError> {
        let session = Connector::new(&Config { keyspace: self.keyspace.clone(), ..config.clone() })?.connect().await?;
        self.create_with(&session).await?;
        super::detect(&session, &self.keyspace).await.map(drop)
    }

    pub(crate) async fn create_with(&self, session: &Session) -> Result<(), StoreError> {
        for statement in self.statements() {
            let name = statement.lines().next().unwrap_or_default().to_owned();
            session.query_unpaged(statement, ()).await.map_err(|e| error::of_execution(&name, e))?;
        }
        tracing::info!(keyspace = self.keyspace, "the Cassandra schema is there");
        Ok(())
    }

    fn create_type(&self, t: &Type) -> String {
        format!("CREATE TYPE IF NOT EXISTS {}.{} (\n{}\n)", self.keyspace, t.name, lines(t.fields))
    }

    fn create_table(&self, t: &Table) -> String {
        let mut out = format!("CREATE TABLE IF NOT EXISTS {}.{} (\n{},\n", self.keyspace, t.name, lines(t.columns));
        let clustering: String = t.clustering.iter().map(|c| format!(", {c}")).collect();
        let _ = write!(out, "    PRIMARY KEY (({}){clustering})\n)", t.partition_key.join(", "));
        let mut options = Vec::new();
        if !t.descending.is_empty() {
            // Columns after the last that is named are in ascending order.
            let order: Vec<String> = t.descending.iter().map(|c| format!("{c} DESC")).collect();
            options.push(format!("CLUSTERING ORDER BY ({})", order.join(", ")));
        }
        options.extend(self.options(t.kept));
        for (i, option) in options.iter().enumerate() {
            let _ = write!(out, "\n    {} {option}", if i == 0 { "WITH" } else { "AND" });
        }
        out
    }

    fn options(&self, kept: Kept) -> Vec<String> {
        let by_window = |size: u64, unit: &str| {
            format!(
                "compaction = {{'class': 'org.apache.cassandra.db.compaction.TimeWindowCompactionStrategy', \
                 'compaction_window_size': '{size}', 'compaction_window_unit': '{unit}'}}"
            )
        };
        let by_size = "compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', \
                       'min_threshold': '4', 'max_threshold': '32'}"
            .to_owned();
        let lives = |seconds: u64| format!("default_time_to_live = {seconds}");
        let compaction = match kept {
            Kept::Spans => by_window(self.window.0, self.window.1),
            Kept::Index => by_window(1, "HOURS"),
            Kept::Names => by_size,
            Kept::Dependencies => return vec![by_size, lives(self.dependencies_ttl)],
            Kept::Server => return Vec::new(),
        };
        vec![
            compaction,
            lives(self.trace_ttl),
            "speculative_retry = 'NONE'".to_owned(),
            // A node that was away for longer than three hours may bring back what has expired.
            "gc_grace_seconds = 10800".to_owned(),
        ]
    }
}

fn lines(columns: &[(&str, &str)]) -> String {
    columns.iter().map(|(name, kind)| format!("    {name} {kind}")).collect::<Vec<_>>().join(",\n")
}

fn invalid(text: String) -> StoreError {
    StoreError::new(ErrorKind::Invalid, text)
}

/// A keyspace is named without quotes, as in Jaeger's scripts.
pub(crate) fn check_keyspace(name: &str) -> Result<(), StoreError> {
    let sound = name.len() <= 48
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if sound {
        return Ok(());
    }
    Err(invalid(format!("cassandra.keyspace={name}: letters, digits and underscores, a letter first, 48 at most")))
}

fn replication(c: &SchemaConfig) -> Result<String, StoreError> {
    let replicas = |default| if c.replication_factor == 0 { default } else { c.replication_factor };
    match c.mode.as_str() {
        "" | "test" => Ok(format!("{{'class': 'SimpleStrategy', 'replication_factor': '{}'}}", replicas(1))),
        "prod" if c.datacenter.is_empty() => Err(invalid("mode prod needs a datacenter".to_owned())),
        "prod" if c.datacenter.contains('\'') => Err(invalid(format!("datacenter={}: no name of a datacenter", c.datacenter))),
        "prod" => Ok(format!("{{'class': 'NetworkTopologyStrategy', '{}': '{}'}}", c.datacenter, replicas(2))),
        other => Err(invalid(format!("mode={other}: prod or test"))),
    }
}

/// Seconds, from a number of seconds or a number of `s`, `m`, `h` or `d`.
fn ttl(name: &str, text: &str, default: u64) -> Result<u64, StoreError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(default);
    }
    let wrong = || invalid(format!("{name}={text}: seconds, or a time such as 48h or 7d, up to 20 years"));
    let mut seconds = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..end].parse().map_err(|_| wrong())?;
        let mut after = rest[end..].chars();
        let unit = match after.next() {
            None if end == text.len() => 1,
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            _ => return Err(wrong()),
        };
        seconds = number.checked_mul(unit).and_then(|s| s.checked_add(seconds)).ok_or_else(wrong)?;
        rest = after.as_str();
    }
    if seconds > LONGEST_TTL { Err(wrong()) } else { Ok(seconds) }
}

/// As `create.sh`: a thirtieth of the TTL in minutes, rounded up, which is 0 there when the TTL is under a minute. What is kept for ever
/// has a window of a day.
fn thirtieth(ttl: u64) -> (u64, &'static str) {
    if ttl == 0 { (1, "DAYS") } else { ((ttl / 60).div_ceil(30).max(1), "MINUTES") }
}

fn window(text: &str) -> Result<(u64, &'static str), StoreError> {
    let wrong = || invalid(format!("compaction-window={text}: a number of m, h or d, such as 30m"));
    let unit = match text.chars().last() {
        Some('m') => "MINUTES",
        Some('h') => "HOURS",
        Some('d') => "DAYS",
        _ => return Err(wrong()),
    };
    match text[..text.len() - 1].parse() {
        Ok(size) if size > 0 => Ok((size, unit)),
        _ => Err(wrong()),
    }
}
