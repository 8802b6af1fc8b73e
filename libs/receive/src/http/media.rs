//! Media types, with the errors of Go's `mime.ParseMediaType`, which Jaeger's clients show in their logs.

/// The media type in lower case. Its parameters do not matter, whatever they are.
///
/// # Errors
/// What is wrong with it, in Go's words.
pub(super) fn media_type(value: &str) -> Result<String, &'static str> {
    let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, rest) = token(&media);
    if kind.is_empty() {
        return Err("mime: no media type");
    }
    if rest.is_empty() {
        return Ok(media);
    }
    let Some(rest) = rest.strip_prefix('/') else { return Err("mime: expected slash after first token") };
    match token(rest) {
        ("", _) => Err("mime: expected token after slash"),
        (_, "") => Ok(media),
        _ => Err("mime: unexpected content after media subtype"),
    }
}

/// A token (RFC 9110, 5.6.2) and what follows it.
fn token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn errors_are_gos() {
        let good = ["application/x-thrift", "Application/X-Thrift ; charset=utf-8", " application/x-thrift;\"", "x-thrift"];
        let kind = good.map(|v| media_type(v).expect("a media type"));
        assert_eq!(kind, ["application/x-thrift", "application/x-thrift", "application/x-thrift", "x-thrift"]);
        for (value, error) in [
            ("", "no media type"),
            (" ; a=b", "no media type"),
            ("a b", "expected slash after first token"),
            ("a/", "expected token after slash"),
            ("a/b c", "unexpected content after media subtype"),
        ] {
            assert_eq!(media_type(value), Err(format!("mime: {error}").as_str()));
        }
    }
}
