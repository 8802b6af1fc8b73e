//! The wire code against prost as oracle, on random batches and on damaged ones.

mod batch;
mod builder;
mod jaeger_origin;
mod limiting;
mod regrouping;
mod repairing;
mod strategies;
mod tagging;
mod timing;
