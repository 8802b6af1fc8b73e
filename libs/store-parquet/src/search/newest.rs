//! The newest traces, over all blocks.

use super::plan::{Common, Dictionary, Found, Needs, Plan, Question};
use crate::block::{Block, PageRows, Values};
use crate::columns::{Field, Number, Rows as _, Type};
use crate::sidecar::{Role, tag_hash};
use skua_model::TraceId;
use skua_store::{ErrorKind, StoreError};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

/// Pages of a block that are read together from an object store, at first.
const FIRST_PAGES: usize = 4;

/// Traces that match, by the start of their latest span that does.
#[derive(Debug)]
pub(crate) struct Newest {
    limit: usize,
    best: HashMap<[u8; 16], i64>,
    /// With as many traces as are wanted: the start of the oldest of them.
    floor: Option<i64>,
}

impl Newest {
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), best: HashMap::new(), floor: None }
    }

    /// A span that matches.
    pub fn add(&mut self, trace: [u8; 16], start: i64) {
        let best = self.best.entry(trace).or_insert(start);
        *best = (*best).max(start);
    }

    /// To be called now and then: what is too old for the answer is forgotten.
    pub fn settle(&mut self) {
        if self.best.len() < self.limit {
            return;
        }
        let mut starts: Vec<i64> = self.best.values().copied().collect();
        let (_, floor, _) = starts.select_nth_unstable_by_key(self.limit - 1, |start| Reverse(*start));
        let floor = *floor;
        self.floor = Some(floor);
        if self.best.len() > 4 * self.limit {
            self.best.retain(|_, start| *start >= floor);
        }
    }

    /// Whether a span that starts then could not change the answer.
    pub fn is_too_old(&self, start: i64) -> bool {
        self.floor.is_some_and(|floor| start < floor)
    }

    /// The answer, newest first; of the same start, in the order of the ids.
    pub fn into_ids(self) -> Vec<TraceId> {
        let mut all: Vec<_> = self.best.into_iter().map(|(id, start)| (Reverse(start), id)).collect();
        all.sort_unstable();
        all.into_iter().take(self.limit).map(|(_, id)| TraceId(id)).collect()
    }
}

/// A block that a search may have to look into.
pub(crate) struct Candidate {
    pub id: String,
    pub start_min: i64,
    pub start_max: i64,
}

/// What the search of blocks came to.
pub(crate) enum Searched {
    /// All that can matter was looked at.
    Whole,
    /// A block is no longer there: others have its spans now, and are to be looked for.
    Gone,
}

/// A block that is being searched.
struct Scan<'q> {
    block: Arc<Block>,
    plan: Plan<'q>,
    /// Not looked at yet, the latest last.
    pages: Vec<usize>,
    /// Pages at the end of the list that are read already, of an object store.
    read: usize,
    /// Pages to read next.
    window: usize,
}

/// Looks for the newest matches. `open` gives an open block; `gone` tells, of one that is not found, whether others have its spans now. A block
/// that cannot be read is left out and told of.
pub(crate) async fn search_blocks<'q>(
    question: &'q Question,
    candidates: Vec<Candidate>,
    newest: &mut Newest,
    unreadable: &mut Vec<StoreError>,
    open: impl AsyncFn(&str) -> Result<Arc<Block>, StoreError>,
    gone: impl AsyncFn(&str) -> Result<bool, StoreError>,
) -> Result<Searched, StoreError> {
    let mut scans: Vec<Option<Scan<'q>>> = candidates.iter().map(|_| None).collect();
    let in_time = |c: &&Candidate| c.start_max >= question.start.0 && c.start_min <= question.start.1;
    let mut queue: BinaryHeap<(i64, usize)> =
        candidates.iter().enumerate().filter(|(_, c)| in_time(c)).map(|(n, c)| (c.start_max.min(question.start.1), n)).collect();
    let mut looked = 0_usize;
    while let Some((bound, number)) = queue.pop() {
        if newest.is_too_old(bound) {
            break;
        }
        looked += 1;
        if looked.is_multiple_of(16) {
            tokio::task::yield_now().await;
        }
        let next = match &mut scans[number] {
            Some(scan) => scan.page(question, newest).await,
            empty => match open(&candidates[number].id).await {
                Ok(block) => match Scan::begin(block, question).await {
                    Ok(Some(scan)) => Ok(empty.insert(scan).bound(question)),
                    Ok(None) => Ok(None),
                    Err(e) => Err(e),
                },
                Err(e) => Err(e),
            },
        };
        match next {
            Ok(Some(bound)) => queue.push((bound, number)),
            Ok(None) => scans[number] = None,
            Err(e) if e.kind == ErrorKind::NotFound && gone(&candidates[number].id).await? => return Ok(Searched::Gone),
            Err(e) if !matches!(e.kind, ErrorKind::Internal | ErrorKind::NotFound) => return Err(e),
            Err(e) => {
                scans[number] = None;
                unreadable.push(e);
            }
        }
    }
    Ok(Searched::Whole)
}

