//! nginx with the files of `deploy/nginx`, in front of tiers that a test has started.

use crate::ports::free_port;
use crate::process::{Process, new_log};
use crate::skua::Ports;
use crate::{Context, Error, Result, ensure, wait};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// The port at which `nginx.conf` tells whether nginx is there.
const HEALTH: u16 = 8081;
/// Nothing listens here: a port that Skua does not serve.
const NOBODY: u16 = 1;

/// Which file of the two is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queries {
    /// `query.conf`, on 16686.
    AtTheRoot,
    /// `query-base-path.conf`: below `/tracing`, on 8080.
    BelowTracing,
}

/// A running nginx. Dropping it kills it and prints the end of its log.
pub struct Nginx {
    process: Process,
    ports: BTreeMap<u16, u16>,
    _folder: TempDir,
}

impl Nginx {
    /// Starts nginx with the files as they are, except that every service that `upstreams.conf` names is that of `services`, and that
    /// everything is on free ports of 127.0.0.1; waits until it answers.
    pub async fn start(queries: Queries, services: &[(&str, Ports)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("skua-nginx-").tempdir()?;
        let ports = write_configuration(folder.path(), queries, |name, port| {
            let (_, ports) = services.iter().find(|(known, _)| *known == name)?;
            Some(served(ports, port).unwrap_or(NOBODY))
        })?;
        let log = new_log(folder.path(), "nginx")?;
        let mut process = Process::spawn("nginx", &recipe(), &[], &environment(folder.path()), true, &log)?;
        let url = format!("http://127.0.0.1:{}/", ports.get(&HEALTH).copied().unwrap_or(NOBODY));
        let http = reqwest::Client::new();
        let ready = wait::until("nginx to be ready", async || match process.ended()? {
            Some(status) => Ok(Some(Err(Error::new(format!("nginx ended with {status}: {}", process.tail(20)))))),
            None => {
                http.get(&url).timeout(Duration::from_secs(5)).send().await?.error_for_status()?;
                Ok(Some(Ok(())))
            }
        });
        ready.await??;
        Ok(Self { process, ports, _folder: folder })
    }

    /// Where it listens instead of on this port of the files.
    pub fn port(&self, port: u16) -> Result<u16> {
        self.ports.get(&port).copied().ok_or_else(|| Error::new(format!("no server of deploy/nginx listens on {port}")))
    }

    /// What it has logged: the requests for traces, and errors.
    pub fn output(&self) -> Result<String> {
        self.process.output()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        eprintln!("{}", self.process.tail(40));
    }
}

/// Lets nginx read the files, with all services on this machine; gives its warnings. An error is what it says when it would not start.
pub async fn check(queries: Queries) -> Result<String> {
    let folder = tempfile::tempdir()?;
    write_configuration(folder.path(), queries, |_, port| Some(port))?;
    let log = new_log(folder.path(), "nginx")?;
    let environment = environment(folder.path());
    let mut process = Process::spawn("nginx", &recipe(), &["check".to_owned()], &environment, true, &log)?;
    let status = process.wait(wait::PATIENCE).await?;
    let output = process.output()?;
    ensure(status.success(), || output.clone())?;
    Ok(output)
}

/// What the files say.
pub struct Files {
    /// The services that `upstreams.conf` names, with their ports.
    pub services: Vec<(String, u16)>,
    /// The ports that they listen on, but for the one that tells whether nginx is there.
    pub ports: BTreeSet<u16>,
}

/// Reads the files that are in force.
pub fn read(queries: Queries) -> Result<Files> {
    let folder = tempfile::tempdir()?;
    let services = RefCell::new(Vec::new());
    let ports = write_configuration(folder.path(), queries, |name, port| {
        services.borrow_mut().push((name.to_owned(), port));
        Some(port)
    })?;
    Ok(Files { services: services.into_inner(), ports: ports.into_keys().filter(|port| *port != HEALTH).collect() })
}

/// Where a tier serves what Jaeger has on this port.
fn served(ports: &Ports, port: u16) -> Option<u16> {
    match port {
        4317 => Some(ports.otlp_grpc),
        4318 => Some(ports.otlp_http),
        14250 => Some(ports.jaeger_grpc),
        14268 => Some(ports.collector_http),
        9411 => Some(ports.zipkin),
        16685 => Some(ports.query_grpc),
        16686 => Some(ports.query_http),
        _ => None,
    }
}

fn recipe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/nginx/run.sh")
}

fn environment(folder: &Path) -> Vec<(String, String)> {
    vec![("NGINX_CONF".to_owned(), folder.join("nginx.conf").display().to_string())]
}

/// Copies the files, rewritten for a test, and gives where each port of those that are in force is instead.
fn write_configuration(folder: &Path, queries: Queries, place: impl Fn(&str, u16) -> Option<u16>) -> Result<BTreeMap<u16, u16>> {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/nginx");
    let unused = if queries == Queries::AtTheRoot { "query-base-path.conf" } else { "query.conf" };
    let mut ports = BTreeMap::new();
    for file in std::fs::read_dir(&files).context(format!("list {}", files.display()))? {
        let (path, name) = file.map(|file| (file.path(), file.file_name()))?;
        if name == unused {
            continue;
        }
        let text = std::fs::read_to_string(&path).context(format!("read {}", path.display()))?;
        let lines = text.lines().map(|line| rewrite(line, folder, queries, &place, &mut ports));
        let lines = lines.collect::<Result<Vec<_>>>().context(format!("rewrite {}", path.display()))?;
        std::fs::write(folder.join(name), lines.join("\n") + "\n")?;
    }
    Ok(ports)
}

fn rewrite(
    line: &str,
    folder: &Path,
    queries: Queries,
    place: impl Fn(&str, u16) -> Option<u16>,
    ports: &mut BTreeMap<u16, u16>,
) -> Result<String> {
    let wrong = || Error::new(format!("{line:?} is not as the tests expect it"));
    let mut words = line.trim().split([' ', ';']);
    Ok(match (words.next(), words.next()) {
        (Some("listen"), Some(port)) => {
            let free = free_port()?;
            ports.insert(port.parse().map_err(|_| wrong())?, free);
            line.replacen(port, &format!("127.0.0.1:{free}"), 1)
        }
        (Some("server"), Some(address)) if address != "{" => {
            let (name, port) = address.split_once(':').ok_or_else(wrong)?;
            let place = place(name, port.parse().map_err(|_| wrong())?);
            let place = place.ok_or_else(|| Error::new(format!("the test has no service {name}")))?;
            line.replacen(address, &format!("127.0.0.1:{place}"), 1)
        }
        (Some("include"), Some("query.conf")) if queries == Queries::BelowTracing => {
            line.replacen("query.conf", "query-base-path.conf", 1)
        }
        _ => line.replace("/tmp/skua-nginx", &folder.join("nginx").display().to_string()),
    })
}
