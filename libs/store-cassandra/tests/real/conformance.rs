//! The suites of all stores.

use crate::given::{config, keyspace, server, store};
use skua_store::conformance::{self, Abilities};
use skua_store::sampling::Lease;
use skua_store_cassandra::{CassandraDependencies, CassandraSampling};
use std::time::Duration;

/// Cassandra can all of it; values are compared as text.
pub const ABILITIES: Abilities =
    Abilities { warnings: true, long_values: true, any_service: true, patterns: false, repeated_keys: true };

#[tokio::test]
async fn passes_the_suite() {
    let Some(server) = server() else { return };
    let store = store(config(&server, &keyspace("suite"))).await;
    for case in conformance::CASES {
        let from = std::time::Instant::now();
        conformance::run_case(case, ABILITIES, &*store, &*store, &|| Box::pin(async {})).await;
        eprintln!("{case}: {} ms", from.elapsed().as_millis());
    }
}

#[tokio::test]
async fn dependencies_pass_the_suite() {
    let Some(server) = server() else { return };
    let dependencies = CassandraDependencies::new(store(config(&server, &keyspace("dependencies"))).await);
    conformance::dependencies::run(&dependencies, &dependencies, &|| Box::pin(async {})).await;
}

/// But for the cases with a clock of their own: here the server's counts.
#[tokio::test]
async fn sampling_passes_the_suite() {
    let Some(server) = server() else { return };
    let sampling = CassandraSampling::new(store(config(&server, &keyspace("sampling"))).await);
    for case in conformance::sampling::CASES.iter().filter(|case| !["lease-expires", "lease-race"].contains(case)) {
        conformance::sampling::run_case(case, &sampling, &sampling, &|| Box::pin(async {})).await;
    }
}

/// Scenario: eight ask for a lease at the same time, the one that has it keeps it, and then forgets it. Guarantees: one has it, as long
/// as it keeps it, and another gets it afterwards.
#[tokio::test]
async fn a_lease_has_one_owner_and_ends() {
    let Some(server) = server() else { return };
    let lease = CassandraSampling::new(store(config(&server, &keyspace("lease"))).await);
    let ask = async |owner: &str, ttl| lease.acquire("r", owner, Duration::from_secs(ttl), 0).await.unwrap();
    let owners: Vec<String> = (0..8).map(|i| format!("owner-{i}")).collect();
    let got = futures::future::join_all(owners.iter().map(|owner| ask(owner, 600))).await;
    assert_eq!(got.iter().filter(|got| **got).count(), 1, "{got:?}");
    let (owner, other) =
        if got[0] { (&owners[0], &owners[1]) } else { (&owners[got.iter().position(|g| *g).unwrap()], &owners[0]) };
    assert!(ask(owner, 1).await, "the owner keeps it, from now on for a second");
    let mut got = false;
    for _ in 0..600 {
        got = ask(other, 600).await;
        if got {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(got, "it ends by itself");
    assert!(!ask(owner, 600).await);
    assert!(!lease.forfeit("r", owner).await.unwrap() && lease.forfeit("r", other).await.unwrap());
    assert!(ask(owner, 600).await);
}
