//! Columns of one page, decoded: all of its rows or some.

use super::decode::{Damaged, Hybrid, deltas, plain};
use super::read::Layout;
use super::values::Values;
use crate::columns::{Field, NULL, Number, Rows, Type};
use crate::sidecar::{Column, Dictionary, Encoding, Role};
use bytes::Bytes;
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

/// Raw bytes of a page or dictionary at most, against damage.
const MOST_RAW: usize = 1 << 30;

/// The values of a column in some rows.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    /// [`NULL`] where there is none.
    Codes(Vec<u32>, Arc<Values>),
    /// Numbers of 64 bits.
    Ints(Vec<i64>),
}

thread_local! {
    static ZSTD: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

fn inflate(bytes: &[u8], raw: usize) -> Result<Bytes, Damaged> {
    if raw > MOST_RAW {
        return Err(Damaged("a page of an impossible size"));
    }
    ZSTD.with_borrow_mut(|zstd| {
        if zstd.is_none() {
            *zstd = zstd::bulk::Decompressor::new().ok();
        }
        let zstd = zstd.as_mut().ok_or(Damaged("no memory to decompress a page"))?;
        zstd.decompress(bytes, raw).map(Bytes::from).map_err(|_| Damaged("a page that is no zstd"))
    })
}

/// The values of a dictionary page.
pub(super) fn dictionary(about: &Dictionary, width: u32, page: &Bytes) -> Result<Values, Damaged> {
    if about.header > about.bytes || page.len() != about.bytes as usize {
        return Err(Damaged("a dictionary of another size"));
    }
    if crc32c::crc32c(page) != about.sum {
        return Err(Damaged("a checksum that does not match"));
    }
    let body = inflate(&page[about.header as usize..], about.raw as usize)?;
    plain(body, width, about.values as usize)
}

impl Cells {
    /// Of a data page with its header; of all rows, or of those whose ascending numbers are given.
    pub fn decode(
        column: &Column,
        page: usize,
        bytes: &Bytes,
        rows: usize,
        dictionary: Option<&Arc<Values>>,
        wanted: Option<&[u32]>,
    ) -> Result<Self, Damaged> {
        let of = |list: &[u32]| list.get(page).map(|n| *n as usize).ok_or(Damaged("a page that is not there"));
        let (header, levels, nulls, raw) = (of(&column.header)?, of(&column.levels)?, of(&column.nulls)?, of(&column.raw)?);
        if crc32c::crc32c(bytes) != column.sums.get(page).copied().ok_or(Damaged("a page without its checksum"))? {
            return Err(Damaged("a checksum that does not match"));
        }
        let present = rows.checked_sub(nulls).ok_or(Damaged("more nulls than rows"))?;
        let after = |bytes: &Bytes, n: usize| {
            if n > bytes.len() { Err(Damaged("a page that is cut short")) } else { Ok(bytes.slice(n..)) }
        };
        let page = after(bytes, header)?;
        let (levels, body) = if column.together {
            let page = inflate(&page, raw)?;
            let body = after(&page, levels)?;
            (page.slice(4.min(levels)..levels), body)
        } else {
            let body = after(&page, levels)?;
            (page.slice(..levels), if raw == 0 { body } else { inflate(&body, raw)? })
        };
        let places = Places::read(&levels, rows, nulls, wanted)?;
        let encoding = Encoding::try_from(column.encoding).map_err(|_| Damaged("an unknown encoding"))?;
        Ok(match encoding {
            Encoding::Delta => {
                let all = deltas(&body, rows)?;
                Self::Ints(wanted.map_or_else(|| all.clone(), |w| w.iter().map(|r| all[*r as usize]).collect()))
            }
            Encoding::Dictionary => {
                let dictionary = dictionary.ok_or(Damaged("a page without its dictionary"))?;
                let codes = match body.split_first() {
                    Some((width, codes)) if present > 0 => places.codes(Hybrid::new(codes, u32::from(*width))?, present)?,
                    None if present > 0 => return Err(Damaged("a page that is cut short")),
                    _ => vec![NULL; places.len()],
                };
                if codes.iter().any(|code| *code != NULL && *code as usize >= dictionary.len()) {
                    return Err(Damaged("a code beyond its dictionary"));
                }
                Self::Codes(codes, dictionary.clone())
            }
            Encoding::Plain => {
                let values = Arc::new(plain(body, column.width, present)?);
                Self::Codes(places.numbers(), values)
            }
            Encoding::Bits => {
                if body.len() < present.div_ceil(8) {
                    return Err(Damaged("a page that is cut short"));
                }
                let bit = |n: u32| if n == NULL { NULL } else { u32::from(body[n as usize / 8] >> (n % 8) & 1) };
                Self::Codes(places.numbers().into_iter().map(bit).collect(), Arc::new(Values::bools()))
            }
        })
    }

    /// So many rows without a value.
    pub fn none(rows: usize) -> Self {
        Self::Codes(vec![NULL; rows], Arc::new(Values::bools()))
    }

    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Codes(codes, _) => codes.len(),
            Self::Ints(ints) => ints.len(),
        }
    }

    fn code(&self, row: usize) -> u32 {
        match self {
            Self::Codes(codes, _) => codes[row],
            Self::Ints(_) => NULL,
        }
    }

    fn get(&self, row: usize) -> &[u8] {
        match self {
            Self::Codes(codes, values) => values.get(codes[row]),
            Self::Ints(_) => &[],
        }
    }
}

