//! Zipkin v2 in JSON and protobuf: the shapes of Zipkin's published examples, and each rule of the collector's receiver.

use crate::zipkin_show::show;
use serde_json::{Value, json};
use skua_codec::zipkin::{ZipkinError, v2_json, v2_proto};
use skua_model::wire::{put_bytes, put_message, put_uint, put_varint};

fn read(body: &[u8]) -> Result<Vec<String>, ZipkinError> {
    let mut out = Vec::new();
    v2_json(body, &mut out).map(|()| show(&out))
}

/// One span of some service, with fields of its own.
fn one(fields: Value) -> Result<Vec<String>, ZipkinError> {
    let base =
        json!({"traceId": "a1", "id": "b2", "timestamp": 1_000_000, "duration": 5, "localEndpoint": {"serviceName": "front"}});
    let (Value::Object(mut span), Value::Object(fields)) = (base, fields) else { panic!("objects") };
    for (key, value) in fields {
        span.insert(key, value);
    }
    read(json!([span]).to_string().as_bytes())
}

/// The lines of one span: resource, maybe scope, span.
fn ok(fields: Value) -> String {
    one(fields.clone()).unwrap_or_else(|e| panic!("{fields}: {e}")).join("\n")
}

fn error(fields: Value) -> String {
    one(fields).expect_err("an error").to_string()
}

/// A client's span with every field, and the server's half of it.
#[test]
fn the_published_example() {
    let body = json!([
        {
            "traceId": "5af7183fb1d4cf5f", "id": "352bff9a74ca9ad2", "parentId": "6b221d5bc9e6496c", "name": "get /api", "kind": "CLIENT",
            "timestamp": 1_556_604_172_355_737_u64, "duration": 1431, "debug": true,
            "localEndpoint": {"serviceName": "backend", "ipv4": "192.168.99.1", "port": 3306},
            "remoteEndpoint": {"serviceName": "db", "ipv4": "172.19.0.2", "port": 58648},
            "annotations": [{"timestamp": 1_556_604_172_355_800_u64, "value": "wire send"}],
            "tags": {"http.method": "GET", "http.path": "/api"}
        },
        {
            "traceId": "5af7183fb1d4cf5f", "id": "352bff9a74ca9ad2", "parentId": "6b221d5bc9e6496c", "name": "get", "kind": "SERVER",
            "shared": true, "timestamp": 1_556_604_172_356_000_u64, "duration": 1000,
            "localEndpoint": {"serviceName": "backend"}, "unknown": {"a": [1, null, {"b": "c"}]}
        }
    ]);
    assert_eq!(
        read(body.to_string().as_bytes()).expect("spans"),
        [
            "resource {service.name=backend}",
            "00000000000000005af7183fb1d4cf5f 352bff9a74ca9ad2 \"get /api\" kind3 1556604172355737000+1431000 parent 6b221d5bc9e6496c \
             {http.method=GET, http.path=/api, net.host.ip=192.168.99.1, net.host.port=int:3306, peer.service=db, net.peer.ip=172.19.0.2, \
             net.peer.port=int:58648} event \"wire send\"@1556604172355800000{}-0",
            "00000000000000005af7183fb1d4cf5f 352bff9a74ca9ad2 \"get\" kind2 1556604172356000000+1000000 parent 6b221d5bc9e6496c {}",
        ]
    );
}

#[test]
fn ids_of_64_and_128_bits() {
    for (id, want) in [
        ("463ac35c9f6413ad48485a3953bb6124", "463ac35c9f6413ad48485a3953bb6124"),
        ("463AC35C9F6413AD", "0000000000000000463ac35c9f6413ad"),
        ("1", "00000000000000000000000000000001"),
        ("10000000000000002", "00000000000000010000000000000002"),
        ("0000000000000000000000000000000000000003", "00000000000000000000000000000003"),
    ] {
        assert!(ok(json!({"traceId": id})).contains(want), "{id}");
    }
    assert!(ok(json!({"id": "0000000000000000b3"})).contains(" 00000000000000b3 "));
}

