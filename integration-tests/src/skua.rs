//! One tier of Skua, as a process: the real binary, with its own ports.

use crate::process::{Process, new_log};
use crate::wait::{self, PATIENCE};
use crate::{
    Context, Error, Ledger, Result, ensure,
    metrics::Metrics,
    ports::{free_port, free_udp_port},
    servers::variable,
};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Overrides where the binary is; otherwise it is the one built beside the tests.
pub const BINARY_VARIABLE: &str = "SKUA_BIN";

/// The ports of a tier, all on 127.0.0.1. A tier listens only on those it knows.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// OTLP over gRPC (collector, all-in-one).
    pub otlp_grpc: u16,
    /// OTLP over HTTP (collector, all-in-one).
    pub otlp_http: u16,
    /// Jaeger's own gRPC service (collector, all-in-one).
    pub jaeger_grpc: u16,
    /// Jaeger's Thrift over HTTP, and sampling strategies (collector, all-in-one).
    pub collector_http: u16,
    /// Zipkin over HTTP (collector, all-in-one).
    pub zipkin: u16,
    /// UDP: Zipkin's Thrift in the compact protocol (agent, all-in-one).
    pub zipkin_compact: u16,
    /// UDP: Jaeger's Thrift in the compact protocol (agent, all-in-one).
    pub jaeger_compact: u16,
    /// UDP: Jaeger's Thrift in the binary protocol (agent, all-in-one).
    pub jaeger_binary: u16,
    /// Sampling strategies for clients (agent, all-in-one).
    pub sampling: u16,
    /// The HTTP API (query, all-in-one).
    pub query_http: u16,
    /// The gRPC API (query, all-in-one).
    pub query_grpc: u16,
    /// The storage API over gRPC (remote-storage).
    pub storage: u16,
    /// Health and metrics (all).
    pub admin: u16,
}

impl Ports {
    fn free() -> Result<Self> {
        Ok(Self {
            otlp_grpc: free_port()?,
            otlp_http: free_port()?,
            jaeger_grpc: free_port()?,
            collector_http: free_port()?,
            zipkin: free_port()?,
            zipkin_compact: free_udp_port()?,
            jaeger_compact: free_udp_port()?,
            jaeger_binary: free_udp_port()?,
            sampling: free_port()?,
            query_http: free_port()?,
            query_grpc: free_port()?,
            storage: free_port()?,
            admin: free_port()?,
        })
    }

    /// The flags that make a tier listen on these ports.
    fn flags(&self, tier: &str) -> Vec<String> {
        let collector = [
            ("collector.otlp.grpc.host-port", self.otlp_grpc),
            ("collector.otlp.http.host-port", self.otlp_http),
            ("collector.grpc-server.host-port", self.jaeger_grpc),
            ("collector.http-server.host-port", self.collector_http),
            ("collector.zipkin.host-port", self.zipkin),
        ];
        let agent = [
            ("processor.zipkin-compact.server-host-port", self.zipkin_compact),
            ("processor.jaeger-compact.server-host-port", self.jaeger_compact),
            ("processor.jaeger-binary.server-host-port", self.jaeger_binary),
            ("http-server.host-port", self.sampling),
        ];
        let query = [("query.http-server.host-port", self.query_http), ("query.grpc-server.host-port", self.query_grpc)];
        let mut flags = vec![("admin.http.host-port", self.admin)];
        match tier {
            "collector" => flags.extend(collector),
            "query" => flags.extend(query),
            "remote-storage" => flags.push(("grpc.host-port", self.storage)),
            "agent" => flags.extend(agent),
            "all-in-one" => flags.extend(collector.into_iter().chain(agent).chain(query)),
            _ => {}
        }
        flags.into_iter().map(|(flag, port)| format!("--{flag}=127.0.0.1:{port}")).collect()
    }
}

/// A running tier. Dropping it kills it and prints the end of its log, which the test runner shows if the test failed.
pub struct Skua {
    tier: String,
    ports: Ports,
    process: Process,
    http: reqwest::Client,
    _folder: TempDir,
}

impl Skua {
    /// Starts `skua <tier>` with these flags and exactly this environment, and waits until it reports that it is healthy.
    pub async fn start(tier: &str, args: &[String], env: &[(&str, &str)]) -> Result<Self> {
        let mut skua = Self::launch(tier, args, env)?;
        skua.healthy().await?;
        Ok(skua)
    }

    /// Starts `skua <tier>` without waiting for anything.
    pub fn launch(tier: &str, args: &[String], env: &[(&str, &str)]) -> Result<Self> {
        let ports = Ports::free()?;
        let folder = tempfile::Builder::new().prefix(&format!("skua-{tier}-")).tempdir()?;
        let log = new_log(folder.path(), tier)?;
        let mut line = vec![tier.to_owned()];
        line.extend(ports.flags(tier));
        line.extend_from_slice(args);
        let path = variable("PATH").unwrap_or_else(|| "/usr/bin:/bin".to_owned());
        let mut env: Vec<_> = env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        env.extend([("PATH".to_owned(), path), ("RUST_BACKTRACE".to_owned(), "1".to_owned())]);
        // What is kept on the disk goes with the process, unless a test says where.
        if !env.iter().any(|(name, _)| name == "PARQUET_PATH") && matches!(tier, "all-in-one" | "remote-storage") {
            env.push(("PARQUET_PATH".to_owned(), folder.path().join("spans").display().to_string()));
        }
        let process = Process::spawn(&format!("skua {tier}"), &binary()?, &line, &env, false, &log)?;
        Ok(Self { tier: tier.to_owned(), ports, process, http: reqwest::Client::new(), _folder: folder })
    }

