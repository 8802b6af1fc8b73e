//! The suites of all stores.

use crate::given::{bucket, server};
use skua_store::conformance;
use skua_store_parquet::{ParquetRollups, ParquetSampling};

#[tokio::test]
async fn rollups_pass_the_suite() {
    let Some(server) = server() else { return };
    let rollups = ParquetRollups::new(bucket(&server, "rollups").await);
    for case in conformance::rollups::CASES {
        let from = std::time::Instant::now();
        conformance::rollups::run_case(case, &rollups).await;
        eprintln!("{case}: {} ms", from.elapsed().as_millis());
    }
}

#[tokio::test]
async fn sampling_passes_the_suite() {
    let Some(server) = server() else { return };
    let sampling = ParquetSampling::new(bucket(&server, "sampling").await);
    conformance::sampling::run(&sampling, &sampling, &|| Box::pin(async {})).await;
}
