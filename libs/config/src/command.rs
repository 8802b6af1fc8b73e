//! The whole command line: which component, and what to do with it.

use crate::cli::{self, CommandLine};
use crate::component::Component;
use crate::env::Environment;
use crate::error::ConfigError;
use crate::flag::Flag;
use crate::help;
use crate::kind::Raw;
use crate::load::{Inputs, load_line};
use crate::loaded::Loaded;
use crate::reference::reference;
use crate::storage::Storage;
use crate::suggest::nearest;
use crate::tables::catalog;

/// What a command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Run the component that the configuration is of; one of [`Component::COMMANDS`] does its work and ends.
    Run(Loaded),
    /// Print this text.
    Help(String),
    /// Print the version.
    Version,
    /// Print the effective values: `loaded.print(origin)`.
    ConfigPrint {
        /// The configuration.
        loaded: Loaded,
        /// Whether to say where each value came from.
        origin: bool,
    },
    /// The configuration is valid: say so, and its warnings.
    ConfigCheck(Loaded),
    /// Print this reference (Markdown).
    Docs(String),
    /// Ask `http://<admin>/` for its health; a host that is left out means this machine.
    Status {
        /// Host and port of the admin server, such as `:14269`.
        admin: String,
    },
}

/// Commands of `skua` besides the components; after a component, or under a Jaeger name, they are about that one.
const COMMANDS: &[&str] =
    &["config", "version", "help", "docs", "status", "env", "print-config", "completion", "cassandra", "rollup", "parquet"];

/// Reads a whole command line, `argv[0]` included.
///
/// A program name such as `jaeger-collector` chooses the component; otherwise the first word does. Words and flags may
/// come in any order.
///
/// # Errors
/// As [`crate::load`], and if the words name no command.
pub fn parse(argv: &[String], env: &dyn Environment) -> Result<Command, ConfigError> {
    let (program, args) = argv.split_first().map_or(("skua", &[][..]), |(program, args)| (program.as_str(), args));
    // Which component it is can only be guessed before flags and their values are told apart; it is enough for messages.
    let mut bare: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-')).collect();
    let mut line = cli::parse(args, Component::from_program_name(program).or_else(|| take_component(&mut bare)))?;
    let words = std::mem::take(&mut line.words);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let component = Component::from_program_name(program).or_else(|| take_component(&mut words));
    take_block(component, &mut words, &mut line.values);
    let command = words.first().copied();
    if line.version {
        return Ok(Command::Version);
    }
    if line.help || command == Some("help") {
        return Ok(Command::Help(component.map_or_else(help::program_help, |component| about(component, &line, env))));
    }
    let printing = matches!(words.as_slice(), ["config", "print"] | ["print-config"]);
    if line.origin && !printing {
        return Err(ConfigError::new("--origin belongs to config print"));
    }
    if line.status.is_some() && command != Some("status") {
        return Err(ConfigError::new("--status.http.host-port belongs to status"));
    }
    match (words.as_slice(), component) {
        ([], Some(component)) => Ok(Command::Run(load_line(component, &line, env)?)),
        ([], None) => Err(ConfigError::new("no component given; skua help lists them")),
        (["version"], _) => Ok(Command::Version),
        (["env"], _) => Ok(Command::Help(help::env_help())),
        (["docs"] | ["docs", "flags"], _) => Ok(Command::Docs(reference())),
        (["status"], component) => Ok(Command::Status { admin: admin(component.unwrap_or(Component::AllInOne), &line, env)? }),
        (["config", "print"] | ["print-config"], Some(component)) => {
            Ok(Command::ConfigPrint { loaded: load_line(component, &line, env)?, origin: line.origin })
        }
        (["config", "check"], Some(component)) => Ok(Command::ConfigCheck(load_line(component, &line, env)?)),
        (["config", "print" | "check"] | ["print-config"], None) => {
            Err(ConfigError::new(format!("{} wants a component: {}", words.join(" "), component_names())))
        }
        (["cassandra", ..], None) => Err(ConfigError::new("cassandra wants schema")),
        (["rollup", ..], None) => Err(ConfigError::new("rollup wants rebuild")),
        (["parquet", ..], None) => Err(ConfigError::new("parquet wants inspect, verify or export")),
        (["config"], _) => Err(ConfigError::new("config wants print or check")),
        (["completion", ..], _) => Err(ConfigError::new("completion is not supported yet by this version")),
        (words, component) => Err(unexpected(words, component)),
    }
}

