//! Cutting a block from a head.

use super::Cut;
use super::chunk::{Chunk, Levels, Press};
use super::encode::{delta, hybrid, pack, width_of};
use super::gather::{Gathered, Rows};
use super::order::order;
use super::schema::{Described, Source, columns, schema};
use super::tags::tags;
use crate::PAGE;
use crate::columns::{NULL, Rows as _};
use crate::head::{Column, Head, Pool};
use crate::sidecar::{About, Encoding, Filter, Runs, Sidecar, trace_hash};
use bytes::Bytes;
use hashbrown::HashMap;
use parquet::basic::Encoding as Written;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use skua_model::ProcessView;
use skua_store::{ErrorKind, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A Parquet file begins with it.
const MAGIC: &str = "PAR1";
/// Keys of resources that a sidecar lists at most.
const MOST_RESOURCE_KEYS: usize = 1000;
/// Bytes that a span takes in a file, about.
const SPAN: usize = 40;

/// Cuts a block from all spans of a head.
///
/// # Errors
/// When the head is empty, or a page would be larger than Parquet allows.
pub(crate) fn cut(head: &Head) -> Result<Cut, StoreError> {
    if head.is_empty() {
        return Err(StoreError::new(ErrorKind::Internal, "failed to cut a block: there are no spans"));
    }
    let failed = |e: ParquetError| StoreError::new(ErrorKind::Internal, format!("failed to cut a block: {e}")).caused_by(e);
    let rows = Rows::new(order(head));
    let runs = Runs::of(rows.order.iter().map(|row| head.trace_id[*row as usize]));
    let mut about = about(head, &rows.order);
    let file = write(head, &rows, &mut about).map_err(failed)?;
    about.file_bytes = file.len() as u64;
    let traces = Filter::of(traces(head, &rows.order));
    Ok(Cut { file, sidecar: Sidecar { traces, tags: Filter::of(tags(head)), about, runs } })
}

fn traces(head: &Head, order: &[u32]) -> Vec<u64> {
    let ids = order.chunk_by(|a, b| head.trace_id[*a as usize] == head.trace_id[*b as usize]);
    ids.map(|rows| trace_hash(&head.trace_id[rows[0] as usize])).collect()
}

/// Everything but the columns.
fn about(head: &Head, order: &[u32]) -> About {
    let mut about = About { spans: order.len() as u32, page_rows: PAGE as u32, services: head.services(), ..About::default() };
    for rows in order.chunks(PAGE) {
        let starts = || rows.iter().map(|row| head.start[*row as usize]);
        about.start_min.push(starts().min().unwrap_or_default());
        about.start_max.push(starts().max().unwrap_or_default());
        about.duration_max.push(rows.iter().map(|row| head.duration[*row as usize]).max().unwrap_or_default());
    }
    let (keys, more) = head.rest_keys();
    about.rest_keys = keys.iter().map(|key| Bytes::copy_from_slice(key)).collect();
    about.more_rest_keys = more;
    let mut keys = BTreeSet::new();
    for fields in head.resource.pool.iter() {
        let process = ProcessView::of(fields);
        let new = process.attributes().iter().filter(|kv| !keys.contains(kv.key)).map(|kv| kv.key);
        let new: Vec<&[u8]> = new.take(MOST_RESOURCE_KEYS + 1 - keys.len()).collect();
        keys.extend(new);
    }
    about.more_resource_keys = keys.len() > MOST_RESOURCE_KEYS;
    about.resource_keys = keys.into_iter().take(MOST_RESOURCE_KEYS).map(Bytes::copy_from_slice).collect();
    about
}

/// The Parquet file; fills in the columns.
fn write(head: &Head, rows: &Rows, about: &mut About) -> Result<Bytes, ParquetError> {
    let columns = columns(head);
    let mut press = Press::new()?;
    let version = KeyValue::new("skua.version".to_owned(), "1".to_owned());
    let properties = WriterProperties::builder().set_compression(press.compression()).set_key_value_metadata(Some(vec![version]));
    let out = Vec::with_capacity(rows.len() * SPAN);
    let mut file = SerializedFileWriter::new(out, Arc::new(schema(&columns)?), Arc::new(properties.build()))?;
    let descriptions = file.schema_descr().columns().to_vec();
    let mut scratch = Scratch::default();
    let (mut offset, mut buffer) = (MAGIC.len() as u64, Vec::new());
    let mut group = file.next_row_group()?;
    for (column, description) in columns.iter().zip(&descriptions) {
        let mut chunk = Chunk::new(&mut press, buffer);
        let (encoding, statistics) = scratch.column(head, rows, column, &mut chunk)?;
        let (data, close, mut told) = chunk.finish(description, statistics)?;
        (told.role, told.encoding, told.width) = (column.role as i32, encoding as i32, column.width);
        (told.key, told.ty) = (Bytes::copy_from_slice(column.key), column.ty.map_or(0, |ty| ty as u32));
        told.offset = offset;
        offset += data.len() as u64;
        group.append_column(&data, close)?;
        about.columns.push(told);
        buffer = data.into(); // no copy: nobody else holds it
    }
    group.close()?;
    Ok(file.into_inner()?.into())
}

/// What is used again for every column.
#[derive(Default)]
struct Scratch {
    gathered: Gathered,
    /// Of each code: its place in the dictionary.
    places: Vec<u32>,
    times: Vec<i64>,
}

impl Scratch {
    fn column(
        &mut self,
        head: &Head,
        rows: &Rows,
        column: &Described<'_>,
        chunk: &mut Chunk<'_>,
    ) -> Result<(Encoding, Option<Statistics>), ParquetError> {
        let (order, len) = (&rows.order, rows.len());
        match column.source {
            Source::TraceId => chunk.pages(len, Levels::Required, Written::PLAIN, |range, out| {
                order[range].iter().for_each(|row| out.extend_from_slice(&head.trace_id[*row as usize]));
            })?,
            Source::SpanId => chunk.pages(len, Levels::Required, Written::PLAIN, |range, out| {
                order[range].iter().for_each(|row| out.extend_from_slice(&head.span_id[*row as usize]));
            })?,
            Source::ParentId => {
                let parents = &head.parent_id;
                self.gathered.filtered(rows, |row| if parents[row as usize] == [0; 8] { NULL } else { row });
                let found = &self.gathered.values;
                chunk.pages(len, Levels::of(&self.gathered, false), Written::PLAIN, |range, out| {
                    found[range].iter().for_each(|row| out.extend_from_slice(&parents[*row as usize]));
                })?;
            }
            Source::Rest => {
                self.gathered.filtered(rows, |row| if head.rest(row as usize).is_empty() { NULL } else { row });
                let found = &self.gathered.values;
                chunk.pages(len, Levels::of(&self.gathered, false), Written::PLAIN, |range, out| {
                    found[range].iter().for_each(|row| put_prefixed(out, head.rest(*row as usize)));
                })?;
            }
            Source::Times(times) => return self.times(rows, times, chunk),
            Source::Numbers(numbers) => {
                self.gathered.required(numbers, rows);
                return self.numbers(len, true, chunk);
            }
            Source::SomeNumbers(numbers) => {
                self.gathered.filtered(rows, |row| numbers.get(row as usize).copied().unwrap_or(NULL));
                return self.numbers(len, false, chunk);
            }
            Source::Bools(column) => {
                self.gathered.optional(&column.codes, column.count as usize, rows);
                let values = &mut self.gathered.values;
                values.iter_mut().for_each(|code| *code = u32::from(column.pool.get(*code) == [1]));
                let values = &self.gathered.values;
                let bits = |range: std::ops::Range<usize>, out: &mut Vec<u8>| pack(&values[range], 1, out);
                chunk.pages(len, Levels::of(&self.gathered, false), Written::PLAIN, bits)?;
                return Ok((Encoding::Bits, None));
            }
            Source::Values(values, required) => return self.values(rows, values, required, column.width, chunk),
        }
        Ok((Encoding::Plain, None))
    }

    fn times(
        &mut self,
        rows: &Rows,
        times: &[i64],
        chunk: &mut Chunk<'_>,
    ) -> Result<(Encoding, Option<Statistics>), ParquetError> {
        let gathered = &mut self.times;
        chunk.pages(rows.len(), Levels::Required, Written::DELTA_BINARY_PACKED, |range, out| {
            gathered.clear();
            gathered.extend(rows.order[range].iter().map(|row| times[*row as usize]));
            delta(gathered, out);
        })?;
        let statistics = Statistics::int64(times.iter().min().copied(), times.iter().max().copied(), None, Some(0), false);
        Ok((Encoding::Delta, Some(statistics)))
    }

    /// Numbers that are gathered: their dictionary is in the order in which they are met.
    fn numbers(
        &mut self,
        rows: usize,
        required: bool,
        chunk: &mut Chunk<'_>,
    ) -> Result<(Encoding, Option<Statistics>), ParquetError> {
        let mut known = HashMap::with_hasher(foldhash::fast::FixedState::with_seed(7));
        let (mut distinct, mut last) = (Vec::<u32>::new(), (NULL, NULL));
        for number in &mut self.gathered.values {
            if last.0 != *number || last.1 == NULL {
                let place = *known.entry(*number).or_insert_with(|| {
                    distinct.push(*number);
                    distinct.len() as u32 - 1
                });
                last = (*number, place);
            }
            *number = last.1;
        }
        let put = |out: &mut Vec<u8>, place: u32| out.extend_from_slice(&distinct[place as usize].to_le_bytes());
        let values = Dictionary { values: distinct.len(), sorted: false };
        values.write(rows, &self.gathered, required, chunk, put)
    }

    fn values(
        &mut self,
        rows: &Rows,
        column: &Column,
        required: bool,
        width: u32,
        chunk: &mut Chunk<'_>,
    ) -> Result<(Encoding, Option<Statistics>), ParquetError> {
        let Self { gathered, places, .. } = self;
        gathered.optional(&column.codes, column.count as usize, rows);
        let pool = &column.pool;
        let sorted = width == 0 && !is_plain(pool.len(), gathered.values.len());
        let order = if sorted { sort(pool, places) } else { Vec::new() };
        if sorted {
            gathered.values.iter_mut().for_each(|code| *code = places[*code as usize]);
        }
        let value = |place: u32| pool.get(order.get(place as usize).copied().unwrap_or(place));
        let dictionary = Dictionary { values: pool.len(), sorted };
        if width == 0 {
            dictionary.write(rows.len(), gathered, required, chunk, |out, place| put_prefixed(out, value(place)))
        } else {
            dictionary.write(rows.len(), gathered, required, chunk, |out, place| out.extend_from_slice(value(place)))
        }
    }
}

/// Whether so few values repeat that a dictionary does not pay.
fn is_plain(distinct: usize, values: usize) -> bool {
    distinct * 10 >= values * 9
}

struct Dictionary {
    values: usize,
    sorted: bool,
}

impl Dictionary {
    /// Writes a dictionary and the places that are gathered; or without one their values, as `put` writes them.
    fn write(
        &self,
        rows: usize,
        gathered: &Gathered,
        required: bool,
        chunk: &mut Chunk<'_>,
        put: impl Fn(&mut Vec<u8>, u32),
    ) -> Result<(Encoding, Option<Statistics>), ParquetError> {
        let (places, levels) = (&gathered.values, Levels::of(gathered, required));
        if is_plain(self.values, places.len()) {
            chunk.pages(rows, levels, Written::PLAIN, |range, out| places[range].iter().for_each(|place| put(out, *place)))?;
            return Ok((Encoding::Plain, None));
        }
        chunk.dictionary(self.values, self.sorted, |out| (0..self.values as u32).for_each(|place| put(out, place)))?;
        let width = width_of(self.values);
        chunk.pages(rows, levels, Written::RLE_DICTIONARY, |range, out| {
            out.push(width as u8);
            hybrid(&places[range], width, out);
        })?;
        Ok((Encoding::Dictionary, None))
    }
}

/// Codes in the order of their values; sets each code's place in it.
fn sort(pool: &Pool, places: &mut Vec<u32>) -> Vec<u32> {
    let prefix = |value: &[u8]| match value.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => value.iter().enumerate().fold(0, |bits, (n, byte)| bits | u64::from(*byte) << (56 - 8 * n)),
    };
    let mut keys: Vec<(u64, u32)> = pool.iter().map(prefix).zip(0..).collect();
    keys.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| pool.get(a.1).cmp(pool.get(b.1))));
    places.clear();
    places.resize(keys.len(), 0);
    (0..).zip(&keys).for_each(|(place, (_, code))| places[*code as usize] = place);
    keys.into_iter().map(|(_, code)| code).collect()
}

fn put_prefixed(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
}