impl<'q> Scan<'q> {
    /// `None` when nothing in the block can match.
    async fn begin(block: Arc<Block>, question: &'q Question) -> Result<Option<Self>, StoreError> {
        let about = &block.sidecar.about;
        if !question.service.is_empty() || !question.operation.is_empty() {
            let named = |s: &&crate::sidecar::Service| question.service.is_empty() || s.name == question.service;
            let operates = |s: &crate::sidecar::Service| {
                question.operation.is_empty() || s.operations.iter().any(|o| o.name == question.operation)
            };
            if !about.services.iter().filter(named).any(operates) {
                return Ok(None);
            }
        }
        for tag in &question.tags {
            if let Some(text) = tag.value.text()
                && !block.sidecar.tags.contains(tag_hash(&tag.key, text.as_bytes()))
            {
                return Ok(None);
            }
        }
        let in_time = |page: &usize| about.start_max[*page] >= question.start.0 && about.start_min[*page] <= question.start.1;
        let long = |page: &usize| about.duration_max[*page] >= question.duration.0 || question.duration.0 <= 0;
        let mut pages: Vec<usize> = (0..about.pages()).filter(in_time).filter(long).collect();
        if pages.is_empty() {
            return Ok(None);
        }
        pages.sort_by_key(|page| about.start_max[*page]);
        let Some(plan) = plan(&block, question).await? else { return Ok(None) };
        Ok(Some(Self { block, plan, pages, read: 0, window: FIRST_PAGES }))
    }

    /// The latest start that the next page can have.
    fn bound(&self, question: &Question) -> Option<i64> {
        self.pages.last().map(|page| self.block.sidecar.about.start_max[*page].min(question.start.1))
    }

