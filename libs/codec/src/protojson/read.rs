//! JSON to wire bytes, as `serde_json` meets them: nothing is built in between, and nothing is allocated but for strings with
//! escapes.

use super::{Field, Kind, Table, time};
use crate::frame::Frame;
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use skua_model::wire::{put_bytes, put_uint, put_varint};
use std::fmt;

/// Appends a JSON object as the wire bytes of a message. Keys that the table lacks are passed over; `null` is an absent value;
/// numbers may be texts, enums numbers; strings are taken as they are, UTF-8 or not.
///
/// # Errors
/// When the text is not JSON, nests deeper than 128 levels, or a value is not of its field's type. `out` then holds a part.
pub(crate) fn read(table: &Table, text: &[u8], out: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_slice(text);
    json.deserialize_map(Object { table, out })?;
    json.end()
}

/// An object: a message's fields.
struct Object<'t, 'o> {
    table: &'t Table,
    out: &'o mut Vec<u8>,
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key_seed(Key(self.table))? {
            match field {
                Some(field) => map.next_value_seed(Value { field, element: false, out: self.out })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The name of a field, in camel or in snake case.
struct Key<'t>(&'t Table);

impl<'de, 't> DeserializeSeed<'de> for Key<'t> {
    type Value = Option<&'t Field>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_bytes(self)
    }
}

impl<'t> Visitor<'_> for Key<'t> {
    type Value = Option<&'t Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.fields.iter().find(|f| name == f.camel.as_bytes() || name == f.snake.as_bytes()))
    }
}

/// A field's value, or an element of a repeated field's list.
struct Value<'t, 'o> {
    field: &'t Field,
    element: bool,
    out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        // Only as an option and then as bytes does serde_json give a string without a check of its UTF-8.
        if matches!(self.field.kind, Kind::Text) && (self.element || !self.field.repeated) {
            return d.deserialize_option(self);
        }
        d.deserialize_any(self)
    }
}

impl Value<'_, '_> {
    fn wrong<E: Error>(&self, got: Unexpected<'_>) -> E {
        E::invalid_type(got, self)
    }

    fn out_of_range<E: Error>(&self, value: impl fmt::Display) -> E {
        E::custom(format!("{}: {value} is out of range", self.field.camel))
    }

    fn not<E: Error>(&self, what: &str, text: &str) -> E {
        let shown: String = text.chars().take(64).collect();
        E::custom(format!("{}: {shown:?} is not {what}", self.field.camel))
    }

    /// Any whole number of JSON; on the wire a varint or of fixed size.
    fn put_integer<E: Error>(&mut self, v: i128) -> Result<(), E> {
        let range = match self.field.kind {
            Kind::Int64 => i128::from(i64::MIN)..=i128::from(i64::MAX),
            Kind::Fixed64 => 0..=i128::from(u64::MAX),
            Kind::Enum(_) => i128::from(i32::MIN)..=i128::from(i32::MAX),
            Kind::Double => return self.put_double(v as f64),
            Kind::Uint32 | Kind::Fixed32 => 0..=i128::from(u32::MAX),
            _ => return Err(self.wrong(Unexpected::Other("number"))),
        };
        if !range.contains(&v) {
            return Err(self.out_of_range(v));
        }
        self.put_tag();
        match self.field.kind {
            Kind::Fixed64 => self.out.extend_from_slice(&(v as u64).to_le_bytes()),
            Kind::Fixed32 => self.out.extend_from_slice(&(v as u32).to_le_bytes()),
            _ => put_varint(self.out, v as u64),
        }
        Ok(())
    }

    fn put_double<E: Error>(&mut self, v: f64) -> Result<(), E> {
        if !matches!(self.field.kind, Kind::Double) {
            let whole = v.fract() == 0.0 && v.abs() < 2e19; // 1.7e18 is a whole number, too
            return if whole { self.put_integer(v as i128) } else { Err(self.wrong(Unexpected::Float(v))) };
        }
        self.put_tag();
        self.out.extend_from_slice(&v.to_le_bytes());
        Ok(())
    }

    fn put_tag(&mut self) {
        put_varint(self.out, u64::from(self.field.tag()));
    }

