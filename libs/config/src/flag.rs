//! One row of a table: a flag.

use std::borrow::Cow;

use crate::component::Component;
use crate::kind::{Kind, Raw, Typed, joined};

/// What setting a flag does in this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The flag does what its help says.
    Works,
    /// The flag is accepted so that a Jaeger configuration starts unchanged, and changes nothing; the text says why.
    Compat(&'static str),
    /// Only the default is accepted; the text says why and what to do instead.
    NotYet(&'static str),
    /// These values are refused with the reason beside them; the others work.
    NotYetValues(&'static [(&'static str, &'static str)]),
}

/// A flag: its name is also its key in a file and, in capitals, its environment variable.
#[derive(Debug, Clone)]
pub struct Flag {
    /// Dotted name in kebab case, such as `es.server-urls`.
    pub name: String,
    /// Type of the value.
    pub kind: Kind,
    /// What it does, with units and limits; the first of its three readers is this line.
    pub help: Cow<'static, str>,
    /// What it does in this version.
    pub status: Status,
    /// Never printed: passwords.
    pub secret: bool,
    /// The flag of the same kind whose value this one has while it is not set.
    pub fallback: Option<String>,
    default: &'static str,
    tier_defaults: &'static [(Component, &'static str)],
}

impl Flag {
    /// A flag that works, is no secret and has one default for all components.
    pub(crate) fn new(name: impl Into<String>, kind: Kind, default: &'static str, help: impl Into<Cow<'static, str>>) -> Self {
        let (name, help) = (name.into(), help.into());
        Self { name, kind, help, status: Status::Works, secret: false, fallback: None, default, tier_defaults: &[] }
    }

    /// Defaults of components that differ from the common one.
    pub(crate) fn but(mut self, tier_defaults: &'static [(Component, &'static str)]) -> Self {
        self.tier_defaults = tier_defaults;
        self
    }

    pub(crate) fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// While it is not set it has the value of `flag`; its own default is only shown.
    pub(crate) fn or(mut self, flag: impl Into<String>) -> Self {
        self.fallback = Some(flag.into());
        self
    }

    pub(crate) fn compat(mut self, why: &'static str) -> Self {
        self.status = Status::Compat(why);
        self
    }

    pub(crate) fn not_yet(mut self, why: &'static str) -> Self {
        self.status = Status::NotYet(why);
        self
    }

    pub(crate) fn not_yet_values(mut self, values: &'static [(&'static str, &'static str)]) -> Self {
        self.status = Status::NotYetValues(values);
        self
    }

    /// The environment variable: capitals, `.` and `-` become `_`. It is looked up, never parsed back.
    #[must_use]
    pub fn env_name(&self) -> String {
        self.name.chars().map(|c| if matches!(c, '.' | '-') { '_' } else { c.to_ascii_uppercase() }).collect()
    }

    /// The default of a component, as text.
    #[must_use]
    pub fn default(&self, component: Component) -> &'static str {
        self.tier_defaults.iter().find(|(tier, _)| *tier == component).map_or(self.default, |(_, default)| default)
    }

    /// The default of the components that are not named in [`Flag::tier_defaults`].
    #[must_use]
    pub fn common_default(&self) -> &'static str {
        self.default
    }

    /// The components with a default of their own.
    #[must_use]
    pub fn tier_defaults(&self) -> &'static [(Component, &'static str)] {
        self.tier_defaults
    }

    /// The help with what this version does of it, for `--help`.
    #[must_use]
    pub fn full_help(&self) -> String {
        let mut text = self.help.to_string();
        if let Kind::Choice(words) = self.kind {
            text.push_str(&format!(" ({})", joined(words, " | ")));
        }
        match self.status {
            Status::Works => {}
            Status::Compat(why) => text.push_str(&format!("; accepted for compatibility; {why}")),
            Status::NotYet(_) => text.push_str(" [not supported yet]"),
            Status::NotYetValues(values) => {
                let words: Vec<&str> = values.iter().map(|(value, _)| *value).collect();
                text.push_str(&format!(" [not supported yet: {}]", words.join(", ")));
            }
        }
        text
    }

    /// The default as a value.
    ///
    /// # Panics
    /// If the default is not of the flag's type, which a test excludes for every table.
    pub(crate) fn typed_default(&self, component: Component) -> Typed {
        match self.kind.read(&Raw::text(self.default(component))) {
            Ok(typed) => typed,
            Err(wrong) => unreachable!("the default of {} {wrong}", self.name),
        }
    }

    /// Why this value cannot be had yet, if so.
    pub(crate) fn refusal(&self, value: &Typed, component: Component) -> Option<&'static str> {
        match self.status {
            Status::Works | Status::Compat(_) => None,
            Status::NotYet(why) => (*value != self.typed_default(component)).then_some(why),
            Status::NotYetValues(values) => {
                let text = value.plain();
                values.iter().find(|(word, _)| *word == text).map(|(_, why)| *why)
            }
        }
    }
}
