//! The nearest right name for a wrong one.

use strsim::normalized_damerau_levenshtein;

/// How alike two names must be, from 0 to 1, to be offered as what was meant.
const LIKENESS: f64 = 0.7;

/// The candidate that `wrong` most likely stands for: equal but for its case, the one that ends in it, or the most alike.
pub(crate) fn nearest<'a>(wrong: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let wrong = wrong.to_ascii_lowercase().replace('_', "-");
    let ending = format!(".{wrong}");
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates.clone() {
        let likeness = normalized_damerau_levenshtein(&wrong, &candidate.to_ascii_lowercase());
        if likeness >= LIKENESS && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate).or_else(|| {
        let mut endings = candidates.filter(|candidate| candidate.ends_with(&ending));
        endings.next().filter(|_| endings.next().is_none())
    })
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let names = ["es.server-urls", "es.timeout", "kafka.producer.topic", "kafka.consumer.topic"];
        let near = |wrong| nearest(wrong, names.iter().copied());
        assert_eq!(near("es.server-url"), Some("es.server-urls"));
        assert_eq!(near("ES_SERVER_URLS"), Some("es.server-urls"));
        assert_eq!(near("server-urls"), Some("es.server-urls"));
        assert_eq!(near("kafka.producer.topics"), Some("kafka.producer.topic"));
        assert_eq!(near("topic"), None, "two end in it");
        assert_eq!(near("something-else"), None);
    }
}
