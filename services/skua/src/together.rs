//! `skua all-in-one`: agent, collector and query in one process over one store.

use crate::process::{Failure, Process};
use crate::storage::{self, Stores};
use crate::{agent, collector, command, query, rollups};
use skua_all_in_one::LocalReporter;
use std::sync::Arc;

pub(crate) async fn run(mut process: Process) -> Result<(), Failure> {
    let Stores { writer, reader, dependencies, archive, sampling, rollups, ready, closing } = storage::open(&mut process).await?;
    let stores = Stores::to_query(reader, dependencies, archive, rollups.as_ref())?;
    let query = query::assemble(&mut process, stores)?;
    let (writer, here) = rollups::here(&mut process, rollups, writer);
    let (collector, adaptive) = collector::assemble(&mut process, writer, sampling).await?;
    let http_port = collector.listeners.otlp_http.as_ref().and_then(|l| l.local_addr().ok()).map_or(4318, |a| a.port());
    let reporter = Arc::new(LocalReporter(collector.pipeline.clone()));
    let agent = agent::assemble(&mut process, reporter, collector.strategies.clone())?;
    let scraped = collector.pipeline.clone();
    let admin = process.serve_admin(Arc::new(move || scraped.refresh_metrics()))?;

    let mut places = collector.listeners.describe();
    places.extend(agent.listeners.describe());
    let address = query.listeners.http.local_addr()?;
    places.push(("Query API", format!("http://127.0.0.1:{}{}", address.port(), query.config.base_path.trim_end_matches('/'))));
    places.extend(query.listeners.grpc_address().map(|address| ("Query gRPC", address)));
    places.push(("Admin", process.loaded.get_string("admin.http.host-port")));
    for (what, address) in &places {
        tracing::info!(what, %address, "listening");
    }
    if std::io::IsTerminal::is_terminal(&std::io::stdout()) || process.loaded.get_string("log-encoding") == "console" {
        welcome(&places, http_port, address.port());
    }
    process.when_ready(ready);
    let drain = process.drain_timeout();
    let parts = skua_all_in_one::Parts { agent, collector, query };
    let ended = skua_all_in_one::run(parts, drain, process.stop.clone()).await;
    process.stop.cancel();
    rollups::save_last(here).await;
    collector::given_back(adaptive).await;
    closing.closed().await;
    admin.cancel();
    Ok(ended?)
}

/// What a person wants to know first.
fn welcome(places: &[(&str, String)], http_port: u16, query_port: u16) {
    let mut text = format!("Skua {} is up.\n", skua_runtime::version::VERSION);
    for (what, address) in places {
        text.push_str(&format!("  {what:<27} {address}\n"));
    }
    text.push_str(&format!(
        "Try it:\n  curl -s localhost:{http_port}/v1/traces -H 'Content-Type: application/json' -d '{{\"resourceSpans\":[{{\"resource\":\
         {{\"attributes\":[{{\"key\":\"service.name\",\"value\":{{\"stringValue\":\"hello\"}}}}]}},\"scopeSpans\":[{{\"spans\":[{{\
         \"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\",\"name\":\"first\",\
         \"startTimeUnixNano\":\"'$(date +%s)000000000'\",\"endTimeUnixNano\":\"'$(date +%s)500000000'\"}}]}}]}}]}}'\n  \
         curl -s 'localhost:{query_port}/api/traces?service=hello&prettyPrint=true'\n"
    ));
    command::say(&text);
}
