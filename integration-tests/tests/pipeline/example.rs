//! What a newcomer does first: `make run`, then the example.

use skua_integration_tests::query::{list, text};
use skua_integration_tests::{Query, Result, Skua, clients};
use std::collections::HashSet;
use std::path::Path;

/// Scenario: `skua all-in-one` with nothing else on the machine, and the example of the README. Guarantee: the example's
/// trace of three services is found at the address that it prints.
#[tokio::test]
async fn example_against_all_in_one() -> Result<()> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/python");
    let installed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python/requirements.txt"))?;
    for requirement in std::fs::read_to_string(examples.join("requirements.txt"))?.lines() {
        assert!(installed.contains(requirement), "{requirement} is tested with another version");
    }

    let skua = Skua::start("all-in-one", &[], &[]).await?;
    let query = format!("http://127.0.0.1:{}", skua.ports().query_http);
    let env = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("http://127.0.0.1:{}", skua.ports().otlp_grpc)),
        ("SKUA_QUERY".to_owned(), query.clone()),
    ];
    let printed = clients::python(&examples.join("app.py"), &env).await?;

    let address = printed.lines().last().unwrap_or_default();
    let id = address.strip_prefix(&format!("{query}/api/traces/")).unwrap_or_default();
    let trace = Query::new(skua.ports().query_http).complete_trace(id, 10).await?;
    let processes = trace["processes"].as_object().into_iter().flat_map(|processes| processes.values());
    let services: HashSet<_> = processes.map(|process| text(process, "serviceName")).collect();
    assert_eq!(services, HashSet::from(["frontend", "orders", "payments"]), "{printed}");
    assert_eq!(list(&trace["spans"]).len(), 10);
    Ok(())
}
