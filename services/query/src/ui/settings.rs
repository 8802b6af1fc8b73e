//! The UI's own configuration, `--query.ui-config`: JSON, or JavaScript that makes it.

use super::read;
use serde_json::{Map, Value};
use std::path::Path;

/// What goes into the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settings {
    /// An object, without spaces, its keys sorted, fit to stand in a script.
    Json(String),
    /// A script with `function UIConfig()`.
    Js(String),
}

impl Settings {
    /// Reads a file; what it is, its name says. Errors name the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        match extension.as_str() {
            "json" => {
                let object = serde_json::from_str::<Map<String, Value>>(&read(path)?);
                object
                    .map(|object| Self::Json(in_script(Value::Object(object))))
                    .map_err(|e| format!("failed to read {} as a JSON object: {e}", path.display()))
            }
            "js" => {
                let code = read(path)?;
                if !defines_ui_config(&code) {
                    return Err(format!("failed to find function UIConfig() in {}, which must define it", path.display()));
                }
                Ok(Self::Js(code.trim().to_owned()))
            }
            _ => Err(format!("failed to use {}: its name must end in .json or .js", path.display())),
        }
    }
}

/// Nothing in it ends the script that it stands in.
fn in_script(value: Value) -> String {
    let escapes = [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
    escapes.iter().fold(sorted(value).to_string(), |text, (from, to)| text.replace(*from, to))
}

/// Keys in order, whichever map the JSON library has been built with.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// `function UIConfig() {`, with spaces anywhere between.
fn defines_ui_config(code: &str) -> bool {
    code.match_indices("function").any(|(at, word)| {
        let after = &code[at + word.len()..];
        let name = after.trim_start();
        let arguments = name.strip_prefix("UIConfig").and_then(|rest| rest.trim_start().strip_prefix('('));
        let body = arguments.and_then(|rest| rest.trim_start().strip_prefix(')'));
        name.len() < after.len() && body.is_some_and(|rest| rest.trim_start().starts_with('{'))
    })
}
