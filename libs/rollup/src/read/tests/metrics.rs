use super::*;
use crate::histogram::Histogram;
use proptest::prelude::*;
use skua_store::span_metrics::{MetricFamily, MetricsQuery, MetricsReader};

fn key(service: &str, operation: &str, kind: u8, status: u8) -> SeriesKey {
    SeriesKey { service: service.to_owned(), operation: operation.to_owned(), kind, status }
}

/// Of service `s`, kind server, a point each minute for the minute before it.
fn query(end: u64, minutes: i64) -> MetricsQuery {
    MetricsQuery {
        services: vec!["s".to_owned()],
        group_by_operation: false,
        span_kinds: vec!["server"],
        end,
        lookback: (minutes - 1) * 60_000,
        step: 60_000,
        rate_per: 60_000,
    }
}

/// Labels, points and their times in minutes since noon.
fn seen(family: &MetricFamily) -> Vec<(String, Vec<(u64, f64)>)> {
    let labels = |m: &skua_store::span_metrics::Metric| {
        m.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
    };
    let minute = |ms: u64| (ms - NOON / 1000) / 60_000;
    family.metrics.iter().map(|m| (labels(m), m.points.iter().map(|(t, v)| (minute(*t), *v)).collect())).collect()
}

/// Scenario: calls of several services, operations, kinds and outcomes. Guarantees: only what is asked for is counted; there is a point
/// only where something was; errors are 0 where all went well; Jaeger's names, texts and labels.
#[tokio::test]
async fn names_filters_and_groups() {
    let store = Arc::new(Map::default());
    for (key, minute, durations) in [
        (key("s", "get", 2, 0), 0, [1_000; 6].as_slice()),
        (key("s", "get", 2, 2), 0, &[1_000; 2]),
        (key("s", "put", 2, 1), 0, &[64_000; 4]),
        (key("s", "get", 2, 0), 4, &[4_000; 3]),
        (key("s", "get", 3, 0), 2, &[1; 60]),
        (key("other", "get", 2, 0), 0, &[1; 60]),
    ] {
        store.count(&key, NOON + minute * MINUTE, &took(durations)).await;
    }
    let (reader, whole) = (reader(&store), query(NOON + 6 * MINUTE, 6));
    let by_operation = MetricsQuery { group_by_operation: true, ..whole.clone() };
    let of = |series: &str, points: &[(u64, f64)]| (series.to_owned(), points.to_vec());

    let calls = reader.call_rates(&whole).await.unwrap();
    assert_eq!(seen(&calls), [of("service_name=s", &[(1, 0.2), (5, 0.05)])]);
    assert_eq!((calls.name.as_str(), calls.help.as_str()), ("service_call_rate", "calls/sec, grouped by service"));
    let calls = reader.call_rates(&by_operation).await.unwrap();
    let want = [
        of("service_name=s,operation=get", &[(1, 8.0 / 60.0), (5, 0.05)]),
        of("service_name=s,operation=put", &[(1, 4.0 / 60.0)]),
    ];
    assert_eq!(seen(&calls), want);
    let names = ("service_operation_call_rate", "calls/sec, grouped by service & operation");
    assert_eq!((calls.name.as_str(), calls.help.as_str()), names);

    let errors = reader.error_rates(&whole).await.unwrap();
    assert_eq!(seen(&errors), [of("service_name=s", &[(1, 2.0 / 12.0), (5, 0.0)])]);
    let help = "error rate, computed as a fraction of errors/sec over calls/sec, grouped by service";
    assert_eq!((errors.name.as_str(), errors.help.as_str()), ("service_error_rate", help));

    let latencies = reader.latencies(0.95, &by_operation).await.unwrap();
    let help = "0.95th quantile latency, grouped by service & operation";
    assert_eq!((latencies.name.as_str(), latencies.help.as_str()), ("service_operation_latencies", help));
    let bounds = [(0.861, 1.024), (3.444, 4.096), (55.1, 65.536)];
    let points: Vec<f64> = latencies.metrics.iter().flat_map(|m| m.points.iter().map(|(_, ms)| *ms)).collect();
    assert!(points.iter().zip(bounds).all(|(ms, (low, high))| *ms > low && *ms <= high), "milliseconds: {points:?}");

    let client = MetricsQuery { span_kinds: vec!["client"], ..whole.clone() };
    assert_eq!(seen(&reader.call_rates(&client).await.unwrap()), [of("service_name=s", &[(3, 1.0)])]);
    let all_kinds = MetricsQuery { span_kinds: vec![], services: vec!["s".to_owned(), "other".to_owned()], ..whole.clone() };
    let got = seen(&reader.call_rates(&all_kinds).await.unwrap());
    assert_eq!(got[0].0, "service_name=other");
    assert_eq!(got[1], of("service_name=s", &[(1, 0.2), (3, 1.0), (5, 0.05)]));
    let nobody = MetricsQuery { services: vec!["nobody".to_owned()], ..whole };
    assert_eq!(reader.error_rates(&nobody).await.unwrap().metrics, []);
    assert_eq!(reader.min_step().await.unwrap(), 60_000);
}