    fn put_hex<E: Error>(&mut self, text: &str) -> Result<(), E> {
        let (pairs, odd) = text.as_bytes().as_chunks::<2>();
        let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
        let frame = Frame::open(self.out, self.field.number, text.len() / 2);
        for [hi, lo] in pairs {
            match (digit(*hi), digit(*lo)) {
                (Some(hi), Some(lo)) => self.out.push(hi << 4 | lo),
                _ => return Err(self.not("hex", text)),
            }
        }
        frame.close(self.out);
        if odd.is_empty() { Ok(()) } else { Err(self.not("hex of whole bytes", text)) }
    }

    fn put_base64<E: Error>(&mut self, text: &str) -> Result<(), E> {
        const ANY_PADDING: GeneralPurposeConfig =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let alphabet = if text.contains(['-', '_']) { base64::alphabet::URL_SAFE } else { base64::alphabet::STANDARD };
        let frame = Frame::open(self.out, self.field.number, text.len() / 4 * 3);
        let decoded = GeneralPurpose::new(&alphabet, ANY_PADDING).decode_vec(text, self.out);
        decoded.map_err(|e| E::custom(format!("{}: not base64: {e}", self.field.camel)))?;
        frame.close(self.out);
        Ok(())
    }

    fn put_time<E: Error>(&mut self, parts: Option<(i64, i32)>, what: &str, text: &str) -> Result<(), E> {
        let Some((seconds, nanos)) = parts else { return Err(self.not(what, text)) };
        let frame = Frame::open(self.out, self.field.number, 16);
        put_uint(self.out, 1, seconds as u64);
        put_uint(self.out, 2, i64::from(nanos) as u64);
        frame.close(self.out);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.field.kind {
            _ if self.field.repeated && !self.element => "a list",
            Kind::Text | Kind::Base64 | Kind::Hex | Kind::Timestamp | Kind::Duration => "a string",
            Kind::Bool => "a boolean",
            Kind::Double => "a number",
            Kind::Enum(_) => "an enum's name or number",
            Kind::Message(_) => "an object",
            Kind::Int64 | Kind::Uint32 | Kind::Fixed64 | Kind::Fixed32 => "a whole number",
        };
        write!(f, "{what} in {}", self.field.camel)
    }

    fn visit_bool<E: Error>(mut self, v: bool) -> Result<(), E> {
        if !matches!(self.field.kind, Kind::Bool) {
            return Err(self.wrong(Unexpected::Bool(v)));
        }
        self.put_tag();
        self.out.push(u8::from(v));
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, v: u64) -> Result<(), E> {
        self.put_integer(i128::from(v))
    }

    fn visit_i64<E: Error>(mut self, v: i64) -> Result<(), E> {
        self.put_integer(i128::from(v))
    }

    fn visit_f64<E: Error>(mut self, v: f64) -> Result<(), E> {
        self.put_double(v)
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        match self.field.kind {
            _ if self.field.repeated && !self.element => Err(self.wrong(Unexpected::Str(text))),
            Kind::Hex => self.put_hex(text),
            Kind::Base64 => self.put_base64(text),
            Kind::Timestamp => self.put_time(time::timestamp(text), "an RFC 3339 time", text),
            Kind::Duration => self.put_time(time::duration(text), "a duration in seconds", text),
            Kind::Double => match text.parse() {
                Ok(v) => self.put_double(v),
                Err(_) => Err(self.not("a number", text)),
            },
            Kind::Enum(names) => match names.iter().position(|n| *n == text) {
                Some(number) => self.put_integer(number as i128),
                None => Err(self.not("a name of this enum", text)),
            },
            Kind::Int64 | Kind::Uint32 | Kind::Fixed64 | Kind::Fixed32 => match text.parse::<i128>() {
                Ok(v) => self.put_integer(v),
                Err(_) => Err(self.not("a whole number", text)),
            },
            Kind::Text | Kind::Bool | Kind::Message(_) => Err(self.wrong(Unexpected::Str(text))),
        }
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<(), E> {
        put_bytes(self.out, self.field.number, text);
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_bytes(self)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    /// `null`: an absent field, or an empty element of a list.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.element {
            put_bytes(self.out, self.field.number, b"");
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.element || !self.field.repeated {
            return Err(self.wrong(Unexpected::Seq));
        }
        while list.next_element_seed(Value { field: self.field, element: true, out: self.out })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Kind::Message(table) = self.field.kind else { return Err(self.wrong(Unexpected::Map)) };
        if self.field.repeated && !self.element {
            return Err(self.wrong(Unexpected::Map));
        }
        let frame = Frame::open(self.out, self.field.number, 64);
        Object { table, out: self.out }.visit_map(map)?;
        frame.close(self.out);
        Ok(())
    }
}
