//! A question, and what it means in the codes of one head or block.

use super::wanted::{Tag, Wanted};
use crate::columns::{Field, NULL, Number, Rows, Type};
use skua_model::{ProcessView, SpanView, WARNINGS_KEY, kind_text};
use skua_store::{StoreError, TraceQuery};

/// Traces when a search does not say how many, as of Jaeger's own stores.
const DEFAULT_LIMIT: usize = 100;

/// A search, read.
#[derive(Debug)]
pub(crate) struct Question {
    /// Empty: any.
    pub service: String,
    /// Empty: any.
    pub operation: String,
    pub tags: Vec<Tag>,
    /// Nanoseconds since 1970, both included.
    pub start: (i64, i64),
    /// Nanoseconds, both included.
    pub duration: (i64, i64),
    /// Traces.
    pub limit: usize,
}

fn nanoseconds(microseconds: u64) -> i64 {
    i64::try_from(microseconds).ok().and_then(|us| us.checked_mul(1000)).unwrap_or(i64::MAX)
}

impl Question {
    /// # Errors
    /// `Invalid` for a pattern that is none.
    pub fn read(query: &TraceQuery) -> Result<Self, StoreError> {
        let tag = |(key, value): &(String, String)| Ok(Tag { key: key.clone().into_bytes(), value: Wanted::read(value)? });
        let last = |us: u64| nanoseconds(us).saturating_add(999);
        Ok(Self {
            service: query.service.clone(),
            operation: query.operation.clone(),
            tags: query.tags.iter().map(tag).collect::<Result<_, StoreError>>()?,
            start: (nanoseconds(query.start_min), last(query.start_max)),
            duration: (
                nanoseconds(query.duration_min),
                if query.duration_max == 0 { i64::MAX } else { last(query.duration_max) },
            ),
            limit: if query.limit <= 0 { DEFAULT_LIMIT } else { query.limit as usize },
        })
    }

    /// Whether a span of this duration, which counts as 0 when it is negative, is wanted.
    pub fn has_duration(&self, duration: i64) -> bool {
        (self.duration.0..=self.duration.1).contains(&duration.max(0))
    }

    pub fn has_start(&self, start: i64) -> bool {
        (self.start.0..=self.start.1).contains(&start)
    }
}

/// The distinct values of a column, by code.
pub(crate) trait Dictionary {
    fn count(&self) -> usize;
    fn value(&self, code: u32) -> &[u8];
}

impl Dictionary for crate::block::Values {
    fn count(&self) -> usize {
        self.len()
    }

    fn value(&self, code: u32) -> &[u8] {
        self.get(code)
    }
}

/// Which codes of a column are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Codes {
    /// By code.
    Known(Vec<bool>),
    /// The column has no dictionary: each value is looked at.
    Each,
}

impl Codes {
    fn of(dictionary: Option<&dyn Dictionary>, is: impl Fn(&[u8]) -> bool) -> Self {
        match dictionary {
            Some(d) => Self::Known((0..d.count() as u32).map(|code| is(d.value(code))).collect()),
            None => Self::Each,
        }
    }

    fn can_match(&self) -> bool {
        match self {
            Self::Known(codes) => codes.contains(&true),
            Self::Each => true,
        }
    }

    #[inline]
    fn has(&self, code: u32, each: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Known(codes) => codes.get(code as usize) == Some(&true),
            Self::Each => code != NULL && each(),
        }
    }
}

/// One way in which a span can have a tag.
#[derive(Debug)]
enum Way {
    /// In an attribute's column.
    Attribute(Field, Type, Codes),
    /// An attribute of its resource.
    Resource(Codes),
    /// The name or version of its scope; not of a span in Jaeger's own model.
    Scope(Codes),
    /// Its kind or status as a tag; not of a span in Jaeger's own model.
    Number(Number),
    /// The text of its status or its trace state; not of a span in Jaeger's own model.
    Text(Field, Codes),
    /// Among what has no column.
    Rest,
}

/// A tag of the question, in the codes of one head or block.
#[derive(Debug)]
struct Condition<'q> {
    tag: &'q Tag,
    ways: Vec<Way>,
}

/// A question in the codes of one head or block.
#[derive(Debug)]
pub(crate) struct Plan<'q> {
    question: &'q Question,
    service: Option<Codes>,
    operation: Option<Codes>,
    tags: Vec<Condition<'q>>,
}

