//! Warnings about a span, for those who read it later: Jaeger's attribute [`WARNINGS_KEY`], a list of texts.

use crate::header::for_each_field;
use crate::jaeger::WARNINGS_KEY;
use crate::otlp::span;
use crate::view::{AnyValue, KeyValue};
use crate::wire::{put_bytes, put_message};

/// Appends the fields of a span with one more warning: at the end of the list that it has, else in a new one.
pub(crate) fn copy_with_warning(body: &[u8], warning: &str, out: &mut Vec<u8>) {
    let mut warned = false;
    for_each_field(body, |tag, field, payload| {
        if let (false, span::ATTRIBUTES, Some(attribute)) = (warned, tag, payload)
            && let KeyValue { key: WARNINGS_KEY, value: AnyValue::Array(list) } = KeyValue::read(attribute)
        {
            put_list(list, warning, out);
            warned = true;
        } else {
            out.extend_from_slice(field);
        }
    });
    if !warned {
        put_list(b"", warning, out);
    }
}

fn put_list(list: &[u8], warning: &str, out: &mut Vec<u8>) {
    put_message(out, span::ATTRIBUTES >> 3, |out| {
        put_bytes(out, 1, WARNINGS_KEY);
        put_message(out, 2, |out| {
            put_message(out, 5, |out| {
                out.extend_from_slice(list);
                put_message(out, 1, |out| put_bytes(out, 1, warning.as_bytes()));
            });
        });
    });
}
