//! Any v2 span is the same in JSON and protobuf, and damaged bytes of any form are refused or read, never more.

use crate::damage::{Flips, check, damaged, flips};
use crate::thrift_oracle::bytes;
use crate::zipkin_show::hex;
use crate::zipkin_thrift::{Annotation, Binary, Host, Span as Core, emit, list_of};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use skua_codec::thrift::{Protocol, datagram};
use skua_codec::zipkin::{core_thrift, v1_json, v1_thrift, v2_json, v2_proto};
use skua_model::wire::{fixed64, put_bytes, put_message, put_uint, put_varint};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

#[derive(Debug, Clone)]
struct Endpoint {
    service: Option<String>,
    ipv4: Option<[u8; 4]>,
    ipv6: Option<[u8; 16]>,
    port: u16,
}

#[derive(Debug, Clone)]
struct Span {
    trace_id: [u8; 16],
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    name: Option<String>,
    kind: Option<usize>,
    timestamp: u64,
    duration: Option<u64>,
    local: Option<Endpoint>,
    remote: Option<Endpoint>,
    annotations: Vec<(u64, String)>,
    tags: BTreeMap<String, String>,
}

const KINDS: [&str; 4] = ["CLIENT", "SERVER", "PRODUCER", "CONSUMER"];

fn key() -> impl Strategy<Value = String> {
    const SPECIAL: [&str; 13] = [
        "error",
        "span.kind",
        "host.name",
        "service.name",
        "otel.library.name",
        "otel.library.version",
        "otel.status_code",
        "otel.status_description",
        "w3c.tracestate",
        "otlp.service.name.source",
        "net.peer.ip",
        "peer.service",
        "http.path",
    ];
    prop_oneof![any::<String>(), "[a-z.]{1,12}", prop::sample::select(&SPECIAL[..]).prop_map(str::to_owned)]
}

fn text() -> impl Strategy<Value = String> {
    const PACKED: [&str; 7] = [r#"n|{"a":"b","n":1.5}|2"#, "a|b", "a|b|c", "true", "Ok", "internal", ""];
    prop_oneof![any::<String>(), prop::sample::select(&PACKED[..]).prop_map(str::to_owned)]
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let fields = (option::of("[a-zA-Z]{0,9}"), any::<Option<[u8; 4]>>(), any::<Option<[u8; 16]>>(), any::<u16>());
    fields.prop_map(|(service, ipv4, ipv6, port)| Endpoint { service, ipv4, ipv6, port })
}

fn span() -> impl Strategy<Value = Span> {
    let id = || any::<[u8; 8]>().prop_filter("zero", |id| *id != [0; 8]);
    let head = (any::<[u8; 16]>(), id(), option::of(id()), option::of(text()), option::of(0..4_usize));
    let time = (1..u64::MAX, any::<Option<u64>>());
    let rest =
        (option::of(endpoint()), option::of(endpoint()), vec((1..u64::MAX, text()), 0..3), btree_map(key(), text(), 0..40));
    (head, time, rest).prop_map(
        |((trace_id, id, parent, name, kind), (timestamp, duration), (local, remote, annotations, tags))| Span {
            trace_id,
            id,
            parent,
            name,
            kind,
            timestamp,
            duration,
            local,
            remote,
            annotations,
            tags,
        },
    )
}

impl Endpoint {
    fn json(&self) -> Value {
        json!({
            "serviceName": self.service, "ipv4": self.ipv4.map(|ip| Ipv4Addr::from(ip).to_string()),
            "ipv6": self.ipv6.map(|ip| Ipv6Addr::from(ip).to_string()), "port": self.port
        })
    }

    fn proto(&self, b: &mut Vec<u8>) {
        self.service.iter().for_each(|s| put_bytes(b, 1, s.as_bytes()));
        self.ipv4.iter().for_each(|ip| put_bytes(b, 2, ip));
        self.ipv6.iter().for_each(|ip| put_bytes(b, 3, ip));
        put_uint(b, 4, u64::from(self.port));
    }
}

impl Span {
    fn json(&self) -> Value {
        let annotations: Vec<_> = self.annotations.iter().map(|(t, v)| json!({"timestamp": t, "value": v})).collect();
        let tags: Map<_, _> = self.tags.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))).collect();
        json!({
            "traceId": hex(&self.trace_id), "id": hex(&self.id), "parentId": self.parent.map(|p| hex(&p)), "name": self.name,
            "kind": self.kind.map(|k| KINDS[k]), "timestamp": self.timestamp, "duration": self.duration, "shared": true,
            "localEndpoint": self.local.as_ref().map(Endpoint::json), "remoteEndpoint": self.remote.as_ref().map(Endpoint::json),
            "annotations": annotations, "tags": tags
        })
    }

    fn proto(&self, b: &mut Vec<u8>) {
        let fixed = |b: &mut Vec<u8>, number, v: u64| {
            put_varint(b, u64::from(fixed64(number)));
            b.extend_from_slice(&v.to_le_bytes());
        };
        put_bytes(b, 1, &self.trace_id);
        self.parent.iter().for_each(|p| put_bytes(b, 2, p));
        put_bytes(b, 3, &self.id);
        put_uint(b, 4, self.kind.map_or(0, |k| k as u64 + 1));
        self.name.iter().for_each(|n| put_bytes(b, 5, n.as_bytes()));
        fixed(b, 6, self.timestamp);
        put_uint(b, 7, self.duration.unwrap_or(0));
        self.local.iter().for_each(|e| put_message(b, 8, |b| e.proto(b)));
        self.remote.iter().for_each(|e| put_message(b, 9, |b| e.proto(b)));
        for (timestamp, value) in &self.annotations {
            put_message(b, 10, |b| {
                fixed(b, 1, *timestamp);
                put_bytes(b, 2, value.as_bytes());
            });
        }
        for (key, value) in &self.tags {
            put_message(b, 11, |b| {
                put_bytes(b, 1, key.as_bytes());
                put_bytes(b, 2, value.as_bytes());
            });
        }
        put_uint(b, 13, 1);
    }
}

