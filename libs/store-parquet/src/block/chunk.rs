//! The pages of one column.

use super::encode::levels;
use super::gather::Gathered;
use crate::PAGE;
use crate::sidecar::{Column, Dictionary};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use std::io::Write as _;

/// Bodies that are smaller tell nothing of how well a column shrinks.
const TELLING: usize = 64;
/// Bytes of levels of a page from which on they are compressed.
const MANY_LEVELS: usize = 32;

/// What is used again for every page of a block.
pub(super) struct Press {
    zstd: zstd::bulk::Compressor<'static>,
    level: ZstdLevel,
    body: Vec<u8>,
    pressed: Vec<u8>,
}

impl Press {
    pub fn new() -> Result<Self, ParquetError> {
        let zstd = zstd::bulk::Compressor::new(LEVEL)?;
        Ok(Self { zstd, level: ZstdLevel::try_new(LEVEL)?, body: Vec::new(), pressed: Vec::new() })
    }

    pub fn compression(&self) -> Compression {
        Compression::ZSTD(self.level)
    }

    /// Compresses the body.
    fn press(&mut self) -> Result<(), ParquetError> {
        self.pressed.clear();
        self.pressed.reserve(zstd::zstd_safe::compress_bound(self.body.len()));
        self.zstd.compress_to_buffer(&self.body, &mut self.pressed)?;
        Ok(())
    }
}

const LEVEL: i32 = 1;

/// A column being written.
pub(super) struct Chunk<'p> {
    press: &'p mut Press,
    out: TrackedWrite<Vec<u8>>,
    index: OffsetIndexBuilder,
    encodings: Vec<Encoding>,
    dictionary_at: Option<i64>,
    data_at: i64,
    raw: i64,
    written: i64,
    rows: usize,
    /// Whether pages are compressed, once one has told.
    shrinks: Option<bool>,
    /// Whether levels are compressed too, which is as the first page was.
    together: Option<bool>,
    /// What a sidecar keeps of it; its place in the file aside.
    pub about: Column,
}

fn too_large(what: &str) -> ParquetError {
    ParquetError::General(format!("{what} is larger than 2 GiB"))
}