/// What a plan is made of: the columns that a tag of a key can be in, with their dictionaries.
pub(crate) struct Found<'a> {
    pub attributes: Vec<(Field, Type, Option<&'a dyn Dictionary>)>,
    /// Whether the key may be among what has no column.
    pub rest: bool,
    /// Whether the key may be one of a resource.
    pub resource: bool,
}

/// The dictionaries that all questions ask; `None` for a column without.
pub(crate) struct Common<'a> {
    pub service: Option<&'a dyn Dictionary>,
    pub name: Option<&'a dyn Dictionary>,
    pub resource: Option<&'a dyn Dictionary>,
    pub scope: Option<&'a dyn Dictionary>,
    pub message: Option<&'a dyn Dictionary>,
    pub trace_state: Option<&'a dyn Dictionary>,
}

fn in_resource(tag: &Tag, resource: &[u8]) -> bool {
    ProcessView::of(resource).attributes().iter().any(|kv| kv.key == tag.key && tag.value.is_value(kv.value))
}

fn in_scope(tag: &Tag, scope: &[u8]) -> bool {
    let view = SpanView::of(&[], scope);
    let text = if tag.key == b"otel.scope.name" { view.scope_name } else { view.scope_version };
    !text.is_empty() && tag.value.is(text)
}

/// The tags that a number gives a span.
fn in_number(tag: &Tag, number: Number, value: u32) -> bool {
    match (number, &tag.key[..]) {
        (Number::Kind, _) => kind_text(u64::from(value)).is_some_and(|text| tag.value.is(text.as_bytes())),
        (_, b"error") => value == 2 && tag.value.is(b"true"),
        _ => match value {
            1 => tag.value.is(b"OK"),
            2 => tag.value.is(b"ERROR"),
            _ => false,
        },
    }
}

/// Whether the tag is among the attributes or the events of fields without a column.
fn in_rest(tag: &Tag, rest: &[u8], jaeger: bool) -> bool {
    if rest.is_empty() {
        return false;
    }
    let view = SpanView::of(rest, &[]);
    let is_list = |value| matches!(value, skua_model::AnyValue::Array(_));
    let hidden = |key: &[u8], value| key == WARNINGS_KEY && (!jaeger || is_list(value));
    let has = |key: &[u8], value| key == tag.key && tag.value.is_value(value);
    if view.attributes().any(|kv| has(kv.key, kv.value) && !hidden(kv.key, kv.value)) {
        return true;
    }
    let mut found = false;
    view.events().for_each(|event| event.for_each_field(|key, value| found |= has(key, value)));
    found
}

impl<'q> Condition<'q> {
    fn new(tag: &'q Tag, common: &Common<'_>, found: Found<'_>) -> Self {
        let mut ways = Vec::new();
        for (field, ty, dictionary) in found.attributes {
            ways.push(Way::Attribute(field, ty, Codes::of(dictionary, |v| tag.value.is_cell(ty, v))));
        }
        if found.resource {
            ways.push(Way::Resource(Codes::of(common.resource, |v| in_resource(tag, v))));
        }
        match &tag.key[..] {
            b"otel.scope.name" | b"otel.scope.version" => ways.push(Way::Scope(Codes::of(common.scope, |v| in_scope(tag, v)))),
            b"span.kind" => ways.push(Way::Number(Number::Kind)),
            b"otel.status_code" | b"error" => ways.push(Way::Number(Number::Status)),
            b"otel.status_description" => {
                let codes = Codes::of(common.message, |v| !v.is_empty() && tag.value.is(v));
                ways.push(Way::Text(Field::Message, codes));
            }
            b"w3c.tracestate" => {
                let codes = Codes::of(common.trace_state, |v| !v.is_empty() && tag.value.is(v));
                ways.push(Way::Text(Field::TraceState, codes));
            }
            _ => {}
        }
        if found.rest {
            ways.push(Way::Rest);
        }
        ways.retain(|way| match way {
            Way::Attribute(_, _, codes) | Way::Resource(codes) | Way::Scope(codes) | Way::Text(_, codes) => codes.can_match(),
            Way::Number(_) | Way::Rest => true,
        });
        Self { tag, ways }
    }

