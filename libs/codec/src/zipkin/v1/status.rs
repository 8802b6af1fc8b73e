//! The status of a v1 span, from the binary annotations that may hold one.

use super::Value;
use crate::frame::Frame;
use crate::zipkin::json::Text;
use skua_model::otlp::{span, status};
use skua_model::wire::{put_bytes, put_uint};

/// What was found, the last one of each kind.
#[derive(Default)]
pub(super) struct Statuses<'a> {
    /// `census.status_code` was 0.
    census: Option<bool>,
    census_message: Text<'a>,
    /// `otel.status_code`, whatever the number.
    otel: Option<i32>,
    otel_message: Text<'a>,
    /// There was an `error`.
    error: bool,
    /// `http.status_code` was from 100 to 399.
    http: Option<bool>,
    http_message: Text<'a>,
}

const OK: i32 = 1;
const ERROR: i32 = 2;

impl<'a> Statuses<'a> {
    /// Looks at a binary annotation. True when it is nothing else than a status.
    #[inline]
    pub fn take(&mut self, key: &[u8], value: &Value<'a>) -> bool {
        let text = || match value {
            Value::Text(text) => text.clone(),
            _ => Text::default(),
        };
        match key {
            b"census.status_code" => self.census = code(value).map(|c| c == 0).or(self.census),
            b"census.status_description" | b"opencensus.status_description" => self.census_message = text(),
            b"otel.status_code" => self.otel = code(value).or(self.otel),
            b"otel.status_description" => self.otel_message = text(),
            b"error" => self.error = true,
            b"http.status_code" => {
                self.http = code(value).map(|c| (100..400).contains(&c)).or(self.http);
                return false;
            }
            b"http.status_message" => {
                self.http_message = text();
                return false;
            }
            _ => return false,
        }
        true
    }

    /// Writes the one that counts: Census before OpenTelemetry before `error` before HTTP.
    pub fn put(&self, out: &mut Vec<u8>) {
        let (code, message) = match (self.census, self.otel, self.error, self.http) {
            (Some(ok), ..) => (if ok { OK } else { ERROR }, &self.census_message),
            (_, Some(code), ..) => (code, &self.otel_message),
            (_, _, true, _) if !self.census_message.is_empty() => (ERROR, &self.census_message),
            (_, _, true, _) => (ERROR, &self.otel_message),
            (.., Some(sound)) => (if sound { 0 } else { ERROR }, &self.http_message),
            _ => return,
        };
        if code != 0 || !message.is_empty() {
            let frame = Frame::open(out, span::STATUS >> 3, message.len() + 4);
            if !message.is_empty() {
                put_bytes(out, status::MESSAGE >> 3, message);
            }
            put_uint(out, status::CODE >> 3, i64::from(code) as u64);
            frame.close(out);
        }
    }
}

/// A number, or a text that is one.
fn code(value: &Value<'_>) -> Option<i32> {
    match value {
        Value::Int(v) => i32::try_from(*v).ok(),
        Value::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}