/// For each row that is wanted, the number of its value among those that are there.
enum Places<'a> {
    /// Every row has one.
    All(usize),
    /// These rows, and every row has a value.
    Some(&'a [u32]),
    /// [`NULL`] where there is none.
    Numbers(Vec<u32>),
}

impl<'a> Places<'a> {
    fn read(levels: &[u8], rows: usize, nulls: usize, wanted: Option<&'a [u32]>) -> Result<Self, Damaged> {
        if wanted.is_some_and(|w| w.iter().any(|row| *row as usize >= rows)) {
            return Err(Damaged("a row beyond its page"));
        }
        if nulls == 0 {
            return Ok(wanted.map_or(Self::All(rows), Self::Some));
        }
        if nulls == rows {
            return Ok(Self::Numbers(vec![NULL; wanted.map_or(rows, <[u32]>::len)]));
        }
        let mut numbers = Vec::with_capacity(rows);
        Hybrid::new(levels, 1)?.all(rows, &mut numbers)?;
        let mut next = 0;
        for number in &mut numbers {
            *number = if *number == 1 {
                next += 1;
                next - 1
            } else {
                NULL
            };
        }
        if next as usize != rows - nulls {
            return Err(Damaged("levels that do not count as many values as there are"));
        }
        Ok(Self::Numbers(wanted.map_or_else(|| numbers.clone(), |w| w.iter().map(|row| numbers[*row as usize]).collect())))
    }

