//! What a keyspace has of the schema, by what is in it: its name and its version number say nothing.

use super::tables::{self, DEPENDENCIES, DEPENDENCIES_V1, DEPENDENCY, OPERATION_NAMES, OPERATION_NAMES_V1, TYPES, Table, Type};
use crate::error;
use futures::TryStreamExt;
use scylla::client::session::Session;
use scylla::deserialize::row::DeserializeRow;
use skua_store::{ErrorKind, StoreError};
use std::collections::HashMap;

/// What was found; spans can be written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub operation_names: OperationNames,
    pub dependencies: Option<Dependencies>,
    /// The three tables of adaptive sampling.
    pub sampling: bool,
}

/// Which table has the names of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationNames {
    /// `operation_names_v2`, with kinds.
    V2,
    /// `operation_names` of v001, without kinds.
    V1,
}

/// Which table has the dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependencies {
    /// `dependencies_v2`, a partition a day.
    V2,
    /// `dependencies` of v001, with a SASI or SAI index on `ts_index`.
    V1,
}

/// A keyspace's columns, types and indices.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Table → column → type, and its place in the key (`partition_key 0`, `clustering 1`) or `regular`.
    pub tables: HashMap<String, HashMap<String, (String, String)>>,
    pub types: HashMap<String, Vec<(String, String)>>,
    /// Tables with an index on `ts_index`.
    pub indexed: Vec<String>,
}

/// Reads what the keyspace has.
///
/// # Errors
/// `Unavailable` when it is not there or lacks tables, with what to run; `Unsupported` when a table is other than ours.
pub(crate) async fn detect(session: &Session, keyspace: &str) -> Result<Found, StoreError> {
    let mut contents = columns(session, keyspace).await?;
    const TYPES: &str = "SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?";
    for (name, names, types) in rows::<(String, Vec<String>, Vec<String>)>(session, TYPES, keyspace).await? {
        contents.types.insert(name, names.into_iter().zip(types).collect());
    }
    const INDICES: &str = "SELECT table_name, options FROM system_schema.indexes WHERE keyspace_name = ?";
    for (table, options) in rows::<(String, HashMap<String, String>)>(session, INDICES, keyspace).await? {
        if options.get("target").is_some_and(|target| target.trim_matches('"') == "ts_index") {
            contents.indexed.push(table);
        }
    }
    judge(&contents, keyspace)
}

/// Whether the table of roll-ups is there.
///
/// # Errors
/// `Unsupported` when it is other than ours.
pub(crate) async fn has_rollups(session: &Session, keyspace: &str) -> Result<bool, StoreError> {
    has(&columns(session, keyspace).await?, &tables::ROLLUPS, keyspace)
}

async fn columns(session: &Session, keyspace: &str) -> Result<Contents, StoreError> {
    let mut contents = Contents::default();
    const COLUMNS: &str =
        "SELECT table_name, column_name, type, kind, position FROM system_schema.columns WHERE keyspace_name = ?";
    for (table, column, kind, place, position) in
        rows::<(String, String, String, String, i32)>(session, COLUMNS, keyspace).await?
    {
        let place = if position >= 0 { format!("{place} {position}") } else { place };
        contents.tables.entry(table).or_default().insert(column, (kind, place));
    }
    Ok(contents)
}

async fn rows<R>(session: &Session, query: &str, keyspace: &str) -> Result<Vec<R>, StoreError>
where
    R: for<'f, 'm> DeserializeRow<'f, 'm> + Send + 'static,
{
    const DOING: &str = "read the schema of a keyspace";
    let unreadable = |e: &dyn std::fmt::Display| StoreError::new(ErrorKind::Unavailable, format!("{DOING}: {e}"));
    // Names of keyspaces that are not quoted are in lower case.
    let pager = session.query_iter(query, (keyspace.to_ascii_lowercase(),)).await.map_err(|e| unreadable(&e))?;
    let stream = pager.rows_stream::<R>().map_err(|e| error::unreadable(DOING, e))?;
    stream.try_collect().await.map_err(|e| unreadable(&e))
}