impl<'p> Chunk<'p> {
    /// `buffer` is cleared and used.
    pub fn new(press: &'p mut Press, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self {
            press,
            out: TrackedWrite::new(buffer),
            index: OffsetIndexBuilder::new(),
            encodings: Vec::new(),
            dictionary_at: None,
            data_at: -1,
            raw: 0,
            written: 0,
            rows: 0,
            shrinks: None,
            together: None,
            about: Column::default(),
        }
    }

    /// Writes a page whose data are `raw` bytes when not compressed, and returns where it lies, its bytes, those of its header, and their sum.
    fn write(&mut self, page: Page, raw: usize) -> Result<(i64, u32, u32, u32), ParquetError> {
        let body = page.buffer().len() as u64;
        self.encodings.push(page.encoding());
        let spec = SerializedPageWriter::new(&mut self.out).write_page(CompressedPage::new(page, raw))?;
        self.raw += spec.uncompressed_size as i64;
        self.written += spec.bytes_written as i64;
        let bytes = u32::try_from(spec.bytes_written).map_err(|_| too_large("a page"))?;
        self.out.flush()?;
        let written = self.out.inner().get(spec.offset as usize..).unwrap_or_default();
        Ok((spec.offset as i64, bytes, (spec.bytes_written - body) as u32, crc32c::crc32c(written)))
    }

    /// The dictionary page, before all data pages: `values` values as `fill` writes them.
    pub fn dictionary(&mut self, values: usize, sorted: bool, fill: impl FnOnce(&mut Vec<u8>)) -> Result<(), ParquetError> {
        self.press.body.clear();
        fill(&mut self.press.body);
        let raw = self.press.body.len();
        if raw > i32::MAX as usize {
            return Err(too_large("a dictionary"));
        }
        self.press.press()?;
        let buf = Bytes::copy_from_slice(&self.press.pressed);
        let page = Page::DictionaryPage { buf, num_values: values as u32, encoding: Encoding::PLAIN, is_sorted: sorted };
        let (at, bytes, header, sum) = self.write(page, raw)?;
        self.dictionary_at = Some(at);
        self.about.dictionary = Some(Dictionary { bytes, header, raw: raw as u32, values: values as u32, sorted, sum });
        Ok(())
    }

    /// All data pages. `bits` tells the rows that have a value; `None`: all, and the column is required. `fill` writes the values of a
    /// range, counted without those that are missing.
    pub fn pages(
        &mut self,
        rows: usize,
        bits: Levels<'_>,
        encoding: Encoding,
        mut fill: impl FnMut(std::ops::Range<usize>, &mut Vec<u8>),
    ) -> Result<(), ParquetError> {
        let mut at = 0;
        for from in (0..rows).step_by(PAGE) {
            let rows = (rows - from).min(PAGE);
            let mut buffer = Vec::new();
            let values = match bits {
                Levels::Required => rows,
                Levels::All => {
                    levels(&[], rows, rows, &mut buffer);
                    rows
                }
                Levels::Some(bits) => {
                    let bits = &bits[from / 64..(from + rows).div_ceil(64)];
                    let values = bits.iter().map(|word| word.count_ones() as usize).sum();
                    levels(bits, rows, values, &mut buffer);
                    values
                }
            };
            let together = *self.together.get_or_insert(buffer.len() >= MANY_LEVELS);
            let body = &mut self.press.body;
            body.clear();
            if together {
                body.extend_from_slice(&(buffer.len() as u32).to_le_bytes());
                body.append(&mut buffer);
            }
            let levels = body.len();
            fill(at..at + values, body);
            at += values;
            if together {
                self.data_together(levels, rows, values, encoding)?;
            } else {
                self.data(buffer, rows, values, encoding)?;
            }
        }
        self.rows = rows;
        Ok(())
    }

    /// A page of the levels in `buffer` and the body in the press.
    fn data(&mut self, mut buffer: Vec<u8>, rows: usize, values: usize, encoding: Encoding) -> Result<(), ParquetError> {
        let (levels, raw) = (buffer.len(), self.press.body.len());
        if raw > i32::MAX as usize - levels {
            return Err(too_large("a page"));
        }
        let mut compressed = false;
        if raw > TELLING && self.shrinks != Some(false) {
            self.press.press()?;
            let pressed = self.press.pressed.len();
            let shrinks = *self.shrinks.get_or_insert(pressed * 20 < raw * 19);
            compressed = shrinks && pressed < raw;
        }
        let body = if compressed { &self.press.pressed } else { &self.press.body };
        buffer.reserve_exact(body.len());
        buffer.extend_from_slice(body);
        let page = Page::DataPageV2 {
            buf: buffer.into(),
            num_values: rows as u32,
            encoding,
            num_nulls: (rows - values) as u32,
            num_rows: rows as u32,
            def_levels_byte_len: levels as u32,
            rep_levels_byte_len: 0,
            is_compressed: compressed,
            statistics: None,
        };
        let written = self.write(page, raw + levels)?;
        self.note(written, levels, rows, values, if compressed { raw } else { 0 });
        Ok(())
    }

    /// A page of the first format, whose levels are compressed with its values: of columns that many rows lack, here and there.
    fn data_together(&mut self, levels: usize, rows: usize, values: usize, encoding: Encoding) -> Result<(), ParquetError> {
        let raw = self.press.body.len();
        if raw > i32::MAX as usize {
            return Err(too_large("a page"));
        }
        self.press.press()?;
        let page = Page::DataPage {
            buf: Bytes::copy_from_slice(&self.press.pressed),
            num_values: rows as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = self.write(page, raw)?;
        self.about.together = true;
        self.note(written, levels, rows, values, raw);
        Ok(())
    }

    /// What is told of a data page.
    fn note(&mut self, (at, bytes, header, sum): (i64, u32, u32, u32), levels: usize, rows: usize, values: usize, raw: usize) {
        if self.about.bytes.is_empty() {
            self.data_at = at;
        }
        self.index.append_offset_and_size(at, bytes as i32);
        self.index.append_row_count(rows as i64);
        self.about.bytes.push(bytes);
        self.about.header.push(header);
        self.about.levels.push(levels as u32);
        self.about.nulls.push((rows - values) as u32);
        self.about.raw.push(raw as u32);
        self.about.sums.push(sum);
    }

    /// The column's bytes, what the footer tells of it, and what the sidecar does.
    pub fn finish(
        mut self,
        column: &ColumnDescPtr,
        statistics: Option<Statistics>,
    ) -> Result<(Bytes, ColumnCloseResult, Column), ParquetError> {
        if column.self_type().is_optional() {
            self.encodings.push(Encoding::RLE);
        }
        self.encodings.sort_unstable();
        self.encodings.dedup();
        let mut metadata = ColumnChunkMetaData::builder(column.clone())
            .set_compression(self.press.compression())
            .set_encodings(self.encodings)
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(self.written)
            .set_total_uncompressed_size(self.raw)
            .set_data_page_offset(self.data_at)
            .set_dictionary_page_offset(self.dictionary_at);
        if let Some(statistics) = statistics {
            metadata = metadata.set_statistics(statistics);
        }
        let close = ColumnCloseResult {
            bytes_written: self.written as u64,
            rows_written: self.rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(self.index.build()),
        };
        Ok((self.out.into_inner()?.into(), close, self.about))
    }
}

/// Which rows of a column have a value.
#[derive(Clone, Copy)]
pub(super) enum Levels<'a> {
    /// All, and the column has no levels.
    Required,
    /// All.
    All,
    /// Those whose bit is set.
    Some(&'a [u64]),
}

impl<'a> Levels<'a> {
    pub fn of(gathered: &'a Gathered, required: bool) -> Self {
        match (required, gathered.all) {
            (true, _) => Self::Required,
            (false, true) => Self::All,
            (false, false) => Self::Some(&gathered.bits),
        }
    }
}
