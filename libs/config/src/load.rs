//! From four sources to one configuration: command line over environment over file over default.

use std::collections::HashMap;

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use crate::checks;
use crate::cli::{self, CommandLine};
use crate::command::refuse_words;
use crate::component::Component;
use crate::env::Environment;
use crate::error::ConfigError;
use crate::file::{self, ConfigFile, FileValue};
use crate::flag::{Flag, Status};
use crate::kind::{Raw, Typed};
use crate::loaded::Loaded;
use crate::source::Origin;
use crate::storage::{self, MetricsType, Storage, StorageType};
use crate::suggest::nearest;
use crate::tables::{Catalog, catalog, foreign};

pub(crate) const DEFAULT: &str = "default";
pub(crate) const FILE: &str = "config file";
pub(crate) const ENVIRONMENT: &str = "environment";
pub(crate) const COMMAND_LINE: &str = "command line";

/// Reads the configuration of a component from its arguments (without the program's name and the subcommand), the
/// environment and the config file that one of them names.
///
/// # Errors
/// If anything in any source is unknown, of the wrong type, not supported yet or contradictory; the error lists all of it.
pub fn load(component: Component, args: &[String], env: &dyn Environment) -> Result<Loaded, ConfigError> {
    let line = cli::parse(args, Some(component))?;
    refuse_words(&line)?;
    load_line(component, &line, env)
}

/// [`load`] of a command line that is taken apart already; its words do not matter.
pub(crate) fn load_line(component: Component, line: &CommandLine, env: &dyn Environment) -> Result<Loaded, ConfigError> {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let inputs = Inputs::gather(component, line, env, &mut problems, &mut warnings)?;
    let storage = match inputs.storage(component) {
        Ok(storage) => storage,
        Err(problem) => {
            problems.push(problem);
            return Err(ConfigError::from(problems));
        }
    };
    if !matches!(component, Component::AllInOne | Component::RemoteStorage) && storage.uses(StorageType::Memory) {
        warnings.push(format!("SPAN_STORAGE_TYPE=memory keeps spans inside this {component}: no other process can read them"));
    }
    let figment = inputs.layers(component, &storage, &mut problems, &mut warnings);
    // A value that could not be read is missing above and shows as the default: only judge values when all were read.
    ConfigError::check(problems)?;
    let mut loaded = Loaded::new(component, storage, figment, warnings);
    loaded.lines = inputs.lines();
    loaded.file.clone_from(&inputs.file.path);
    ConfigError::check(judge(&loaded))?;
    let idle = idle_flags(&loaded);
    loaded.warnings.extend(idle);
    Ok(loaded)
}

/// What the three sources besides the tables hold.
pub(crate) struct Inputs<'a> {
    line: &'a CommandLine,
    env: &'a dyn Environment,
    pub(crate) file: ConfigFile,
    /// Name of a flag → line and value in the file.
    in_file: HashMap<&'static str, (usize, Raw)>,
}

impl<'a> Inputs<'a> {
    /// Reads the config file, if one is named, and finds the flag of each of its keys.
    pub(crate) fn gather(
        component: Component,
        line: &'a CommandLine,
        env: &'a dyn Environment,
        problems: &mut Vec<String>,
        warnings: &mut Vec<String>,
    ) -> Result<Self, ConfigError> {
        let mut inputs = Self { line, env, file: ConfigFile::default(), in_file: HashMap::new() };
        let named = catalog().find("config-file").and_then(|(_, flag)| inputs.given(flag));
        if let Some((_, Raw::Text { text: path, .. })) = named.filter(|(_, raw)| *raw != Raw::text("")) {
            inputs.file = file::read(&path)?;
            inputs.place_keys(component, problems, warnings);
        }
        Ok(inputs)
    }

    fn place_keys(&mut self, component: Component, problems: &mut Vec<String>, warnings: &mut Vec<String>) {
        let catalog = catalog();
        for entry in &self.file.entries {
            let origin = Origin::File { path: self.file.path.clone(), line: entry.line };
            match (catalog.find_for(component, &entry.key), &entry.value) {
                (Some((_, flag)), _) if flag.name == "config-file" => {
                    problems.push(origin.sentence(&flag.name, " cannot be set in a config file"));
                }
                (Some((_, flag)), FileValue::Raw(raw)) => {
                    self.in_file.insert(&flag.name, (entry.line, raw.clone()));
                }
                (Some(_), FileValue::Null) => {}
                (Some((_, flag)), FileValue::Nested | FileValue::EmptyGroup) => {
                    problems.push(origin.sentence(&flag.name, " wants a value, not a group or nested lists"));
                }
                (None, FileValue::Null | FileValue::EmptyGroup) if catalog.is_group(&entry.key) => {}
                (None, _) => match foreign(&entry.key) {
                    Some(why) => warnings.push(origin.sentence(&entry.key, &format!(" is ignored: it {why}"))),
                    None => problems.push(unknown_key(catalog, component, &origin, &entry.key)),
                },
            }
        }
    }

