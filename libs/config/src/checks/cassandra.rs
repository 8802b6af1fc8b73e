//! Values of Cassandra that contradict each other or that no server takes.

use super::{decisive, unused_tls};
use crate::component::Component;
use crate::duration;
use crate::loaded::Loaded;

/// Cassandra's longest TTL, 20 years (`Attributes.MAX_TTL`).
const MAX_TTL: u64 = 630_720_000;
const NANOS: i64 = 1_000_000_000;

/// What stops a start. An archive that is off is not looked at.
pub(super) fn contradictions(loaded: &Loaded, problems: &mut Vec<String>) {
    if loaded.component == Component::CassandraSchema {
        session(loaded, &["cqlsh-host", "keyspace"], "cassandra", problems);
        schema(loaded, "", true, problems);
        return;
    }
    let archive = loaded.get_bool("cassandra-archive.enabled").then_some("cassandra-archive");
    for prefix in ["cassandra"].into_iter().chain(archive) {
        let name = |rest: &str| format!("{prefix}.{rest}");
        session(loaded, &[&name("servers"), &name("keyspace")], prefix, problems);
        let (black, white) = (name("index.tag-blacklist"), name("index.tag-whitelist"));
        if !loaded.get_list(&black).is_empty() && !loaded.get_list(&white).is_empty() {
            wrong(loaded, &black, &format!(" and {white} exclude each other; set one of them"), problems);
        }
        schema(loaded, &name("schema."), loaded.get_bool(&name("schema.create")), problems);
    }
    // What the archive has from the others is said once.
    let mut seen = std::collections::HashSet::new();
    problems.retain(|problem| seen.insert(problem.clone()));
}

fn session(loaded: &Loaded, [servers, keyspace]: &[&str; 2], prefix: &str, problems: &mut Vec<String>) {
    if loaded.get_list(servers).is_empty() {
        wrong(loaded, servers, " names no server", problems);
    }
    let name = loaded.get_string(keyspace);
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        wrong(loaded, keyspace, &format!(" wants letters, digits and underscores, not {name:?}"), problems);
    }
    if !loaded.get_bool(&format!("{prefix}.tls.enabled")) {
        unused_tls(loaded, prefix, &format!("{prefix}.tls.enabled=true"), problems);
    }
}

/// The rules of Jaeger's `create.sh`, and that a TTL may also be a duration.
fn schema(loaded: &Loaded, prefix: &str, wanted: bool, problems: &mut Vec<String>) {
    let name = |rest: &str| format!("{prefix}{rest}");
    if wanted && loaded.get_string(&name("mode")) == "prod" && loaded.get_string(&name("datacenter")).trim().is_empty() {
        wrong(loaded, &name("mode"), &format!("=prod needs {}", name("datacenter")), problems);
    }
    for flag in [name("trace-ttl"), name("dependencies-ttl")] {
        let text = loaded.get_string(&flag);
        if seconds(&text).is_none_or(|seconds| seconds > MAX_TTL) {
            let rest = format!(" wants seconds or a duration such as 48h, of whole seconds and at most 20 years, not {text:?}");
            wrong(loaded, &flag, &rest, problems);
        }
    }
    let flag = name("compaction-window");
    let window = loaded.get_string(&flag);
    if !window.is_empty() && !is_window(&window) {
        wrong(loaded, &flag, &format!(" wants minutes, hours or days such as 30m, 2h or 1d, not {window:?}"), problems);
    }
}

/// Seconds as a bare number or in Go's notation of a duration.
fn seconds(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let nanos = duration::parse_nanos(text)?;
    u64::try_from(nanos / NANOS).ok().filter(|_| nanos % NANOS == 0)
}

/// A number above 0 and its unit.
fn is_window(text: &str) -> bool {
    let number = text.strip_suffix(['m', 'h', 'd']).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number > 0)
}

fn wrong(loaded: &Loaded, flag: &str, rest: &str, problems: &mut Vec<String>) {
    problems.push(decisive(loaded, flag, rest));
}

#[cfg(test)]
mod tests {
    use super::{is_window, seconds};

    #[test]
    fn reads_times() {
        for (text, wanted) in [("0", Some(0)), ("172800", Some(172_800)), ("48h", Some(172_800)), ("1500ms", None), ("2d", None)]
        {
            assert_eq!(seconds(text), wanted, "{text}");
        }
        assert_eq!((seconds(""), seconds("-1s"), seconds("-1")), (None, None, None));
        assert!(["1m", "30m", "2h", "1d"].into_iter().all(is_window));
        assert!(["", "m", "0m", "30", "30s", "-1m", "1.5h", "+1m", "99999999999d"].into_iter().all(|text| !is_window(text)));
    }
}
