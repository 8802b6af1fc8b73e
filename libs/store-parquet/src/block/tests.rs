use super::*;
use crate::PAGE;
use crate::columns::{Field, NULL, Number, Rows as _, Type};
use crate::head::Head;
use crate::samples::{Sample, batch, text_attribute};
use crate::sidecar::{Encoding, Role, tag_hash, trace_hash};
use parquet::basic::Type as Physical;
use parquet::column::page::Page;
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::*;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use skua_model::wire::{put_bytes, put_message, put_uint};
use skua_model::{Process, Span, SpanBatch};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Spans of the bench, and every so often one with what they lack.
fn head(spans: usize) -> Head {
    let mut head = Head::new();
    let load =
        skua_bench::spans::generate(&skua_bench::spans::Config { now: 1 << 60, ..skua_bench::spans::Config::new(spans, 200) });
    for (n, request) in (1_u8..).zip(load.requests) {
        head.push(&SpanBatch::parse(request).unwrap());
        let odd = Sample::new(n, n)
            .with(|out| put_bytes(out, 3, b"a=b"))
            .with(|out| put_message(out, 15, |status| put_uint(status, 3, 1)))
            .with(|out| text_attribute(out, 9, b"a:int", b"text"))
            .with(|out| put_message(out, 9, |kv| kv.extend_from_slice(b"\x0a\x01a\x12\x02\x18\x05")))
            .with(|out| text_attribute(out, 9, b"a:int", b"again"))
            .with(|out| put_uint(out, 1001, u64::from(n)));
        head.push(&batch(&[odd.clone(), Sample::new(n, n.wrapping_add(1)), odd]));
    }
    head
}

/// All values of a column, `None` where there is none.
fn read<T: DataType>(group: &dyn RowGroupReader, column: usize) -> Vec<Option<T::T>> {
    let mut reader: ColumnReaderImpl<T> = get_typed_column_reader(group.get_column_reader(column).unwrap());
    let (mut levels, mut values, rows) = (Vec::new(), Vec::new(), group.metadata().num_rows() as usize);
    let mut read = 0;
    while read < rows {
        read += reader.read_records(rows - read, Some(&mut levels), None, &mut values).unwrap().0;
    }
    let mut values = values.into_iter();
    if levels.is_empty() {
        return values.map(Some).collect();
    }
    levels.iter().map(|level| if *level == 1 { values.next() } else { None }).collect()
}

/// The same as bytes, as a head has them.
fn read_bytes(group: &dyn RowGroupReader, column: usize) -> Vec<Option<Vec<u8>>> {
    fn bytes<T>(values: Vec<Option<T>>, of: impl Fn(T) -> Vec<u8>) -> Vec<Option<Vec<u8>>> {
        values.into_iter().map(|value| value.map(&of)).collect()
    }
    match group.metadata().column(column).column_type() {
        Physical::BOOLEAN => bytes(read::<BoolType>(group, column), |v| vec![u8::from(v)]),
        Physical::INT32 => bytes(read::<Int32Type>(group, column), |v| v.to_le_bytes().into()),
        Physical::INT64 => bytes(read::<Int64Type>(group, column), |v| v.to_le_bytes().into()),
        Physical::DOUBLE => bytes(read::<DoubleType>(group, column), |v| v.to_le_bytes().into()),
        Physical::BYTE_ARRAY => bytes(read::<ByteArrayType>(group, column), |v| v.data().into()),
        Physical::FIXED_LEN_BYTE_ARRAY => bytes(read::<FixedLenByteArrayType>(group, column), |v| v.data().into()),
        other => panic!("{other:?}"),
    }
}

/// What a head has of a row in a column.
fn held(head: &Head, column: &crate::sidecar::Column, row: usize) -> Option<Vec<u8>> {
    let value = |field| Some(head.code(field, row)).filter(|code| *code != NULL).map(|code| head.value(field, code).to_vec());
    let number = |n| head.number(n, row).to_le_bytes().to_vec();
    let rest = |bytes: &[u8]| Some(bytes.to_vec()).filter(|bytes| bytes.iter().any(|b| *b != 0));
    match Role::try_from(column.role).unwrap() {
        Role::TraceId => Some(head.trace_id(row).into()),
        Role::SpanId => Some(head.span_id(row).into()),
        Role::ParentId => rest(&head.parent_id(row)),
        Role::Start => Some(head.start(row).to_le_bytes().into()),
        Role::Duration => Some(head.duration(row).to_le_bytes().into()),
        Role::Service => value(Field::Service),
        Role::Name => value(Field::Name),
        Role::Kind => Some(number(Number::Kind)),
        Role::Status => Some(number(Number::Status)),
        Role::Message => value(Field::Message),
        Role::Flags => Some(number(Number::Flags)),
        Role::JaegerFlags => Some(number(Number::JaegerFlags)).filter(|bytes| *bytes != [0xff; 4]),
        Role::TraceState => value(Field::TraceState),
        Role::Resource => value(Field::Resource),
        Role::Scope => value(Field::Scope),
        Role::Shape => value(Field::Shape),
        Role::Rest => rest(head.rest(row)),
        Role::Attribute => {
            let number = head.attribute(&column.key, Type::of(column.ty as u8).unwrap()).unwrap();
            value(Field::Attribute(number))
        }
    }
}