/// Takes the component out of the words, wherever it stands.
fn take_component(words: &mut Vec<&str>) -> Option<Component> {
    for command in Component::COMMANDS {
        if let Some(place) = words.windows(2).position(|pair| pair.join(" ") == command.words()) {
            words.drain(place..place + 2);
            return Some(*command);
        }
    }
    let (place, component) =
        words.iter().enumerate().find_map(|(place, word)| Component::from_name(word).map(|component| (place, component)))?;
    words.remove(place);
    Some(component)
}

/// `skua parquet inspect <block>` is `--block=<block>`.
fn take_block(component: Option<Component>, words: &mut Vec<&str>, values: &mut Vec<(&'static Flag, Raw)>) {
    if let (Some(Component::ParquetInspect), [block], Some((_, flag))) = (component, words.as_slice(), catalog().find("block"))
        && !COMMANDS.contains(block)
    {
        values.push((flag, Raw::text(*block)));
        words.clear();
    }
}

fn component_names() -> String {
    Component::ALL.iter().map(|component| component.name()).collect::<Vec<_>>().join(", ")
}

/// Only flags of the tables belong into the arguments of a component: no commands, and no `--help`.
pub(crate) fn refuse_words(line: &CommandLine) -> Result<(), ConfigError> {
    let options = [(line.help, "--help"), (line.version, "--version"), (line.origin, "--origin")];
    let option = options.into_iter().find_map(|(given, name)| given.then_some(name));
    let word = line.words.first().map(String::as_str).or(option).or(line.status.as_ref().map(|_| "--status.http.host-port"));
    word.map_or(Ok(()), |word| Err(ConfigError::new(unexpected_word(word))))
}

fn unexpected_word(word: &str) -> String {
    match word {
        "true" | "false" => format!("unexpected argument {word:?}; a boolean flag is set with =, as in --flag={word}"),
        _ => format!("unexpected argument {word:?}"),
    }
}

fn unexpected(words: &[&str], component: Option<Component>) -> ConfigError {
    let first = words.first().copied().unwrap_or_default();
    let wrong = if COMMANDS.contains(&first) { words.get(1).copied().unwrap_or(first) } else { first };
    let known = COMMANDS.iter().copied().chain(Component::ALL.iter().map(|component| component.name()));
    ConfigError::new(match (nearest(first, known), component) {
        (Some(near), _) if near != first => format!("unknown command {first:?}; did you mean {near:?}?"),
        (None, None) => format!("unknown command {first:?}; skua help lists them"),
        _ => unexpected_word(wrong),
    })
}

/// The help of a component, with the flags of the storages that are asked for as far as they can be told.
fn about(component: Component, line: &CommandLine, env: &dyn Environment) -> String {
    let storage = Inputs::gather(component, line, env, &mut Vec::new(), &mut Vec::new())
        .ok()
        .and_then(|inputs| inputs.storage(component).ok())
        .unwrap_or_else(Storage::none);
    help::component_help(component, &storage)
}

/// The address to ask for the status; the rest of the configuration need not be valid.
fn admin(component: Component, line: &CommandLine, env: &dyn Environment) -> Result<String, ConfigError> {
    let Some((table, flag)) = catalog().find("admin.http.host-port") else { return Ok(String::new()) };
    if !table.tiers.contains(&component) {
        return Err(ConfigError::new(format!("{component} has no port to ask for its status")));
    }
    if let Some(address) = &line.status {
        return Ok(address.clone());
    }
    let inputs = Inputs::gather(component, line, env, &mut Vec::new(), &mut Vec::new())?;
    let (origin, raw) =
        inputs.given(flag).unwrap_or_else(|| (crate::source::Origin::Default, Raw::text(flag.default(component))));
    let read = flag.kind.read(&raw).map_err(|wrong| ConfigError::new(origin.sentence(&flag.name, &format!(" {wrong}"))))?;
    Ok(read.plain())
}
