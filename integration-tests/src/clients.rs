//! Applications with an OpenTelemetry SDK, from `clients/`.

use crate::process::{Process, new_log};
use crate::query::{list, span_key, text};
use crate::{Context, Result, SpanKey, ensure, wait};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An SDK and the protocol it exports with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Python, OTLP over gRPC.
    PythonGrpc,
    /// Python, OTLP over HTTP as protobuf.
    PythonHttp,
    /// Node.js, OTLP over gRPC.
    NodeGrpc,
    /// Node.js, OTLP over HTTP as protobuf.
    NodeHttpProto,
    /// Node.js, OTLP over HTTP as JSON.
    NodeHttpJson,
}

/// All of them.
pub const ALL: [Client; 5] =
    [Client::PythonGrpc, Client::PythonHttp, Client::NodeGrpc, Client::NodeHttpProto, Client::NodeHttpJson];

/// A span that an SDK made and the collector acknowledged.
#[derive(Debug, Clone)]
pub struct SentSpan {
    /// Its ids.
    pub key: SpanKey,
    /// The id of its parent; empty for the first span of a trace.
    pub parent: String,
    /// Its name.
    pub operation: String,
    /// Its kind, in lower case.
    pub kind: String,
}

/// The spans that a client sent, by trace id.
pub type SentTraces = BTreeMap<String, Vec<SentSpan>>;

impl Client {
    fn folder_and_protocol(self) -> (&'static str, &'static str) {
        match self {
            Client::PythonGrpc => ("python", "grpc"),
            Client::PythonHttp => ("python", "http"),
            Client::NodeGrpc => ("node", "grpc"),
            Client::NodeHttpProto => ("node", "http-proto"),
            Client::NodeHttpJson => ("node", "http-json"),
        }
    }

    /// Sends `traces` traces of `spans` spans each to the collector's ports, and gives what was acknowledged; a failed export
    /// is an error.
    pub async fn send(self, ports: crate::skua::Ports, service: &str, traces: usize, spans: usize) -> Result<SentTraces> {
        let (folder, protocol) = self.folder_and_protocol();
        let port = if protocol == "grpc" { ports.otlp_grpc } else { ports.otlp_http };
        let arguments = [
            ("--protocol", protocol.to_owned()),
            ("--endpoint", format!("http://127.0.0.1:{port}")),
            ("--service", service.to_owned()),
            ("--traces", traces.to_string()),
            ("--spans", spans.to_string()),
        ];
        let arguments: Vec<_> = arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        let output = run(folder, &arguments, &[]).await?;
        // Warnings of the SDK may come before it, in the same file.
        let answer = output.lines().last().unwrap_or_default();
        let answer: Value = serde_json::from_str(answer).context(format!("read what {self:?} sent: {output}"))?;
        Ok(sent_traces(&answer))
    }
}

/// Runs a Python program with the OpenTelemetry SDK and gives what it wrote; a failure is an error.
pub async fn python(program: &Path, env: &[(String, String)]) -> Result<String> {
    run("python", &[program.display().to_string()], env).await
}

/// The program that runs the clients of a language.
pub(crate) fn program(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(folder).join("run.sh")
}

/// Runs the clients of a language and gives what was written; a failure is an error.
pub(crate) async fn run(folder: &str, arguments: &[String], env: &[(String, String)]) -> Result<String> {
    let program = program(folder);
    let temporary = tempfile::tempdir()?;
    let log = new_log(temporary.path(), folder)?;
    let mut process = Process::spawn(folder, &program, arguments, env, true, &log)?;
    let status = process.wait(wait::PATIENCE).await?;
    ensure(status.success(), || format!("{folder} {arguments:?} ended with {status}: {}", process.tail(30)))?;
    process.output()
}

fn sent_traces(answer: &Value) -> SentTraces {
    let mut traces = SentTraces::new();
    for span in list(&answer["spans"]) {
        let sent = SentSpan {
            key: span_key(span),
            parent: text(span, "parentSpanID").to_owned(),
            operation: text(span, "operationName").to_owned(),
            kind: text(span, "kind").to_owned(),
        };
        traces.entry(sent.key.trace.clone()).or_default().push(sent);
    }
    traces
}
