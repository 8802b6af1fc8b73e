//! `skua parquet export`.

use super::moment;
use crate::command::complain;
use crate::process::Failure;
use crate::rollup_rebuild::at;
use skua_config::Loaded;
use skua_model::{SpanBatch, TraceId};
use skua_store_parquet::Bucket;
use skua_store_parquet::tools::{Export, Selection, inspect};
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes what was chosen, and on standard error how much it was.
pub(super) async fn run(bucket: &Bucket, loaded: &Loaded, out: &mut impl Write) -> Result<(), Failure> {
    let selection = selection(loaded)?;
    if inspect(bucket).await?.is_none() {
        return Err("there is no manifest: no block was ever written here".into());
    }
    let proto = loaded.get_string("format") == "proto";
    let mut export = Export::open(bucket, selection.clone()).await?;
    let (mut spans, mut text) = (0, Vec::new());
    while let Some(message) = export.next().await? {
        if proto {
            out.write_all(&u32::try_from(message.len())?.to_be_bytes())?;
            out.write_all(&message)?;
        } else {
            text.clear();
            skua_codec::otlp_json::put_traces_data(&mut text, &message);
            text.push(b'\n');
            out.write_all(&text)?;
        }
        spans += SpanBatch::parse(message)?.len();
    }
    out.flush()?;
    complain(&format_args!("{spans} spans{}; those that are in no block yet are left out", described(&selection)));
    if export.gone() > 0 {
        let gone = export.gone();
        complain(&format_args!("{gone} blocks were joined meanwhile: spans of them and their neighbours may be there twice"));
    }
    Ok(())
}

fn selection(loaded: &Loaded) -> Result<Selection, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
    let ns = |us: Option<u64>, without| us.map_or(without, |us| i64::try_from(us.saturating_mul(1000)).unwrap_or(i64::MAX));
    let from = ns(at("from", &loaded.get_string("from"), now)?, i64::MIN);
    let until = ns(at("to", &loaded.get_string("to"), now)?, i64::MAX);
    if until <= from {
        return Err(format!("--to is {}, which is not after --from", moment(until)).into());
    }
    let trace = loaded.get_string("trace");
    let wrong = |e| format!("--trace is {trace:?}: {e}");
    let trace = if trace.is_empty() { None } else { Some(trace.parse::<TraceId>().map_err(wrong)?) };
    Ok(Selection { from, until, service: loaded.get_string("service"), trace })
}

/// Flags may come from variables that were meant for others: what was chosen is always told.
fn described(selection: &Selection) -> String {
    let mut text = String::new();
    if let Some(trace) = selection.trace {
        text.push_str(&format!(" of trace {trace}"));
    }
    if !selection.service.is_empty() {
        text.push_str(&format!(" of service {:?}", selection.service));
    }
    if selection.from != i64::MIN {
        text.push_str(&format!(" from {} on", moment(selection.from)));
    }
    if selection.until != i64::MAX {
        text.push_str(&format!(" before {}", moment(selection.until)));
    }
    text
}
