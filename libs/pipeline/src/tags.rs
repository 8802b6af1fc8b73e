//! The text of `--collector.tags` and `--agent.tags`: `zone=a,cluster=${CLUSTER:unknown}`.

/// Why a list of tags cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tag {0:?} has no '='; write key=value and a comma between two tags")]
pub struct TagsError(
    /// What stands between two commas.
    pub String,
);

/// Reads a list of tags as Jaeger 1.76 does (`ParseJaegerTags`):
/// - pairs are separated by commas, key and value by the first `=`, and spaces around both are dropped;
/// - a value `${NAME}` is that of the environment variable, which `environment` looks up; when it is not set or empty, the tag
///   is left out;
/// - a value `${NAME:default}` is then the default, which may be empty;
/// - of two tags with the same key the last one counts.
///
/// An empty text has no tags. Jaeger's order is that of a Go map; here it is that of the text.
///
/// # Errors
/// When something between two commas is no pair. Jaeger panics.
pub fn parse(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Vec<(String, String)>, TagsError> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for pair in text.split(',').filter(|_| !text.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| TagsError(pair.to_owned()))?;
        let (key, value) = (key.trim(), value.trim());
        let Some(value) = expand(value, environment) else { continue };
        match tags.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => tags.push((key.to_owned(), value)),
        }
    }
    Ok(tags)
}

/// `None` for a variable that is not set and has no default.
fn expand(value: &str, environment: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let Some(inside) = value.strip_prefix("${").and_then(|v| v.strip_suffix('}')) else { return Some(value.to_owned()) };
    let (name, default) = inside.split_once(':').map_or((inside, None), |(name, default)| (name, Some(default)));
    environment(name).filter(|v| !v.is_empty()).or_else(|| default.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let environment = |name: &str| match name {
            "SET" => Some("found".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let tags = parse(text, &environment).expect("tags");
        tags.iter().map(|(k, v)| format!("{k}={v};")).collect()
    }

    #[test]
    fn pairs_variables_and_defaults() {
        assert_eq!(read(""), "");
        assert_eq!(read(" a = b c , d=e=f"), "a=b c;d=e=f;");
        assert_eq!(read("a=${SET},b=${SET:d},c=${UNSET:d},d=${EMPTY:d}"), "a=found;b=found;c=d;d=d;");
        assert_eq!(read("a=${UNSET},b=${EMPTY},c=${UNSET:},d=,e=${}"), "c=;d=;");
        assert_eq!(read("a=${UNSET:x:y},b=${,c=$SET"), "a=x:y;b=${;c=$SET;");
        assert_eq!(read("a=1,b=2,a=3,b=${UNSET}"), "a=3;b=2;");
    }

    #[test]
    fn what_is_no_pair_is_an_error() {
        for (text, pair) in [("word", "word"), ("a=1,", ""), ("a=1,b,c=2", "b"), (",", "")] {
            assert_eq!(parse(text, &|_| None), Err(TagsError(pair.to_owned())), "{text}");
        }
    }
}
