//! What Jaeger's clients send, written with Apache's own library.

use ::thrift::protocol::{
    TBinaryOutputProtocol, TCompactOutputProtocol, TFieldIdentifier, TListIdentifier, TMessageIdentifier, TMessageType,
    TOutputProtocol, TStructIdentifier, TType,
};
use skua_codec::thrift::Protocol;

type Output<'a> = &'a mut dyn TOutputProtocol;

/// A batch of a client: spans of these names, their ids counted up.
#[derive(Debug, Clone, Default)]
pub struct Batch<'a> {
    pub service: &'a str,
    pub spans: &'a [&'a str],
    pub client_uuid: Option<&'a str>,
    pub seq_no: Option<i64>,
    /// Full queue, too large, failed.
    pub stats: Option<[i64; 3]>,
    /// Of all spans; 0 is refused by the agent.
    pub trace_id: i64,
}

pub fn batch<'a>(service: &'a str, spans: &'a [&'a str]) -> Batch<'a> {
    Batch { service, spans, trace_id: 1, ..Batch::default() }
}

impl Batch<'_> {
    /// The datagram.
    pub fn packet(&self, protocol: Protocol) -> Vec<u8> {
        let mut out = Vec::new();
        match protocol {
            Protocol::Compact => self.put(&mut TCompactOutputProtocol::new(&mut out)),
            Protocol::Binary => self.put(&mut TBinaryOutputProtocol::new(&mut out, true)),
        }
        out
    }

    fn put(&self, o: Output<'_>) {
        o.write_message_begin(&TMessageIdentifier::new("emitBatch", TMessageType::OneWay, 1)).expect("written");
        structure(o, |o| field(o, 1, TType::Struct, |o| structure(o, |o| self.put_batch(o))));
    }

    fn put_batch(&self, o: Output<'_>) {
        field(o, 1, TType::Struct, |o| {
            structure(o, |o| {
                text(o, 1, self.service);
                let tags: Vec<_> = self.client_uuid.iter().map(|id| ("client-uuid", *id)).collect();
                list(o, 2, &tags, |o, (key, value)| {
                    text(o, 1, key);
                    field(o, 2, TType::I32, |o| o.write_i32(0).expect("written"));
                    text(o, 3, value);
                });
            });
        });
        let spans: Vec<_> = (1..).zip(self.spans).collect();
        list(o, 2, &spans, |o, (id, name)| {
            [(1, self.trace_id), (2, 0), (3, *id), (4, 0)].into_iter().for_each(|(id, v)| long(o, id, v));
            text(o, 5, name);
            field(o, 7, TType::I32, |o| o.write_i32(1).expect("written"));
            long(o, 8, 1_700_000_000_000_000);
            long(o, 9, 1_000);
        });
        self.seq_no.iter().for_each(|v| long(o, 3, *v));
        if let Some(stats) = self.stats {
            field(o, 4, TType::Struct, |o| structure(o, |o| (1..).zip(stats).for_each(|(id, v)| long(o, id, v))));
        }
    }
}

/// An `emitZipkinBatch` of one span, in the compact protocol: `cs` and `cr` of a service, a millisecond apart.
pub fn zipkin(service: &str, operation: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let o: Output<'_> = &mut TCompactOutputProtocol::new(&mut out);
    o.write_message_begin(&TMessageIdentifier::new("emitZipkinBatch", TMessageType::OneWay, 1)).expect("written");
    structure(o, |o| {
        list(o, 1, &[()], |o, ()| {
            long(o, 1, 1);
            text(o, 3, operation);
            long(o, 4, 2);
            list(o, 6, &[("cs", 1_700_000_000_000_000), ("cr", 1_700_000_000_001_000)], |o, (value, time)| {
                long(o, 1, *time);
                text(o, 2, value);
                field(o, 3, TType::Struct, |o| structure(o, |o| text(o, 3, service)));
            });
            long(o, 10, 1_700_000_000_000_000);
            long(o, 11, 1_000);
        });
    });
    out
}

fn structure(o: Output<'_>, fields: impl FnOnce(Output<'_>)) {
    o.write_struct_begin(&TStructIdentifier::new("")).expect("written");
    fields(o);
    o.write_field_stop().expect("written");
    o.write_struct_end().expect("written");
}

fn field(o: Output<'_>, id: i16, kind: TType, value: impl FnOnce(Output<'_>)) {
    o.write_field_begin(&TFieldIdentifier::new("", kind, id)).expect("written");
    value(o);
    o.write_field_end().expect("written");
}

fn long(o: Output<'_>, id: i16, v: i64) {
    field(o, id, TType::I64, |o| o.write_i64(v).expect("written"));
}

fn text(o: Output<'_>, id: i16, v: &str) {
    field(o, id, TType::String, |o| o.write_string(v).expect("written"));
}

fn list<T>(o: Output<'_>, id: i16, items: &[T], item: impl Fn(Output<'_>, &T)) {
    field(o, id, TType::List, |o| {
        o.write_list_begin(&TListIdentifier::new(TType::Struct, items.len() as i32)).expect("written");
        items.iter().for_each(|i| structure(o, |o| item(o, i)));
        o.write_list_end().expect("written");
    });
}
