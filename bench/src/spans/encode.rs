//! The few protobuf shapes an OTLP span needs, written by hand and apart from the product's own writer on purpose:
//! a mistake there must not hide behind the same mistake here.

/// A base-128 varint.
pub fn varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// A varint field.
pub fn uint(out: &mut Vec<u8>, field: u32, v: u64) {
    varint(out, u64::from(field) << 3);
    varint(out, v);
}

/// A 64-bit field, little end first.
pub fn fixed64(out: &mut Vec<u8>, field: u32, v: u64) {
    varint(out, u64::from(field) << 3 | 1);
    out.extend_from_slice(&v.to_le_bytes());
}

/// A 32-bit field, little end first.
pub fn fixed32(out: &mut Vec<u8>, field: u32, v: u32) {
    varint(out, u64::from(field) << 3 | 5);
    out.extend_from_slice(&v.to_le_bytes());
}

/// A string, bytes or ready message field.
pub fn bytes(out: &mut Vec<u8>, field: u32, v: &[u8]) {
    varint(out, u64::from(field) << 3 | 2);
    varint(out, v.len() as u64);
    out.extend_from_slice(v);
}

/// A message field whose body `fill` writes.
pub fn message(out: &mut Vec<u8>, field: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    fill(&mut body);
    bytes(out, field, &body);
}

/// Writes `KeyValue` fields of one number, and counts them.
pub struct Attributes<'a> {
    out: &'a mut Vec<u8>,
    field: u32,
    /// How many were written.
    pub count: usize,
}

impl<'a> Attributes<'a> {
    /// A writer of `KeyValue`s with this field number (1 in a resource, 9 in a span, 3 in an event).
    pub fn new(out: &'a mut Vec<u8>, field: u32) -> Self {
        Self { out, field, count: 0 }
    }

    fn put(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.count += 1;
        message(self.out, self.field, |kv| {
            bytes(kv, 1, key.as_bytes());
            message(kv, 2, value);
        });
    }

    /// A string value.
    pub fn text(&mut self, key: &str, v: &str) {
        self.put(key, |out| bytes(out, 1, v.as_bytes()));
    }

    /// A boolean value.
    pub fn flag(&mut self, key: &str, v: bool) {
        self.put(key, |out| uint(out, 2, u64::from(v)));
    }

    /// An integer value.
    pub fn int(&mut self, key: &str, v: i64) {
        self.put(key, |out| uint(out, 3, v as u64));
    }

    /// A floating-point value.
    pub fn double(&mut self, key: &str, v: f64) {
        self.put(key, |out| fixed64(out, 4, v.to_bits()));
    }
}
