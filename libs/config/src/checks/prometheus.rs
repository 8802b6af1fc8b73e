//! Values of Prometheus that no server takes.

use super::{sentence, unused_tls};
use crate::loaded::Loaded;

/// What stops a start.
pub(super) fn contradictions(loaded: &Loaded, problems: &mut Vec<String>) {
    let url = loaded.get_string("prometheus.server-url").replace(' ', "");
    if !url.starts_with("http://") && !url.starts_with("https://") {
        let rest = format!(" wants a URL such as http://127.0.0.1:9090, not {url:?}");
        problems.push(sentence(loaded, "prometheus.server-url", &rest));
    }
    let pairs = loaded.get_string("prometheus.query.extra-query-params").replace(' ', "");
    if !pairs.is_empty() && !pairs.split(',').all(|pair| pair.matches('=').count() == 1) {
        let rest = format!(" wants pairs such as param1=value1,param2=value2, not {pairs:?}");
        problems.push(sentence(loaded, "prometheus.query.extra-query-params", &rest));
    }
    let namespace = loaded.get_string("prometheus.query.namespace");
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if !namespace.chars().all(fits) || namespace.starts_with(|c: char| c.is_ascii_digit()) {
        let rest = format!(" wants letters, digits, underscores and colons, not {namespace:?}");
        problems.push(sentence(loaded, "prometheus.query.namespace", &rest));
    }
    if !loaded.get_bool("prometheus.tls.enabled") {
        unused_tls(loaded, "prometheus", "prometheus.tls.enabled=true", problems);
    }
}
