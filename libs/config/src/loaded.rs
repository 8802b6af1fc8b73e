//! A configuration that is complete and valid.

use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;

use figment::value::{Dict, Tag, Value};
use figment::{Figment, Profile, Provider};
use serde::de::DeserializeOwned;

use crate::component::Component;
use crate::error::ConfigError;
use crate::flag::Flag;
use crate::kind::Typed;
use crate::load::{COMMAND_LINE, DEFAULT, ENVIRONMENT, FILE, insert};
use crate::source::Origin;
use crate::storage::Storage;
use crate::tables::catalog;

/// The effective values of a component's flags and where each came from.
///
/// The getters know every flag of every table: one that the component or its storage does not have has its default.
/// They panic on a name that no table has and on the getter of another type, which are mistakes of the caller.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub(crate) component: Component,
    pub(crate) storage: Storage,
    /// The four sources, for where a value came from.
    figment: Figment,
    /// What they come to, where a flag that falls back on another has the value of that.
    values: Value,
    /// Name of a flag → its line in the config file.
    pub(crate) lines: HashMap<String, usize>,
    /// Path of the config file as it was given; empty without one.
    pub(crate) file: String,
    pub(crate) warnings: Vec<String>,
}

impl Loaded {
    pub(crate) fn new(component: Component, storage: Storage, figment: Figment, warnings: Vec<String>) -> Self {
        // Merging is figment's work and costs a copy of everything, so it is done once and not for each flag.
        let dict: Dict = figment.data().ok().and_then(|mut data| data.remove(&Profile::Default)).unwrap_or_default();
        let values = Value::Dict(Tag::Default, fall_back(&figment, dict));
        Self { component, storage, figment, values, lines: HashMap::new(), file: String::new(), warnings }
    }

    /// Whose configuration this is.
    #[must_use]
    pub fn component(&self) -> Component {
        self.component
    }

    /// The stores it writes and reads.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// What the user should know but that does not stop a start: keys of another tier or storage in the file, flags
    /// that are set and have no effect.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The flags below a prefix as a struct: for `es`, the field `bulk` (a struct) holds `es.bulk.*`.
    ///
    /// Keys are in kebab case (`#[serde(rename_all = "kebab-case")]`); types are `bool`, integers, `f64`, `String`,
    /// `Vec<String>` and `std::time::Duration`. An empty prefix means all flags.
    ///
    /// # Errors
    /// If the struct wants a field that no flag has or another type, which is a mistake of the caller.
    pub fn section<T: DeserializeOwned>(&self, prefix: &str) -> Result<T, ConfigError> {
        let values = if prefix.is_empty() { Some(&self.values) } else { self.values.find_ref(prefix) };
        values.map_or_else(|| Err(unread(prefix, "there are none")), |values| read(values, prefix))
    }

    /// The flags below a prefix, and those below another that have no counterpart there: `cassandra-archive` has what is
    /// set for the archive, what is not is as for `cassandra`, and `search.*` is there too.
    ///
    /// # Errors
    /// As [`Loaded::section`].
    pub fn section_or<T: DeserializeOwned>(&self, prefix: &str, other: &str) -> Result<T, ConfigError> {
        let dict = |prefix| self.values.find_ref(prefix).and_then(Value::as_dict).cloned().unwrap_or_default();
        read(&Value::Dict(Tag::Default, laid_over(dict(prefix), dict(other))), prefix)
    }

    /// The value of a flag of type string, host:port or choice.
    #[must_use]
    pub fn get_string(&self, flag: &str) -> String {
        self.get(flag, |typed| if let Typed::Text(value) = typed { Some(value) } else { None })
    }

    /// The value of a flag of type bool.
    #[must_use]
    pub fn get_bool(&self, flag: &str) -> bool {
        self.get(flag, |typed| if let Typed::Bool(value) = typed { Some(value) } else { None })
    }

    /// The value of a flag of type int that is not negative.
    #[must_use]
    pub fn get_u64(&self, flag: &str) -> u64 {
        self.get(flag, |typed| if let Typed::Int(value) = typed { u64::try_from(value).ok() } else { None })
    }

    /// The value of a flag of type int.
    #[must_use]
    pub fn get_i64(&self, flag: &str) -> i64 {
        self.get(flag, |typed| if let Typed::Int(value) = typed { Some(value) } else { None })
    }

