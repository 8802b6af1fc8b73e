//! `skua rollup rebuild`: counts a period anew from the spans in the store, and ends.

use crate::command::complain;
use crate::process::{Failure, Process};
use crate::storage::{self, Stores};
use prometheus_client::registry::Registry;
use skua_config::Loaded;
use skua_query::go;
use skua_rollup::document::{INTERVAL, interval_of};
use skua_rollup::recount::{Recount, Step};
use skua_runtime::health::Health;
use skua_runtime::{logs, shutdown, time};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer than a save takes, when the store is well.
const SAVE: Duration = Duration::from_secs(10);

pub(crate) fn run(loaded: &Loaded) -> ExitCode {
    let encoding = if loaded.get_string("log-encoding") == "json" { logs::Encoding::Json } else { logs::Encoding::Auto };
    logs::init(&loaded.get_string("log-level"), encoding);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    match runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(rebuild(loaded))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            complain(&format_args!("failed to count anew: {e}"));
            ExitCode::FAILURE
        }
    }
}

async fn rebuild(loaded: &Loaded) -> Result<(), Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
    let pause = loaded.get_duration("rollup.flush-interval") + SAVE;
    // Before this, those who count have settled everything.
    let latest = now.saturating_sub((loaded.get_duration("rollup.window") + 2 * pause).as_micros() as u64);
    let from = at("from", &loaded.get_string("from"), now)?.ok_or("--from is missing: when the period begins")?;
    let (from, until) = period(from, at("to", &loaded.get_string("to"), now)?, latest)?;

    let stop = shutdown::on_signal()?;
    let mut process = Process {
        loaded: loaded.clone(),
        health: Health::default(),
        registry: Registry::default(),
        spans: None,
        stop: stop.clone(),
    };
    let Stores { reader, rollups, ready, closing, .. } = storage::open(&mut process).await?;
    let reader = reader.ok_or("the first SPAN_STORAGE_TYPE cannot be read")?;
    let rollups = rollups.ok_or("this storage keeps no roll-ups")?;
    let max_series = usize::try_from(loaded.get_u64("rollup.max-series")).unwrap_or(usize::MAX);
    let work = async {
        ready.await;
        let intervals = (until - from) / INTERVAL;
        say(&format!("counting {} to {}: {intervals} times ten minutes", text(from), text(until)));
        let mut done = 0;
        Recount::new(reader, rollups, pause, max_series).run(from, until, |step| tell(step, &mut done, intervals, pause)).await
    };
    let ended = tokio::select! {
        () = stop.cancelled() => Err("stopped; what was saved up to here stays".into()),
        done = work => done.map_err(Failure::from),
    };
    closing.closed().await;
    ended
}

/// Whole intervals from a time to another, at most up to `latest`.
fn period(from: u64, to: Option<u64>, latest: u64) -> Result<(u64, u64), Failure> {
    let (from, last) = (interval_of(from), interval_of(latest));
    let until = match to {
        None => last,
        Some(to) if to <= from => return Err(format!("--to is {}, which is not after --from", text(to)).into()),
        Some(to) => to.div_ceil(INTERVAL) * INTERVAL,
    };
    if until > last {
        let so = "what was counted of later spans may not be saved yet";
        return Err(format!("--to is {}, but {} is the latest that can be counted now: {so}", text(until), text(last)).into());
    }
    if until <= from {
        return Err(format!("--from is {}, but {} is the latest that can be counted now", text(from), text(last)).into());
    }
    Ok((from, until))
}

/// A time in RFC 3339, or so long before `now`; microseconds since 1970.
pub(crate) fn at(flag: &str, value: &str, now: u64) -> Result<Option<u64>, Failure> {
    if value.is_empty() {
        return Ok(None);
    }
    if let Ok(ns) = go::parse_time(value) {
        return Ok(Some(u64::try_from(ns / 1000).unwrap_or(0)));
    }
    let ago = go::parse_duration(value).ok().and_then(|ns| u64::try_from(ns).ok());
    let ago = ago.ok_or_else(|| {
        format!("--{flag} is {value:?}: expected a time such as 2026-01-31T12:00:00Z, or so long ago, such as 48h")
    })?;
    Ok(Some(now.saturating_sub(ago / 1000)))
}

fn tell(step: Step, done: &mut u64, intervals: u64, pause: Duration) {
    match step {
        Step::Counted { interval, spans, calls } => {
            *done += 1;
            say(&format!("{} {spans} spans, {calls} calls ({done} of {intervals})", text(interval)));
        }
        Step::Waiting => say(&format!("waiting {} s, until those who count what comes have saved it", pause.as_secs())),
        Step::Saved { interval } => say(&format!("{} saved", text(interval))),
        Step::Kept { interval } => say(&format!("{} kept as it is: the store has no spans of it any more", text(interval))),
        Step::Again { interval } => {
            *done -= 1;
            say(&format!("{} was changed meanwhile; counting it again", text(interval)));
        }
    }
}

fn text(us: u64) -> String {
    time::rfc3339(UNIX_EPOCH + Duration::from_micros(us))
}

/// Progress, on standard output as it comes.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads: the work goes on.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_100_000_000;

    /// Guarantee: a period is whole intervals, none of which may still be counted.
    #[test]
    fn a_period_is_whole_and_over() {
        let start = interval_of(NOW);
        assert_eq!(period(start - 1, None, NOW).unwrap(), (start - INTERVAL, start));
        assert_eq!(
            period(start - 3 * INTERVAL, Some(start - 2 * INTERVAL + 1), NOW).unwrap(),
            (start - 3 * INTERVAL, start - INTERVAL)
        );
        let wrong = [(start - INTERVAL, Some(start + 1)), (start, None), (start - INTERVAL, Some(start - INTERVAL))];
        let messages = wrong.map(|(from, to)| period(from, to, NOW).unwrap_err().to_string());
        assert!(
            messages[0].contains("is the latest that can be counted now") && messages[2].contains("not after --from"),
            "{messages:?}"
        );
    }

    #[test]
    fn times_are_read() {
        assert_eq!(at("from", "", NOW).unwrap(), None);
        assert_eq!(at("from", "1h30m", NOW).unwrap(), Some(NOW - 5_400_000_000));
        assert_eq!(at("from", "2023-11-14T22:15:00Z", NOW).unwrap(), Some(NOW));
        assert!(at("to", "yesterday", NOW).unwrap_err().to_string().starts_with("--to is \"yesterday\""));
    }
}
