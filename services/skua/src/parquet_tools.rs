//! `skua parquet inspect`, `verify` and `export`: look into a store in Parquet, and end.

mod export;
mod inspect;
mod verify;

use crate::command::complain;
use crate::process::Failure;
use skua_config::{Component, Loaded};
use skua_runtime::{logs, time};
use skua_store_parquet::{Bucket, Config};
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

/// Where the archive lies below the path.
const ARCHIVE: &str = "archive";

/// Carries one of the commands out.
pub(crate) fn run(loaded: &Loaded) -> ExitCode {
    let encoding = if loaded.get_string("log-encoding") == "json" { logs::Encoding::Json } else { logs::Encoding::Auto };
    logs::init(&loaded.get_string("log-level"), encoding);
    loaded.warnings().iter().for_each(|w| complain(&format_args!("warning: {w}")));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let what = match loaded.component() {
        Component::ParquetVerify => "verify",
        Component::ParquetExport => "export",
        _ => "inspect",
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let done = runtime.map_err(Failure::from).and_then(|runtime| {
        runtime.block_on(async {
            let bucket = open(loaded)?;
            match loaded.component() {
                Component::ParquetVerify => verify::run(&bucket, &mut out).await,
                Component::ParquetExport => export::run(&bucket, loaded, &mut out).await.map(|()| true),
                _ => inspect::run(&bucket, &loaded.get_string("block"), &mut out).await.map(|()| true),
            }
        })
    });
    let done = done.and_then(|sound| out.flush().map(|()| sound).map_err(Failure::from));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Who read it wants no more.
        Err(e) if e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe) => ExitCode::SUCCESS,
        Err(e) => {
            complain(&format_args!("failed to {what} --parquet.path={}: {e}", loaded.get_string("parquet.path")));
            ExitCode::FAILURE
        }
    }
}

fn open(loaded: &Loaded) -> Result<Bucket, Failure> {
    let config: Config = loaded.section("parquet")?;
    Ok(Bucket::open_to_read(&config.path, &config.s3)?)
}

/// Nanoseconds since 1970 as a time.
fn moment(ns: i64) -> String {
    time::rfc3339(UNIX_EPOCH + Duration::from_nanos(u64::try_from(ns).unwrap_or(0)))
}

/// One number by another, with a decimal.
fn each(bytes: u64, spans: u64) -> String {
    if spans == 0 { "-".to_owned() } else { format!("{:.1}", bytes as f64 / spans as f64) }
}

/// Rows of a table, the first its heading; all but the first column to the right.
fn table(out: &mut impl Write, rows: &[Vec<String>]) -> std::io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(n, (cell, width))| match n {
            0 => format!("{cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        });
        writeln!(out, "{}", cells.collect::<String>().trim_end())?;
    }
    Ok(())
}
