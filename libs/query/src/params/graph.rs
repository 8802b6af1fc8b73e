//! The parameters of `GET /api/skua/v1/graph`.

use super::{DEPENDENCIES_LOOKBACK, Pairs, ParamError};
use crate::go;
use skua_rollup::read::GraphQuery;

/// Calls between a service and another when nothing else is asked for, as in Jaeger's UI.
pub const DEPTH: u32 = 5;

/// Reads `start` and `end` in microseconds since 1970, or `endTs` and `lookback` in milliseconds as for dependencies (used where `end` or
/// `start` is absent); `service`, `depth`, `minCalls`. `now` is in microseconds since 1970.
///
/// # Errors
/// For the first wrong parameter in the order start, end, endTs, lookback, depth, minCalls; then for an end before the start.
pub fn graph(pairs: &[(String, String)], now: u64) -> Result<GraphQuery, ParamError> {
    let pairs = Pairs(pairs);
    let (start, end) = (pairs.time("start")?, pairs.time("end")?);
    let end_ms = pairs.parse("endTs", natural)?;
    let lookback = pairs.parse("lookback", natural)?.unwrap_or(DEPENDENCIES_LOOKBACK.as_millis() as u64);
    let depth = pairs.parse("depth", natural)?.map_or(DEPTH, |depth| u32::try_from(depth).unwrap_or(u32::MAX));
    let min_calls = pairs.parse("minCalls", natural)?.unwrap_or(0);
    let end = end.or(end_ms.map(|ms| ms.saturating_mul(1000))).unwrap_or(now);
    let start = start.unwrap_or(end.saturating_sub(lookback.saturating_mul(1000)));
    if end < start {
        return Err(ParamError("'end' should not be before 'start'".to_owned()));
    }
    let service = Some(pairs.first("service")).filter(|service| !service.is_empty()).map(str::to_owned);
    Ok(GraphQuery { start, end, now, service, depth, min_calls })
}

/// A number that is not negative.
fn natural(text: &str) -> Result<u64, String> {
    let number: i64 = go::parse_int(text)?;
    u64::try_from(number).map_err(|_| format!("{number} is less than 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000_000;
    const DAY: u64 = 86_400_000_000;

    fn read(query: &str) -> Result<GraphQuery, String> {
        let pair = |pair: &str| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap();
        let pairs: Vec<_> = query.split_terminator('&').map(pair).collect();
        graph(&pairs, NOW).map_err(|e| e.to_string())
    }

    #[test]
    fn values_and_defaults() {
        let all = GraphQuery { start: NOW - DAY, end: NOW, now: NOW, service: None, depth: 5, min_calls: 0 };
        assert_eq!(read(""), Ok(all.clone()));
        assert_eq!(read("start=&end=&endTs=&lookback=&service=&depth=&minCalls=&other=x"), Ok(all.clone()));
        assert_eq!(read("start=5&end=70"), Ok(GraphQuery { start: 5, end: 70, ..all.clone() }));
        assert_eq!(read("end=70"), Ok(GraphQuery { start: 0, end: 70, ..all.clone() }));
        assert_eq!(read("endTs=70&lookback=20"), Ok(GraphQuery { start: 50_000, end: 70_000, ..all.clone() }));
        assert_eq!(read("lookback=1"), Ok(GraphQuery { start: NOW - 1000, ..all.clone() }));
        assert_eq!(read("start=1&end=2&endTs=3&lookback=4"), Ok(GraphQuery { start: 1, end: 2, ..all.clone() }));
        assert_eq!(read(&format!("endTs={}", i64::MAX)).unwrap().end, u64::MAX);
        let around = GraphQuery { service: Some("a b".to_owned()), depth: 0, min_calls: 9, ..all };
        assert_eq!(read("service=a b&depth=0&minCalls=9"), Ok(around));
        assert_eq!(read(&format!("depth={}", i64::MAX)).unwrap().depth, u32::MAX);
    }

    /// Scenario: everything is wrong; then one thing after the other is left out. Guarantee: errors in the order that is promised.
    #[test]
    fn the_first_error_wins() {
        let names = ["start", "end", "endTs", "lookback", "depth", "minCalls"];
        for (i, name) in names.iter().enumerate() {
            let wrong: Vec<String> = names[i..].iter().map(|n| format!("{n}=x")).collect();
            let text = format!("unable to parse param '{name}': strconv.ParseInt: parsing \"x\": invalid syntax");
            assert_eq!(read(&wrong.join("&")), Err(text));
        }
        assert_eq!(read("depth=-1"), Err("unable to parse param 'depth': -1 is less than 0".to_owned()));
        assert_eq!(read("start=2&end=1"), Err("'end' should not be before 'start'".to_owned()));
    }
}