/// Scenario: blocks of less than a page, of a page, and of several pages. Guarantee: Parquet's own reader finds in every column what the
/// head had, in the order of trace start, trace, start and span; the sidecar tells the bounds of the pages and the runs of the traces.
#[test]
fn parquets_own_reader_finds_all_values() {
    for spans in [1, 150, 7_800, 2 * PAGE + 1000] {
        let head = head(spans);
        let Cut { file, sidecar } = cut(&head).unwrap();
        let about = &sidecar.about;
        assert_eq!((about.spans as usize, about.file_bytes as usize), (head.len(), file.len()));
        let reader = SerializedFileReader::new(file).unwrap();
        assert_eq!(reader.num_row_groups(), 1);
        let group = reader.get_row_group(0).unwrap();
        let columns: Vec<_> = (0..about.columns.len()).map(|n| read_bytes(&*group, n)).collect();
        let rows: BTreeMap<_, Vec<_>> = (0..head.len()).fold(BTreeMap::new(), |mut rows, row| {
            rows.entry((head.trace_id(row), head.span_id(row), head.start(row))).or_insert_with(Vec::new).push(row);
            rows
        });
        let mut first = BTreeMap::new();
        for row in 0..head.len() {
            let start = first.entry(head.trace_id(row)).or_insert(i64::MAX);
            *start = head.start(row).min(*start);
        }
        let (mut last, mut ids) = (None, Vec::new());
        for at in 0..head.len() {
            let number = |column: usize| i64::from_le_bytes(columns[column][at].clone().unwrap().try_into().unwrap());
            let (trace, span) = (columns[0][at].clone().unwrap(), columns[1][at].clone().unwrap());
            let key: ([u8; 16], [u8; 8], i64) = (trace.try_into().unwrap(), span.try_into().unwrap(), number(3));
            let place = Some((first[&key.0], key.0, key.2, key.1));
            assert!(last <= place, "rows are in order");
            last = place;
            ids.push(key.0);
            let same = |row: &usize| about.columns.iter().zip(&columns).all(|(c, read)| read[at] == held(&head, c, *row));
            assert!(rows[&key].iter().any(same), "row {at} is one of the head's");
            let page = at / PAGE;
            assert!((about.start_min[page]..=about.start_max[page]).contains(&key.2) && number(4) <= about.duration_max[page]);
        }
        assert_eq!((about.pages(), about.page_rows as usize), (head.len().div_ceil(PAGE), PAGE));
        assert_eq!(sidecar.runs, crate::sidecar::Runs::of(ids.iter().copied()));
        assert!(ids.iter().all(|id| sidecar.traces.contains(trace_hash(id))));
        let names: Vec<_> =
            reader.metadata().file_metadata().schema_descr().columns().iter().map(|c| c.name().to_owned()).collect();
        assert!(names.contains(&"attr.a:int".to_owned()) && names.contains(&"attr.a:int#2".to_owned()), "{names:?}");
        let version = reader.metadata().file_metadata().key_value_metadata().unwrap();
        assert_eq!((version[0].key.as_str(), version[0].value.as_deref()), ("skua.version", Some("1")));
    }
}

