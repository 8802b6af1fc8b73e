//! In what stores differ.

/// What not every store can. The suite asks for each: that the store can, or that it says or shows that it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// A span comes back with its warnings. Else it comes back without.
    pub warnings: bool,
    /// A tag is found by a value of more than 256 characters. Else it is kept but not found.
    pub long_values: bool,
    /// A search may leave the service open. Else it is refused with [`ErrorKind::Unsupported`](crate::ErrorKind).
    pub any_service: bool,
    /// The tag values of a search are Lucene regular expressions over the whole value. Else they are compared as text.
    pub patterns: bool,
    /// A key may come more than once among the tags of a span. Else the last of them stays.
    pub repeated_keys: bool,
}

impl Abilities {
    /// The value of a search that finds this text and no other.
    pub(super) fn literal(self, value: &str) -> String {
        let special = |c: &char| self.patterns && r#".?+*|{}[]()"\#@&<>~^-"#.contains(*c);
        let escaped = |c: char| special(&c).then_some('\\').into_iter().chain([c]);
        value.chars().flat_map(escaped).collect()
    }
}
