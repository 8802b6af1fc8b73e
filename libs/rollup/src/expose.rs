//! Figures since the process began as Prometheus' counters: Jaeger's names for RED, and Grafana's for RED and the graph of services.
//!
//! The text is written in pieces, while spans go on being counted between two of them: neither all of it is held, nor is counting held up.

mod ask;
mod family;
mod write;

use crate::count::Live;
use crate::metrics::RollupMetrics;
use family::{Family, Rows};
use std::collections::VecDeque;

/// A piece of the text has a few rows more than this, in bytes.
const PIECE: usize = 64 << 10;

/// What was counted since the process began, and goes on being counted.
#[derive(Clone)]
pub struct Exposition {
    live: Live,
    metrics: RollupMetrics,
}

/// The text for one scrape, piece by piece.
pub struct Scrape {
    of: Exposition,
    /// Families that are not written yet; of the first of them, rows before `next`.
    families: VecDeque<Family>,
    next: usize,
    open_metrics: bool,
    ended: bool,
}

impl Exposition {
    pub(crate) fn new(live: Live, metrics: RollupMetrics) -> Self {
        Self { live, metrics }
    }

    /// The text for who sent the header `Accept` (empty if none) and the query of the URL: OpenMetrics 1.0 with exemplars where it is
    /// preferred, else Prometheus' text 0.0.4. `names=jaeger` or `names=grafana` in the query asks for some of the series alone.
    ///
    /// # Errors
    /// A text for the caller when `names` has another value.
    pub fn scrape(&self, accept: &str, query: &str) -> Result<Scrape, String> {
        let families = ask::families(query)?.into();
        Ok(Scrape { of: self.clone(), families, next: 0, open_metrics: ask::is_open_metrics(accept), ended: false })
    }
}

impl Scrape {
    /// Of the text.
    pub fn content_type(&self) -> &'static str {
        if self.open_metrics {
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        } else {
            "text/plain; version=0.0.4; charset=utf-8"
        }
    }

    /// Writes rows of a family; where to go on, `None` when all are written.
    fn rows(&self, family: &Family, out: &mut String) -> Option<usize> {
        match family.rows {
            Rows::Series { service } => self.of.live.series(self.next, |names, total| {
                family.put(&write::series(names, service), total, self.open_metrics, out);
                out.len() < PIECE
            }),
            Rows::Links { of_peers_alone } => self.of.live.links(self.next, |names, total| {
                if names.is_peer || !of_peers_alone {
                    family.put(&write::link(names), total, self.open_metrics, out);
                }
                out.len() < PIECE
            }),
            Rows::Spans(count) => {
                write::number(family.name, "_total", "", count(self.of.metrics.unjoined()), out);
                None
            }
        }
    }
}

impl Iterator for Scrape {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut out = String::new();
        while out.len() < PIECE
            && let Some(family) = self.families.front().copied()
        {
            if self.next == 0 {
                family.put_head(self.open_metrics, &mut out);
            }
            match self.rows(&family, &mut out) {
                Some(next) => self.next = next,
                None => {
                    self.families.pop_front();
                    self.next = 0;
                }
            }
        }
        if self.families.is_empty() && !self.ended {
            self.ended = true;
            if self.open_metrics {
                out.push_str("# EOF\n");
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

#[cfg(test)]
mod tests;