    /// The value of a flag of type float.
    #[must_use]
    pub fn get_f64(&self, flag: &str) -> f64 {
        self.get(flag, |typed| if let Typed::Float(value) = typed { Some(value) } else { None })
    }

    /// The value of a flag of type duration.
    #[must_use]
    pub fn get_duration(&self, flag: &str) -> Duration {
        self.get(flag, |typed| if let Typed::Duration(value) = typed { Some(value) } else { None })
    }

    /// The value of a flag of type list or lines.
    #[must_use]
    pub fn get_list(&self, flag: &str) -> Vec<String> {
        self.get(flag, |typed| if let Typed::List(value) = typed { Some(value) } else { None })
    }

    fn get<T>(&self, name: &str, pick: impl Fn(Typed) -> Option<T>) -> T {
        let value = catalog().find(name).and_then(|(_, flag)| pick(self.typed(flag)));
        value.unwrap_or_else(|| panic!("no flag {name} of this type"))
    }

    /// The source of a flag's value; `None` if no table has the flag. One that falls back on another is not set itself and
    /// so has its default.
    #[must_use]
    pub fn origin_of(&self, flag: &str) -> Option<Origin> {
        catalog().find(flag).map(|(_, flag)| self.origin(flag))
    }

    /// The effective value.
    pub(crate) fn typed(&self, flag: &Flag) -> Typed {
        let typed = self.values.find_ref(&flag.name).and_then(|value| Typed::from_figment(flag.kind, value));
        // Each layer was written from values of the flag's kind, and the first has all flags.
        typed.unwrap_or_else(|| flag.typed_default(self.component))
    }

    /// The flag whose value this one has: another if it is not set and falls back on that.
    pub(crate) fn decisive<'a>(&self, flag: &'a Flag) -> &'a Flag {
        let fallback = flag.fallback.as_ref().filter(|_| self.origin(flag) == Origin::Default);
        fallback.and_then(|name| catalog().find(name)).map_or(flag, |(_, other)| other)
    }

    /// Where the effective value came from.
    pub(crate) fn origin(&self, flag: &Flag) -> Origin {
        let tag = self.values.find_ref(&flag.name).map_or(Tag::Default, Value::tag);
        match self.figment.get_metadata(tag).map(|metadata| metadata.name.as_ref()) {
            Some(COMMAND_LINE) => Origin::CommandLine,
            Some(ENVIRONMENT) => Origin::Environment(flag.env_name()),
            Some(FILE) => Origin::File { path: self.file.clone(), line: self.lines.get(&flag.name).copied().unwrap_or_default() },
            _ => Origin::Default,
        }
    }
}

fn read<T: DeserializeOwned>(values: &Value, prefix: &str) -> Result<T, ConfigError> {
    values.deserialize().map_err(|error| unread(prefix, error))
}

fn unread(prefix: &str, why: impl Display) -> ConfigError {
    ConfigError::new(format!("failed to read the flags --{prefix}.*: {why}"))
}

/// Gives flags that are not set the value of the flag that they fall back on.
fn fall_back(figment: &Figment, dict: Dict) -> Dict {
    let given = Value::Dict(Tag::Default, dict.clone());
    let is_set = |flag: &Flag| {
        let tag = given.find_ref(&flag.name).map_or(Tag::Default, Value::tag);
        figment.get_metadata(tag).is_some_and(|metadata| metadata.name != DEFAULT)
    };
    let mut dict = dict;
    for flag in catalog().flags().filter(|flag| !is_set(flag)) {
        let other = flag.fallback.as_ref().and_then(|name| given.find_ref(name));
        // Written anew, because the value's tag says that the other flag was set, not this one.
        if let Some(typed) = other.and_then(|value| Typed::from_figment(flag.kind, value)) {
            insert(&mut dict, &flag.name, typed.to_figment());
        }
    }
    dict
}

/// `under` with the values of `over` in place of its own.
fn laid_over(over: Dict, mut under: Dict) -> Dict {
    for (key, value) in over {
        match (value, under.remove(&key)) {
            (Value::Dict(tag, over), Some(Value::Dict(_, inner))) => {
                under.insert(key, Value::Dict(tag, laid_over(over, inner)));
            }
            (value, _) => {
                under.insert(key, value);
            }
        }
    }
    under
}
