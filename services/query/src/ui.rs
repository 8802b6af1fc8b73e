//! The pages beside the API: a build of Jaeger's UI from a directory, or a small page of our own that says where the API is.
//!
//! `index.html` is read once, edited (see [`page`]) and kept in memory; it is the answer to every path that is not the API's, because
//! the UI reads the path itself. Files below `/static` come from the disk.

mod capabilities;
mod files;
mod page;
mod settings;

pub(crate) use files::static_files;

use crate::config::{Config, ConfigError};
use bytes::Bytes;
use capabilities::Capabilities;
use page::Facts;
use parking_lot::{Mutex, RwLock};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use settings::Settings;
use skua_query::Stores;
use std::convert::Infallible;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often the page's files are looked at for changes.
const LOOK: Duration = Duration::from_secs(5);

/// Bytes of `index.html` or of the UI's configuration at most.
const LONGEST: u64 = 16 << 20;

/// Our own page; it has the lines that [`page`] edits.
const BUILT_IN: &str = include_str!("ui/built_in.html");

/// The UI as it is served.
pub struct Ui {
    /// The UI's build; `None`: our own page.
    directory: Option<PathBuf>,
    /// The UI's configuration.
    settings: Option<PathBuf>,
    log_access: bool,
    base: String,
    version: String,
    capabilities: Capabilities,
    page: RwLock<Bytes>,
    /// Why the page could not be read the last time; empty when it could.
    failure: Mutex<String>,
    reloads: Reloads,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

/// `skua_query_ui_reloads_total`.
struct Reloads {
    ok: Counter,
    err: Counter,
}

impl Reloads {
    fn register(registry: &mut Registry) -> Self {
        let family = Family::<Outcome, Counter>::default();
        let reloads = Self {
            ok: family.get_or_create_owned(&Outcome { result: "ok" }),
            err: family.get_or_create_owned(&Outcome { result: "err" }),
        };
        registry.register("skua_query_ui_reloads", "Changes of the UI's index.html or configuration that were read", family);
        reloads
    }
}

impl Ui {
    /// Reads the page for the first time. `version` is the JSON that `/version` of the admin port answers. Registers
    /// `skua_query_ui_reloads_total{result}`: once a registry.
    ///
    /// # Errors
    /// When `index.html` or the UI's configuration cannot be read or used, or the base path cannot.
    pub fn open(config: &Config, stores: &Stores, version: &str, registry: &mut Registry) -> Result<Arc<Self>, ConfigError> {
        let path = |flag: &str| (!flag.is_empty()).then(|| PathBuf::from(flag));
        let ui = Self {
            directory: path(&config.static_files),
            settings: path(&config.ui_config),
            log_access: config.log_static_assets_access,
            base: config.base()?.to_owned(),
            version: version.to_owned(),
            capabilities: Capabilities::of(stores),
            page: RwLock::default(),
            failure: Mutex::default(),
            reloads: Reloads::register(registry),
        };
        *ui.page.write() = ui.load()?;
        match (&ui.directory, &ui.settings) {
            (Some(directory), _) => tracing::info!(directory = %directory.display(), "serving the UI"),
            (None, Some(_)) => tracing::warn!("--query.ui-config has no effect: it needs the UI of --query.static-files"),
            (None, None) => {}
        }
        Ok(Arc::new(ui))
    }

    /// The page, in UTF-8.
    pub(crate) fn page(&self) -> Bytes {
        self.page.read().clone()
    }

    /// Where the UI's build is, unless the page is our own.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Says in the log what of the UI was asked for, if that is wanted (`--query.log-static-assets-access`).
    pub(crate) fn log(&self, uri: &http::Uri) {
        if self.log_access {
            tracing::info!(url = %uri, "serving static asset");
        }
    }

    /// Looks at the files every few seconds, for ever: what changed is read, what cannot be read is told of and changes nothing.
    pub(crate) async fn watch(self: Arc<Self>) -> Infallible {
        if self.directory.is_none() && self.settings.is_none() {
            std::future::pending::<()>().await;
        }
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let ui = self.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || ui.refresh()).await {
                tracing::error!(%error, "failed to look at the UI's files");
            }
        }
    }

    /// Reads the files again; a failure is told of and counted once, until it is another.
    pub(crate) fn refresh(&self) {
        match self.load() {
            Ok(page) => {
                let again = !std::mem::take(&mut *self.failure.lock()).is_empty();
                if again || *self.page.read() != page {
                    *self.page.write() = page;
                    self.reloads.ok.inc();
                    tracing::info!("the UI's index.html or its configuration has changed");
                }
            }
            Err(error) => {
                let error = error.to_string();
                if *self.failure.lock() != error {
                    tracing::error!(%error, "the UI stays as it is");
                    self.reloads.err.inc();
                    *self.failure.lock() = error;
                }
            }
        }
    }

    fn load(&self) -> Result<Bytes, ConfigError> {
        let settings = self.settings.as_deref().map(Settings::read).transpose().map_err(ConfigError::UiConfig)?;
        let page = match &self.directory {
            None => BUILT_IN.to_owned(),
            Some(directory) => read(&directory.join("index.html")).map_err(ConfigError::StaticFiles)?,
        };
        let facts =
            Facts { settings: settings.as_ref(), capabilities: self.capabilities, version: &self.version, base: &self.base };
        Ok(page::edited(page, &facts).into())
    }
}

/// A text file; the error names it.
fn read(path: &Path) -> Result<String, String> {
    let fail = |why: String| format!("failed to read {}: {why}", path.display());
    let mut text = String::new();
    let file = File::open(path).map_err(|e| fail(e.to_string()))?;
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|e| fail(e.to_string()))?;
    if text.len() as u64 > LONGEST {
        return Err(fail(format!("it is longer than {LONGEST} bytes")));
    }
    Ok(text)
}
