//! The types a flag can have, and how a text becomes a value of one.

use std::time::Duration;

use figment::value::{Tag, Value};

use crate::duration;

/// The type of a flag. Text from any source is read by it, so "007" stays text where text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What Go's `strconv.ParseBool` reads: 1, t, T, TRUE, true, True, 0, f, F, FALSE, false, False.
    Bool,
    /// A decimal integer between two bounds, both included.
    Int {
        /// Smallest accepted value.
        min: i64,
        /// Largest accepted value.
        max: i64,
    },
    /// A finite decimal number.
    Float,
    /// Go's notation, not negative: `200ms`, `1h30m`, `0`.
    Duration,
    /// Any text.
    String,
    /// `host:port`, `:port` or a bare port, which becomes `:port` as in Jaeger; empty means off.
    HostPort,
    /// Texts separated by commas; white space around each is cut off and empty ones are left out.
    List,
    /// Texts that may hold commas: the flag may be repeated, a variable holds one a line.
    Lines,
    /// One of some words, in any case of letters.
    Choice(&'static [&'static str]),
}

/// A value of a flag's type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Typed {
    Bool(bool),
    Int(i64),
    Float(f64),
    Duration(Duration),
    Text(String),
    List(Vec<String>),
}

/// A value as a source gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Raw {
    /// One scalar. `bare` if the file had it without quotes, so that a message shows it so too.
    Text { text: String, bare: bool },
    /// A list of a file, or a flag given several times.
    List(Vec<String>),
}

impl Raw {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), bare: false }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text { text, bare: true } => text.clone(),
            Self::Text { text, bare: false } => format!("{text:?}"),
            Self::List(_) => "a list".to_owned(),
        }
    }
}

impl Kind {
    /// An integer that counts or measures something: not negative.
    pub const COUNT: Self = Self::Int { min: 0, max: i64::MAX };

    /// The word for this type in help texts and in the reference.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int { .. } => "int",
            Self::Float => "float",
            Self::Duration => "duration",
            Self::String => "string",
            Self::HostPort => "host:port",
            Self::List => "list",
            Self::Lines => "lines",
            Self::Choice(_) => "choice",
        }
    }

    /// Reads a value; the error finishes "the flag …": `wants an integer, not "five"`.
    pub(crate) fn read(self, raw: &Raw) -> Result<Typed, String> {
        self.typed(raw).ok_or_else(|| format!("wants {}, not {}", self.wanted(raw), raw.shown()))
    }

    fn typed(self, raw: &Raw) -> Option<Typed> {
        let text = match (self, raw) {
            (Self::List, Raw::List(items)) => return Some(Typed::List(items.clone())),
            (Self::Lines, Raw::List(items)) => return lines(items.iter().map(String::as_str)),
            (_, Raw::List(_)) => return None,
            (_, Raw::Text { text, .. }) => text.as_str(),
        };
        match self {
            Self::Bool => match text {
                "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(Typed::Bool(true)),
                "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(Typed::Bool(false)),
                _ => None,
            },
            Self::Int { min, max } => text.parse().ok().filter(|n| (min..=max).contains(n)).map(Typed::Int),
            Self::Float => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Typed::Float),
            Self::Duration => {
                duration::parse_nanos(text)?.try_into().ok().map(|nanos| Typed::Duration(Duration::from_nanos(nanos)))
            }
            Self::String => Some(Typed::Text(text.to_owned())),
            Self::HostPort => host_port(text).map(Typed::Text),
            Self::List => {
                Some(Typed::List(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()))
            }
            Self::Lines => lines(text.lines()),
            Self::Choice(words) => {
                words.iter().find(|word| word.eq_ignore_ascii_case(text)).map(|word| Typed::Text((*word).to_owned()))
            }
        }
    }

    /// What this type wants, to stand after "wants ".
    fn wanted(self, raw: &Raw) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int { .. } if !matches!(raw, Raw::Text { text, .. } if text.parse::<i64>().is_ok()) => "an integer".to_owned(),
            Self::Int { min: 0, max: i64::MAX } => "an integer of 0 or more".to_owned(),
            Self::Int { min, max } => format!("an integer between {min} and {max}"),
            Self::Float => "a number".to_owned(),
            Self::Duration => "a duration such as 200ms or 1h30m".to_owned(),
            Self::String => "a text".to_owned(),
            Self::HostPort => "an address such as :4317 or 127.0.0.1:4317".to_owned(),
            Self::List => "a list such as a,b".to_owned(),
            Self::Lines => "lines such as \"Name: value\"".to_owned(),
            Self::Choice(words) => format!("one of {}", joined(words, ", ")),
        }
    }
}

