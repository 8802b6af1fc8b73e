//! What indices are called.

use crate::config::Config;
use skua_model::json::civil_from_days;
use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds.
pub(crate) const HOUR_US: u64 = 3_600_000_000;

/// One family of indices: `jaeger-span-…`, `jaeger-service-…`, `jaeger-dependencies-…`, `jaeger-sampling-…` or
/// `skua-rollup-…`.
#[derive(Debug)]
pub(crate) struct Indices {
    /// With the configured prefix, up to the date.
    base: String,
    separator: String,
    hourly: bool,
    /// What stands in place of a date; `None`: indices are dated.
    aliases: Option<Aliases>,
    remote: Vec<String>,
}

/// Ends of names that do not change with time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aliases {
    read: &'static str,
    write: &'static str,
}

/// What a store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything that comes in.
    Primary,
    /// Traces that somebody wants kept: in one index that is never another, or behind aliases of its own.
    Archive,
}

impl Role {
    /// The label `role` of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Archive => "archive",
        }
    }

    fn aliases(self, use_aliases: bool) -> Option<Aliases> {
        match (self, use_aliases) {
            (Self::Primary, false) => None,
            (Self::Primary, true) => Some(Aliases { read: "read", write: "write" }),
            (Self::Archive, false) => Some(Aliases { read: "archive", write: "archive" }),
            (Self::Archive, true) => Some(Aliases { read: "archive-read", write: "archive-write" }),
        }
    }
}

/// `[prefix-]name`.
pub(crate) fn prefixed(prefix: &str, name: &str) -> String {
    let dash = if prefix.is_empty() || prefix.ends_with('-') { "" } else { "-" };
    format!("{prefix}{dash}{name}")
}

impl Indices {
    pub fn spans(c: &Config, role: Role) -> Self {
        Self::new(c, role, "jaeger-span-", &c.index_rollover_frequency_spans)
    }

    pub fn services(c: &Config, role: Role) -> Self {
        Self::new(c, role, "jaeger-service-", &c.index_rollover_frequency_services)
    }

    /// Never by the hour.
    pub fn dependencies(c: &Config) -> Self {
        Self::new(c, Role::Primary, "jaeger-dependencies-", "day")
    }

    /// Always dated, and of this cluster alone, whatever holds for the others.
    pub fn sampling(c: &Config) -> Self {
        let named = Self::new(c, Role::Primary, "jaeger-sampling-", &c.index_rollover_frequency_adaptive_sampling);
        Self { aliases: None, remote: Vec::new(), ..named }
    }

    /// Always a day's, and of this cluster alone. Not Jaeger's: its templates, rollover and cleaner do not know the name.
    pub fn rollups(c: &Config) -> Self {
        let named = Self::new(c, Role::Primary, "skua-rollup-", "day");
        Self { aliases: None, remote: Vec::new(), ..named }
    }

    fn new(c: &Config, role: Role, name: &str, frequency: &str) -> Self {
        Self {
            base: prefixed(&c.index_prefix, name),
            separator: c.index_date_separator.clone(),
            hourly: frequency.eq_ignore_ascii_case("hour"),
            aliases: role.aliases(c.use_aliases),
            remote: c.remote_read_clusters.clone(),
        }
    }

    /// The index that a document of this hour (since 1970) is written to.
    pub fn to_write(&self, hour: u64) -> String {
        if let Some(aliases) = self.aliases {
            return format!("{}{}", self.base, aliases.write);
        }
        format!("{}{}", self.base, self.date(hour, if self.hourly { 4 } else { 3 }))
    }

    /// With the configured prefix, up to the date.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The day since 1970 that a dated index is of; `None` when the name is not one of ours.
    pub fn day_of(&self, index: &str) -> Option<u64> {
        let date = index.strip_prefix(&self.base)?;
        let year: i64 = date.get(..4)?.parse().ok()?;
        let rest: String = date.get(4..)?.split(&self.separator).collect();
        let number = |at: std::ops::Range<usize>| rest.get(at)?.parse::<i64>().ok();
        let day = days_from_civil(year, number(0..2)?, number(2..4)?)?;
        // Whatever else it may look like, it has to be the very name.
        (self.to_write(day * 24) == index).then_some(day)
    }

    /// True when the alias names all indices, so that no list of dates bounds a search.
    pub fn aliased(&self) -> bool {
        self.aliases.is_some()
    }

    /// The time that one index holds.
    pub fn period(&self) -> Duration {
        Duration::from_secs(if self.hourly { 3600 } else { 86_400 })
    }

