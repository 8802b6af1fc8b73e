//! From what is written to what is served: Jaeger's rules, among them those that surprise.

use super::document::{Document, OperationStrategy, ServiceStrategy};
use skua_codec::sampling::{Kind, PerOperation, Response};
use std::collections::{HashMap, HashSet};

/// The answer for each service, and for all others.
#[derive(Debug)]
pub(crate) struct Table {
    default: Response,
    services: HashMap<String, Response>,
}

/// Applies the rules and gathers what a person should hear of.
struct Merge {
    probability: f64,
    warnings: Vec<String>,
}

impl Table {
    /// What is served without a file.
    pub fn defaults(probability: f64) -> Self {
        Self { default: probabilistic(probability), services: HashMap::new() }
    }

    /// The answers, and what is wrong with the document. `probability` takes the place of what is not understood.
    ///
    /// Operations of the default strategy apply to every service too: one without operations gets all of them, one with some
    /// gets those that it does not name, after its own. A client prefers operations to anything else, so that a rate limit
    /// of a service has no effect once there are any.
    pub fn merge(document: &Document, probability: f64) -> (Self, Vec<String>) {
        let mut merge = Merge { probability, warnings: Vec::new() };
        let mut table = Self::defaults(probability);
        if let Some(strategy) = &document.default_strategy {
            table.default = merge.service(strategy, "the default strategy");
        }
        for strategy in &document.service_strategies {
            let mut response = merge.service(strategy, &format!("service {:?}", strategy.service));
            if let Some(defaults) = &table.default.operations {
                response.operations = Some(match response.operations {
                    Some(own) => joined(own, defaults),
                    None => PerOperation {
                        default_probability: response.probabilistic.unwrap_or(defaults.default_probability),
                        ..defaults.clone()
                    },
                });
            }
            table.services.insert(strategy.service.clone(), response);
        }
        (table, merge.warnings)
    }

    /// The answer for a service.
    pub fn find(&self, service: &str) -> &Response {
        self.services.get(service).unwrap_or(&self.default)
    }
}

impl Merge {
    fn service(&mut self, strategy: &ServiceStrategy, what: &str) -> Response {
        let mut response = self.one(&strategy.kind, strategy.param, what);
        if strategy.operation_strategies.is_empty() {
            return response;
        }
        let mut of =
            PerOperation { default_probability: response.probabilistic.unwrap_or(self.probability), ..PerOperation::default() };
        for operation in &strategy.operation_strategies {
            of.operations.extend(self.operation(operation, what));
        }
        response.operations = Some(of);
        response
    }

    /// `None` for a rate limit, which the answer has no place for.
    fn operation(&mut self, strategy: &OperationStrategy, of: &str) -> Option<(String, f64)> {
        let what = format!("operation {:?} of {of}", strategy.operation);
        let probability = self.one(&strategy.kind, strategy.param, &what).probabilistic;
        if probability.is_none() {
            self.warnings.push(format!("{what} is left out: operations can be probabilistic only"));
        }
        Some((strategy.operation.clone(), probability?))
    }

    fn one(&mut self, kind: &str, param: f64, what: &str) -> Response {
        match kind {
            "probabilistic" => probabilistic(param),
            "ratelimiting" => {
                if param.trunc() != f64::from(param as i32) {
                    self.warnings.push(format!("{what} has a rate limit that does not fit 32 bits: {param}"));
                }
                // Towards zero, as Go. What does not fit is up to the machine in Go; here it is the nearest.
                Response { kind: Kind::RateLimiting, rate_limiting: Some(param as i32), ..Response::default() }
            }
            _ => {
                let instead = self.probability;
                self.warnings.push(format!(
                    "{what} has the type {kind:?}, which is neither probabilistic nor ratelimiting; its probability is {instead}"
                ));
                probabilistic(instead)
            }
        }
    }
}

fn probabilistic(probability: f64) -> Response {
    Response { probabilistic: Some(probability), ..Response::default() }
}

/// A service's own operations, then those of the default that it does not name.
fn joined(mut own: PerOperation, defaults: &PerOperation) -> PerOperation {
    let named: HashSet<String> = own.operations.iter().map(|(operation, _)| operation.clone()).collect();
    own.operations.extend(defaults.operations.iter().filter(|(operation, _)| !named.contains(operation)).cloned());
    own
}
