//! The names of services and operations of all blocks.

use crate::sidecar::Service;
use skua_store::Operation;
use std::collections::{BTreeMap, HashSet};

/// What all blocks together have, each name with the latest start of a block that has it.
#[derive(Debug, Default)]
pub(crate) struct Names {
    services: BTreeMap<String, BTreeMap<Operation, i64>>,
    blocks: HashSet<String>,
}

impl Names {
    /// Whether a block's names are among these.
    pub fn has(&self, block: &str) -> bool {
        self.blocks.contains(block)
    }

    /// Adds a block's names; `latest` is its latest start.
    pub fn add(&mut self, block: &str, services: &[Service], latest: i64) {
        self.blocks.insert(block.to_owned());
        for service in services {
            if !self.services.contains_key(&service.name) {
                self.services.insert(service.name.clone(), BTreeMap::new());
            }
            let Some(operations) = self.services.get_mut(&service.name) else { continue };
            for operation in &service.operations {
                let operation = Operation { name: operation.name.clone(), kind: operation.kind.clone() };
                let seen = operations.entry(operation).or_insert(latest);
                *seen = (*seen).max(latest);
            }
        }
    }

    /// Forgets blocks that are not among these, and the names that were in none that ends as late as `earliest`, the first end of those that
    /// there are.
    pub fn keep(&mut self, blocks: &HashSet<&str>, earliest: i64) {
        self.blocks.retain(|block| blocks.contains(block.as_str()));
        self.services.retain(|_, operations| {
            operations.retain(|_, latest| *latest >= earliest);
            !operations.is_empty()
        });
    }

    /// Sorted.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// Of one service.
    pub fn operations(&self, service: &str) -> impl Iterator<Item = &Operation> {
        self.services.get(service).into_iter().flat_map(BTreeMap::keys)
    }
}
