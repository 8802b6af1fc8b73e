//! Answers of Prometheus' HTTP API, and its errors in the words of Jaeger's client.

use crate::client::Answer;
use crate::names::Names;
use serde::Deserialize;
use skua_store::span_metrics::Metric;
use skua_store::{ErrorKind, StoreError};
use std::collections::BTreeMap;

/// Around every answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
}

/// What `/api/v1/query_range` has found.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Range<'a> {
    result_type: String,
    #[serde(borrow)]
    result: Vec<Series<'a>>,
}

#[derive(Debug, Deserialize)]
struct Series<'a> {
    metric: BTreeMap<String, String>,
    /// Seconds since 1970, and a number as text.
    #[serde(borrow, default)]
    values: Vec<(f64, &'a str)>,
}

/// The data of an answer, and the server's warnings.
///
/// # Errors
/// When the server refused or failed, or the answer cannot be read.
pub(crate) fn data<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<(T, Vec<String>), StoreError> {
    let status = answer.status;
    let is_of_the_api = matches!(status.as_u16(), 400 | 422);
    if !status.is_success() && !is_of_the_api {
        let code = status.as_u16();
        return Err(match code / 100 {
            4 => failed("client_error", &format!("client error: {code}")),
            5 => failed("server_error", &format!("server error: {code}")),
            _ => failed("bad_response", &format!("bad response code {code}")),
        });
    }
    let envelope: Envelope<T> =
        serde_json::from_slice(&answer.body).map_err(|e| failed("bad_response", &e.to_string()).caused_by(e))?;
    match envelope.data {
        _ if envelope.status == "error" => Err(failed(&envelope.error_type, &envelope.error)),
        _ if is_of_the_api => Err(failed("bad_response", "inconsistent body for response code")),
        Some(data) => Ok((data, envelope.warnings)),
        None => Err(failed("bad_response", "it has no data")),
    }
}

fn failed(kind: &str, message: &str) -> StoreError {
    StoreError::new(ErrorKind::Internal, format!("{kind}: {message}"))
}

impl Range<'_> {
    /// The series with the labels that Jaeger's UI knows; values are multiplied by `unit`.
    ///
    /// # Errors
    /// When it is something else than a list of series, or holds a value that is no number.
    pub fn metrics(self, names: &Names, unit: f64) -> Result<Vec<Metric>, StoreError> {
        if self.result_type != "matrix" {
            return Err(failed("bad_response", &format!("unexpected metrics ValueType: {}", self.result_type)));
        }
        self.result.into_iter().map(|series| series.metric(names, unit)).collect()
    }
}

impl Series<'_> {
    fn metric(self, names: &Names, unit: f64) -> Result<Metric, StoreError> {
        let mut labels: Vec<(String, String)> = self.metric.into_iter().collect();
        for (name, _) in &mut labels {
            if name == names.operation {
                "operation".clone_into(name);
            } else if name == names.service {
                "service_name".clone_into(name);
            }
        }
        labels.sort_by_key(|(name, _)| name != "service_name");
        let point = |(seconds, text): (f64, &str)| {
            let value: f64 = text.parse().map_err(|_| failed("bad_response", &format!("{text:?} is no number")))?;
            Ok(((seconds * 1000.0).round() as u64, value * unit))
        };
        Ok(Metric { labels, points: self.values.into_iter().map(point).collect::<Result<_, StoreError>>()? })
    }
}
