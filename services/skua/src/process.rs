//! What all tiers of the binary share: the runtime, logs, signals, health, metrics and the admin port.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use skua_config::{Component, Environment, Loaded, ProcessEnvironment};
use skua_receive::server;
use skua_runtime::admin::{Admin, SpanMetrics};
use skua_runtime::health::Health;
use skua_runtime::{listen, logs, process, shutdown, version};
use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Why a tier ended other than by being asked to.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// A tier's surroundings.
pub(crate) struct Process {
    pub loaded: Loaded,
    pub health: Health,
    pub registry: Registry,
    /// What the admin port shows of the spans themselves, where they are counted.
    pub spans: Option<SpanMetrics>,
    /// Cancelled when the process is asked to stop.
    pub stop: CancellationToken,
}

/// Sets up the process and runs a tier in it.
pub(crate) fn run<F>(loaded: &Loaded, tier: impl FnOnce(Process) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let encoding = match loaded.get_string("log-encoding").as_str() {
        "json" => logs::Encoding::Json,
        "console" => logs::Encoding::Console,
        _ => logs::Encoding::Auto,
    };
    logs::init(&loaded.get_string("log-level"), encoding);
    loaded.warnings().iter().for_each(|w| tracing::warn!("{w}"));
    let runtime = match threads(loaded) {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        n => tokio::runtime::Builder::new_multi_thread().worker_threads(n).enable_all().build()?,
    };
    let ended = runtime.block_on(async {
        let stop = shutdown::on_signal()?;
        let (health, registry) = (Health::default(), registry(loaded));
        tier(Process { loaded: loaded.clone(), health, registry, spans: None, stop }).await
    });
    runtime.shutdown_timeout(Duration::from_secs(1)); // whatever still waits for a socket has been given up
    ended
}

/// On the way to Kafka one thread is cheaper than two and carries a million spans a second (measured with the prototype), and
/// librdkafka's own threads want a core: half of the cores, at least one. Query and all-in-one have people waiting: all of them.
fn threads(loaded: &Loaded) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match (loaded.get_u64("runtime.worker-threads"), loaded.component()) {
        (0, Component::Agent | Component::Collector | Component::Ingester) => (cores / 2).max(1),
        (0, Component::Query | Component::AllInOne | Component::RemoteStorage) => cores,
        (0, _) => 1,
        (n, _) => usize::try_from(n).unwrap_or(cores),
    }
}

fn registry(loaded: &Loaded) -> Registry {
    let mut registry = Registry::default();
    process::register(&mut registry);
    let info = Family::<Vec<(String, String)>, Gauge>::default();
    let labels = [("build_date", ""), ("revision", ""), ("version", version::VERSION)];
    info.get_or_create(&labels.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec()).set(1);
    let name = match loaded.component() {
        Component::AllInOne => "jaeger_build_info".to_owned(),
        component => format!("jaeger_{}_build_info", component.name().replace('-', "_")),
    };
    registry.register(name, "The build", info);
    registry
}

impl Process {
    /// Opens the admin port and serves it until the returned token is cancelled. Health turns to draining with [`Process::stop`].
    pub(crate) fn serve_admin(&mut self, before_scrape: Arc<dyn Fn() + Send + Sync>) -> Result<CancellationToken, Failure> {
        let listener = listen::tcp("admin.http.host-port", &self.loaded.get_string("admin.http.host-port"))?;
        tracing::info!(address = %listener.local_addr()?, "admin");
        let registry = Arc::new(std::mem::take(&mut self.registry));
        let admin = Admin { health: self.health.clone(), registry, before_scrape, spans: self.spans.take() };
        let (end, route) = (CancellationToken::new(), self.loaded.get_string("metrics-http-route"));
        let route = if self.loaded.get_string("metrics-backend") == "none" { String::new() } else { route };
        let (serve, health, stop) = (end.clone(), self.health.clone(), self.stop.clone());
        tokio::spawn(async move {
            if let Err(e) = server::serve(listener, admin.router(&route), server::Limits::default(), serve).await {
                tracing::error!(error = %e, "failed to serve the admin port");
            }
        });
        tokio::spawn(async move {
            stop.cancelled().await;
            health.draining();
        });
        Ok(end)
    }

    /// Time to deliver what was acknowledged.
    pub(crate) fn drain_timeout(&self) -> Duration {
        self.loaded.get_duration("drain-timeout")
    }

    /// Health turns to ready when `ready` ends.
    pub(crate) fn when_ready(&self, ready: impl Future<Output = ()> + Send + 'static) {
        let health = self.health.clone();
        tokio::spawn(async move {
            ready.await;
            health.ready();
        });
    }
}

/// This machine's name, as in Jaeger's label `host`.
pub(crate) fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "unknown".to_owned(), |h| h.trim().to_owned())
}

/// The value of a flag that lists tags, with `${NAME:default}` looked up.
pub(crate) fn tags(loaded: &Loaded, flag: &str) -> Result<Vec<(String, String)>, Failure> {
    skua_pipeline::tags::parse(&loaded.get_string(flag), &|name| ProcessEnvironment.get(name))
        .map_err(|e| format!("failed to read --{flag}: {e}").into())
}
