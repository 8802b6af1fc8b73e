//! Attributes of OTLP, made of tags.

use skua_model::{Tag, Value};
use skua_proto::otlp::common::v1::AnyValue;
pub(crate) use skua_proto::otlp::common::v1::KeyValue;
pub(crate) use skua_proto::otlp::common::v1::any_value::Value as Any;
use std::collections::HashMap;

/// A list in which each key is once: a later value replaces an earlier one, in its place.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    list: Vec<(String, Any)>,
    places: HashMap<String, usize>,
}

impl Attributes {
    pub fn of(tags: &[Tag]) -> Self {
        let mut attributes = Self::default();
        attributes.list.reserve(tags.len());
        tags.iter().for_each(|t| attributes.put_tag(t));
        attributes
    }

    pub fn put_tag(&mut self, tag: &Tag) {
        self.put(&tag.key, tag.value.clone());
    }

    pub fn put(&mut self, key: &str, value: Value) {
        self.put_any(key, any(value));
    }

    pub fn put_any(&mut self, key: &str, value: Any) {
        match self.places.get(key) {
            Some(place) => self.list[*place].1 = value,
            None => {
                self.places.insert(key.to_owned(), self.list.len());
                self.list.push((key.to_owned(), value));
            }
        }
    }

    pub fn get(&self, key: &str) -> Option<&Any> {
        self.places.get(key).map(|place| &self.list[*place].1)
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        if let Some(Any::StringValue(s)) = self.get(key) { Some(s) } else { None }
    }

    pub fn take(&mut self, key: &str) -> Option<Any> {
        let place = self.places.remove(key)?;
        self.places.values_mut().filter(|p| **p > place).for_each(|p| *p -= 1);
        Some(self.list.remove(place).1)
    }

    /// Takes a value only if it is text.
    pub fn take_text(&mut self, key: &str) -> Option<String> {
        self.text(key)?;
        match self.take(key) {
            Some(Any::StringValue(s)) => Some(s),
            _ => None,
        }
    }

    /// Unless there is one of the new name already.
    pub fn rename(&mut self, from: &str, to: &str, change: impl FnOnce(Any) -> Any) {
        if self.get(to).is_none()
            && let Some(value) = self.take(from)
        {
            self.put_any(to, change(value));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn into_list(self) -> Vec<KeyValue> {
        self.list.into_iter().map(|(key, value)| key_value(key, value)).collect()
    }
}

pub(crate) fn key_value(key: impl Into<String>, value: Any) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn any(value: Value) -> Any {
    match value {
        Value::String(s) => Any::StringValue(s),
        Value::Bool(v) => Any::BoolValue(v),
        Value::Int64(v) => Any::IntValue(v),
        Value::Float64(v) => Any::DoubleValue(v),
        Value::Binary(b) => Any::BytesValue(b),
    }
}
