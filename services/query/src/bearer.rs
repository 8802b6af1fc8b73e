//! `--query.bearer-token-propagation`: the caller's bearer token goes with a query to a storage that takes it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use skua_store::bearer::{self, Token};

/// Where proxies put the token of whom they let in, when they do not pass `Authorization` on.
const FORWARDED: &str = "x-forwarded-access-token";

/// Answers a request with its token beside it.
pub(crate) async fn hand_on(request: Request, next: Next) -> Response {
    match token(request.headers()) {
        Some(token) => bearer::with(token, next.run(request)).await,
        None => next.run(request).await,
    }
}

/// As Jaeger reads it: `Bearer x`, or one word alone; of `Authorization`, or without that of `X-Forwarded-Access-Token`.
fn token(headers: &HeaderMap) -> Option<Token> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).filter(|text| !text.is_empty());
    let value = text(AUTHORIZATION.as_str()).or_else(|| text(FORWARDED))?;
    let word = match value.split(' ').collect::<Vec<_>>()[..] {
        [word] | ["Bearer", word] => word,
        _ => return None,
    };
    (!word.is_empty()).then(|| Token::new(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: headers of each form. Guarantees: a bearer token is found, and nothing else is taken for one.
    #[test]
    fn tokens() {
        let read = |pairs: &[(&str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
            }
            token(&headers).map(|t| t.secret().to_owned())
        };
        let forwarded = ("X-Forwarded-Access-Token", "other");
        for (pairs, wanted) in [
            (&[("Authorization", "Bearer abc"), forwarded][..], Some("abc")),
            (&[("Authorization", "abc")], Some("abc")),
            (&[forwarded], Some("other")),
            (&[("Authorization", ""), forwarded], Some("other")),
            (&[("Authorization", "Basic dXNlcjpwdw=="), forwarded], None),
            (&[("Authorization", "Bearer a b")], None),
            (&[("Authorization", "Bearer ")], None),
            (&[], None),
        ] {
            assert_eq!(read(pairs).as_deref(), wanted, "{pairs:?}");
        }
    }
}
