//! What spans cost on their way into blocks, alone in a process: CPU of the calling thread, bytes, and the highest resident memory above
//! what making the spans took. Spans are made for one block at a time, and dropped as they are pushed.
#![allow(clippy::print_stdout, reason = "the report is this program's output")]

use skua_bench::Failure;
use skua_bench::args::Args;
use skua_bench::spans::{Config, generate, generate_hard};
use skua_bench::usage::{Usage, mib, micros_per, round, thread_cpu};
use skua_model::SpanBatch;
use skua_store_parquet::trial::{Trial, TrialBlock};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "parquetblock [--hard true] [--blocks 4] [--block 250000] [--batch 200] [--columns 20] [--keep DIRECTORY]";
const FLAGS: &[&str] = &["hard", "blocks", "block", "batch", "columns", "keep"];

fn main() -> Result<(), Failure> {
    let args = Args::parse(std::env::args().skip(1), FLAGS, USAGE)?;
    let (blocks, block): (u64, usize) = (args.value("blocks", 4)?, args.value("block", 250_000)?);
    let (batch, hard, shown): (usize, bool, usize) =
        (args.value("batch", 200)?, args.value("hard", false)?, args.value("columns", 0)?);
    let (mut pushing, mut cutting, mut spans, mut head_bytes) = (Duration::ZERO, Duration::ZERO, 0, 0);
    let (mut file, mut sidecar, mut levels, mut memory) = (0, 0, 0, 0);
    for seed in 0..blocks {
        let config = Config { seed: seed + 1, ..Config::new(block, batch) };
        let load = if hard { generate_hard(&config) } else { generate(&config) };
        let batches = load.requests.into_iter().map(SpanBatch::parse).collect::<Result<Vec<_>, _>>()?;
        let before = Usage::own()?;
        let mut trial = Trial::new();
        for batch in batches {
            let from = thread_cpu()?;
            trial.push(&batch);
            pushing += thread_cpu()? - from;
        }
        let from = thread_cpu()?;
        let cut = trial.cut()?;
        cutting += thread_cpu()? - from;
        memory = memory.max(Usage::own()?.peak_kib.saturating_sub(before.peak_kib));
        spans += trial.spans();
        head_bytes = head_bytes.max(trial.bytes());
        levels += cut.levels as usize;
        file += cut.file.len();
        sidecar += cut.sidecar.len();
        if seed == 0 {
            show(&cut, trial.spans(), shown);
            if let Some(directory) = args.text("keep") {
                std::fs::write(std::path::Path::new(directory).join("block.parquet"), &cut.file)?;
            }
        }
    }
    let per_span = |bytes: usize| round(bytes as f64 / spans as f64, 2);
    println!(
        "{}",
        serde_json::json!({
            "spans": spans,
            "push_us": micros_per(pushing, spans),
            "cut_us": micros_per(cutting, spans),
            "us": micros_per(pushing + cutting, spans),
            "file_bytes": per_span(file),
            "sidecar_bytes": per_span(sidecar),
            "level_bytes": per_span(levels),
            "bytes": per_span(file + sidecar),
            "head_mib": mib(head_bytes as u64 >> 10),
            "above_spans_mib": mib(memory),
            "peak_mib": mib(Usage::own()?.peak_kib),
        })
    );
    Ok(())
}

/// The largest columns.
fn show(cut: &TrialBlock, spans: usize, most: usize) {
    let mut columns = cut.columns.clone();
    columns.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    columns.iter().take(most).for_each(|(name, bytes)| println!("{:7.3}  {name}", *bytes as f64 / spans as f64));
}