pub(super) fn judge(contents: &Contents, keyspace: &str) -> Result<Found, StoreError> {
    let remedy = format!(
        "run `skua cassandra schema --keyspace={keyspace}`, or start with --cassandra.schema.create, or set --cassandra.keyspace"
    );
    if contents.tables.is_empty() {
        let text = format!("there is no Jaeger schema in the keyspace {keyspace}: {remedy}");
        return Err(StoreError::new(ErrorKind::Unavailable, text));
    }
    let core = [&tables::TRACES, &tables::SERVICE_NAMES].into_iter().chain(tables::INDICES);
    let mut missing = Vec::new();
    for table in core {
        if !has(contents, table, keyspace)? {
            missing.push(table.name);
        }
    }
    let operation_names = match (has(contents, &OPERATION_NAMES, keyspace)?, has(contents, &OPERATION_NAMES_V1, keyspace)?) {
        (true, _) => OperationNames::V2,
        (false, true) => OperationNames::V1,
        (false, false) => {
            missing.push(OPERATION_NAMES.name);
            OperationNames::V2
        }
    };
    if !missing.is_empty() {
        let text = format!("the keyspace {keyspace} lacks {}: {remedy}", missing.join(", "));
        return Err(StoreError::new(ErrorKind::Unavailable, text));
    }
    for wanted in TYPES.iter().filter(|t| t.name != DEPENDENCY.name) {
        has_type(contents, wanted, keyspace)?;
    }
    let dependencies = if has(contents, &DEPENDENCIES, keyspace)? {
        Some(Dependencies::V2)
    } else if has(contents, &DEPENDENCIES_V1, keyspace)? && contents.indexed.iter().any(|t| t == DEPENDENCIES_V1.name) {
        Some(Dependencies::V1)
    } else {
        None
    };
    if dependencies.is_some() {
        has_type(contents, &DEPENDENCY, keyspace)?;
    }
    let mut sampling = true;
    for table in tables::SAMPLING {
        sampling &= has(contents, table, keyspace)?;
    }
    Ok(Found { operation_names, dependencies, sampling })
}

/// Whether the table is there, as ours; columns more do no harm.
fn has(contents: &Contents, table: &Table, keyspace: &str) -> Result<bool, StoreError> {
    let Some(columns) = contents.tables.get(table.name) else { return Ok(false) };
    for (name, kind) in table.columns {
        let want = (kind.to_string(), place(table, name));
        match columns.get(*name) {
            Some(found) if *found == want => {}
            Some((kind, place)) => {
                let is = format!("{} {} ({}), not {kind} ({place})", table.name, want.0, want.1);
                return Err(unknown(keyspace, &format!("column {name} of {is}")));
            }
            None => return Err(unknown(keyspace, &format!("table {} has no column {name}", table.name))),
        }
    }
    Ok(true)
}

fn place(table: &Table, column: &str) -> String {
    let at = |key: &[&str]| key.iter().position(|c| *c == column);
    match (at(table.partition_key), at(table.clustering)) {
        (Some(i), _) => format!("partition_key {i}"),
        (_, Some(i)) => format!("clustering {i}"),
        _ => "regular".to_owned(),
    }
}

/// Values are written by position: the fields have to be ours, in their order.
fn has_type(contents: &Contents, wanted: &Type, keyspace: &str) -> Result<(), StoreError> {
    let found = contents.types.get(wanted.name);
    let same = found.is_some_and(|f| f.iter().map(|(n, t)| (n.as_str(), t.as_str())).eq(wanted.fields.iter().copied()));
    if same { Ok(()) } else { Err(unknown(keyspace, &format!("type {} has other fields", wanted.name))) }
}

fn unknown(keyspace: &str, what: &str) -> StoreError {
    let text = format!(
        "the keyspace {keyspace} has a schema that Skua does not know ({what}); make another with \
         `skua cassandra schema --keyspace=NAME` and set --cassandra.keyspace"
    );
    StoreError::new(ErrorKind::Unsupported, text)
}
