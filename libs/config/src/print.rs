//! The effective values as text.

use crate::kind::Typed;
use crate::loaded::Loaded;
use crate::tables::catalog;

impl Loaded {
    /// One line a flag, `key: value` as in YAML, in the order of the tables; with where each value came from if asked.
    /// Passwords are shown as `***`.
    #[must_use]
    pub fn print(&self, with_origin: bool) -> String {
        let rows: Vec<(String, String)> = catalog()
            .active(self.component, &self.storage)
            .map(|flag| {
                let value = if flag.secret { mask(&self.typed(flag)) } else { yaml(&self.typed(flag)) };
                let decisive = self.decisive(flag);
                let origin =
                    if decisive.name == flag.name { self.origin(flag).to_string() } else { format!("as {}", decisive.name) };
                (format!("{}: {value}", flag.name), origin)
            })
            .collect();
        // A few long values should not push every origin out of sight.
        let width = rows.iter().map(|(row, _)| row.chars().count()).filter(|width| *width <= 60).max().unwrap_or_default();
        let mut text = String::new();
        for (row, origin) in rows {
            if with_origin {
                text.push_str(&format!("{row:width$}  # {origin}\n"));
            } else {
                text.push_str(&row);
                text.push('\n');
            }
        }
        text
    }
}

fn mask(value: &Typed) -> String {
    if *value == Typed::Text(String::new()) { "\"\"".to_owned() } else { "\"***\"".to_owned() }
}

/// A value in YAML; texts are quoted unless they are plain words.
fn yaml(value: &Typed) -> String {
    match value {
        Typed::Text(text) => scalar(text),
        Typed::List(items) => format!("[{}]", items.iter().map(|item| scalar(item)).collect::<Vec<_>>().join(", ")),
        Typed::Float(number) => format!("{number:?}"),
        other => other.plain(),
    }
}

fn scalar(text: &str) -> String {
    let text = without_password(text);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if plain { text } else { serde_json::Value::from(text).to_string() }
}

/// `http://user:password@host` without the password.
fn without_password(text: &str) -> String {
    let masked = text.split_once("://").and_then(|(scheme, rest)| {
        let authority_end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_end);
        let (user, host) = authority.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:***@{host}{path}"))
    });
    masked.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_yaml_would_misread() {
        for (text, wanted) in [
            ("jaeger-spans", "jaeger-spans"),
            ("", "\"\""),
            (":4317", "\":4317\""),
            ("007", "\"007\""),
            ("no", "\"no\""),
            ("http://u:p@h:9200/x", "\"http://u:***@h:9200/x\""),
            ("a\"b", "\"a\\\"b\""),
        ] {
            assert_eq!(scalar(text), wanted);
        }
    }
}