    /// The ports it was given.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// Waits until the admin port answers 200; fails at once when the process has ended.
    pub async fn healthy(&mut self) -> Result<()> {
        let (url, http) = (format!("http://127.0.0.1:{}/", self.ports.admin), self.http.clone());
        self.alive_until("be healthy", async || {
            http.get(&url).timeout(Duration::from_secs(5)).send().await?.error_for_status()?;
            Ok(Some(()))
        })
        .await
    }

    /// The HTTP status of its admin port: 200 when it is healthy, 503 when it is not.
    pub async fn health(&self) -> Result<u16> {
        let url = format!("http://127.0.0.1:{}/", self.ports.admin);
        Ok(self.http.get(&url).timeout(Duration::from_secs(5)).send().await?.status().as_u16())
    }

    /// Waits until a port accepts connections; fails at once when the process has ended.
    pub async fn listening(&mut self, port: u16) -> Result<()> {
        self.alive_until(&format!("listen on {port}"), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
            Ok(Some(()))
        })
        .await
    }

    async fn alive_until(&mut self, what: &str, mut probe: impl AsyncFnMut() -> Result<Option<()>>) -> Result<()> {
        let (process, tier) = (&mut self.process, &self.tier);
        let outcome = wait::until(format!("skua {tier} to {what}"), async || match process.ended()? {
            Some(status) => Ok(Some(Err(Error::new(format!("skua {tier} ended with {status}"))))),
            None => Ok(probe().await?.map(Ok)),
        });
        outcome.await.and_then(|result| result)
    }

    /// Kills the process with SIGKILL, as the kernel does when memory is short.
    pub fn kill9(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Asks the process to end (SIGTERM) and waits until it has.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.process.terminate(PATIENCE).await
    }

    /// [`terminate`](Self::terminate), and fails unless the process says that all went well.
    pub async fn terminate_cleanly(&mut self) -> Result<()> {
        let status = self.terminate().await?;
        ensure(status.success(), || format!("skua {} ended with {status} after SIGTERM", self.tier))
    }

    /// Waits until the process ends by itself.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        self.process.wait(PATIENCE).await
    }

    /// What it has written to its log, to standard output and standard error.
    pub fn output(&self) -> Result<String> {
        self.process.output()
    }

    /// Its metrics, now.
    pub async fn metrics(&self) -> Result<Metrics> {
        let url = format!("http://127.0.0.1:{}/metrics", self.ports.admin);
        let answer = self.http.get(&url).timeout(Duration::from_secs(10)).send().await?.error_for_status()?;
        Metrics::parse(&answer.text().await?)
    }

    /// In one process the collector is the tier that counts.
    fn ledger_tier(&self) -> &str {
        if self.tier == "all-in-one" { "collector" } else { &self.tier }
    }

    /// Its ledger, now. While spans move it need not balance: the counters are read one after another.
    pub async fn ledger(&self) -> Result<Ledger> {
        Ok(Ledger::of(self.ledger_tier(), &self.metrics().await?))
    }

    /// Its ledger once no span is in flight; fails unless it balances then.
    pub async fn settled_ledger(&self) -> Result<Ledger> {
        let settled = wait::until(format!("skua {} to have nothing in flight", self.tier), async || {
            let ledger = self.ledger().await?;
            ensure(ledger.in_flight == 0, || format!("{ledger:?}"))?;
            Ok(Some(ledger))
        });
        let ledger = settled.await?;
        ledger.balances()?;
        Ok(ledger)
    }

    /// Waits until it has taken in at least this many spans.
    pub async fn until_received(&self, spans: u64) -> Result<()> {
        wait::until(format!("skua {} to receive {spans} spans", self.tier), async || {
            let ledger = self.ledger().await?;
            ensure(ledger.received >= spans, || format!("{ledger:?}"))?;
            Ok(Some(()))
        })
        .await
    }

    /// Waits until it has passed on at least this many spans.
    pub async fn until_stored(&self, spans: u64) -> Result<()> {
        wait::until(format!("skua {} to store {spans} spans", self.tier), async || {
            let ledger = self.ledger().await?;
            ensure(ledger.stored >= spans, || format!("{ledger:?}"))?;
            Ok(Some(()))
        })
        .await
    }
}

impl Drop for Skua {
    fn drop(&mut self) {
        eprintln!("{}", self.process.tail(40));
    }
}

/// Runs `skua` with these arguments to its end and gives what it wrote to standard output; a failure is an error.
pub async fn run(args: &[String]) -> Result<String> {
    run_in(args, &[]).await
}

/// [`run`] with exactly this environment.
pub async fn run_in(args: &[String], env: &[(String, String)]) -> Result<String> {
    let mut command = tokio::process::Command::new(binary()?);
    command.args(args).env_clear().envs(env.iter().map(|(name, value)| (name, value))).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.context(format!("run skua {args:?} in time"))??;
    let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure(output.status.success(), || format!("skua {args:?} ended with {}: {out}{log}", output.status))?;
    Ok(out.into_owned())
}

/// The binary under test: `SKUA_BIN`, or `skua` in the profile's folder of the target directory.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = variable(BINARY_VARIABLE) {
        return Ok(PathBuf::from(path));
    }
    let test = std::env::current_exe().context("find the program that runs")?;
    let folders = test.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join("skua")).find(|path| path.is_file());
    found.ok_or_else(|| {
        Error::new(format!("no skua near {}: run `cargo build -p skua`, or set {BINARY_VARIABLE}", test.display()))
    })
}