    /// The value of a flag in the strongest source that has it.
    pub(crate) fn given(&self, flag: &Flag) -> Option<(Origin, Raw)> {
        if let Some((_, raw)) = self.line.values.iter().find(|(given, _)| given.name == flag.name) {
            return Some((Origin::CommandLine, raw.clone()));
        }
        let variable = flag.env_name();
        if let Some(text) = self.env.get(&variable) {
            return Some((Origin::Environment(variable), Raw::text(text)));
        }
        let (line, raw) = self.in_file.get(flag.name.as_str())?;
        Some((Origin::File { path: self.file.path.clone(), line: *line }, raw.clone()))
    }

    /// Which storages the component uses; this decides which flags exist.
    pub(crate) fn storage(&self, component: Component) -> Result<Storage, String> {
        match component {
            Component::Agent => return Ok(Storage::none()),
            Component::CassandraSchema => return Ok(Storage::of_cassandra_schema()),
            command if Component::OF_PARQUET.contains(&command) => return Ok(Storage::of_parquet()),
            _ => {}
        }
        let span = match self.given_text("span-storage.type")? {
            Some((origin, text)) => storage::read_list(&text, component)
                .map_err(|problem| origin.sentence("span-storage.type", &format!(": {problem}")))?,
            None => storage::read_list(self.default_storage(component), component)
                .map_err(|problem| format!("SPAN_STORAGE_TYPE is not set, and its default: {problem}"))?,
        };
        let dependency = match self.given_text("dependency-storage.type")? {
            None => span.first().copied().filter(|storage| *storage != StorageType::Kafka),
            Some((origin, text)) => {
                let read = storage::read_one(&text, component).and_then(|storage| match storage {
                    StorageType::Kafka => Err("dependencies cannot be read from kafka".to_owned()),
                    storage => Ok(storage),
                });
                Some(read.map_err(|problem| origin.sentence("dependency-storage.type", &format!(": {problem}")))?)
            }
        };
        let sampling = self.sampling_storage(component, &span)?;
        let metrics = self.metrics_storage(component)?;
        Ok(Storage { span, dependency, sampling, metrics })
    }

    /// Where spans are kept when nobody says. An `all-in-one` with flags of the memory keeps them there, as Jaeger's does.
    fn default_storage(&self, component: Component) -> &'static str {
        let of_memory = || catalog().flags().filter(|flag| flag.name.starts_with("memory."));
        if component == Component::AllInOne && of_memory().any(|flag| self.given(flag).is_some()) {
            return StorageType::Memory.name();
        }
        catalog().find("span-storage.type").map_or("", |(_, flag)| flag.default(component))
    }

    /// `METRICS_STORAGE_TYPE`. That it is one of those words is seen to with the other values.
    fn metrics_storage(&self, component: Component) -> Result<Option<MetricsType>, String> {
        let named = self.given_text("metrics-storage.type")?.is_some_and(|(_, text)| text == "prometheus");
        let reads = matches!(component, Component::Query | Component::AllInOne);
        Ok((named && reads).then_some(MetricsType::Prometheus))
    }

    /// `SAMPLING_STORAGE_TYPE`; `None` where strategies are not adaptive.
    fn sampling_storage(&self, component: Component, span: &[StorageType]) -> Result<Option<StorageType>, String> {
        let adaptive = self.given_text("sampling-config.type")?.is_some_and(|(_, text)| text == "adaptive");
        if !adaptive || !matches!(component, Component::Collector | Component::AllInOne) {
            return Ok(None);
        }
        match self.given_text("sampling-storage.type")? {
            Some((origin, text)) => storage::read_one(&text, component)
                .map(Some)
                .map_err(|problem| origin.sentence("sampling-storage.type", &format!(": {problem}"))),
            None => Ok(span.iter().copied().find(|storage| storage.can_sample())),
        }
    }

    /// The text of a flag that decides about others; `None` if it is unset or empty.
    fn given_text(&self, name: &str) -> Result<Option<(Origin, String)>, String> {
        let Some((_, flag)) = catalog().find(name) else { return Ok(None) };
        let Some((origin, raw)) = self.given(flag) else { return Ok(None) };
        match flag.kind.read(&one_text(flag, &raw)) {
            Ok(typed) => Ok(Some((origin, typed.plain())).filter(|(_, text)| !text.trim().is_empty())),
            Err(wrong) => Err(origin.sentence(name, &format!(" {wrong}"))),
        }
    }

    /// The four dicts, weakest first. What cannot be read or does not belong here goes to `problems` and `warnings`.
    fn layers(&self, component: Component, storage: &Storage, problems: &mut Vec<String>, warnings: &mut Vec<String>) -> Figment {
        let (mut defaults, mut file, mut environment, mut command_line) =
            (Layer::new(DEFAULT), Layer::new(FILE), Layer::new(ENVIRONMENT), Layer::new(COMMAND_LINE));
        let mut read = |layer: &mut Layer, flag: &Flag, raw: &Raw, origin: Origin| match flag.kind.read(raw) {
            Ok(typed) => layer.insert(&flag.name, &typed),
            Err(wrong) => problems.push(origin.sentence(&flag.name, &format!(" {wrong}"))),
        };
        for table in &catalog().tables {
            let active = table.is_active(component, storage);
            for flag in &table.flags {
                // Defaults of absent flags too, so that asking for one is never an error.
                match flag.name.as_str() {
                    "span-storage.type" if component == Component::AllInOne => {
                        defaults.insert(&flag.name, &Typed::Text(self.default_storage(component).to_owned()));
                    }
                    name => defaults.insert(name, &flag.typed_default(component)),
                }
                if let Some((line, raw)) = self.in_file.get(flag.name.as_str()) {
                    let origin = Origin::File { path: self.file.path.clone(), line: *line };
                    if active {
                        read(&mut file, flag, &one_text(flag, raw), origin);
                    } else {
                        let why = table.absence(component, storage);
                        warnings.push(origin.sentence(&flag.name, &format!(" is ignored: it {why}")));
                    }
                }
                if active {
                    let variable = flag.env_name();
                    if let Some(text) = self.env.get(&variable) {
                        read(&mut environment, flag, &Raw::text(text), Origin::Environment(variable));
                    }
                }
            }
        }
        for (flag, raw) in &self.line.values {
            match catalog().find_for(component, &flag.name) {
                None => problems.push(cli::unknown(&format!("--{}", flag.name), Some(component))),
                Some((table, _)) if !table.is_active(component, storage) => {
                    problems.push(format!("--{} {}", flag.name, table.absence(component, storage)));
                }
                _ => match flag.kind.read(raw) {
                    Ok(typed) => command_line.insert(&flag.name, &typed),
                    Err(wrong) => problems.push(Origin::CommandLine.sentence(&flag.name, &format!(" {wrong}"))),
                },
            }
        }
        Figment::new().merge(defaults).merge(file).merge(environment).merge(command_line)
    }

    fn lines(&self) -> HashMap<String, usize> {
        self.in_file.iter().map(|(name, (line, _))| ((*name).to_owned(), *line)).collect()
    }
}

