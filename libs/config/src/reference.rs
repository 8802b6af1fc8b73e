//! The reference page, in Markdown.

use crate::component::Component;
use crate::flag::{Flag, Status};
use crate::kind::{Kind, joined};
use crate::tables::{Table, tables};

/// The page that lists every flag of every component.
#[must_use]
pub fn reference() -> String {
    let mut page = "\
# Flags

Generated from the tables in `libs/config/src/tables`; do not edit. To write it again:
`cargo run -p skua-config --example reference > docs/reference/flags.md`

- A flag is set by the command line (`--es.server-urls=http://a:9200`), by its environment variable or by a key of the
  file that `--config-file` names. The command line wins over the environment, the environment over the file.
- The environment variable is the name in capitals with `_` for `.` and `-`: `ES_SERVER_URLS`. Empty counts as unset.
- A config file is YAML, JSON or TOML. Keys are nested, dotted or both, in any case of letters.
- *bool* is `true` or `false`; on the command line `--flag` alone means true and a value needs `=`. *duration* is in Go's
  notation: `200ms`, `1h30m`. *list* is separated by commas, or a list in a file. *host:port* may leave the host out.
- **Not yet**: any value but the default stops the start. **No effect**: accepted so that a Jaeger configuration starts.
- Unknown flags and keys, wrong types and contradictions stop the start with exit code 64.
"
    .to_owned();
    for table in tables() {
        page.push_str(&section(table));
    }
    page
}

fn section(table: &Table) -> String {
    let tiers: Vec<String> = table.tiers.iter().map(|tier| owner(*tier)).collect();
    let owners = match table.tiers {
        all if all == Component::ALL => "every component".to_owned(),
        tiers_only if tiers_only == Component::TIERS => {
            let commands: Vec<String> = Component::COMMANDS.iter().map(|command| owner(*command)).collect();
            let (last, others) = commands.split_last().map_or(("", &commands[..]), |(last, others)| (last.as_str(), others));
            format!("every component but {} and {last}", others.join(", "))
        }
        _ => tiers.join(", "),
    };
    let storages: Vec<String> = table.storages.iter().map(|storage| format!("`{storage}`")).collect();
    let condition = match storages.is_empty() {
        _ if table.is_prometheus() => " with `METRICS_STORAGE_TYPE` `prometheus`".to_owned(),
        true => String::new(),
        false => format!(" with `SPAN_STORAGE_TYPE` {}", storages.join(" or ")),
    };
    let mut text = format!("\n## {}\n\nOf {owners}{condition}.\n\n", table.title);
    text.push_str("| flag | type | default | meaning |\n| --- | --- | --- | --- |\n");
    for flag in &table.flags {
        text.push_str(&format!("| `{}` | {} | {} | {} |\n", flag.name, flag.kind.name(), default(flag), meaning(flag)));
    }
    text
}

/// A command that is no tier is written as it is typed.
fn owner(component: Component) -> String {
    if Component::TIERS.contains(&component) { component.name().to_owned() } else { format!("`skua {}`", component.words()) }
}

fn default(flag: &Flag) -> String {
    let code = |value: &str| if value.is_empty() { "".to_owned() } else { format!("`{value}`") };
    let mut text = code(flag.common_default());
    for (tier, value) in flag.tier_defaults() {
        text.push_str(&format!("; {tier} {}", code(value)));
    }
    text
}

fn meaning(flag: &Flag) -> String {
    let mut text = flag.help.to_string();
    if let Kind::Choice(words) = flag.kind {
        text.push_str(&format!(" ({})", joined(words, " | ")));
    }
    match flag.status {
        Status::Works => {}
        Status::Compat(why) => text.push_str(&format!(". **No effect**: {why}")),
        Status::NotYet(why) => text.push_str(&format!(". **Not yet**: {why}")),
        Status::NotYetValues(values) => {
            for (value, why) in values {
                text.push_str(&format!(". **Not yet** `{value}`: {why}"));
            }
        }
    }
    text.replace('|', "\\|").replace('<', "&lt;")
}