fn json(spans: &[Span]) -> Vec<u8> {
    Value::from(spans.iter().map(Span::json).collect::<Vec<_>>()).to_string().into_bytes()
}

fn proto(spans: &[Span]) -> Vec<u8> {
    let mut body = Vec::new();
    spans.iter().for_each(|s| put_message(&mut body, 1, |b| s.proto(b)));
    body
}

fn host() -> impl Strategy<Value = Host> {
    let service = prop::sample::select(&["", "a", "b"][..]);
    (service, any::<i32>(), any::<i16>(), option::of(vec(any::<u8>(), 0..17))).prop_map(|(service, ipv4, port, ipv6)| Host {
        service,
        ipv4,
        port,
        ipv6,
    })
}

fn core() -> impl Strategy<Value = Core> {
    let value = prop_oneof![
        prop::sample::select(&["cs", "cr", "ss", "sr", "ms", "", "{\"a\":\"b\"}"][..]).prop_map(str::to_owned),
        text()
    ];
    let annotation =
        (any::<i64>(), value, option::of(host())).prop_map(|(timestamp, value, host)| Annotation { timestamp, value, host });
    let keys = prop_oneof![
        prop::sample::select(&["lc", "sa", "error", "jaegerClient", "http.status_code"][..]).prop_map(str::to_owned),
        key()
    ];
    let binary = (keys, vec(any::<u8>(), 0..10), -1..8_i32, option::of(host())).prop_map(|(key, value, kind, host)| {
        let b = Binary::new(&key, &value, kind);
        host.iter().fold(b, |b, host| b.on(host))
    });
    let times = (any::<Option<i64>>(), any::<Option<i64>>(), any::<Option<i64>>(), any::<Option<i64>>(), any::<bool>());
    (any::<[i64; 2]>(), times, vec(annotation, 0..5), vec(binary, 0..5)).prop_map(
        |([trace_id, id], (parent_id, timestamp, duration, trace_id_high, debug), annotations, binary)| Core {
            trace_id,
            trace_id_high,
            id,
            parent_id,
            name: "n".into(),
            debug,
            timestamp,
            duration,
            annotations,
            binary,
        },
    )
}

