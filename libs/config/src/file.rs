//! Config files: YAML, JSON and TOML become dotted keys with the lines they stand on.

mod toml;
mod yaml;

use std::collections::HashMap;
use std::path::Path;

use crate::error::ConfigError;
use crate::kind::Raw;

/// Deepest nesting of a file; the names of flags have five parts.
const MAX_DEPTH: usize = 32;

/// A key of a config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key from the root, joined with dots, as it was written.
    pub(crate) key: String,
    /// Line of the key, from 1.
    pub(crate) line: usize,
    pub(crate) value: FileValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileValue {
    /// A scalar or a list of scalars.
    Raw(Raw),
    /// A list that holds more than scalars.
    Nested,
    /// Nothing, which counts as unset.
    Null,
    /// A group without keys.
    EmptyGroup,
}

/// What is wrong with a file, and on which line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// A file that could be read.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigFile {
    /// As it was given.
    pub(crate) path: String,
    pub(crate) entries: Vec<Entry>,
}

/// Reads a file by its extension. Keys that stand there twice are an error with both lines.
pub(crate) fn read(path: &str) -> Result<ConfigFile, ConfigError> {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let parse = match extension.to_ascii_lowercase().as_str() {
        "yaml" | "yml" => yaml::entries,
        "json" => json_entries,
        "toml" => toml::entries,
        _ => {
            return Err(ConfigError::new(format!(
                "config file {path}: the extension must be .yaml, .yml, .json or .toml to tell its format"
            )));
        }
    };
    let bytes = std::fs::read(path).map_err(|error| ConfigError::new(format!("config file {path}: failed to read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
        ConfigError::new(format!("config file {path}:{line}: not UTF-8"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let entries =
        parse(text).map_err(|SyntaxError { line, message }| ConfigError::new(format!("config file {path}:{line}: {message}")))?;
    refuse_duplicates(path, &entries)?;
    Ok(ConfigFile { path: path.to_owned(), entries })
}

/// JSON is YAML as far as values and lines go; what only YAML allows is refused.
fn json_entries(text: &str) -> Result<Vec<Entry>, SyntaxError> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        SyntaxError { line: error.line().max(1), message }
    })?;
    yaml::entries(text)
}

fn refuse_duplicates(path: &str, entries: &[Entry]) -> Result<(), ConfigError> {
    let mut lines: HashMap<String, usize> = HashMap::new();
    let mut problems = Vec::new();
    for entry in entries {
        if let Some(first) = lines.insert(entry.key.to_ascii_lowercase(), entry.line) {
            problems.push(format!("config file {path}:{}: key \"{}\" is already on line {first}", entry.line, entry.key));
        }
    }
    ConfigError::check(problems)
}

/// The line, from 1, of a byte.
fn line_at(text: &[u8], offset: usize) -> usize {
    1 + text.iter().take(offset).filter(|byte| **byte == b'\n').count()
}

/// The dotted key of a child.
fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

#[cfg(test)]
mod tests;
