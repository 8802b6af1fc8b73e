//! TOML.

use toml_edit::{Document, Item, Table, TableLike, Value};

use super::{Entry, FileValue, MAX_DEPTH, SyntaxError, join, line_at};
use crate::kind::Raw;

pub(super) fn entries(text: &str) -> Result<Vec<Entry>, SyntaxError> {
    let document = Document::parse(text).map_err(|error| SyntaxError {
        line: line_at(text.as_bytes(), error.span().map_or(0, |span| span.start)),
        message: error.message().replace('\n', ", "),
    })?;
    let mut reader = Reader { text, entries: Vec::new() };
    let root: &Table = document.as_table();
    reader.group(root, "", 0)?;
    // Tables may be spread over a file; messages and duplicates go by lines.
    reader.entries.sort_by_key(|entry| entry.line);
    Ok(reader.entries)
}

struct Reader<'a> {
    text: &'a str,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn group(&mut self, group: &dyn TableLike, parent: &str, depth: usize) -> Result<(), SyntaxError> {
        for (name, _) in group.iter() {
            let Some((key, item)) = group.get_key_value(name) else { continue };
            let span = key.span().or_else(|| item.span());
            let line = line_at(self.text.as_bytes(), span.map_or(0, |span| span.start));
            if depth >= MAX_DEPTH {
                return Err(SyntaxError { line, message: "nested too deeply".to_owned() });
            }
            let key = join(parent, name);
            if let Some(table) = item.as_table_like() {
                if table.is_empty() {
                    self.entries.push(Entry { key, line, value: FileValue::EmptyGroup });
                } else {
                    self.group(table, &key, depth + 1)?;
                }
            } else {
                let value = match item {
                    Item::Value(Value::Array(items)) => {
                        let texts: Option<Vec<String>> = items.iter().map(|item| scalar(item).map(|(text, _)| text)).collect();
                        texts.map_or(FileValue::Nested, |texts| FileValue::Raw(Raw::List(texts)))
                    }
                    Item::Value(value) => {
                        scalar(value).map_or(FileValue::Nested, |(text, bare)| FileValue::Raw(Raw::Text { text, bare }))
                    }
                    _ => FileValue::Nested,
                };
                self.entries.push(Entry { key, line, value });
            }
        }
        Ok(())
    }
}

/// The text of a scalar, and whether it is one without quotes.
fn scalar(value: &Value) -> Option<(String, bool)> {
    match value {
        Value::String(text) => Some((text.value().clone(), false)),
        Value::Integer(number) => Some((number.value().to_string(), true)),
        Value::Float(number) => Some((number.value().to_string(), true)),
        Value::Boolean(value) => Some((value.value().to_string(), true)),
        Value::Datetime(value) => Some((value.value().to_string(), true)),
        Value::Array(_) | Value::InlineTable(_) => None,
    }
}
