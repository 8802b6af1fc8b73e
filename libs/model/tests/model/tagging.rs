//! `tag_resources`: a collector's own tags, and nothing else.

use crate::strategies::{a_sound_span, agrees_with_its_bytes, in_jaegers_model, message, of_resource, of_value, string, traces};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use proptest::prelude::*;
use prost::Message;
use skua_model::{Process, SpanBatch, tag_resources};

fn tags(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

/// The process of the first span: `service: key=value …`, a value that is no string with its type.
fn process(batch: &SpanBatch) -> String {
    let p = Process::from_view(&batch.process(batch.resource_of(&batch.spans()[0])));
    let kind = |t: &skua_model::Tag| match t.value.type_name() {
        "string" => String::new(),
        other => format!("({other})"),
    };
    let tag = |t: &skua_model::Tag| format!(" {}={}{}", t.key, t.value.as_text(), kind(t));
    format!("{}:{}", p.service_name, p.tags.iter().map(tag).collect::<String>())
}

#[test]
fn otlp_resources_keep_what_they_have() {
    let attributes = vec![string("z", "theirs"), string("service.name", "s"), of_value("zone", Value::IntValue(1))];
    let batch = SpanBatch::parse(of_resource(attributes, vec![a_sound_span()]).encode_to_vec()).unwrap();
    let tagged = tag_resources(batch, &tags(&[("zone", "ours"), ("a", "1"), ("z", "ours"), ("empty", "")])).unwrap();
    assert_eq!(process(&tagged), "s: z=theirs zone=1(int64) a=1 empty=");
    agrees_with_its_bytes(&tagged);
}

/// Jaeger appends unless key and value are there, then sorts all of the process's tags.
#[test]
fn jaeger_processes_get_all_tags_and_sorted() {
    let attributes = vec![
        string("service.name", "s"),
        string("z", "theirs"),
        of_value("b", Value::BoolValue(true)),
        of_value("m", Value::BytesValue(vec![0xab])),
        of_value("m", Value::IntValue(7)),
        of_value("m", Value::DoubleValue(1.5)),
        string("m", "text"),
        of_value("m", Value::IntValue(-7)),
    ];
    let batch = in_jaegers_model(&of_resource(attributes, vec![a_sound_span()]), 0);
    let tagged = tag_resources(batch, &tags(&[("z", "ours"), ("b", "true"), ("a", "1")])).unwrap();
    assert_eq!(process(&tagged), "s: a=1 b=true(bool) m=text m=-7(int64) m=7(int64) m=1.5(float64) m=ab(binary) z=ours z=theirs");
    agrees_with_its_bytes(&tagged);
}

#[test]
fn without_anything_to_add_nothing_is_copied() {
    let batch = || SpanBatch::parse(message(vec![a_sound_span()]).encode_to_vec()).unwrap();
    for tags in [tags(&[]), tags(&[("service.name", "other")])] {
        let batch = batch();
        let at = batch.bytes().as_ptr();
        assert_eq!(tag_resources(batch, &tags).unwrap().bytes().as_ptr(), at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Spans, scopes and what else a resource has are as before.
    #[test]
    fn only_resources_change(data in traces(), jaeger in any::<bool>()) {
        let batch = if jaeger { in_jaegers_model(&data, 5) } else { SpanBatch::parse(data.encode_to_vec()).unwrap() };
        let spans = |b: &SpanBatch| b.spans().iter().map(|s| (b.span_body(s).to_vec(), format!("{:?}", b.view(s)))).collect::<Vec<_>>();
        let processes = |b: &SpanBatch| {
            b.spans().iter().map(|s| Process::from_view(&b.process(b.resource_of(s)))).collect::<Vec<_>>()
        };
        let (before, were) = (spans(&batch), processes(&batch));
        let refused = *batch.refused();
        let tagged = tag_resources(batch, &tags(&[("our.tag", "v")])).unwrap();
        agrees_with_its_bytes(&tagged);
        prop_assert_eq!((spans(&tagged), *tagged.refused()), (before, refused));
        for (is, was) in processes(&tagged).iter().zip(were) {
            prop_assert_eq!(&is.service_name, &was.service_name);
            let text = |t: &skua_model::Tag| format!("{} {:?}", t.key, t.value);
            let (mut is, mut was): (Vec<_>, Vec<_>) = (is.tags.iter().map(text).collect(), was.tags.iter().map(text).collect());
            was.push("our.tag String(\"v\")".to_owned());
            is.sort();
            was.sort();
            prop_assert_eq!(is, was);
        }
    }
}
