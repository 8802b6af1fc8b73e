//! Which tags are indexed, and with which text. Writing and searching go by the same rules.

use crate::config::Index;
use foldhash::HashSet;
use serde::de::IgnoredAny;
use skua_model::AnyValue;
use skua_model::json::{go_float_text, put_hex, put_int, put_nested};
use skua_store::{ErrorKind, StoreError};

/// Keys and values of so many bytes are not indexed, as in Jaeger.
const TOO_LONG: usize = 256;

/// The filters of `--cassandra.index.*`.
#[derive(Debug)]
pub(crate) struct TagFilter {
    pub tags: bool,
    pub process_tags: bool,
    pub logs: bool,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    All,
    AllBut(HashSet<Vec<u8>>),
    Only(HashSet<Vec<u8>>),
}

impl TagFilter {
    /// # Errors
    /// `Invalid` when both lists are given.
    pub fn new(index: &Index) -> Result<Self, StoreError> {
        let set = |keys: &[String]| keys.iter().map(|k| k.replace(' ', "").into_bytes()).collect::<HashSet<_>>();
        let keys = match (index.tag_blacklist.is_empty(), index.tag_whitelist.is_empty()) {
            (true, true) => Keys::All,
            (false, true) => Keys::AllBut(set(&index.tag_blacklist)),
            (true, false) => Keys::Only(set(&index.tag_whitelist)),
            (false, false) => {
                let text = "cassandra.index.tag-blacklist and cassandra.index.tag-whitelist exclude each other";
                return Err(StoreError::new(ErrorKind::Invalid, text));
            }
        };
        Ok(Self { tags: index.tags, process_tags: index.process_tags, logs: index.logs, keys })
    }

    /// Whether tags of this key are indexed.
    #[inline]
    pub fn takes(&self, key: &[u8]) -> bool {
        match &self.keys {
            Keys::All => true,
            Keys::AllBut(keys) => !keys.contains(key),
            Keys::Only(keys) => keys.contains(key),
        }
    }

    /// Whether every span that has this tag anywhere is in its partition of the index.
    pub fn is_complete_for(&self, key: &str, value: &str) -> bool {
        let all = self.tags && self.process_tags && self.logs;
        all && self.takes(key.as_bytes()) && is_indexable(key.as_bytes(), value.as_bytes())
    }
}

/// Not too long, and no JSON object.
#[inline]
pub(crate) fn is_indexable(key: &[u8], value: &[u8]) -> bool {
    key.len() < TOO_LONG && value.len() < TOO_LONG && !(value.first() == Some(&b'{') && is_json(value))
}

fn is_json(value: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(value).is_ok()
}

/// Appends the text by which a tag is searched: Jaeger's `AsString`. Jaeger indexes no binary tags; here they are, as hex.
#[inline]
pub(crate) fn put_text(out: &mut Vec<u8>, value: AnyValue<'_>) {
    match value {
        AnyValue::Empty => {}
        AnyValue::String(s) => out.extend_from_slice(s),
        AnyValue::Bool(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
        AnyValue::Int(v) => put_int(out, v),
        AnyValue::Double(v) => out.extend_from_slice(go_float_text(v).as_bytes()),
        AnyValue::Bytes(b) => put_hex(out, &b[..b.len().min(TOO_LONG)]),
        AnyValue::Array(_) | AnyValue::Map(_) => put_nested(out, value),
    }
}
