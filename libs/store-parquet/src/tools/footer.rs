//! What Parquet's own reader says of a block's file, beside what its sidecar says.

use super::columns::{is_required, names};
use super::verify::Findings;
use crate::sidecar::{About, Column};
use bytes::Bytes;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{AsBytes as _, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::{OffsetIndexMetaData, PageLocation};
use parquet::file::reader::FileReader as _;
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use std::borrow::Cow;

/// Compares the footer with the sidecar; then a reader of each column. Empty when the file is no Parquet of as many columns.
pub(super) fn read(file: &Bytes, about: &About, findings: &mut Findings) -> Vec<ColumnReader> {
    if !file.starts_with(b"PAR1") {
        findings.add("it does not begin as a Parquet file");
    }
    let mut readers = || -> Result<Vec<ColumnReader>, ParquetError> {
        let options = ReadOptionsBuilder::new().with_page_index().build();
        let reader = SerializedFileReader::new_with_options(file.clone(), options)?;
        let metadata = reader.metadata();
        let (rows, columns) = (metadata.file_metadata().num_rows(), metadata.file_metadata().schema_descr().num_columns());
        if (rows, columns, metadata.num_row_groups()) != (i64::from(about.spans), about.columns.len(), 1) {
            let groups = metadata.num_row_groups();
            let (wanted, known) = (about.spans, about.columns.len());
            findings.add(format!(
                "the footer tells of {rows} rows in {groups} groups of {columns} columns, the sidecar of {wanted} rows of {known}"
            ));
            return Ok(Vec::new());
        }
        let index = metadata.page_index_for_row_group(0);
        for (n, (column, name)) in about.columns.iter().zip(names(about)).enumerate() {
            if let Some(what) = differs(column, &name, metadata.row_group(0).column(n), index.offset_index(n), about) {
                findings.add(format!("column {name}: the footer and the sidecar differ in {what}"));
            }
        }
        let group = reader.get_row_group(0)?;
        (0..about.columns.len()).map(|n| group.get_column_reader(n)).collect()
    };
    let read = readers();
    read.unwrap_or_else(|e| {
        findings.add(format!("Parquet's reader cannot open it: {e}"));
        Vec::new()
    })
}

fn differs(
    column: &Column,
    name: &str,
    chunk: &ColumnChunkMetaData,
    index: Option<&OffsetIndexMetaData>,
    about: &About,
) -> Option<&'static str> {
    let (offset, dictionary) = (column.offset as i64, column.dictionary.as_ref().map_or(0, |d| i64::from(d.bytes)));
    let pages: i64 = column.bytes.iter().map(|bytes| i64::from(*bytes)).sum();
    let described = chunk.column_descr();
    if described.name() != name || described.self_type().is_optional() == is_required(column) {
        return Some("its name or whether it is optional");
    }
    if chunk.dictionary_page_offset() != column.dictionary.as_ref().map(|_| offset)
        || chunk.data_page_offset() != offset + dictionary
        || chunk.compressed_size() != dictionary + pages
    {
        return Some("where it lies");
    }
    if chunk.num_values() != i64::from(about.spans) {
        return Some("the number of its values");
    }
    let Some(locations) = index.map(OffsetIndexMetaData::page_locations) else {
        return Some("the places of its pages, which the file does not have");
    };
    let mut at = offset + dictionary;
    let same = |(page, location): (usize, &PageLocation)| {
        let (from, bytes) = (at, i64::from(column.bytes[page]));
        at += bytes;
        let row = about.rows_of(page).start as i64;
        (location.offset, i64::from(location.compressed_page_size), location.first_row_index) == (from, bytes, row)
    };
    let all = locations.len() == about.pages() && locations.iter().enumerate().all(same);
    (!all).then_some("the places of its pages")
}

/// The first of the next rows whose value is not what `ours` says.
pub(super) fn compare<'v>(
    reader: &mut ColumnReader,
    rows: usize,
    ours: impl Fn(usize) -> Option<Cow<'v, [u8]>>,
) -> Result<Option<usize>, ParquetError> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => typed(reader, rows, ours),
        ColumnReader::Int32ColumnReader(reader) => typed(reader, rows, ours),
        ColumnReader::Int64ColumnReader(reader) => typed(reader, rows, ours),
        ColumnReader::DoubleColumnReader(reader) => typed(reader, rows, ours),
        ColumnReader::ByteArrayColumnReader(reader) => typed(reader, rows, ours),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => typed(reader, rows, ours),
        _ => Err(ParquetError::General("a type that no block has".to_owned())),
    }
}

fn typed<'v, T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    ours: impl Fn(usize) -> Option<Cow<'v, [u8]>>,
) -> Result<Option<usize>, ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut read = 0;
    while read < rows {
        let (more, ..) = reader.read_records(rows - read, Some(&mut levels), None, &mut values)?;
        if more == 0 {
            return Err(ParquetError::EOF(format!("it ends after {read} of {rows} rows of a page")));
        }
        read += more;
    }
    let mut values = values.iter();
    let mut theirs = |row: usize| match levels.get(row) {
        Some(0) => None,
        _ => values.next().map(|value| value.as_bytes()),
    };
    Ok((0..rows).find(|row| theirs(*row) != ours(*row).as_deref()))
}