    fn columns(&self, needs: &[Needs]) -> Vec<usize> {
        let mut columns: Vec<usize> = needs.iter().filter_map(|need| column_of(&self.block, *need)).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    fn roles(&self, roles: &[Role]) -> Vec<usize> {
        roles.iter().filter_map(|role| self.block.column(*role)).collect()
    }

    /// Looks at the next page.
    async fn page(&mut self, question: &Question, newest: &mut Newest) -> Result<Option<i64>, StoreError> {
        let Some(page) = self.pages.last().copied() else { return Ok(None) };
        let (tags, names) = (self.columns(&self.plan.tag_columns()), self.columns(&self.plan.name_columns()));
        let times = self.roles(&[Role::Start, Role::Duration]);
        let rest = if self.plan.needs_rest() { self.roles(&[Role::Rest]) } else { Vec::new() };
        let id = self.roles(&[Role::TraceId]);
        if self.read == 0 {
            let ahead: Vec<usize> = self.pages.iter().rev().take(self.window).copied().collect();
            let all: Vec<usize> = [&tags, &names, &times, &rest, &id].into_iter().flatten().copied().collect();
            self.block.prefetch(&ahead, &all).await?;
            self.read = ahead.len();
            self.window *= 2;
        }
        self.read -= 1;
        self.pages.pop();
        let mut rows = self.block.rows();
        let mut left: Vec<u32> = (0..self.block.sidecar.about.rows_of(page).len() as u32).collect();
        self.narrow(&mut rows, page, &tags, &mut left, |plan, rows, row| plan.has_tags(rows, row, false)).await?;
        self.narrow(&mut rows, page, &names, &mut left, |plan, rows, row| plan.has_names(rows, row)).await?;
        let duration = question.duration != (0, i64::MAX);
        let timely = |rows: &PageRows, row: usize| {
            question.has_start(rows.start(row)) && (!duration || question.has_duration(rows.duration(row)))
        };
        let times = if duration { times } else { self.roles(&[Role::Start]) };
        self.narrow(&mut rows, page, &times, &mut left, |_, rows, row| timely(rows, row)).await?;
        left.retain(|row| !newest.is_too_old(rows.start(*row as usize)));
        if !rest.is_empty() {
            self.narrow(&mut rows, page, &rest, &mut left, |plan, rows, row| plan.has_tags(rows, row, true)).await?;
        }
        if !left.is_empty() {
            let mut ids = self.block.rows();
            self.block.load(&mut ids, page, &id, Some(&left)).await?;
            for (at, row) in left.iter().enumerate() {
                newest.add(ids.trace_id(at), rows.start(*row as usize));
            }
            newest.settle();
        }
        Ok(self.bound(question))
    }

    /// Keeps the rows that pass, for which these columns are needed.
    async fn narrow(
        &self,
        rows: &mut PageRows,
        page: usize,
        columns: &[usize],
        left: &mut Vec<u32>,
        passes: impl Fn(&Plan<'q>, &PageRows, usize) -> bool,
    ) -> Result<(), StoreError> {
        if left.is_empty() {
            return Ok(());
        }
        // Without a column too: what the block does not have is asked for.
        if !columns.is_empty() {
            self.block.load(rows, page, columns, None).await?;
        }
        left.retain(|row| passes(&self.plan, rows, *row as usize));
        Ok(())
    }
}

fn column_of(block: &Block, need: Needs) -> Option<usize> {
    let role = match need {
        Needs::Field(Field::Attribute(column)) => return Some(column as usize),
        Needs::Field(Field::Service) => Role::Service,
        Needs::Field(Field::Name) => Role::Name,
        Needs::Field(Field::Message) => Role::Message,
        Needs::Field(Field::TraceState) => Role::TraceState,
        Needs::Field(Field::Resource) => Role::Resource,
        Needs::Field(Field::Scope) => Role::Scope,
        Needs::Field(Field::Shape) => Role::Shape,
        Needs::Number(Number::Kind) => Role::Kind,
        Needs::Number(Number::Status) => Role::Status,
        Needs::Number(Number::Flags) => Role::Flags,
        Needs::Number(Number::JaegerFlags) => Role::JaegerFlags,
    };
    block.column(role)
}

/// The question in the block's codes; `None` when nothing can match.
async fn plan<'q>(block: &Block, question: &'q Question) -> Result<Option<Plan<'q>>, StoreError> {
    let about = &block.sidecar.about;
    let mut columns: Vec<usize> = Vec::new();
    let mut want = |column: Option<usize>| columns.extend(column);
    for tag in &question.tags {
        Type::ALL.iter().for_each(|ty| want(block.layout().attribute(&tag.key, *ty).map(|c| c as usize)));
        if about.may_resource_have(&tag.key) {
            want(block.column(Role::Resource));
        }
        match &tag.key[..] {
            b"otel.scope.name" | b"otel.scope.version" => want(block.column(Role::Scope)),
            b"otel.status_description" => want(block.column(Role::Message)),
            b"w3c.tracestate" => want(block.column(Role::TraceState)),
            _ => {}
        }
    }
    if !question.service.is_empty() {
        want(block.column(Role::Service));
    }
    if !question.operation.is_empty() {
        want(block.column(Role::Name));
    }
    columns.sort_unstable();
    columns.dedup();
    let values = block.dictionaries(&columns).await?;
    let bools = Arc::new(Values::bools());
    let of = |column: usize| -> Option<&dyn Dictionary> {
        if about.columns[column].encoding == crate::sidecar::Encoding::Bits as i32 {
            return Some(&*bools);
        }
        let at = columns.binary_search(&column).ok()?;
        values[at].as_deref().map(|v| v as &dyn Dictionary)
    };
    let role = |role: Role| block.column(role).and_then(&of);
    let common = Common {
        service: role(Role::Service),
        name: role(Role::Name),
        resource: role(Role::Resource),
        scope: role(Role::Scope),
        message: role(Role::Message),
        trace_state: role(Role::TraceState),
    };
    Ok(Plan::new(question, &common, |tag| {
        let column = |ty: &Type| {
            let number = block.layout().attribute(&tag.key, *ty)?;
            Some((Field::Attribute(number), *ty, of(number as usize)))
        };
        Found {
            attributes: Type::ALL.iter().filter_map(column).collect(),
            rest: about.may_rest_have(&tag.key),
            resource: about.may_resource_have(&tag.key),
        }
    }))
}