/// In v1's JSON; what Thrift has and JSON lacks is left out.
fn v1(spans: &[Span]) -> Vec<u8> {
    let endpoint = |e: &Option<Endpoint>| e.as_ref().map(Endpoint::json);
    let spans: Vec<_> = spans.iter().map(|s| {
        let annotations: Vec<_> = s.annotations.iter().map(|(t, v)| json!({"timestamp": t >> 1, "value": v, "endpoint": endpoint(&s.local)})).collect();
        let binary: Vec<_> = s.tags.iter().map(|(k, v)| json!({"key": k, "value": v, "endpoint": endpoint(&s.remote)})).collect();
        json!({
            "traceId": hex(&s.trace_id), "id": hex(&s.id), "parentId": s.parent.map(|p| hex(&p)), "name": s.name,
            "timestamp": s.timestamp >> 1, "duration": s.duration.map(|d| d >> 1), "annotations": annotations, "binaryAnnotations": binary
        })
    }).collect();
    Value::from(spans).to_string().into_bytes()
}

type Cut = prop::sample::Index;

fn each_form(spans: &[Span], core: &[Core], cut: Option<(Cut, Flips)>) {
    let damage = |body: Vec<u8>| match &cut {
        Some((cut, flips)) => damaged(body, *cut, flips.clone()),
        None => body,
    };
    check(|out| v2_json(&damage(json(spans)), out).is_ok());
    check(|out| v2_proto(&damage(proto(spans)), out).is_ok());
    check(|out| v1_json(&damage(v1(spans)), 5, out).is_ok());
    let list = damage(bytes(Protocol::Binary, |o| list_of(o, core)));
    check(|out| v1_thrift(&list, out).is_ok());
    check(|out| core_thrift(&list, out).is_ok());
    for protocol in [Protocol::Compact, Protocol::Binary] {
        let packet = damage(bytes(protocol, |o| emit(o, core)));
        check(|out| datagram(protocol, &packet, Some("jaeger"), out).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn json_and_protobuf_say_the_same(spans in vec(span(), 0..4)) {
        let (mut from_json, mut from_proto) = (Vec::new(), Vec::new());
        let results = (v2_json(&json(&spans), &mut from_json), v2_proto(&proto(&spans), &mut from_proto));
        prop_assert!(results.0.is_ok() && results.1.is_ok(), "{:?}", results);
        prop_assert_eq!(crate::zipkin_show::show(&from_json), crate::zipkin_show::show(&from_proto));
        prop_assert_eq!(from_json, from_proto);
    }

    /// Every form reads what is sound, and it can be written in every encoding.
    #[test]
    fn sound_spans(spans in vec(span(), 1..3), core in vec(core(), 1..3)) {
        prop_assert!(v1_json(&v1(&spans), 5, &mut Vec::new()).is_ok() || spans.iter().any(|s| s.trace_id == [0; 16]));
        prop_assert!(core_thrift(&bytes(Protocol::Binary, |o| list_of(o, &core)), &mut Vec::new()).is_ok());
        each_form(&spans, &core, None);
    }

    #[test]
    fn damaged_spans(spans in vec(span(), 1..3), core in vec(core(), 1..3), cut in any::<Cut>(), flips in flips()) {
        each_form(&spans, &core, Some((cut, flips)));
    }

    #[test]
    fn noise(bytes in vec(any::<u8>(), 0..200)) {
        for f in [v2_json, v2_proto, v1_thrift, core_thrift] {
            check(|out| f(&bytes, out).is_ok());
        }
        check(|out| v1_json(&bytes, 5, out).is_ok());
    }

    /// Text that is nearly JSON.
    #[test]
    fn noise_of_json(text in r#"\[(\{("(id|traceId|tags|annotations|localEndpoint)":([\[\]{}",:a1]{0,6}|"1"|\{"a":"b"\}),?){0,4}\},?){0,2}\]"#) {
        check(|out| v2_json(text.as_bytes(), out).is_ok());
        check(|out| v1_json(text.as_bytes(), 5, out).is_ok());
    }
}
