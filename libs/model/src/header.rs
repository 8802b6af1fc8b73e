//! The resource of a `ResourceSpans`, taken out of the header to be written anew.

use crate::otlp::{resource, resource_spans};
use crate::view::KeyValue;
use crate::wire::{Cursor, messages, put_bytes, put_message};

/// A header in two: all `Resource` messages as one (protobuf merges repeated ones), and the other fields as they lie.
pub(crate) struct ResourceHeader {
    pub resource: Vec<u8>,
    pub others: Vec<u8>,
}

impl ResourceHeader {
    /// `fields` are those of the header, one after the other.
    pub fn read(fields: &[u8]) -> Self {
        let mut header = Self { resource: Vec::with_capacity(fields.len() + 64), others: Vec::new() };
        for_each_field(fields, |tag, field, payload| match payload {
            Some(body) if tag == resource_spans::RESOURCE => header.resource.extend_from_slice(body),
            _ => header.others.extend_from_slice(field),
        });
        header
    }

    /// The resource's attributes.
    pub fn attributes(&self) -> impl Iterator<Item = KeyValue<'_>> {
        messages(&self.resource, resource::ATTRIBUTES).map(KeyValue::read)
    }

    /// Writes the header.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, resource_spans::RESOURCE >> 3, &self.resource);
        out.extend_from_slice(&self.others);
    }
}

/// Gives each field of a message that has passed the check: its tag, the whole field, and the payload of one with a length.
pub(crate) fn for_each_field<'a>(message: &'a [u8], mut field: impl FnMut(u32, &'a [u8], Option<&'a [u8]>)) {
    let mut c = Cursor::new(message);
    loop {
        let start = message.len() - c.remaining();
        let Ok(Some(tag)) = c.tag() else { break };
        let payload = if tag & 7 == 2 { c.bytes().map(Some) } else { c.skip(tag, 0).map(|()| None) };
        let Ok(payload) = payload else { break };
        field(tag, &message[start..message.len() - c.remaining()], payload);
    }
}

/// Writes an attribute with a text value as this field.
pub(crate) fn put_text_attribute(out: &mut Vec<u8>, number: u32, key: &[u8], value: &[u8]) {
    put_message(out, number, |out| {
        put_bytes(out, 1, key);
        put_message(out, 2, |out| put_bytes(out, 1, value));
    });
}
