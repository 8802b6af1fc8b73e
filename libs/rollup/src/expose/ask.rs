//! What a scraper asks for.

use super::family::{Family, GRAFANA, JAEGER};

/// The families that the query of a URL asks for.
///
/// # Errors
/// A text for the caller when `names` is neither `jaeger` nor `grafana`.
pub(super) fn families(query: &str) -> Result<Vec<Family>, String> {
    let (mut jaeger, mut grafana) = (false, false);
    for value in query.split('&').filter_map(|pair| pair.strip_prefix("names=")) {
        match value {
            "jaeger" => jaeger = true,
            "grafana" => grafana = true,
            _ => return Err(format!("failed to read names={value}: it is jaeger or grafana, or absent for both\n")),
        }
    }
    let all = jaeger == grafana;
    let mut families = Vec::new();
    families.extend((all || jaeger).then_some(JAEGER).into_iter().flatten());
    families.extend((all || grafana).then_some(GRAFANA).into_iter().flatten());
    Ok(families)
}

/// Whether the header `Accept` prefers OpenMetrics to Prometheus' old text. Who takes anything gets the old one.
pub(super) fn is_open_metrics(accept: &str) -> bool {
    let weight = |wanted: &str| {
        let of = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_wanted = parts.next()?.eq_ignore_ascii_case(wanted);
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse::<f32>().ok());
            weight.filter(|_| is_wanted)
        });
        of.fold(0.0, f32::max)
    };
    let open = weight("application/openmetrics-text");
    open > 0.0 && open >= weight("text/plain")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guarantee: a Prometheus as it comes gets OpenMetrics, one that is set to prefer the old text and a person get the old text.
    #[test]
    fn who_gets_open_metrics() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;\
                          q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        let with_protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                             application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let prefers_text = "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5";
        let cases = [
            prometheus,
            with_protobuf,
            "application/openmetrics-text",
            prefers_text,
            "*/*",
            "",
            "application/openmetrics-text;q=0",
        ];
        assert_eq!(cases.map(is_open_metrics), [true, true, true, false, false, false, false]);
    }

    #[test]
    fn which_names() {
        let number = |query| families(query).map(|families| families.len());
        let (jaeger, grafana) = (JAEGER.len(), GRAFANA.len());
        assert_eq!(number("names=jaeger"), Ok(jaeger));
        assert_eq!(number("x=1&names=grafana"), Ok(grafana));
        for query in ["", "x=names", "names=grafana&names=jaeger"] {
            assert_eq!(number(query), Ok(jaeger + grafana), "{query}");
        }
        assert_eq!(
            number("names=zipkin"),
            Err("failed to read names=zipkin: it is jaeger or grafana, or absent for both\n".into())
        );
    }
}
