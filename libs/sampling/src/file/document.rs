//! The strategies as a person writes them, read as leniently as Go's `encoding/json` reads them for Jaeger: keys in any case,
//! unknown ones passed over, the last of equal ones kept, `null` the same as absent.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// The whole file.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub default_strategy: Option<ServiceStrategy>,
    pub service_strategies: Vec<ServiceStrategy>,
}

/// `default_strategy`, or one of `service_strategies`.
#[derive(Debug, Default)]
pub(crate) struct ServiceStrategy {
    pub service: String,
    pub kind: String,
    pub param: f64,
    pub operation_strategies: Vec<OperationStrategy>,
}

/// One of `operation_strategies`.
#[derive(Debug, Default)]
pub(crate) struct OperationStrategy {
    pub operation: String,
    pub kind: String,
    pub param: f64,
}

impl Document {
    /// Reads the text; `null` is an empty document.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let text = String::from_utf8_lossy(text);
        serde_json::from_str::<Option<Self>>(&text).map(Option::unwrap_or_default)
    }
}

/// Reads an object into a struct whose fields have defaults.
macro_rules! object {
    ($name:ident, $what:literal, $($key:literal => $field:ident),+) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;
                impl<'de> Visitor<'de> for Object {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }

                    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<$name, M::Error> {
                        let mut read = $name::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.to_ascii_lowercase().as_str() {
                                $($key => if let Some(value) = map.next_value::<Option<_>>()? { read.$field = value },)+
                                _ => drop(map.next_value::<IgnoredAny>()?),
                            }
                        }
                        Ok(read)
                    }
                }
                deserializer.deserialize_map(Object)
            }
        }
    };
}

object!(Document, "an object with default_strategy and service_strategies",
    "default_strategy" => default_strategy, "service_strategies" => service_strategies);
object!(ServiceStrategy, "a strategy with service, type, param and operation_strategies",
    "service" => service, "type" => kind, "param" => param, "operation_strategies" => operation_strategies);
object!(OperationStrategy, "a strategy with operation, type and param",
    "operation" => operation, "type" => kind, "param" => param);
