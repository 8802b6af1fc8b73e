//! What every tier needs around its work: logs, health, metrics, the admin port, listeners, signals and the drain.
//! For services alone.

pub mod admin;
pub mod health;
pub mod listen;
pub mod logs;
pub mod metrics;
pub mod process;
pub mod shutdown;
pub mod time;
pub mod version;
