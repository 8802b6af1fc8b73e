//! The status of a span, of its attributes.

use super::attributes::{Any, Attributes};
use skua_proto::otlp::trace::v1::Status;
use skua_proto::otlp::trace::v1::span::SpanKind;
use skua_proto::otlp::trace::v1::status::StatusCode;

const ERROR: &str = "error";
const CODE: &str = "otel.status_code";
const DESCRIPTION: &str = "otel.status_description";
const HTTP_CODE: &str = "http.status_code";
const HTTP_MESSAGE: &str = "http.status_message";

/// Takes what tells of the status: `error` = true is an error whatever else there is; then comes `otel.status_code`, then
/// `http.status_code`, which stays.
pub(super) fn status(attributes: &mut Attributes, kind: SpanKind) -> Status {
    let told = attributes.text(CODE).and_then(|code| match code.to_ascii_uppercase().as_str() {
        "OK" => Some(StatusCode::Ok),
        "ERROR" => Some(StatusCode::Error),
        "UNSET" | "" => Some(StatusCode::Unset),
        _ => None,
    });
    if told.is_some() {
        attributes.take(CODE);
    }
    if let Some(Any::BoolValue(true)) = attributes.get(ERROR) {
        attributes.take(ERROR);
        let message = attributes.take_text(DESCRIPTION);
        return made(StatusCode::Error, message.or_else(|| http_message(attributes)));
    }
    if let Some(code) = told {
        return made(code, attributes.take_text(DESCRIPTION));
    }
    match attributes.get(HTTP_CODE).and_then(number).map(|code| of_http(code, kind)) {
        Some(StatusCode::Error) => made(StatusCode::Error, http_message(attributes)),
        _ => Status::default(),
    }
}

fn made(code: StatusCode, message: Option<String>) -> Status {
    Status { code: code.into(), message: message.unwrap_or_default() }
}

fn http_message(attributes: &Attributes) -> Option<String> {
    attributes.text(HTTP_MESSAGE).map(str::to_owned)
}

fn number(value: &Any) -> Option<i64> {
    match value {
        Any::IntValue(v) => Some(*v),
        Any::StringValue(s) => s.parse().ok(),
        _ => None,
    }
}

/// A client's fault is not a server's error. Jaeger takes 399 for an error.
fn of_http(code: i64, kind: SpanKind) -> StatusCode {
    match code {
        400..=499 if kind == SpanKind::Server => StatusCode::Unset,
        100..=398 => StatusCode::Unset,
        _ => StatusCode::Error,
    }
}