    /// `rest`: whether what has no column is loaded; else a span that might have the tag there is said to have it.
    fn holds(&self, rows: &impl Rows, row: usize, rest: bool) -> bool {
        let tag = self.tag;
        let jaeger = || rows.number(Number::JaegerFlags, row) != NULL;
        self.ways.iter().any(|way| match way {
            Way::Attribute(field, ty, codes) => {
                let code = rows.code(*field, row);
                let has = codes.has(code, || tag.value.is_cell(*ty, rows.value(*field, code)));
                has && (tag.key != WARNINGS_KEY || jaeger())
            }
            Way::Resource(codes) => {
                let code = rows.code(Field::Resource, row);
                codes.has(code, || in_resource(tag, rows.value(Field::Resource, code)))
            }
            Way::Scope(codes) => {
                let code = rows.code(Field::Scope, row);
                codes.has(code, || in_scope(tag, rows.value(Field::Scope, code))) && !jaeger()
            }
            Way::Number(number) => in_number(tag, *number, rows.number(*number, row)) && !jaeger(),
            Way::Text(field, codes) => {
                let code = rows.code(*field, row);
                let each = || Some(rows.value(*field, code)).is_some_and(|v| !v.is_empty() && tag.value.is(v));
                codes.has(code, each) && !jaeger()
            }
            Way::Rest => !rest || in_rest(tag, rows.rest(row), jaeger()),
        })
    }
}

/// A column that a plan needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Field(Field),
    Number(Number),
}

impl<'q> Plan<'q> {
    /// `None` when nothing there can match.
    pub fn new<'a>(question: &'q Question, common: &Common<'_>, find: impl Fn(&Tag) -> Found<'a>) -> Option<Self> {
        let named = |name: &'q str, dictionary| {
            (!name.is_empty()).then(|| Codes::of(dictionary, |value: &[u8]| value == name.as_bytes()))
        };
        let service = named(&question.service, common.service);
        let operation = named(&question.operation, common.name);
        if [&service, &operation].into_iter().flatten().any(|codes| !codes.can_match()) {
            return None;
        }
        let mut tags = Vec::with_capacity(question.tags.len());
        for tag in &question.tags {
            let condition = Condition::new(tag, common, find(tag));
            if condition.ways.is_empty() {
                return None;
            }
            tags.push(condition);
        }
        Some(Self { question, service, operation, tags })
    }

    /// The columns of [`Plan::has_tags`].
    pub fn tag_columns(&self) -> Vec<Needs> {
        let mut needs = Vec::new();
        for way in self.tags.iter().flat_map(|c| &c.ways) {
            match way {
                Way::Attribute(field, ..) | Way::Text(field, _) => needs.push(Needs::Field(*field)),
                Way::Resource(_) => needs.push(Needs::Field(Field::Resource)),
                Way::Scope(_) => needs.push(Needs::Field(Field::Scope)),
                Way::Number(number) => needs.push(Needs::Number(*number)),
                Way::Rest => {}
            }
            if !matches!(way, Way::Attribute(..) | Way::Resource(_)) {
                needs.push(Needs::Number(Number::JaegerFlags));
            }
        }
        if self.tags.iter().any(|c| c.tag.key == WARNINGS_KEY) {
            needs.push(Needs::Number(Number::JaegerFlags));
        }
        needs
    }

    /// The columns of [`Plan::has_names`].
    pub fn name_columns(&self) -> Vec<Needs> {
        let service = self.service.is_some().then_some(Needs::Field(Field::Service));
        let operation = self.operation.is_some().then_some(Needs::Field(Field::Name));
        service.into_iter().chain(operation).collect()
    }

    /// Whether a tag may be among what has no column.
    pub fn needs_rest(&self) -> bool {
        self.tags.iter().flat_map(|c| &c.ways).any(|way| matches!(way, Way::Rest))
    }

    pub fn has_names(&self, rows: &impl Rows, row: usize) -> bool {
        let named = |codes: &Option<Codes>, field, name: &str| {
            let code = || rows.code(field, row);
            codes.as_ref().is_none_or(|codes| codes.has(code(), || rows.value(field, code()) == name.as_bytes()))
        };
        named(&self.service, Field::Service, &self.question.service)
            && named(&self.operation, Field::Name, &self.question.operation)
    }

    /// Whether a row has all tags. Without `rest` one that may have a tag there is taken to have it.
    pub fn has_tags(&self, rows: &impl Rows, row: usize, rest: bool) -> bool {
        self.tags.iter().all(|condition| condition.holds(rows, row, rest))
    }
}