    /// Indices that may hold documents of a time, bounds included, newest first; no longer together than `longest` bytes,
    /// because they stand in a URL: when they would be, they are named by month or year with a `*`.
    pub fn to_read(&self, from_us: u64, to_us: u64, longest: usize) -> Vec<String> {
        if let Some(aliases) = self.aliases {
            return self.everywhere(vec![format!("{}{}", self.base, aliases.read)]);
        }
        let (first, last) = (from_us / HOUR_US, to_us.max(from_us) / HOUR_US);
        let finest = if self.hourly { 4 } else { 3 };
        for parts in (1..=finest).rev() {
            let star = if parts < finest { "*" } else { "" };
            let names = self.names(first, last, parts, star, longest);
            if let Some(names) = names {
                return self.everywhere(names);
            }
        }
        self.everywhere(vec![format!("{}*", self.base)])
    }

    /// One name for each hour, day, month or year (`parts`) of a time, newest first, or `None` when they are too long together.
    fn names(&self, first: u64, last: u64, parts: u32, star: &str, longest: usize) -> Option<Vec<String>> {
        let mut names = Vec::<String>::new();
        let mut bytes = 0;
        // A day at a time is small enough a step for months and years.
        let step = if parts == 4 { 1 } else { 24 };
        let mut hour = last;
        loop {
            let name = format!("{}{}{star}", self.base, self.date(hour, parts));
            if names.last() != Some(&name) {
                bytes += (name.len() + 3) * (1 + self.remote.len()) + self.remote.iter().map(String::len).sum::<usize>();
                if bytes > longest {
                    return None;
                }
                names.push(name);
            }
            if hour == first {
                return Some(names);
            }
            hour = hour.saturating_sub(step).max(first);
        }
    }

    /// The same indices of other clusters too.
    fn everywhere(&self, mut names: Vec<String>) -> Vec<String> {
        for i in 0..names.len() {
            for cluster in &self.remote {
                names.push(format!("{cluster}:{}", names[i]));
            }
        }
        names
    }

    /// The first `parts` of year, month, day and hour.
    fn date(&self, hour: u64, parts: u32) -> String {
        let (y, m, d) = civil_from_days((hour / 24) as i64);
        let mut out = format!("{y:04}");
        for part in [m, d, (hour % 24) as u32].into_iter().take(parts as usize - 1) {
            let _ = write!(out, "{}{part:02}", self.separator);
        }
        out
    }
}

/// The number of days since 1970 of a date; `None` before that.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<u64> {
    // Howard Hinnant's algorithm: years begin in March, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    u64::try_from(days).ok()
}

