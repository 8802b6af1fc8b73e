//! Version 2: `jaeger.storage.v2` for reading, OTLP for writing.

mod dependencies;
mod export;
mod pieces;
mod reader;
mod summaries;

pub(crate) use dependencies::Dependencies;
pub(crate) use export::Export;
pub(crate) use reader::Reader;
