//! What files become.

use super::*;

fn text(text: &str, bare: bool) -> FileValue {
    FileValue::Raw(Raw::Text { text: text.to_owned(), bare })
}

fn entry(key: &str, line: usize, value: FileValue) -> Entry {
    Entry { key: key.to_owned(), line, value }
}

/// Scenario: nested, dotted and mixed keys in YAML. Guarantees: dotted keys with their lines; quotes are remembered.
#[test]
fn yaml_keys_and_lines() {
    let given = "# comment\nes:\n  server-urls: [http://a:9200, \"http://b:9200\"]\n  bulk.size: 5\n  bulk:\n    workers: '2'\n\
                 es.password: 007\nes.username:\nkafka: {}\n";
    let list = FileValue::Raw(Raw::List(vec!["http://a:9200".to_owned(), "http://b:9200".to_owned()]));
    assert_eq!(
        yaml::entries(given).unwrap(),
        vec![
            entry("es.server-urls", 3, list),
            entry("es.bulk.size", 4, text("5", true)),
            entry("es.bulk.workers", 6, text("2", false)),
            entry("es.password", 7, text("007", true)),
            entry("es.username", 8, FileValue::Null),
            entry("kafka", 9, FileValue::EmptyGroup),
        ]
    );
}

/// Scenario: JSON, with tabs. Guarantees: read as YAML is.
#[test]
fn json_is_yaml() {
    let given =
        "{\n\t\"es\": {\n\t\t\"num-shards\": 3,\n\t\t\"use-aliases\": true,\n\t\t\"index-prefix\": \"a\\u0062\"\n\t}\n}\n";
    assert_eq!(
        yaml::entries(given).unwrap(),
        vec![
            entry("es.num-shards", 3, text("3", true)),
            entry("es.use-aliases", 4, text("true", true)),
            entry("es.index-prefix", 5, text("ab", false)),
        ]
    );
}

/// Scenario: anchors, empty files and a short file that would grow to billions of values. Guarantees: read, and bounded.
#[test]
fn yaml_corners() {
    assert_eq!(yaml::entries("").unwrap(), vec![]);
    assert_eq!(yaml::entries("# only a comment\n").unwrap(), vec![]);
    assert_eq!(yaml::entries("---\nes.version: 7\n...\n").unwrap(), vec![entry("es.version", 2, text("7", true))]);
    let anchors = "a: &x {b: 1}\nc: *x\n";
    assert_eq!(yaml::entries(anchors).unwrap(), vec![entry("a.b", 1, text("1", true)), entry("c.b", 1, text("1", true))]);
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for step in 1..9 {
        let before = step - 1;
        laughs.push_str(&format!("a{step}: &a{step} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    assert!(yaml::entries(&laughs).unwrap_err().message.contains("more than"));
    let deep = format!("a: {}{}", "[".repeat(60), "]".repeat(60));
    assert!(yaml::entries(&deep).is_err());
}

/// Scenario: files that are not YAML, or more than a map. Guarantees: an error on the right line.
#[test]
fn yaml_mistakes() {
    for (given, line) in
        [("a: 1\nb: [1\n", 3), ("a: 1\n---\nb: 2\n", 2), ("- a\n", 1), ("a:\n  ? [x]\n  : 1\n", 2), ("a: *x\n", 1)]
    {
        assert_eq!(yaml::entries(given).unwrap_err().line, line, "{given:?}: {:?}", yaml::entries(given).unwrap_err());
    }
}

/// Scenario: tables, dotted keys, inline tables and quoted keys in TOML. Guarantees: dotted keys with their lines, by line.
#[test]
fn toml_keys_and_lines() {
    let given = "es.timeout = \"5s\"\n\"kafka.producer.topic\" = \"t\"\n\n[es.bulk]\nsize = 1_000\nworkers = 2\n\n[query]\n\
                 additional-headers = [\"A: b\"]\nhttp = { tls.enabled = true }\n\n[memory]\n";
    assert_eq!(
        toml::entries(given).unwrap(),
        vec![
            entry("es.timeout", 1, text("5s", false)),
            entry("kafka.producer.topic", 2, text("t", false)),
            entry("es.bulk.size", 5, text("1000", true)),
            entry("es.bulk.workers", 6, text("2", true)),
            entry("query.additional-headers", 9, FileValue::Raw(Raw::List(vec!["A: b".to_owned()]))),
            entry("query.http.tls.enabled", 10, text("true", true)),
            entry("memory", 12, FileValue::EmptyGroup),
        ]
    );
    assert_eq!(toml::entries("a = 1\nb = \n").unwrap_err().line, 2);
    assert_eq!(toml::entries("a = [[1]]\n").unwrap(), vec![entry("a", 1, FileValue::Nested)]);
}