/// RFC 3339 in UTC, without the zeros at the end of a fraction, as Go writes a time: `2026-01-25T12:00:00.5Z`.
pub(crate) fn rfc3339(us: u64) -> String {
    let (seconds, fraction) = (us / 1_000_000, us % 1_000_000);
    let (y, m, d) = civil_from_days((seconds / 86_400) as i64);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let fraction = format!(".{fraction:06}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{y:04}-{m:02}-{d:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Microseconds since 1970.
pub(crate) fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|d| d.as_micros() as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * HOUR_US;

    fn spans(c: &Config) -> Indices {
        Indices::spans(c, Role::Primary)
    }

    #[test]
    fn an_archive_has_one_index_or_aliases_of_its_own() {
        let names = |c: &Config| {
            [Indices::spans(c, Role::Archive), Indices::services(c, Role::Archive)]
                .map(|indices| (indices.to_write(0), indices.to_read(0, u64::MAX, 3500).join(",")))
        };
        let both = |name: &str| (name.to_owned(), name.to_owned());
        let mut c = Config { index_rollover_frequency_spans: "hour".to_owned(), ..Config::default() };
        assert_eq!(names(&c), [both("jaeger-span-archive"), both("jaeger-service-archive")]);
        c.index_prefix = "foo".to_owned();
        c.use_aliases = true;
        let [spans, services] = names(&c);
        assert_eq!(spans, ("foo-jaeger-span-archive-write".to_owned(), "foo-jaeger-span-archive-read".to_owned()));
        assert_eq!(services, ("foo-jaeger-service-archive-write".to_owned(), "foo-jaeger-service-archive-read".to_owned()));
        assert_eq!(Role::Archive.name(), "archive");
    }

    #[test]
    fn names_are_jaegers() {
        let mut c = Config::default();
        let hour = 20_478 * 24 + 7; // 2026-01-25 07:00
        assert_eq!(spans(&c).to_write(hour), "jaeger-span-2026-01-25");
        c.index_prefix = "foo".to_owned();
        c.index_date_separator = ".".to_owned();
        c.index_rollover_frequency_spans = "hour".to_owned();
        assert_eq!(spans(&c).to_write(hour), "foo-jaeger-span-2026.01.25.07");
        assert_eq!(Indices::services(&c, Role::Primary).to_write(hour), "foo-jaeger-service-2026.01.25");
        assert_eq!(Indices::dependencies(&c).to_write(hour), "foo-jaeger-dependencies-2026.01.25");
        c.index_prefix = "foo-".to_owned();
        c.use_aliases = true;
        assert_eq!(Indices::services(&c, Role::Primary).to_write(hour), "foo-jaeger-service-write");
        assert_eq!(Indices::dependencies(&c).to_write(hour), "foo-jaeger-dependencies-write");
        assert_eq!(spans(&c).to_read(0, u64::MAX, 3500), ["foo-jaeger-span-read"]);
        c.remote_read_clusters = vec!["far".to_owned()];
        assert_eq!(Indices::sampling(&c).to_write(hour), "foo-jaeger-sampling-2026.01.25");
        c.index_rollover_frequency_adaptive_sampling = "hour".to_owned();
        assert_eq!(Indices::sampling(&c).to_write(hour), "foo-jaeger-sampling-2026.01.25.07");
        assert_eq!(Indices::sampling(&c).to_read(hour * HOUR_US, hour * HOUR_US, 3500), ["foo-jaeger-sampling-2026.01.25.07"]);
    }

    /// Scenario: names of all days of 400 years, and names that only look like them. Guarantees: a name gives its day, nothing else
    /// gives one; aliases and rollover change nothing.
    #[test]
    fn rollups_are_dated_and_known_by_their_names() {
        for separator in ["-", ".", "", "_-"] {
            let c = Config {
                index_prefix: "foo".to_owned(),
                index_date_separator: separator.to_owned(),
                use_aliases: true,
                index_rollover_frequency_spans: "hour".to_owned(),
                ..Config::default()
            };
            let rollups = Indices::rollups(&c);
            let name = format!("foo-skua-rollup-2026{separator}01{separator}25");
            assert_eq!((rollups.to_write(20_478 * 24 + 7), rollups.day_of(&name)), (name, Some(20_478)));
            for day in 0..146_097 {
                assert_eq!(rollups.day_of(&rollups.to_write(day * 24 + 23)), Some(day));
            }
            for other in
                ["", "2026", "2026-13-01", "2026-02-30", "2026-01-25-07", "2026-01-2", "9999999999", "1969-12-31", "ä", "20é"]
            {
                let other = other.replace('-', separator);
                assert_eq!(rollups.day_of(&format!("foo-skua-rollup-{other}")), None, "{other}");
            }
            assert_eq!(rollups.day_of(&format!("skua-rollup-2026{separator}01{separator}25")), None);
        }
    }

    #[test]
    fn a_time_is_a_list_of_days_newest_first() {
        let spans = spans(&Config::default());
        let noon = 20_478 * DAY + DAY / 2;
        assert_eq!(spans.to_read(noon, noon, 3500), ["jaeger-span-2026-01-25"]);
        let days = spans.to_read(noon - DAY, noon + DAY / 2, 3500);
        assert_eq!(days, ["jaeger-span-2026-01-26", "jaeger-span-2026-01-25", "jaeger-span-2026-01-24"]);
    }

    #[test]
    fn long_lists_become_months_and_years() {
        let c = Config { index_rollover_frequency_spans: "hour".to_owned(), ..Config::default() };
        let spans = spans(&c);
        let noon = 20_478 * DAY + DAY / 2;
        assert_eq!(spans.to_read(noon - HOUR_US, noon, 3500), ["jaeger-span-2026-01-25-12", "jaeger-span-2026-01-25-11"]);
        assert_eq!(spans.to_read(noon - 20 * DAY, noon, 3500)[..2], ["jaeger-span-2026-01-25*", "jaeger-span-2026-01-24*"]);
        assert_eq!(spans.to_read(noon - 600 * DAY, noon, 3500)[..2], ["jaeger-span-2026-01*", "jaeger-span-2025-12*"]);
        assert_eq!(spans.to_read(0, noon, 3500).last().unwrap(), "jaeger-span-1970*");
        assert_eq!(spans.to_read(0, noon, 100), ["jaeger-span-*"]);
    }
}
