//! `GET /api/skua/v1/graph`: who calls whom, how often, how fast and how well.

use crate::answer::{Failed, answer};
use crate::handlers::{App, Pairs, now};
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use skua_model::{SpanId, TraceId};
use skua_query::params;
use skua_query::rollups::{Connection, Edge, Exemplar, Graph, Node, NodeKind};

/// The data of the answer. Times are in microseconds since 1970, rates in calls a second, latencies in milliseconds.
#[derive(Serialize)]
struct Data<'a> {
    start: u64,
    end: u64,
    nodes: Vec<NodeData<'a>>,
    edges: Vec<EdgeData<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeData<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    call_count: u64,
    error_count: u64,
    call_rate: f64,
    error_share: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EdgeData<'a> {
    parent: &'a str,
    child: &'a str,
    connection_type: &'static str,
    call_count: u64,
    error_count: u64,
    call_rate: f64,
    error_share: f64,
    latency: Latency,
    exemplar: Option<ExemplarData>,
}

#[derive(Serialize)]
struct Latency {
    avg: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    sum: f64,
}

#[derive(Serialize)]
struct ExemplarData {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    #[serde(rename = "startTime")]
    start: u64,
    duration: u64,
}

/// The parameters are read before there is nothing to ask, as for metrics.
pub(crate) async fn graph(State(app): State<App>, Query(pairs): Pairs) -> Result<Response, Failed> {
    let query = params::graph::graph(&pairs, now())?;
    let graph = app.query.graph(&query).await?.ok_or_else(no_rollups)?;
    let data = serde_json::to_vec(&Data::from(&graph)).map_err(|e| {
        tracing::error!(error = %e, "a graph cannot be written as JSON");
        Failed::new(StatusCode::INTERNAL_SERVER_ERROR, "write the graph as JSON")
    })?;
    Ok(answer(params::pretty_print(&pairs), |out| out.extend_from_slice(&data), graph.edges.len(), &[]))
}

fn no_rollups() -> Failed {
    let message = "the graph of services is made of roll-ups, which are switched off or not kept by this storage";
    Failed::new(StatusCode::NOT_IMPLEMENTED, message)
}

impl<'a> From<&'a Graph> for Data<'a> {
    fn from(graph: &'a Graph) -> Self {
        let (nodes, edges) = (graph.nodes.iter().map(NodeData::from), graph.edges.iter().map(EdgeData::from));
        Self { start: graph.start, end: graph.end, nodes: nodes.collect(), edges: edges.collect() }
    }
}

impl<'a> From<&'a Node> for NodeData<'a> {
    fn from(node: &'a Node) -> Self {
        let kind = match node.kind {
            NodeKind::Service | NodeKind::Called(Connection::Call) => "service",
            NodeKind::Called(connection) => connection.as_str(),
        };
        Self {
            name: &node.name,
            kind,
            call_count: node.calls,
            error_count: node.errors,
            call_rate: node.rate,
            error_share: share(node.errors, node.calls),
        }
    }
}

impl<'a> From<&'a Edge> for EdgeData<'a> {
    fn from(edge: &'a Edge) -> Self {
        let [p50, p95, p99] = edge.quantiles;
        Self {
            parent: &edge.parent,
            child: &edge.child,
            connection_type: edge.connection.as_str(),
            call_count: edge.calls,
            error_count: edge.errors,
            call_rate: edge.rate,
            error_share: share(edge.errors, edge.calls),
            latency: Latency { avg: edge.sum / edge.calls as f64, p50, p95, p99, sum: edge.sum },
            exemplar: edge.exemplar.as_ref().map(ExemplarData::from),
        }
    }
}

impl From<&Exemplar> for ExemplarData {
    fn from(e: &Exemplar) -> Self {
        let (trace_id, span_id) = (TraceId(e.trace_id).to_string(), SpanId(e.span_id).to_string());
        Self { trace_id, span_id, start: e.start, duration: e.duration }
    }
}

/// 0 to 1, also when there are none.
fn share(errors: u64, calls: u64) -> f64 {
    errors as f64 / calls.max(1) as f64
}
