//! Configuration: one table of flags per component, and from it the command line, the environment, config files,
//! `--help` and the reference page.
//!
//! The command line wins over the environment, the environment over the file, the file over the default. Names and
//! defaults are Jaeger 1.76's; ours stand beside them. Anything unknown, of the wrong type or contradictory stops the
//! start with exit code 64 and a message that names the source, the key and the nearest right name.
//!
//! ```
//! use std::collections::BTreeMap;
//! use skua_config::{Command, parse};
//!
//! let argv = ["jaeger-all-in-one", "--memory.max-traces=5000"].map(str::to_owned);
//! let Command::Run(config) = parse(&argv, &BTreeMap::new())? else { panic!("not a run") };
//! assert_eq!(config.get_u64("memory.max-traces"), 5000);
//! # Ok::<(), skua_config::ConfigError>(())
//! ```

mod checks;
mod cli;
mod command;
mod component;
mod duration;
mod env;
mod error;
mod file;
mod flag;
mod help;
mod kind;
mod load;
mod loaded;
mod print;
mod reference;
mod source;
mod storage;
mod suggest;
mod tables;

pub use command::{Command, parse};
pub use component::Component;
pub use env::{Environment, ProcessEnvironment};
pub use error::{ConfigError, EXIT_CODE};
pub use flag::{Flag, Status};
pub use kind::Kind;
pub use load::load;
pub use loaded::Loaded;
pub use reference::reference;
pub use source::Origin;
pub use storage::{MetricsType, Storage, StorageType};
pub use tables::{Table, tables};
