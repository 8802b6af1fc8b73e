//! Logs on stderr: one JSON object a line with zap's keys, as Jaeger writes them, or text for a person at a terminal.

use serde_json::{Map, Value, json};
use std::fmt;
use std::io::IsTerminal;
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// How a line looks (`log-encoding`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON, but text when stderr is a terminal.
    Auto,
    /// One JSON object a line: `level`, `ts` (seconds), `caller`, `msg`, then the event's own fields.
    Json,
    /// Text.
    Console,
}

/// Sets the process' logger; later calls change nothing. `level` is Jaeger's: debug, info, warn, error, dpanic, panic, fatal.
pub fn init(level: &str, encoding: Encoding) {
    let level = match level.to_ascii_lowercase().as_str() {
        "debug" => Level::DEBUG,
        "warn" => Level::WARN,
        "error" | "dpanic" | "panic" | "fatal" => Level::ERROR,
        _ => Level::INFO,
    };
    // Of libraries, what matters to an operator only; "skua" is the prefix of all our crates.
    // The Cassandra driver tells of each attempt and each connection; the stores tell of what failed, once.
    let driver = if level >= Level::DEBUG { LevelFilter::WARN } else { LevelFilter::OFF };
    let filter = Targets::new().with_default(Level::WARN).with_target("skua", level).with_target("scylla", driver);
    let terminal = std::io::stderr().is_terminal();
    let text = encoding == Encoding::Console || (encoding == Encoding::Auto && terminal);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(terminal);
    let registry = tracing_subscriber::registry().with(filter);
    let set =
        if text { registry.with(lines.with_target(false)).try_init() } else { registry.with(lines.event_format(Zap)).try_init() };
    if set.is_err() {
        tracing::debug!("the logger was already set");
    }
}

/// zap's production encoder.
struct Zap;

impl<S, N> FormatEvent<S, N> for Zap
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let meta = event.metadata();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut line = Map::new();
        let level = match *meta.level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            _ => "debug",
        };
        line.insert("level".into(), level.into());
        line.insert("ts".into(), json!(since.as_micros() as f64 / 1e6));
        line.insert("caller".into(), format!("{}:{}", meta.file().unwrap_or(meta.target()), meta.line().unwrap_or(0)).into());
        line.insert("msg".into(), "".into());
        event.record(&mut Fields(&mut line));
        writeln!(writer, "{}", Value::Object(line))
    }
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        let key = if field.name() == "message" { "msg" } else { field.name() };
        self.0.insert(key.to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}