/// The words that can be named: an empty choice means "unset".
pub(crate) fn joined(words: &[&str], separator: &str) -> String {
    words.iter().copied().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(separator)
}

fn lines<'a>(items: impl Iterator<Item = &'a str>) -> Option<Typed> {
    let items: Vec<String> = items.map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
    items.iter().all(|item| item.contains(':')).then_some(Typed::List(items))
}

/// An address with its port; a bare port gets its colon.
fn host_port(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let closed = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    (closed && !host.contains(char::is_whitespace) && port.parse::<u16>().is_ok()).then(|| format!("{host}:{port}"))
}

impl Typed {
    /// The same value for figment. A duration is the pair of seconds and nanoseconds that `std::time::Duration` is read from.
    pub(crate) fn to_figment(&self) -> Value {
        match self {
            Self::Bool(value) => Value::from(*value),
            Self::Int(value) => Value::from(*value),
            Self::Float(value) => Value::from(*value),
            Self::Duration(value) => {
                Value::Array(Tag::Default, vec![Value::from(value.as_secs()), Value::from(value.subsec_nanos())])
            }
            Self::Text(value) => Value::from(value.as_str()),
            Self::List(items) => Value::Array(Tag::Default, items.iter().map(|item| Value::from(item.as_str())).collect()),
        }
    }

    /// What [`Typed::to_figment`] wrote for a flag of this kind.
    pub(crate) fn from_figment(kind: Kind, value: &Value) -> Option<Self> {
        match kind {
            Kind::Bool => value.deserialize().map(Self::Bool),
            Kind::Int { .. } => value.deserialize().map(Self::Int),
            Kind::Float => value.deserialize().map(Self::Float),
            Kind::Duration => value.deserialize().map(Self::Duration),
            Kind::String | Kind::HostPort | Kind::Choice(_) => value.deserialize().map(Self::Text),
            Kind::List | Kind::Lines => value.deserialize().map(Self::List),
        }
        .ok()
    }

    /// The value as a person writes it on a command line.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Duration(value) => duration::format(*value),
            Self::Text(value) => value.clone(),
            Self::List(items) => items.join(","),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: Kind, text: &str) -> Result<String, String> {
        kind.read(&Raw::text(text)).map(|typed| typed.plain())
    }

    #[test]
    fn reads_each_kind() {
        assert_eq!(text(Kind::Bool, "T").as_deref(), Ok("true"));
        assert_eq!(text(Kind::Bool, "FALSE").as_deref(), Ok("false"));
        assert_eq!(text(Kind::Bool, "yes").unwrap_err(), "wants true or false, not \"yes\"");
        assert_eq!(text(Kind::COUNT, "5").as_deref(), Ok("5"));
        assert_eq!(text(Kind::COUNT, "five").unwrap_err(), "wants an integer, not \"five\"");
        assert_eq!(text(Kind::COUNT, "-5").unwrap_err(), "wants an integer of 0 or more, not \"-5\"");
        assert_eq!(text(Kind::Float, "0.5").as_deref(), Ok("0.5"));
        assert_eq!(text(Kind::Float, "NaN").unwrap_err(), "wants a number, not \"NaN\"");
        assert_eq!(text(Kind::Duration, "90m").as_deref(), Ok("1h30m"));
        assert_eq!(text(Kind::Duration, "-1s").unwrap_err(), "wants a duration such as 200ms or 1h30m, not \"-1s\"");
        assert_eq!(text(Kind::String, "007").as_deref(), Ok("007"));
        assert_eq!(text(Kind::List, " a, b,,c ").as_deref(), Ok("a,b,c"));
        assert_eq!(text(Kind::Choice(&["PLAIN", "none"]), "plain").as_deref(), Ok("PLAIN"));
        assert_eq!(text(Kind::Choice(&["a", "b"]), "c").unwrap_err(), "wants one of a, b, not \"c\"");
        assert_eq!(text(Kind::Lines, "A: b, c\nD: e").as_deref(), Ok("A: b, c,D: e"));
        assert!(text(Kind::Lines, "no colon").is_err());
    }

    #[test]
    fn reads_addresses() {
        for (given, wanted) in [("4317", ":4317"), (":0", ":0"), ("h:1", "h:1"), ("[::1]:4317", "[::1]:4317"), ("", "")] {
            assert_eq!(text(Kind::HostPort, given).as_deref(), Ok(wanted));
        }
        for given in ["host", "h:", "h:70000", "::1:4317", "h h:1"] {
            assert!(text(Kind::HostPort, given).is_err(), "{given}");
        }
    }
}