    fn len(&self) -> usize {
        match self {
            Self::All(rows) => *rows,
            Self::Some(rows) => rows.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    fn numbers(&self) -> Vec<u32> {
        match self {
            Self::All(rows) => (0..*rows as u32).collect(),
            Self::Some(rows) => rows.to_vec(),
            Self::Numbers(numbers) => numbers.clone(),
        }
    }

    fn codes(&self, mut values: Hybrid<'_>, present: usize) -> Result<Vec<u32>, Damaged> {
        match self {
            Self::All(rows) => {
                let mut out = Vec::with_capacity(*rows);
                values.all(present, &mut out)?;
                Ok(out)
            }
            Self::Some(rows) => rows.iter().map(|row| values.at(*row as usize)).collect(),
            Self::Numbers(numbers) => {
                numbers.iter().map(|n| if *n == NULL { Ok(NULL) } else { values.at(*n as usize) }).collect()
            }
        }
    }
}

/// Rows of a page of which some columns are loaded; a column that is not reads as if it had no values.
pub(crate) struct PageRows {
    layout: Arc<Layout>,
    /// By the number of the column in the file.
    cells: Vec<Option<Cells>>,
}

impl PageRows {
    pub(super) fn new(layout: Arc<Layout>, columns: usize) -> Self {
        Self { layout, cells: vec![None; columns] }
    }

    pub(super) fn set(&mut self, column: usize, cells: Cells) {
        self.cells[column] = Some(cells);
    }

    pub(super) fn has(&self, column: usize) -> bool {
        self.cells[column].is_some()
    }

    /// The value of a row in the column of this number, as its bytes: those of times are 8, little-endian. `None` where there is none.
    pub fn cell(&self, column: usize, row: usize) -> Option<Cow<'_, [u8]>> {
        match self.cells.get(column)?.as_ref()? {
            Cells::Codes(codes, values) => codes.get(row).filter(|code| **code != NULL).map(|code| values.get(*code).into()),
            Cells::Ints(ints) => ints.get(row).map(|int| int.to_le_bytes().to_vec().into()),
        }
    }

    fn of(&self, role: Role) -> Option<&Cells> {
        self.layout.column(role).and_then(|column| self.cells[column].as_ref())
    }

    fn array<const N: usize>(&self, role: Role, row: usize) -> [u8; N] {
        self.of(role).and_then(|cells| cells.get(row).try_into().ok()).unwrap_or([0; N])
    }

    fn int(&self, role: Role, row: usize) -> i64 {
        match self.of(role) {
            Some(Cells::Ints(ints)) => ints[row],
            _ => 0,
        }
    }

    fn field(&self, field: Field) -> Option<&Cells> {
        match field {
            Field::Attribute(column) => self.cells.get(column as usize)?.as_ref(),
            Field::Service => self.of(Role::Service),
            Field::Name => self.of(Role::Name),
            Field::Message => self.of(Role::Message),
            Field::TraceState => self.of(Role::TraceState),
            Field::Resource => self.of(Role::Resource),
            Field::Scope => self.of(Role::Scope),
            Field::Shape => self.of(Role::Shape),
        }
    }
}

impl Rows for PageRows {
    fn trace_id(&self, row: usize) -> [u8; 16] {
        self.array(Role::TraceId, row)
    }

    fn span_id(&self, row: usize) -> [u8; 8] {
        self.array(Role::SpanId, row)
    }

    fn parent_id(&self, row: usize) -> [u8; 8] {
        self.array(Role::ParentId, row)
    }

    fn start(&self, row: usize) -> i64 {
        self.int(Role::Start, row)
    }

    fn duration(&self, row: usize) -> i64 {
        self.int(Role::Duration, row)
    }

    fn number(&self, column: Number, row: usize) -> u32 {
        let role = match column {
            Number::Kind => Role::Kind,
            Number::Status => Role::Status,
            Number::Flags => Role::Flags,
            Number::JaegerFlags => Role::JaegerFlags,
        };
        let absent = if column == Number::JaegerFlags { NULL } else { 0 };
        let value = self.of(role).and_then(|cells| cells.get(row).try_into().ok());
        value.map_or(absent, u32::from_le_bytes)
    }

    fn code(&self, column: Field, row: usize) -> u32 {
        self.field(column).map_or(NULL, |cells| cells.code(row))
    }

    fn value(&self, column: Field, code: u32) -> &[u8] {
        match self.field(column) {
            Some(Cells::Codes(_, values)) => values.get(code),
            _ => &[],
        }
    }

    fn rest(&self, row: usize) -> &[u8] {
        self.of(Role::Rest).map_or(&[], |cells| cells.get(row))
    }

    fn attribute(&self, key: &[u8], ty: Type) -> Option<u32> {
        self.layout.attribute(key, ty)
    }
}