/// Scenario: a block of several pages. Guarantee: the sidecar alone leads to each page: what lies there is what Parquet's reader of
/// pages finds, and dictionaries of texts are sorted.
#[test]
fn the_sidecar_leads_to_each_page() {
    let head = head(2 * PAGE);
    let Cut { file, sidecar } = cut(&head).unwrap();
    let reader = SerializedFileReader::new(file.clone()).unwrap();
    let group = reader.get_row_group(0).unwrap();
    let slice = |range: std::ops::Range<u64>| file.slice(range.start as usize..range.end as usize);
    let unpress = |bytes: &[u8], raw: u32| match raw {
        0 => bytes.to_vec(),
        raw => zstd::bulk::decompress(bytes, raw as usize).unwrap(),
    };
    let (mut seen, mut formats) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for (n, column) in sidecar.about.columns.iter().enumerate() {
        let mut pages = group.get_column_page_reader(n).unwrap();
        if let Some(dictionary) = &column.dictionary {
            let Some(Page::DictionaryPage { buf, num_values, is_sorted, .. }) = pages.get_next_page().unwrap() else { panic!() };
            let found = unpress(&slice(column.dictionary_range().unwrap())[dictionary.header as usize..], dictionary.raw);
            assert_eq!((num_values, is_sorted, &buf[..]), (dictionary.values, dictionary.sorted, &found[..]));
            assert_eq!(dictionary.sorted, column.width == 0);
            if dictionary.sorted {
                let mut c = &found[..];
                let mut values = Vec::new();
                while let Some((length, rest)) = c.split_first_chunk() {
                    let (value, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
                    values.push(value);
                    c = rest;
                }
                assert!(values.is_sorted() && values.len() == num_values as usize);
            }
        }
        for page in 0..sidecar.about.pages() {
            let bytes = slice(column.page_range(page)).slice(column.header[page] as usize..);
            let rows = sidecar.about.rows_of(page).len();
            let encoding = match pages.get_next_page().unwrap() {
                Some(Page::DataPageV2 { buf, num_nulls, num_rows, def_levels_byte_len, encoding, .. }) => {
                    let (levels, values) = bytes.split_at(column.levels[page] as usize);
                    let found = [levels, &unpress(values, column.raw[page])].concat();
                    assert_eq!((&buf[..], def_levels_byte_len as usize), (&found[..], levels.len()));
                    assert_eq!((num_nulls, num_rows as usize), (column.nulls[page], rows));
                    assert!(!column.together);
                    encoding
                }
                Some(Page::DataPage { buf, num_values, encoding, .. }) => {
                    assert_eq!((&buf[..], num_values as usize), (&unpress(&bytes, column.raw[page])[..], rows));
                    assert!(column.together);
                    encoding
                }
                other => panic!("{other:?}"),
            };
            let expected = match Encoding::try_from(column.encoding).unwrap() {
                Encoding::Dictionary => parquet::basic::Encoding::RLE_DICTIONARY,
                Encoding::Delta => parquet::basic::Encoding::DELTA_BINARY_PACKED,
                Encoding::Plain | Encoding::Bits => parquet::basic::Encoding::PLAIN,
            };
            assert_eq!(encoding, expected);
            seen.insert(column.encoding);
            formats.insert(column.together);
        }
        assert!(pages.get_next_page().unwrap().is_none());
    }
    assert_eq!((seen.len(), formats.len()), (4, 2), "a column of each encoding is there, and pages of both formats");
}

/// Scenario: tags in columns of each type, in the rest, in events, in the resource and the scope, and those that Jaeger derives.
/// Guarantee: the filter has every tag, process tag and log field of the spans as a person reads them.
#[test]
fn the_filter_has_every_tag() {
    let mut head = Head::new();
    let mut expected = Vec::new();
    let load = skua_bench::spans::generate(&skua_bench::spans::Config::new(1000, 200));
    let odd = Sample::new(1, 1)
        .named("odd")
        .with(|out| put_message(out, 9, |kv| kv.extend_from_slice(b"\x0a\x04list\x12\x07\x2a\x05\x0a\x03\x0a\x01x")))
        .with(|out| put_message(out, 9, |kv| kv.extend_from_slice(b"\x0a\x05bytes\x12\x04\x3a\x02\x00\xff")))
        .with(|out| put_message(out, 9, |kv| kv.extend_from_slice(b"\x0a\x05empty")))
        .with(|out| text_attribute(out, 9, b"twice", b"1"))
        .with(|out| text_attribute(out, 9, b"twice", b"2"))
        .with(|out| put_bytes(out, 3, b"k=v"));
    let batches = load.requests.into_iter().map(|request| SpanBatch::parse(request).unwrap()).chain([batch(&[odd])]);
    for batch in batches {
        for entry in batch.spans() {
            let process = Arc::new(Process::from_view(&batch.process(batch.resource_of(entry))));
            let span = Span::from_view(&batch.view(entry), process);
            expected.extend(span.tags.iter().chain(&span.process.tags).cloned());
            expected.extend(span.logs.iter().flat_map(|log| log.fields.iter().cloned()));
        }
        head.push(&batch);
    }
    let Cut { sidecar, .. } = cut(&head).unwrap();
    for tag in &expected {
        assert!(sidecar.tags.contains(tag_hash(tag.key.as_bytes(), tag.value.as_text().as_bytes())), "{tag:?}");
    }
    let absent = (0..1000).filter(|n| sidecar.tags.contains(tag_hash(b"no such key", &[*n as u8, 1]))).count();
    assert!(absent < 40, "and not everything: {absent} of 1000");
}

/// Scenario: a head of no spans. Guarantee: there is no block of it, and an error says so.
#[test]
fn no_spans_no_block() {
    assert_eq!(cut(&Head::new()).unwrap_err().to_string(), "failed to cut a block: there are no spans");
}
