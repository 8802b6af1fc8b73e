//! `with-servers COMMAND [ARGUMENT…]`: starts a Kafka, two Elasticsearch, a Cassandra and an S3 for all tests, runs a command that
//! finds their addresses in its environment, and stops what it started. Its exit code is the command's.
//!
//! A server whose variable is already set is used as it is, and not stopped.

use skua_integration_tests::process::{Process, signal};
use skua_integration_tests::servers::{
    CASSANDRA_VARIABLE, ELASTICSEARCH_VARIABLE, ELASTICSEARCH8_VARIABLE, KAFKA_VARIABLE, S3_VARIABLE, variable,
};
use skua_integration_tests::{Cassandra, Context, Elasticsearch, Error, Kafka, Result, S3, wait};
use std::path::Path;
use std::process::{Child, ExitCode, ExitStatus};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal as on_signal};

const GRACE: Duration = Duration::from_secs(20);

// One thread: the kernel ends the servers when the thread that started them does, even if that is by SIGKILL.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("with-servers: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    let program = words.next().ok_or_else(|| Error::new("usage: with-servers COMMAND [ARGUMENT…]"))?;
    let arguments: Vec<String> = words.collect();
    let (mut interrupt, mut terminate) = (on_signal(SignalKind::interrupt())?, on_signal(SignalKind::terminate())?);

    let started = Instant::now();
    // Dropped at the end of this function, whatever happens: that stops the servers.
    let mut servers = Servers::default();
    let env = tokio::select! {
        env = servers.start() => env?,
        _ = interrupt.recv() => return Ok(ExitCode::from(130)),
        _ = terminate.recv() => return Ok(ExitCode::from(143)),
    };
    let addresses: Vec<_> = env.iter().map(|(name, address)| format!("{name}={address}")).collect();
    eprintln!("with-servers: ready after {} s: {}", started.elapsed().as_secs(), addresses.join(" "));

    let mut command = Process::command(Path::new(&program), &arguments);
    let mut child = command.envs(env).spawn().context(format!("start {program}"))?;
    tokio::select! {
        status = ended(&mut child) => Ok(exit_code(status?)),
        _ = interrupt.recv() => { end(&mut child, "INT").await?; Ok(ExitCode::from(130)) }
        _ = terminate.recv() => { end(&mut child, "TERM").await?; Ok(ExitCode::from(143)) }
    }
}

#[derive(Default)]
struct Servers {
    kafka: Option<Kafka>,
    elasticsearch: Option<Elasticsearch>,
    elasticsearch8: Option<Elasticsearch>,
    cassandra: Option<Cassandra>,
    s3: Option<S3>,
}

impl Servers {
    /// Starts, side by side, the servers that the environment does not name, and gives the variables that name all.
    async fn start(&mut self) -> Result<Vec<(&'static str, String)>> {
        let (kafka, elasticsearch, elasticsearch8, cassandra, s3) = tokio::try_join!(
            unless_named(KAFKA_VARIABLE, Kafka::start_private()),
            unless_named(ELASTICSEARCH_VARIABLE, Elasticsearch::start_private()),
            unless_named(ELASTICSEARCH8_VARIABLE, Elasticsearch::start_private8()),
            unless_named(CASSANDRA_VARIABLE, Cassandra::start_private()),
            unless_named(S3_VARIABLE, S3::start_private()),
        )?;
        (self.kafka, self.elasticsearch, self.elasticsearch8) = (kafka, elasticsearch, elasticsearch8);
        (self.cassandra, self.s3) = (cassandra, s3);
        let addresses = [
            (KAFKA_VARIABLE, self.kafka.as_ref().map(|server| server.address().to_owned())),
            (ELASTICSEARCH_VARIABLE, self.elasticsearch.as_ref().map(|server| server.url().to_owned())),
            (ELASTICSEARCH8_VARIABLE, self.elasticsearch8.as_ref().map(|server| server.url().to_owned())),
            (CASSANDRA_VARIABLE, self.cassandra.as_ref().map(Cassandra::address)),
            (S3_VARIABLE, self.s3.as_ref().map(|server| server.url().to_owned())),
        ];
        Ok(addresses.into_iter().filter_map(|(name, address)| Some((name, address?))).collect())
    }
}

async fn unless_named<T>(name: &str, start: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    if variable(name).is_some() { Ok(None) } else { start.await.map(Some) }
}

/// Waits for the command, however long it takes: it bounds itself.
async fn ended(child: &mut Child) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Passes a signal on to the command and everything it started; kills them if that does not help.
async fn end(child: &mut Child, name: &str) -> Result<()> {
    let group = format!("-{}", child.id());
    signal(name, &group)?;
    let gone = wait::until_within(GRACE, "the command to end", async || Ok(child.try_wait()?)).await;
    if gone.is_err() {
        signal("KILL", &group)?;
        child.wait()?;
    }
    Ok(())
}

fn exit_code(status: ExitStatus) -> ExitCode {
    // A command that a signal killed has no code.
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
