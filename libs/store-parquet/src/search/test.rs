//! Searching a head: all of its rows at once, in memory.

use super::newest::Newest;
use super::plan::{Common, Dictionary, Found, Plan, Question};
use crate::PAGE;
use crate::columns::{Field, Rows, Type};
use crate::head::Head;

struct Pool<'a>(&'a Head, Field);

impl Dictionary for Pool<'_> {
    fn count(&self) -> usize {
        self.0.values(self.1)
    }

    fn value(&self, code: u32) -> &[u8] {
        self.0.value(self.1, code)
    }
}

/// Adds what matches.
pub(crate) fn head_matches(head: &Head, question: &Question, newest: &mut Newest) {
    let pool = |field| Pool(head, field);
    let fixed = [Field::Service, Field::Name, Field::Resource, Field::Scope, Field::Message, Field::TraceState].map(pool);
    let [service, name, resource, scope, message, trace_state] = &fixed;
    let common = Common {
        service: Some(service),
        name: Some(name),
        resource: Some(resource),
        scope: Some(scope),
        message: Some(message),
        trace_state: Some(trace_state),
    };
    let attributes: Vec<(usize, Type, Pool<'_>)> = question
        .tags
        .iter()
        .enumerate()
        .flat_map(|(n, tag)| {
            let of = move |ty: &Type| head.attribute(&tag.key, *ty).map(|number| (n, *ty, Pool(head, Field::Attribute(number))));
            Type::ALL.iter().filter_map(of).collect::<Vec<_>>()
        })
        .collect();
    let plan = Plan::new(question, &common, |tag| {
        let own = attributes.iter().filter(|(n, ..)| question.tags[*n].key == tag.key);
        let own = own.map(|(_, ty, pool)| (pool.1, *ty, Some(pool as &dyn Dictionary)));
        let mut attributes: Vec<(Field, Type, Option<&dyn Dictionary>)> = own.collect();
        attributes.dedup_by_key(|(field, ..)| *field);
        Found { attributes, rest: true, resource: true }
    });
    let Some(plan) = plan else { return };
    for (n, bounds) in head.bounds().iter().enumerate() {
        let outside = bounds.start_max < question.start.0 || bounds.start_min > question.start.1;
        if outside || newest.is_too_old(bounds.start_max) {
            continue;
        }
        let rows = n * PAGE..(n * PAGE + PAGE).min(head.len());
        for row in rows {
            let start = head.start(row);
            let timely = question.has_start(start) && question.has_duration(head.duration(row)) && !newest.is_too_old(start);
            if timely && plan.has_names(head, row) && plan.has_tags(head, row, true) {
                newest.add(head.trace_id(row), start);
            }
        }
        newest.settle();
    }
}
