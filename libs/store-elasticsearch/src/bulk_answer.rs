//! What a bulk request was answered, document by document.

use crate::error::Reported;
use serde::Deserialize;

/// Keeps the answer small: nothing but a status for each document that was stored.
pub(crate) const BULK_PATH: &str = "_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason";

/// What became of one document.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is there, now or since an earlier try.
    Stored,
    /// It may be taken later.
    Later { busy: bool, detail: String },
    /// It never will be.
    Refused { reason: &'static str, detail: String },
}

#[derive(Deserialize)]
struct Bulk {
    #[serde(default)]
    items: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(alias = "index")]
    create: Outcome,
}

#[derive(Deserialize)]
struct Outcome {
    status: u16,
    error: Option<Reported>,
}

/// The fate of each of `count` documents; `None` when all of them were stored.
pub(crate) fn read(body: &[u8], count: usize) -> Result<Option<Vec<Fate>>, serde_json::Error> {
    if body.starts_with(br#"{"errors":false"#) {
        return Ok(None);
    }
    let bulk: Bulk = serde_json::from_slice(body)?;
    if bulk.items.len() != count {
        return Err(serde::de::Error::custom(format!("{} outcomes of {count} documents", bulk.items.len())));
    }
    Ok(Some(bulk.items.into_iter().map(|line| fate(line.create)).collect()))
}

fn fate(outcome: Outcome) -> Fate {
    let (kind, reason) = match outcome.error {
        Some(Reported::Cause(cause)) => (cause.kind, cause.reason.unwrap_or_default()),
        Some(Reported::Text(text)) => (String::new(), text),
        None => (String::new(), String::new()),
    };
    let detail = crate::error::shorten(if kind.is_empty() { reason.clone() } else { format!("{kind}: {reason}") });
    match outcome.status {
        // 409: a document with this id, and so with this content, is there.
        200..=299 | 409 => Fate::Stored,
        429 => Fate::Later { busy: true, detail },
        413 => Fate::Refused { reason: "too-large", detail },
        // A block that a person has set on an index stays; the one that a full disk sets (number 12) goes away.
        403 if kind == "cluster_block_exception" && !reason.contains("FORBIDDEN/12") => {
            Fate::Refused { reason: "blocked", detail }
        }
        // Wrong credentials, no index and no right to make one: for the operator to mend, no span is at fault.
        401 | 403 | 404 | 408 | 500.. => Fate::Later { busy: false, detail },
        _ => Fate::Refused { reason: if is_mapping(&kind, &reason) { "mapping" } else { "rejected" }, detail },
    }
}

/// The document does not fit the index's mapping or its limits.
fn is_mapping(kind: &str, reason: &str) -> bool {
    kind.contains("mapp") || kind == "document_parsing_exception" || reason.starts_with("Limit of")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(status: u16, kind: &str, reason: &str) -> String {
        let body = format!(
            r#"{{"errors":true,"items":[{{"create":{{"status":{status},"error":{{"type":"{kind}","reason":"{reason}"}}}}}}]}}"#
        );
        match read(body.as_bytes(), 1).unwrap().unwrap().remove(0) {
            Fate::Stored => "stored".to_owned(),
            Fate::Later { busy, .. } => format!("later {busy}"),
            Fate::Refused { reason, .. } => reason.to_owned(),
        }
    }

    #[test]
    fn a_status_decides() {
        assert_eq!(first(409, "version_conflict_engine_exception", "exists"), "stored");
        assert_eq!(first(429, "es_rejected_execution_exception", "queue"), "later true");
        assert_eq!(first(503, "unavailable_shards_exception", "primary"), "later false");
        assert_eq!(first(400, "mapper_parsing_exception", "failed to parse"), "mapping");
        assert_eq!(first(400, "illegal_argument_exception", "Limit of total fields [1000] has been exceeded"), "mapping");
        assert_eq!(first(400, "index_closed_exception", "closed"), "rejected");
        assert_eq!(first(403, "cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8/index write (api)];"), "blocked");
        assert_eq!(
            first(403, "cluster_block_exception", "blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];"),
            "later false"
        );
        assert_eq!(first(403, "security_exception", "no"), "later false");
    }

    #[test]
    fn each_document_needs_an_outcome() {
        assert!(read(br#"{"errors":true,"items":[]}"#, 1).is_err());
        assert!(read(b"<html>", 1).is_err());
        assert!(read(br#"{"errors":false,"items":[{"create":{"status":201}}]}"#, 1).unwrap().is_none());
    }
}
