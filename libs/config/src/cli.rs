//! The command line: clap splits it, we say what is wrong with it.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::component::Component;
use crate::error::ConfigError;
use crate::flag::Flag;
use crate::kind::{Kind, Raw};
use crate::suggest::nearest;
use crate::tables::{catalog, foreign};

/// A command line, taken apart. Values are not read yet.
#[derive(Debug, Default)]
pub(crate) struct CommandLine {
    pub(crate) values: Vec<(&'static Flag, Raw)>,
    /// What is not a flag: the subcommands.
    pub(crate) words: Vec<String>,
    pub(crate) help: bool,
    pub(crate) version: bool,
    /// `--origin` of `config print`.
    pub(crate) origin: bool,
    /// `--status.http.host-port` of Jaeger's `status`.
    pub(crate) status: Option<String>,
}

const WORDS: &str = "words";
const STATUS: &str = "status.http.host-port";
/// Options that are no settings, and so in no table.
const OPTIONS: &[&str] = &["help", "version", "origin"];

/// The clap argument of a flag.
pub(crate) fn argument(flag: &Flag) -> Arg {
    let arg = Arg::new(flag.name.clone()).long(flag.name.clone()).value_name(flag.kind.name());
    match flag.kind {
        Kind::Bool => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Kind::Lines => arg.num_args(1).allow_hyphen_values(true).action(ArgAction::Append),
        _ => arg.num_args(1).allow_hyphen_values(true),
    }
}

/// Takes a command line (without the program's name) apart by the flags of all tables. The component, as far as it is
/// known already, matters only for what a message offers.
pub(crate) fn parse(args: &[String], component: Option<Component>) -> Result<CommandLine, ConfigError> {
    let command = Command::new("skua")
        .no_binary_name(true)
        .disable_help_flag(true)
        .args_override_self(true)
        .args(catalog().flags().map(argument))
        .arg(Arg::new("help").long("help").short('h').action(ArgAction::SetTrue))
        .arg(Arg::new("version").long("version").action(ArgAction::SetTrue))
        .arg(Arg::new("origin").long("origin").action(ArgAction::SetTrue))
        .arg(Arg::new(STATUS).long(STATUS).num_args(1))
        .arg(Arg::new(WORDS).num_args(0..).action(ArgAction::Append));
    let mut matches = command.try_get_matches_from(args).map_err(|error| explain(&error, args, component))?;
    let mut line = CommandLine {
        values: Vec::new(),
        words: matches.remove_many(WORDS).map(Iterator::collect).unwrap_or_default(),
        help: matches.get_flag("help"),
        version: matches.get_flag("version"),
        origin: matches.get_flag("origin"),
        status: matches.remove_one(STATUS),
    };
    for flag in catalog().flags() {
        if let Some(raw) = value(&mut matches, flag) {
            refuse_swallowed_flag(flag, &raw, args)?;
            line.values.push((flag, raw));
        }
    }
    Ok(line)
}

fn value(matches: &mut ArgMatches, flag: &Flag) -> Option<Raw> {
    let mut given: Vec<String> = matches.remove_many(&flag.name)?.collect();
    if flag.kind == Kind::Lines { Some(Raw::List(given)) } else { given.pop().map(Raw::text) }
}

/// `--es.username --es.password=x` would make the second flag the value of the first.
fn refuse_swallowed_flag(flag: &Flag, raw: &Raw, args: &[String]) -> Result<(), ConfigError> {
    let Raw::Text { text, .. } = raw else { return Ok(()) };
    let Some(name) = text.strip_prefix("--").map(name_of) else { return Ok(()) };
    let is_flag = catalog().find(name).is_some() || OPTIONS.contains(&name);
    if is_flag && !args.contains(&format!("--{}={text}", flag.name)) {
        return Err(ConfigError::new(format!("--{} wants a value, but --{name} follows", flag.name)));
    }
    Ok(())
}

/// `es.timeout` of `es.timeout=5s`.
fn name_of(token: &str) -> &str {
    token.split('=').next().unwrap_or(token)
}

/// What clap refused, in our words.
fn explain(error: &clap::Error, args: &[String], component: Option<Component>) -> ConfigError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let invalid = context(ContextKind::InvalidArg);
    let text = match error.kind() {
        ErrorKind::UnknownArgument => {
            let given = args.iter().find(|arg| arg.starts_with(&invalid)).map_or(invalid.as_str(), String::as_str);
            unknown(given, component)
        }
        ErrorKind::InvalidValue | ErrorKind::NoEquals | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{} wants a value", invalid.split([' ', '=']).next().unwrap_or_default())
        }
        ErrorKind::TooManyValues => {
            format!("{} wants no value", invalid.split([' ', '=']).next().unwrap_or_default())
        }
        _ => error.to_string().trim().to_owned(),
    };
    ConfigError::new(text)
}

/// The message for a flag that does not exist.
pub(crate) fn unknown(given: &str, component: Option<Component>) -> String {
    let shown = name_of(given);
    let name = shown.trim_start_matches('-');
    if let Some(why) = foreign(name) {
        return format!("--{name} {why}");
    }
    let names = catalog().names(component).chain(OPTIONS.iter().copied());
    match nearest(name, names) {
        Some(near) => format!("unknown flag {shown}; did you mean --{near}?"),
        None => format!("unknown flag {shown}; --help lists the flags"),
    }
}
