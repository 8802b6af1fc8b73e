//! `--name value` and `--name=value`, and no more: the programs have few flags and are called by scripts.

use crate::Failure;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// The command line of one program.
#[derive(Debug, Default)]
pub struct Args {
    flags: Vec<(String, String)>,
    /// Words that are not flags, in order.
    pub words: Vec<String>,
}

impl Args {
    /// Reads the words after the program's name; a flag not in `known` is an error that shows `usage`.
    pub fn parse(words: impl IntoIterator<Item = String>, known: &[&str], usage: &str) -> Result<Self, Failure> {
        let (mut args, mut words) = (Self::default(), words.into_iter());
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix("--") else {
                args.words.push(word);
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            if !known.contains(&name) {
                return Err(format!("unknown flag --{name}\nusage: {usage}").into());
            }
            let value = value.or_else(|| words.next()).ok_or_else(|| format!("flag --{name} needs a value"))?;
            args.flags.push((name.to_owned(), value));
        }
        Ok(args)
    }

    /// The last value given for a flag.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.flags.iter().rfind(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// A flag without which the program has nothing to do.
    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        self.text(name).ok_or_else(|| format!("flag --{name} is needed").into())
    }

    /// A number, or anything else that reads itself from text.
    pub fn value<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> Result<T, Failure> {
        match self.text(name) {
            Some(text) => text.parse().map_err(|e| format!("flag --{name}: {e}").into()),
            None => Ok(default),
        }
    }

    /// A duration such as `2s`, `250ms` or `5m`.
    pub fn duration(&self, name: &str, default: Duration) -> Result<Duration, Failure> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let ms = match &text[digits..] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            unit => return Err(format!("flag --{name}: unknown unit {unit:?}, use ms, s or m").into()),
        };
        let number: u64 = text[..digits].parse().map_err(|e| format!("flag --{name}: {e}"))?;
        Ok(Duration::from_millis(number.saturating_mul(ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Result<Args, Failure> {
        Args::parse(line.split_whitespace().map(str::to_owned), &["spans", "settle"], "test")
    }

    #[test]
    fn the_last_value_counts_and_both_spellings_are_read() {
        let a = args("word --spans 1 --spans=2 --settle 250ms").unwrap();
        assert_eq!(a.value("spans", 0usize).unwrap(), 2);
        assert_eq!(a.duration("settle", Duration::ZERO).unwrap(), Duration::from_millis(250));
        assert_eq!(a.words, ["word"]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(args("--nope 1").is_err());
        assert!(args("--spans").is_err());
        assert!(args("--settle 3h").unwrap().duration("settle", Duration::ZERO).is_err());
        assert!(args("--spans many").unwrap().value("spans", 0usize).is_err());
    }
}
