//! One block, open: its sidecar, and its pages as they are asked for.

use super::cells::{Cells, PageRows, dictionary};
use super::decode::Damaged;
use super::values::Values;
use crate::bucket::Bucket;
use crate::columns::Type;
use crate::sidecar::{About, Role, Sidecar, SidecarError};
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use skua_store::{ErrorKind, StoreError};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Columns that are no attributes.
const ROLES: usize = 18;
const ABSENT: u32 = u32::MAX;
/// Items that a cache is told to expect: so few that it is not cut into shards, of which one would hold a few dictionaries or sidecars only.
pub(crate) const FEW: usize = 32;

/// Where in the file each column is.
#[derive(Debug)]
pub(crate) struct Layout {
    roles: [u32; ROLES],
    attributes: HashMap<(Bytes, u32), u32>,
}

impl Layout {
    fn new(about: &About) -> Self {
        let mut layout = Self { roles: [ABSENT; ROLES], attributes: HashMap::new() };
        for (number, column) in (0..).zip(&about.columns) {
            match Role::try_from(column.role) {
                Ok(Role::Attribute) => _ = layout.attributes.insert((column.key.clone(), column.ty), number),
                Ok(role) => layout.roles[role as usize] = number,
                Err(_) => {}
            }
        }
        layout
    }

    /// The number of a column that is no attribute's.
    pub fn column(&self, role: Role) -> Option<usize> {
        let number = self.roles[role as usize];
        (number != ABSENT).then_some(number as usize)
    }

    /// The number of an attribute's column.
    pub fn attribute(&self, key: &[u8], ty: Type) -> Option<u32> {
        self.attributes.get(&(Bytes::copy_from_slice(key), ty as u32)).copied()
    }
}

/// What of blocks is held in memory, bounded: dictionaries, and of object stores pages.
pub(crate) struct Pages(Cache<Key, Held, Size>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    block: u64,
    column: u32,
    /// [`ABSENT`]: the dictionary.
    page: u32,
}

#[derive(Clone)]
enum Held {
    Values(Arc<Values>),
    Page(Bytes),
}

#[derive(Clone)]
struct Size;

impl Weighter<Key, Held> for Size {
    fn weight(&self, _: &Key, held: &Held) -> u64 {
        64 + match held {
            Held::Values(values) => values.size() as u64,
            Held::Page(bytes) => bytes.len() as u64,
        }
    }
}

impl Pages {
    /// Holds so many bytes at most.
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self(Cache::with_weighter(FEW, bytes as u64, Size)))
    }
}

/// A block that can be read.
pub(crate) struct Block {
    file: String,
    bucket: Bucket,
    pub sidecar: Sidecar,
    layout: Arc<Layout>,
    /// Tells its pages apart from others' in the cache.
    number: u64,
    pages: Arc<Pages>,
}

/// The name of a block's file of spans.
pub(crate) fn file_name(id: &str) -> String {
    format!("blocks/{id}.parquet")
}

/// The name of a block's sidecar.
pub(crate) fn sidecar_name(id: &str) -> String {
    format!("blocks/{id}.side")
}

impl Block {
    /// Reads the sidecar. `NotFound` when it is not there: another process has joined or retired the block.
    pub async fn open(bucket: &Bucket, id: &str, pages: &Arc<Pages>) -> Result<Self, StoreError> {
        let name = sidecar_name(id);
        let gone = || StoreError::new(ErrorKind::NotFound, format!("failed to open block {id}: {name} is gone"));
        let file = bucket.get(&name).await?.ok_or_else(gone)?;
        Self::of(bucket, id, &file, pages)
    }