/// A file may hold the storage types as a list.
fn one_text(flag: &Flag, raw: &Raw) -> Raw {
    match raw {
        Raw::List(items) if flag.name == "span-storage.type" => Raw::text(items.join(",")),
        raw => raw.clone(),
    }
}

fn unknown_key(catalog: &Catalog, component: Component, origin: &Origin, key: &str) -> String {
    if catalog.is_group(key) {
        return format!("{origin}: \"{key}\" is a group of keys, not a key with a value");
    }
    match nearest(key, catalog.names(Some(component))) {
        Some(near) => format!("{origin}: unknown key \"{key}\"; did you mean \"{near}\"?"),
        None => format!("{origin}: unknown key \"{key}\""),
    }
}

/// What is wrong with values that are of the right type.
fn judge(loaded: &Loaded) -> Vec<String> {
    let mut problems = Vec::new();
    // What a flag falls back on is judged where it stands.
    let own = |flag: &&Flag| loaded.decisive(flag).name == flag.name;
    for flag in catalog().active(loaded.component, &loaded.storage).filter(own) {
        if let Some(why) = flag.refusal(&loaded.typed(flag), loaded.component) {
            problems.push(loaded.origin(flag).sentence(&flag.name, &format!(": {why}")));
        }
    }
    problems.extend(checks::contradictions(loaded));
    problems
}

/// Flags that are set and change nothing.
fn idle_flags(loaded: &Loaded) -> Vec<String> {
    let mut idle = Vec::new();
    let own = |flag: &&Flag| loaded.decisive(flag).name == flag.name;
    for flag in catalog().active(loaded.component, &loaded.storage).filter(own) {
        if let Status::Compat(why) = flag.status
            && loaded.typed(flag) != flag.typed_default(loaded.component)
        {
            idle.push(loaded.origin(flag).sentence(&flag.name, &format!(" has no effect: {why}")));
        }
    }
    idle.extend(checks::idle_sampling(loaded));
    idle.extend(checks::idle_archives(loaded));
    idle.extend(checks::idle_parquet(loaded));
    idle
}

/// One source of values for figment.
struct Layer {
    name: &'static str,
    dict: Dict,
}

impl Layer {
    fn new(name: &'static str) -> Self {
        Self { name, dict: Dict::new() }
    }

    fn insert(&mut self, key: &str, value: &Typed) {
        insert(&mut self.dict, key, value.to_figment());
    }
}

/// Nests a dotted key.
pub(crate) fn insert(dict: &mut Dict, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            dict.insert(key.to_owned(), value);
        }
        Some((group, rest)) => {
            let inner = dict.entry(group.to_owned()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}
