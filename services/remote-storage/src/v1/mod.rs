//! Version 1, `jaeger.storage.v1`: spans in Jaeger's model.

mod reader;
mod small;
mod stream;
mod writer;

pub(crate) use reader::{Reader, put_partial};
pub(crate) use small::{Capabilities, Dependencies};
pub(crate) use stream::StreamWriter;
pub(crate) use writer::Writer;
