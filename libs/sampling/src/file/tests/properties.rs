//! Whatever is written.

use crate::file::document::Document;
use crate::file::merge::Table;
use proptest::prelude::*;
use skua_codec::sampling::Kind;

fn kinds() -> impl Strategy<Value = String> {
    prop_oneof!["probabilistic", "ratelimiting", "[a-z]{0,6}"]
}

fn strategies(name: &'static str) -> impl Strategy<Value = serde_json::Map<String, serde_json::Value>> {
    (kinds(), any::<f64>().prop_filter("JSON has it", |v| v.is_finite()), "[a-c]").prop_map(move |(kind, param, of)| {
        let value = serde_json::json!({"type": kind, "param": param, name: of});
        value.as_object().cloned().unwrap_or_default()
    })
}

fn with_operations() -> impl Strategy<Value = serde_json::Value> {
    (strategies("service"), prop::collection::vec(strategies("operation"), 0..5)).prop_map(|(mut strategy, operations)| {
        strategy.insert("operation_strategies".to_owned(), serde_json::json!(operations));
        serde_json::Value::Object(strategy)
    })
}

proptest! {
    /// Any bytes are read or refused.
    #[test]
    fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\":,a-z0-9. ]{0,80}") {
        let _ = Document::parse(&bytes);
        let _ = Document::parse(text.as_bytes());
    }

    /// Whatever is written, an answer has one strategy of its kind, every operation once from the default that the service
    /// does not name itself, and every service the default's operations when there are any.
    #[test]
    fn answers_are_whole(default in with_operations(), services in prop::collection::vec(with_operations(), 0..4)) {
        let text = serde_json::json!({"default_strategy": default, "service_strategies": services}).to_string();
        let (table, _) = Table::merge(&Document::parse(text.as_bytes()).unwrap(), 0.001);
        let defaults = table.find("none").operations.clone();
        for service in ["a", "b", "c", "none"] {
            let answer = table.find(service);
            prop_assert_eq!(answer.kind == Kind::Probabilistic, answer.probabilistic.is_some());
            prop_assert_eq!(answer.kind == Kind::RateLimiting, answer.rate_limiting.is_some());
            if let Some(defaults) = &defaults {
                let own = answer.operations.as_ref().map(|of| &of.operations);
                let has = |name: &String| own.is_some_and(|own| own.iter().any(|(operation, _)| operation == name));
                prop_assert!(defaults.operations.iter().all(|(operation, _)| has(operation)));
            }
        }
    }
}
