//! Carries out a command line.

use crate::{
    agent, cassandra_schema, collector, ingester, parquet_tools, process, query, remote_storage, rollup_rebuild, together,
};
use skua_config::{Command, Component, Loaded};
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// Runs a tier until it is told to stop, or prints what was asked for.
pub(crate) fn execute(command: Command) -> ExitCode {
    match command {
        Command::Run(loaded) => run(&loaded),
        Command::Help(text) | Command::Docs(text) => say(&text),
        Command::Version => say(&skua_runtime::version::json()),
        Command::ConfigPrint { loaded, origin } => say(&loaded.print(origin)),
        Command::ConfigCheck(loaded) => {
            loaded.warnings().iter().for_each(|w| complain(&format_args!("warning: {w}")));
            say("the configuration is valid")
        }
        Command::Status { admin } => status(&admin),
    }
}

fn run(loaded: &Loaded) -> ExitCode {
    match loaded.component() {
        Component::CassandraSchema => return cassandra_schema::run(loaded),
        Component::RollupRebuild => return rollup_rebuild::run(loaded),
        Component::ParquetInspect | Component::ParquetVerify | Component::ParquetExport => return parquet_tools::run(loaded),
        _ => {}
    }
    let ended = process::run(loaded, |process| async move {
        match process.loaded.component() {
            Component::Agent => agent::run(process).await,
            Component::Collector => collector::run(process).await,
            Component::Ingester => ingester::run(process).await,
            Component::Query => Box::pin(query::run(process)).await,
            Component::AllInOne => Box::pin(together::run(process)).await,
            Component::RemoteStorage => remote_storage::run(process).await,
            _ => Ok(()), // a command, carried out above
        }
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!(error = %e, "stopped");
            complain(&e);
            ExitCode::FAILURE
        }
    }
}

/// Asks the admin port of a running tier for its health; fails when it is not available.
fn status(admin: &str) -> ExitCode {
    let address = if admin.starts_with(':') { format!("127.0.0.1{admin}") } else { admin.to_owned() };
    match get(&address) {
        Ok((200, body)) => say(&body),
        Ok((_, body)) => {
            complain(&body);
            ExitCode::FAILURE
        }
        Err(e) => {
            complain(&format_args!("failed to ask http://{address}/: {e}"));
            ExitCode::FAILURE
        }
    }
}

/// One request, without a client library: status and body.
fn get(address: &str) -> std::io::Result<(u16, String)> {
    use std::io::Read as _;
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer)?;
    let bad = || std::io::Error::other("the answer is not HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(bad)?;
    let code = head.split(' ').nth(1).and_then(|c| c.parse().ok()).ok_or_else(bad)?;
    Ok((code, body.to_owned()))
}

/// To stdout, with a new line.
pub(crate) fn say(text: &str) -> ExitCode {
    match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE, // a closed pipe
    }
}

/// To stderr, with a new line.
pub(crate) fn complain(text: &dyn Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