#[test]
fn malformed_ids_and_numbers_are_named() {
    for (fields, want) in [
        (json!({"id": "xyz"}), r#"id: "xyz" is not an id of at most 16 hex digits"#),
        (json!({"id": "10000000000000000"}), r#"id: "10000000000000000" is not an id of at most 16 hex digits"#),
        (json!({"id": 5}), "id: not a string at byte"),
        (json!({"id": ""}), r#"id: "" is not an id"#),
        (json!({"id": "0"}), "id: it is absent or zero"),
        (json!({"traceId": "é"}), r#"traceId: "é" is not an id of at most 32 hex digits"#),
        (json!({"traceId": ""}), r#"traceId: "" is not an id"#),
        (json!({"parentId": "g"}), r#"parentId: "g" is not an id"#),
        (json!({"timestamp": -1}), r#"timestamp: "-1" is not a whole number"#),
        (json!({"timestamp": 1.5}), r#"timestamp: "1.5" is not a whole number"#),
        (json!({"duration": "5s"}), r#"duration: "5s" is not a whole number"#),
        (json!({"duration": []}), "duration: not a number at byte"),
        (json!({"kind": 1}), "kind: not a string at byte"),
        (json!({"name": {}}), "name: not a string at byte"),
        (json!({"localEndpoint": "x"}), "localEndpoint: not an object at byte"),
        (json!({"localEndpoint": {"port": 65536}}), r#"localEndpoint.port: "65536" is not a whole number in the field's range"#),
        (json!({"remoteEndpoint": {"ipv4": "1.2.3"}}), r#"remoteEndpoint.ipv4: "1.2.3" is not an IP address"#),
        (json!({"remoteEndpoint": {"ipv6": 1}}), "remoteEndpoint.ipv6: not a string at byte"),
        (json!({"annotations": {}}), "annotations: not a list at byte"),
        (json!({"annotations": [{"value": "x"}]}), "annotations.timestamp: it is absent or zero"),
        (json!({"annotations": [{"timestamp": 1, "value": 2}]}), "annotations.value: not a string at byte"),
        (json!({"tags": []}), "tags: not an object at byte"),
        (json!({"tags": {"a": 1}}), "tags: not a string at byte"),
    ] {
        let got = error(fields.clone());
        assert!(got.starts_with(&format!("failed to read span 0 of the list of Zipkin spans: {want}")), "{fields}: {got}");
    }
}

/// Whatever is wrong with the second span costs the request, and the message says so.
#[test]
fn one_malformed_span_fails_the_request() {
    let mut out = b"kept".to_vec();
    let body = json!([{"traceId": "1", "id": "2"}, null, {"traceId": "1", "id": "x"}]);
    let error = v2_json(body.to_string().as_bytes(), &mut out).expect_err("an error").to_string();
    assert!(error.contains("span 2 of the list"), "{error}");
    assert_eq!(out, b"kept");
}

#[test]
fn what_is_not_a_list_of_spans() {
    for body in ["", "{}", "\"x\"", "[", "[1]", "[{}]", "[]x", "[{},]", "[[]]", "[{\"traceId\":\"1\",\"id\":\"2\"}"] {
        let error = read(body.as_bytes()).expect_err(body).to_string();
        assert!(error.starts_with("failed to read "), "{error}");
    }
    for body in ["[]", "null", " [ null ] "] {
        assert!(read(body.as_bytes()).expect("no spans").is_empty());
    }
}

#[test]
fn parents() {
    assert!(ok(json!({"parentId": "c"})).contains("parent 000000000000000c"));
    for parent in [json!("b2"), json!("0"), json!(""), Value::Null] {
        assert!(!ok(json!({"parentId": parent})).contains("parent"));
    }
}

#[test]
fn kinds() {
    for (kind, number) in [("SERVER", 2), ("CLIENT", 3), ("PRODUCER", 4), ("CONSUMER", 5), ("client", 0), ("", 0)] {
        assert!(ok(json!({"kind": kind})).contains(&format!("kind{number} ")), "{kind}");
    }
    for (fields, want) in [
        (json!({"tags": {"span.kind": "internal"}}), "kind1 1000000000+5000 {}"),
        (json!({"tags": {"span.kind": "server"}}), "kind0 1000000000+5000 {}"),
        (json!({"kind": "CLIENT", "tags": {"span.kind": "x"}}), "kind3 1000000000+5000 {span.kind=x}"),
    ] {
        assert!(ok(fields).ends_with(want));
    }
}

#[test]
fn times() {
    for (fields, want) in [
        (json!({"timestamp": null, "duration": 7}), "0+7000 {otel.zipkin.absentField.startTime=bool:true}"),
        (json!({"timestamp": 0}), "0+5000 {otel.zipkin.absentField.startTime=bool:true}"),
        (json!({"duration": null}), "1000000000+0 {}"),
        (json!({"timestamp": "1472470996199000"}), "1472470996199000000+5000 {}"),
        (json!({"timestamp": 1.472470996199e15}), "1472470996199000000+5000 {}"),
        (json!({"timestamp": u64::MAX}), "18446744073709551615+0 {}"),
    ] {
        assert!(ok(fields.clone()).ends_with(want), "{fields}: {}", ok(fields.clone()));
    }
}

/// The rules of the endpoints, and that a field is stronger than a tag.
#[test]
fn endpoints() {
    for (fields, want) in [
        (json!({"localEndpoint": {"serviceName": "FRONT"}}), "resource {service.name=FRONT}"),
        (json!({"localEndpoint": null, "tags": {"host.name": "h", "a": "b"}}), "resource {}\n"),
        (json!({"localEndpoint": null, "tags": {"host.name": "h", "a": "b"}}), " {a=b}"),
        (json!({"localEndpoint": {"ipv4": "1.2.3.4", "serviceName": ""}}), "{net.host.ip=1.2.3.4}"),
        (json!({"localEndpoint": {"ipv4": "1.2.3.4", "ipv6": "2001:0DB8:0:0::1"}}), "{net.host.ip=2001:db8::1}"),
        (json!({"remoteEndpoint": {"ipv6": "::ffff:1.2.3.4"}}), "{net.peer.ip=1.2.3.4}"),
        (json!({"remoteEndpoint": {"ipv6": "", "ipv4": null, "port": "80"}}), "{net.peer.port=int:80}"),
        (
            json!({"remoteEndpoint": {"serviceName": "db"}, "tags": {"peer.service": "x", "net.peer.ip": "y"}}),
            "{net.peer.ip=y, peer.service=db}",
        ),
        (json!({"REMOTEendpoint": {"SERVICEname": "db"}}), "{peer.service=db}"),
    ] {
        assert!(ok(fields.clone()).contains(want), "{fields}: {}", ok(fields.clone()));
    }
}

#[test]
fn some_tags_describe_the_process() {
    for (tags, want) in [
        (
            json!({"host.name": "h", "service.version": "2", "a": "b"}),
            "resource {service.name=front, host.name=h, service.version=2}\n",
        ),
        (json!({"host.names": "h"}), "resource {service.name=front}\n"),
        (json!({"service.name": "other"}), "resource {service.name=other}\n"),
        (json!({"otlp.service.name.source": "faas.name"}), "resource {faas.name=front}\n"),
        (json!({"otel.library.name": "lib", "otel.library.version": "1"}), "\nscope lib 1\n"),
    ] {
        assert!(ok(json!({"tags": tags})).contains(want), "{tags}: {}", ok(json!({"tags": tags})));
    }
    assert!(!ok(json!({"tags": {"otel.library.version": "1"}})).contains("scope"));
}

#[test]
fn statuses() {
    for (tags, want) in [
        (json!({"error": "true"}), "{} status 2 \"\""),
        (json!({"error": "boom"}), "{error=boom} status 2 \"\""),
        (json!({"error": "false"}), "{error=false} status 2 \"\""),
        (json!({"otel.status_code": "STATUS_CODE_OK"}), "{} status 1 \"\""),
        (json!({"otel.status_code": "Error", "otel.status_description": "why"}), "{} status 2 \"why\""),
        (json!({"otel.status_code": "ERROR", "otel.status_description": "why"}), "{} status 0 \"why\""),
        (json!({"otel.status_description": "why"}), "{otel.status_description=why}"),
        (json!({"otel.status_code": "Ok", "error": ""}), "{error=} status 2 \"\""),
    ] {
        assert!(ok(json!({"tags": tags})).ends_with(want), "{tags}: {}", ok(json!({"tags": tags})));
    }
    assert!(ok(json!({"tags": {"w3c.tracestate": "a=b"}})).ends_with("state a=b {}"));
}

/// What OpenTelemetry's exporter packs into annotations. Text that only looks like it stays text.
#[test]
fn packed_events() {
    for (value, want) in [
        ("plain", r#""plain"@7000{}-0"#),
        (r#"n|{"a":"b","n":1,"f":1.5,"t":true,"z":null,"l":[1]}|3"#, r#""n"@7000{a=b, n=int:1, f=double:1.5, t=bool:true}-3"#),
        (r#"n|{"a":"b|c"}|0"#, r#""n"@7000{a=b|c}-0"#),
        ("n|null|0", r#""n"@7000{}-0"#),
        ("a|b", r#""a"@7000{}-0"#),
        ("a|b|c", r#""a|b|c"@7000{}-0"#),
        ("a|{}|x", r#""a|{}|x"@7000{}-0"#),
        ("a|{\"k\":1}|4294967296", r#""a|{\"k\":1}|4294967296"@7000{}-0"#),
        ("||", r#""||"@7000{}-0"#),
    ] {
        let got = ok(json!({"annotations": [{"timestamp": 7, "value": value}]}));
        assert!(got.ends_with(&format!("event {want}")), "{value}: {got}");
    }
}

#[test]
fn packed_links() {
    let (trace, span) = ("0000000000000000000000000000000a", "000000000000000b");
    let tags = json!({
        "otlp.link.1": format!("\"{trace}\"|\"{span}\"||{{}}|0"),
        "otlp.link.0": format!("{trace}|{span}|s=t|{{\"x\":\"y|z\"}}|2"),
        "otlp.link.2": "too|short",
        "otlp.link.4": "not the next",
    });
    let want = format!("{{otlp.link.4=not the next}} link {trace}/{span} \"s=t\" {{x=y|z}}-2 link {trace}/{span} \"\" {{}}-0");
    let got = ok(json!({"tags": tags}));
    assert!(got.ends_with(&want), "{got}");
    for (link, want) in [
        (format!("0a|{span}||{{}}|0"), "\"0a\" is not a trace id of 32 hex digits"),
        (format!("{trace}|0b||{{}}|0"), "\"0b\" is not a span id of 16 hex digits"),
        (format!("{trace}|{span}||x|0"), "\"x\" is not an object of attributes"),
        (format!("{trace}|{span}||{{}}|-1"), "\"-1\" is not a number of dropped attributes"),
    ] {
        let got = error(json!({"tags": {"otlp.link.0": link}}));
        assert!(got.ends_with(&format!("tags.otlp.link: {want}")), "{got}");
    }
}

/// The last of equal keys counts, as in Go; strings are unescaped, and bytes that are not UTF-8 become U+FFFD.
#[test]
fn strings_and_duplicates() {
    let body = br#"[{"traceId":"1","id":"9","id":"2","timestamp":1,"name":"caf\u00e9 \ud83d\ude00 \ud83d","tags":{"a":"1","b":"http:\/\/x","a":"2"},"tags":{"c":null}}]"#;
    let got = read(body).expect("a span").join("\n");
    assert!(got.contains("0000000000000002 \"café 😀 \u{fffd}\""), "{got}");
    assert!(got.ends_with("{a=2, b=http://x, c=}"), "{got}");
    let got = read(b"[{\"traceId\":\"1\",\"id\":\"2\",\"timestamp\":1,\"name\":\"a\xe2\x82b\"}]").expect("a span").join("\n");
    assert!(got.contains("\"a\u{fffd}\u{fffd}b\""), "{got}");
}

/// Spans side by side with the same process and scope share a `ResourceSpans`.
#[test]
fn groups() {
    let span = |service: &str, tags: Value| json!({"traceId": "1", "id": "2", "timestamp": 1, "localEndpoint": {"serviceName": service}, "tags": tags});
    let body = json!([
        span("a", json!({"x": "1"})),
        span("a", json!({"host.name": "h"})),
        span("a", json!({"host.name": "h", "y": "2"})),
        span("b", json!({"host.name": "h"})),
        span("b", json!({"host.name": "h", "otel.library.name": "l"})),
    ]);
    let lines = read(body.to_string().as_bytes()).expect("spans");
    let heads: Vec<_> = lines.iter().map(|l| if l.starts_with(['r', 's']) { &**l } else { "span" }).collect();
    assert_eq!(
        heads,
        [
            "resource {service.name=a}",
            "span",
            "resource {service.name=a, host.name=h}",
            "span",
            "span",
            "resource {service.name=b, host.name=h}",
            "span",
            "resource {service.name=b, host.name=h}",
            "scope l ",
            "span"
        ]
    );
}

/// A list of one span of these fields, ids given.
fn proto(fields: impl FnOnce(&mut Vec<u8>)) -> Result<Vec<String>, ZipkinError> {
    let (mut body, mut out) = (Vec::new(), Vec::new());
    put_message(&mut body, 1, |b| {
        put_bytes(b, 1, &[1; 16]);
        put_bytes(b, 3, &[2; 8]);
        fields(b);
    });
    v2_proto(&body, &mut out).map(|()| show(&out))
}

/// What protobuf has otherwise than JSON.
#[test]
fn protobuf() {
    let got = proto(|_| ()).expect("a span");
    assert!(got[1].ends_with("kind0 0+0 {}"), "an absent time says nothing: {got:?}");
    for (kind, want) in [(1, 3), (2, 2), (3, 4), (4, 5), (9, 0)] {
        assert!(proto(|b| put_uint(b, 4, kind)).expect("a span")[1].contains(&format!("kind{want} ")));
    }
    let endpoint = |ip: &[u8], number, port| {
        let (ip, got) = (ip.to_vec(), |f: &dyn Fn(&mut Vec<u8>)| proto(|b| put_message(b, 9, f)).expect("a span").remove(1));
        got(&|b| {
            put_bytes(b, number, &ip);
            put_uint(b, 4, port);
        })
    };
    assert!(endpoint(&[10, 0, 0, 1], 2, 80).ends_with("{net.peer.ip=10.0.0.1, net.peer.port=int:80}"));
    assert!(endpoint(&[&[0; 15][..], &[1]].concat(), 3, 65_537).ends_with("{net.peer.ip=::1, net.peer.port=int:1}"));
    assert!(endpoint(&[1, 2, 255], 2, 0).ends_with("{net.peer.ip=?0102ff}"));
    let eight = |b: &mut Vec<u8>| put_bytes(b, 1, &[7; 8]);
    assert!(proto(eight).expect("a span")[1].starts_with("00000000000000000707070707070707 "));
    for (number, bytes, want) in [
        (1, &[1; 9][..], "trace_id: an id of 9 bytes instead of 8 or 16"),
        (2, &[1; 7], "parent_id: an id of 7 bytes instead of 8"),
        (3, &[], "id: an id of 0 bytes instead of 8"),
        (8, &[0x0a], "local_endpoint: the message ends inside a field"),
        (10, &[0x08, 1], "annotations: a field has another wire type than its definition"),
        (11, &[0x0a, 5], "tags: the message ends inside a field"),
        (6, &[], "span: a field has another wire type than its definition"),
    ] {
        let got = proto(|b| put_bytes(b, number, bytes)).expect_err(want).to_string();
        assert_eq!(got, format!("failed to read span 0 of the list of Zipkin spans: {want}"));
    }
    let mut out = Vec::new();
    let lacks = |body: &[u8]| v2_proto(body, &mut Vec::new()).expect_err("an error").to_string();
    assert!(lacks(&[0x0a, 0]).ends_with("trace_id: it is absent"));
    assert!(lacks(&[0x0a, 0xff]).starts_with("failed to read the list of Zipkin spans: the message ends"));
    let mut unknown = Vec::new();
    put_varint(&mut unknown, 9 << 3);
    unknown.push(1);
    assert!(v2_proto(&unknown, &mut out).is_ok() && out.is_empty());
}
