//! `skua parquet verify`.

use super::{ARCHIVE, moment};
use crate::process::Failure;
use skua_store_parquet::Bucket;
use skua_store_parquet::tools::{Checked, Summary, inspect, verify};
use std::io::Write;

/// True when everything is sound.
pub(super) async fn run(bucket: &Bucket, out: &mut impl Write) -> Result<bool, Failure> {
    if inspect(bucket).await?.is_none() {
        writeln!(out, "there is no manifest: no block was ever written here")?;
    }
    let mut sound = whole(bucket, "", out).await?;
    let archive = bucket.below(ARCHIVE);
    if inspect(&archive).await?.is_some() {
        sound &= whole(&archive, "archive: ", out).await?;
    }
    Ok(sound)
}

async fn whole(bucket: &Bucket, which: &str, out: &mut impl Write) -> Result<bool, Failure> {
    // What cannot be written is told at the end.
    let mut written = Ok(());
    let summary = verify(bucket, |checked| {
        if written.is_ok() {
            written = tell(checked, which, out);
        }
    })
    .await?;
    written?;
    let Summary { blocks, unsound, spans, gone, unnamed } = summary;
    for object in unnamed {
        let (name, bytes, written) = (object.name, object.bytes, moment(object.modified_ms as i64 * 1_000_000));
        writeln!(out, "{which}{name}: no block has it ({bytes} bytes, written {written})")?;
    }
    let gone = if gone == 0 { String::new() } else { format!("; {gone} were joined or retired meanwhile") };
    writeln!(out, "{which}{blocks} blocks, {spans} spans, {unsound} blocks with problems{gone}")?;
    Ok(unsound == 0)
}

fn tell(checked: &Checked, which: &str, out: &mut impl Write) -> std::io::Result<()> {
    let Checked { id, spans, problems, more } = checked;
    if problems.is_empty() {
        writeln!(out, "{which}{id}: {spans} spans, sound")?;
    }
    problems.iter().try_for_each(|problem| writeln!(out, "{which}{id}: {problem}"))?;
    if *more > 0 {
        writeln!(out, "{which}{id}: and {more} problems more")?;
    }
    out.flush()
}