/// Guarantee: a quantile that is none gives what Prometheus gives, and a text that Go would write.
#[tokio::test]
async fn odd_quantiles() {
    let store = Arc::new(Map::default());
    store.count(&key("s", "get", 2, 0), NOON, &took(&[5])).await;
    let ask = async |quantile| {
        let family = reader(&store).latencies(quantile, &query(NOON + MINUTE, 1)).await.unwrap();
        (family.help.split('t').next().unwrap().to_owned(), family.metrics[0].points[0].1)
    };
    assert_eq!(ask(7.0).await, ("7.00".to_owned(), f64::INFINITY));
    assert_eq!(ask(f64::NEG_INFINITY).await, ("-Inf".to_owned(), f64::NEG_INFINITY));
    let (text, value) = ask(f64::NAN).await;
    assert!(text == "NaN" && value.is_nan(), "{text} {value}");
}

/// Scenario: the same document with more and more series that are all asked for. Guarantee: an answer that would be too large is refused.
#[tokio::test]
async fn an_answer_is_bounded() {
    let (store, mut document) = (Arc::new(Map::default()), Document::default());
    for operation in 0..400 {
        document.add(&key("s", &format!("o{operation}"), 2, 0), NOON, &took(&[1]));
    }
    store.put(RollupKind::Red, NOON, &document.encode(NOON).unwrap());
    let (lookback, step) = (10_999, 1);
    let query = MetricsQuery { group_by_operation: true, lookback, step, ..query(NOON + MINUTE + 10_999_000, 1) };
    let error = reader(&store).call_rates(&query).await.unwrap_err();
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("4194304 points: ask for fewer"), "{error}");
}

proptest! {
    /// Guarantee: each point is what adding up its minutes from nothing gives.
    #[test]
    fn sums_move_on(
        calls in prop::collection::vec((0..90_u64, 0..3_u8, 1..100_000_u64), 0..60),
        end in 0..6_000_u64, lookback in 0..5_400_i64, step in 1..900_i64, rate_per in 1..1_500_i64, quantile in 0.0..1.0_f64,
    ) {
        let (store, mut documents) = (Arc::new(Map::default()), BTreeMap::<u64, Document<SeriesKey>>::new());
        for (minute, status, duration) in &calls {
            let at = NOON + minute * MINUTE;
            documents.entry(interval_of(at)).or_default().add(&key("s", "get", 2, *status), at, &took(&[*duration]));
        }
        for (interval, document) in documents {
            store.put(RollupKind::Red, interval, &document.encode(interval).unwrap());
        }
        let end = NOON + end * 1_000_000;
        let query = MetricsQuery { end, lookback: lookback * 1000, step: step * 1000, rate_per: rate_per * 1000, ..query(end, 1) };
        let reader = reader(&store);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (rates, errors, latencies) = runtime.block_on(async {
            let answers = (reader.call_rates(&query), reader.error_rates(&query), reader.latencies(quantile, &query));
            futures::try_join!(answers.0, answers.1, answers.2).unwrap()
        });
        let points = |family: &MetricFamily| family.metrics.first().map(|m| m.points.clone()).unwrap_or_default();
        let mut want = (Vec::new(), Vec::new(), Vec::new());
        let minutes = (rate_per as u64 / 60).max(1);
        for at in (end / 1000 - lookback as u64 * 1000..=end / 1000).step_by(step as usize * 1000) {
            let last = at / 60_000 * MINUTE;
            let within = |minute: u64| (last - minutes * MINUTE..last).contains(&(NOON + minute * MINUTE));
            let counted: Vec<_> = calls.iter().filter(|(minute, ..)| within(*minute)).collect();
            let mut latency = Histogram::default();
            counted.iter().for_each(|(_, _, duration)| latency.record(*duration));
            if let Some(value) = latency.quantile(quantile) {
                let failed = counted.iter().filter(|(_, status, _)| *status == 2).count() as f64;
                want.0.push((at, counted.len() as f64 / (minutes * 60) as f64));
                want.1.push((at, failed / counted.len() as f64));
                want.2.push((at, value / 1000.0));
            }
        }
        prop_assert_eq!(points(&rates), want.0);
        prop_assert_eq!(points(&errors), want.1);
        prop_assert_eq!(points(&latencies), want.2);
    }
}
