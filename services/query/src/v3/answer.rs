//! Answers, and errors with their status.

use crate::answer;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use skua_query::json::v3 as json;
use skua_query::params::ParamError;
use skua_store::StoreError;

/// A request that failed: `{"error":{"httpCode":400,"message":"…"}}`.
#[derive(Debug)]
pub(crate) struct Failed(answer::Failed);

impl Failed {
    /// What Jaeger says when nothing was found; of an answer that is not complete also why.
    pub fn nothing(partial: &[String]) -> Self {
        let mut message = "No traces found".to_owned();
        if !partial.is_empty() {
            message.push_str(", but not everything was searched: ");
            message.push_str(&partial.join("; "));
        }
        Self(answer::Failed::new(StatusCode::NOT_FOUND, message))
    }
}

impl From<answer::Failed> for Failed {
    fn from(e: answer::Failed) -> Self {
        Self(e)
    }
}

impl From<ParamError> for Failed {
    fn from(e: ParamError) -> Self {
        Self(e.into())
    }
}

impl From<StoreError> for Failed {
    fn from(e: StoreError) -> Self {
        let failed = answer::Failed::from(e);
        if failed.status() == StatusCode::NOT_FOUND { Self::nothing(&[]) } else { Self(failed) }
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        self.0.respond(|out, code, message| json::put_error(out, code, &message))
    }
}

/// A body of JSON.
pub(super) fn answer(put: impl FnOnce(&mut Vec<u8>)) -> Response {
    let mut body = Vec::new();
    put(&mut body);
    answer::json_body(body).into_response()
}
