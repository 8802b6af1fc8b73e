//! The checkout trace of `clients/README.md`, sent by a published client.

mod text;

pub use text::{expected, says};

use crate::clients;
use crate::process::{Process, new_log};
use crate::query::text;
use crate::{Context, Error, Query, Result, ensure, wait};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;
use tempfile::TempDir;

/// The language of a published client: a folder of `clients/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// Node.js.
    Node,
    /// Go.
    Go,
    /// Java.
    Java,
}

impl Language {
    fn folder(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::Node => "node",
            Language::Go => "go",
            Language::Java => "java",
        }
    }

    /// The arguments that run the checkout program of this language.
    fn arguments(self, client: &str, endpoint: &str, service: &str) -> Vec<String> {
        let program = match self {
            Language::Python => Some("checkout.py"),
            Language::Node => Some("checkout.cjs"),
            Language::Go | Language::Java => None,
        };
        let flags = ["--client", client, "--endpoint", endpoint, "--service", service];
        program.into_iter().chain(flags).map(str::to_owned).collect()
    }
}

/// The trace as one client sent it.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// Its id, in hexadecimal.
    pub trace: String,
    /// The ids of its spans by their names, in hexadecimal.
    pub spans: BTreeMap<String, String>,
    /// When it starts, in microseconds since 1970.
    pub start: i64,
}

impl Checkout {
    /// Runs the program of a language with one of its clients, which sends the trace to `endpoint` in the name of `service`, with
    /// `more` arguments. That the client could not send it is an error.
    pub async fn send(language: Language, client: &str, endpoint: &str, service: &str, more: &[&str]) -> Result<Self> {
        let start = UNIX_EPOCH.elapsed().map_or(0, |now| now.as_micros()) as i64 - 1_000_000;
        let mut arguments = language.arguments(client, endpoint, service);
        arguments.extend(["--start".to_owned(), start.to_string()]);
        arguments.extend(more.iter().map(|argument| argument.to_string()));
        let output = clients::run(language.folder(), &arguments, &[]).await?;
        // Warnings of the client may come before it, in the same file.
        let answer = output.lines().last().unwrap_or_default();
        let answer: Value = serde_json::from_str(answer).context(format!("read what {language:?} {client} sent: {output}"))?;
        let ids = answer["spans"].as_object().into_iter().flatten();
        let spans = ids.map(|(name, id)| (name.clone(), id.as_str().unwrap_or_default().to_owned())).collect();
        Ok(Self { trace: text(&answer, "traceID").to_owned(), spans, start })
    }

    /// Waits until the trace has `spans` spans and checks that it says exactly what `expected` says, in the form of
    /// [`text_of`](Self::text_of). An expected line that ends in `<any>` stands for every line that begins as it does.
    pub async fn arrives(&self, query: &Query, spans: usize, expected: &str) -> Result<()> {
        let trace = query.complete_trace(&self.trace, spans).await?;
        let found = self.text_of(&trace);
        ensure(says(&found, expected), || {
            format!("a trace differs\n--- expected\n{expected}\n--- found\n{found}\n--- in full\n{trace}")
        })
    }
}

/// A client whose sampler polls a server and that writes what the sampler decides, whenever that changes.
pub struct SamplerFollower {
    process: Process,
    _folder: TempDir,
}

impl SamplerFollower {
    /// Starts the program of a language; it polls `endpoint` for the strategies of `service` five times a second.
    pub fn start(language: Language, endpoint: &str, service: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = new_log(folder.path(), "sampler")?;
        let arguments = language.arguments("follow-sampler", endpoint, service);
        let process = Process::spawn("sampler", &clients::program(language.folder()), &arguments, &[], true, &log)?;
        Ok(Self { process, _folder: folder })
    }

    /// Waits until its last decisions are these, as `checkout=true charge=false`.
    pub async fn until(&mut self, decisions: &str) -> Result<()> {
        let process = &mut self.process;
        let outcome = wait::until(format!("a sampler to decide {decisions}"), async || {
            if let Some(status) = process.ended()? {
                return Ok(Some(Err(Error::new(format!("the client ended with {status}: {}", process.tail(30))))));
            }
            let output = process.output()?;
            let last = output.lines().rfind(|line| line.starts_with("checkout=")).unwrap_or_default();
            ensure(last == decisions, || format!("it decides {last}"))?;
            Ok(Some(Ok(())))
        });
        outcome.await.and_then(|result| result)
    }
}