    /// Of a sidecar that was read.
    pub fn of(bucket: &Bucket, id: &str, sidecar: &Bytes, pages: &Arc<Pages>) -> Result<Self, StoreError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let sidecar = Sidecar::decode(sidecar).and_then(|s| check(&s.about).map(|()| s).map_err(SidecarError::Damaged));
        let unreadable = |e| StoreError::new(ErrorKind::Internal, format!("failed to read {}: {e}", sidecar_name(id)));
        let sidecar = sidecar.map_err(unreadable)?;
        let layout = Arc::new(Layout::new(&sidecar.about));
        let (bucket, pages) = (bucket.clone(), pages.clone());
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self { file: file_name(id), bucket, sidecar, layout, number, pages })
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Bytes in memory, about.
    pub fn size(&self) -> usize {
        let about = &self.sidecar.about;
        let columns: usize = about.columns.iter().map(|c| 160 + c.key.len() + 24 * c.bytes.len()).sum();
        let names: usize = about.services.iter().flat_map(|s| &s.operations).map(|o| 56 + o.name.len() + o.kind.len()).sum();
        self.sidecar.traces.size() + self.sidecar.tags.size() + self.sidecar.runs.size() + columns + names + 24 * about.pages()
    }

    /// The number of a column in the file.
    pub fn column(&self, role: Role) -> Option<usize> {
        self.layout.column(role)
    }

    fn damaged(&self, column: usize, what: &str, why: &Damaged) -> StoreError {
        let column = &self.sidecar.about.columns[column];
        let name = String::from_utf8_lossy(&column.key);
        let text = format!("failed to read {}: column {:?} {name} {what}: {why}", self.file, Role::try_from(column.role));
        StoreError::new(ErrorKind::Internal, text)
    }

    /// The dictionaries of these columns, read together; `None` for a column without one.
    pub async fn dictionaries(&self, columns: &[usize]) -> Result<Vec<Option<Arc<Values>>>, StoreError> {
        let key = |column: usize| Key { block: self.number, column: column as u32, page: ABSENT };
        let mut out = vec![None; columns.len()];
        let (mut missing, mut ranges) = (Vec::new(), Vec::new());
        for (at, column) in columns.iter().enumerate() {
            let Some(range) = self.sidecar.about.columns[*column].dictionary_range() else { continue };
            match self.pages.0.get(&key(*column)) {
                Some(Held::Values(values)) => out[at] = Some(values),
                _ => {
                    missing.push(at);
                    ranges.push(range);
                }
            }
        }
        if ranges.is_empty() {
            return Ok(out);
        }
        for (at, bytes) in missing.into_iter().zip(self.bucket.read(&self.file, &ranges).await?) {
            let values = self.dictionary(columns[at], &bytes)?;
            self.pages.0.insert(key(columns[at]), Held::Values(values.clone()));
            out[at] = Some(values);
        }
        Ok(out)
    }

    /// Rows of a page without any column yet.
    pub fn rows(&self) -> PageRows {
        PageRows::new(self.layout.clone(), self.sidecar.about.columns.len())
    }

    /// Loads columns of a page that are not there yet; of all rows, or of those whose ascending numbers are given, which are then
    /// the rows 0, 1, ….
    pub async fn load(
        &self,
        into: &mut PageRows,
        page: usize,
        columns: &[usize],
        wanted: Option<&[u32]>,
    ) -> Result<(), StoreError> {
        let rows = self.sidecar.about.rows_of(page).len();
        let mut needed = Vec::with_capacity(columns.len());
        for column in columns.iter().copied() {
            if into.has(column) {
                continue;
            }
            if self.is_empty(column, page) {
                into.set(column, Cells::none(wanted.map_or(rows, <[u32]>::len)));
            } else {
                needed.push(column);
            }
        }
        let bytes = self.data(page, &needed).await?;
        let dictionaries = self.dictionaries(&needed).await?;
        for ((column, bytes), dictionary) in needed.into_iter().zip(bytes).zip(dictionaries) {
            let about = &self.sidecar.about.columns[column];
            let cells = Cells::decode(about, page, &bytes, rows, dictionary.as_ref(), wanted);
            into.set(column, cells.map_err(|e| self.damaged(column, &format!("page {page}"), &e))?);
        }
        Ok(())
    }

    /// Whether no row of the page has a value: nothing need be read then.
    fn is_empty(&self, column: usize, page: usize) -> bool {
        let (about, rows) = (&self.sidecar.about, self.sidecar.about.rows_of(page).len());
        about.columns[column].nulls.get(page).is_some_and(|nulls| *nulls as usize == rows)
    }

    /// The bytes of data pages.
    async fn data(&self, page: usize, columns: &[usize]) -> Result<Vec<Bytes>, StoreError> {
        let range = |column: &usize| self.sidecar.about.columns[*column].page_range(page);
        if self.bucket.is_local() {
            return self.bucket.read(&self.file, &columns.iter().map(range).collect::<Vec<_>>()).await;
        }
        let key = |column: usize| Key { block: self.number, column: column as u32, page: page as u32 };
        let mut out: Vec<Option<Bytes>> = columns.iter().map(|column| self.held(&key(*column))).collect();
        let missing: Vec<usize> = (0..columns.len()).filter(|at| out[*at].is_none()).collect();
        if !missing.is_empty() {
            let ranges: Vec<Range<u64>> = missing.iter().map(|at| range(&columns[*at])).collect();
            for (at, bytes) in missing.into_iter().zip(self.bucket.read(&self.file, &ranges).await?) {
                self.pages.0.insert(key(columns[at]), Held::Page(bytes.clone()));
                out[at] = Some(bytes);
            }
        }
        Ok(out.into_iter().flatten().collect())
    }

    fn held(&self, key: &Key) -> Option<Bytes> {
        match self.pages.0.get(key) {
            Some(Held::Page(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Of an object store: reads these pages of these columns, and their dictionaries, with few requests, so that
    /// [`Block::load`] finds them.
    pub async fn prefetch(&self, pages: &[usize], columns: &[usize]) -> Result<(), StoreError> {
        if self.bucket.is_local() {
            return Ok(());
        }
        let (mut keys, mut ranges) = (Vec::new(), Vec::new());
        for column in columns {
            let about = &self.sidecar.about.columns[*column];
            let key = |page| Key { block: self.number, column: *column as u32, page };
            let mut found = false;
            for page in pages.iter().filter(|page| !self.is_empty(*column, **page)) {
                found = true;
                if self.held(&key(*page as u32)).is_none() {
                    keys.push(key(*page as u32));
                    ranges.push(about.page_range(*page));
                }
            }
            if let Some(range) = about.dictionary_range().filter(|_| found)
                && self.pages.0.get(&key(ABSENT)).is_none()
            {
                keys.push(key(ABSENT));
                ranges.push(range);
            }
        }
        if ranges.is_empty() {
            return Ok(());
        }
        for (key, bytes) in keys.into_iter().zip(self.bucket.read(&self.file, &ranges).await?) {
            let held = match key.page {
                ABSENT => Held::Values(self.dictionary(key.column as usize, &bytes)?),
                // A copy: a slice would keep all that was read with it.
                _ => Held::Page(Bytes::copy_from_slice(&bytes)),
            };
            self.pages.0.insert(key, held);
        }
        Ok(())
    }

    fn dictionary(&self, column: usize, bytes: &Bytes) -> Result<Arc<Values>, StoreError> {
        let about = &self.sidecar.about.columns[column];
        let absent = || self.damaged(column, "dictionary", &Damaged("it has none"));
        let values = dictionary(about.dictionary.as_ref().ok_or_else(absent)?, about.width, bytes);
        Ok(Arc::new(values.map_err(|e| self.damaged(column, "dictionary", &e))?))
    }
}

/// Lists of pages are as long as there are pages, so that nobody need look again.
fn check(about: &About) -> Result<(), &'static str> {
    let pages = about.pages();
    let rows = about.page_rows as usize;
    if rows == 0
        || pages != (about.spans as usize).div_ceil(rows)
        || about.start_max.len() != pages
        || about.duration_max.len() != pages
    {
        return Err("pages that do not fit its rows");
    }
    let fits = |list: &Vec<u32>| list.len() == pages;
    match about.columns.iter().all(|c| [&c.bytes, &c.header, &c.levels, &c.nulls, &c.raw, &c.sums].into_iter().all(fits)) {
        true => Ok(()),
        false => Err("a column without all of its pages"),
    }
}
