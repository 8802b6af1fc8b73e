//! The readers against bytes written by hand from the two specifications.

use super::Malformed;
use super::binary::Binary;
use super::compact::Compact;
use super::reader::{Reader, Type};

/// Reads a struct of any fields; says the value of those that Jaeger and Zipkin have types for.
fn fields<'a, R: Reader<'a>>(bytes: &'a [u8]) -> Result<Vec<String>, Malformed> {
    let (mut r, mut last, mut said) = (R::new(bytes), 0, Vec::new());
    while let Some(f) = r.field(&mut last)? {
        let value = match f.kind {
            Type::Bool => r.bool(&f)?.to_string(),
            Type::I16 => r.i16()?.to_string(),
            Type::I32 => r.i32()?.to_string(),
            Type::I64 => r.i64()?.to_string(),
            Type::Double => r.double()?.to_string(),
            Type::Binary => format!("{:?}", r.binary()?),
            kind => {
                r.skip(&f)?;
                format!("{kind:?}")
            }
        };
        said.push(format!("{}={value}", f.id));
    }
    assert_eq!(r.remaining(), 0, "{said:?}");
    Ok(said)
}

#[test]
fn compact_values() {
    let bytes = [
        &[0x11, 0x12][..],                                                // 1 true, 2 false
        &[0x24, 0x03],                                                    // 4 i16 -2
        &[0x15, 0xac, 0x02],                                              // 5 i32 150
        &[0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], // 6 i64 the lowest
        &[0x17, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f],                            // 7 double 1.5, little endian
        &[0x18, 2, 0xff, b'a'],                                           // 8 binary
        &[0x05, 0xc8, 0x01, 0x02],                                        // 100 i32 1, its id not a difference
        &[0x05, 0x01, 0x02],                                              // -1
        &[0],
    ]
    .concat();
    let want = ["1=true", "2=false", "4=-2", "5=150", "6=-9223372036854775808", "7=1.5", "8=[255, 97]", "100=1", "-1=1"];
    assert_eq!(fields::<Compact<'_>>(&bytes).expect("a struct"), want);
}

#[test]
fn binary_values() {
    let bytes = [
        &[2, 0, 1, 1, 2, 0, 2, 0, 2, 0, 3, 7][..], // true, false, and 7, which Go reads as false
        &[6, 0, 4, 0xff, 0xfe],
        &[8, 0, 5, 0, 0, 0, 150],
        &[10, 0, 6, 0x80, 0, 0, 0, 0, 0, 0, 0],
        &[4, 0, 7, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0],
        &[11, 0, 8, 0, 0, 0, 2, 0xff, b'a'],
        &[8, 0xff, 0xff, 0, 0, 0, 1],
        &[0],
    ]
    .concat();
    let want = ["1=true", "2=false", "3=false", "4=-2", "5=150", "6=-9223372036854775808", "7=1.5", "8=[255, 97]", "-1=1"];
    assert_eq!(fields::<Binary<'_>>(&bytes).expect("a struct"), want);
}

/// Whatever a field holds, what follows it is found.
#[test]
fn any_value_is_skipped() {
    let compact = [
        &[0x13, 0x7f][..], // byte
        &[0x1d][..],
        &[9; 16],            // uuid
        &[0x19, 0x21, 1, 2], // list of two bools
        &[0x19, 0x00],       // an empty list without a type
        &[0x19, 0xf3, 16][..],
        &[5; 16],                                    // sixteen bytes
        &[0x1a, 0x18, 1, b'a'],                      // set of one string
        &[0x1b, 0],                                  // an empty map has no types
        &[0x1b, 1, 0x8c, 1, b'k', 0x11, 0x15, 2, 0], // map from string to struct
        &[0x1c, 0x1c, 0x16, 2, 0, 0x11, 0],          // struct of a struct and a bool
        &[0x15, 2, 0],
    ]
    .concat();
    let kinds = ["Byte", "Uuid", "List", "List", "List", "Set", "Map", "Map", "Struct"];
    let mut want: Vec<_> = (1..).zip(kinds).map(|(id, kind)| format!("{id}={kind}")).collect();
    want.push("10=1".into());
    assert_eq!(fields::<Compact<'_>>(&compact).expect("a struct"), want);

    let binary = [
        &[3, 0, 1, 0x7f][..],
        &[16, 0, 2][..],
        &[9; 16],
        &[15, 0, 3, 2, 0, 0, 0, 2, 1, 0],
        &[15, 0, 4, 0, 0, 0, 0, 0],
        &[15, 0, 5, 3, 0, 0, 0, 16][..],
        &[5; 16],
        &[14, 0, 6, 11, 0, 0, 0, 1, 0, 0, 0, 1, b'a'],
        &[13, 0, 7, 0, 0, 0, 0, 0, 0],
        &[13, 0, 8, 11, 12, 0, 0, 0, 1, 0, 0, 0, 1, b'k', 2, 0, 1, 1, 8, 0, 2, 0, 0, 0, 1, 0],
        &[12, 0, 9, 12, 0, 1, 10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2, 1, 0],
        &[8, 0, 10, 0, 0, 0, 1, 0],
    ]
    .concat();
    assert_eq!(fields::<Binary<'_>>(&binary).expect("a struct"), want);

    let is_cut = |e| matches!(e, Err(Malformed::Truncated | Malformed::Count { .. }));
    assert!((0..compact.len()).all(|cut| is_cut(fields::<Compact<'_>>(&compact[..cut]))));
    assert!((0..binary.len()).all(|cut| is_cut(fields::<Binary<'_>>(&binary[..cut]))));
}

#[test]
fn heads_of_messages() {
    let compact = [0x82, 0x81, 0x05, 2, b'h', b'i', 7];
    let call = [0x82, 0x21, 0xff, 0xff, 0xff, 0xff, 0x0f, 2, b'h', b'i', 7];
    for bytes in [&compact[..], &call] {
        let mut r = Compact::new(bytes);
        assert_eq!((r.message(), r.remaining()), (Ok(&b"hi"[..]), 1));
    }
    let strict = [0x80, 1, 0, 4, 0, 0, 0, 2, b'h', b'i', 0, 0, 0, 5, 7];
    let old = [0, 0, 0, 2, b'h', b'i', 4, 0, 0, 0, 5, 7];
    for bytes in [&strict[..], &old] {
        let mut r = Binary::new(bytes);
        assert_eq!((r.message(), r.remaining()), (Ok(&b"hi"[..]), 1));
    }
    assert_eq!(Compact::new(&[0x83, 0x81]).message(), Err(Malformed::NotCompact));
    assert_eq!(Compact::new(&[0x82, 0x82]).message(), Err(Malformed::NotCompact));
    assert_eq!(Binary::new(&[0x80, 2, 0, 4]).message(), Err(Malformed::NotBinary));
    assert_eq!(Binary::new(&[0x80, 1, 0, 4, 0xff, 0, 0, 0]).message(), Err(Malformed::Negative));
    assert_eq!(Binary::new(&[0, 0, 0, 3, 1]).message(), Err(Malformed::Truncated));
}

/// A count is believed only as far as bytes follow it.
#[test]
fn hostile_counts_and_lengths() {
    assert_eq!(
        Compact::new(&[0xf3, 0xff, 0xff, 0xff, 0xff, 7, 1]).list(),
        Err(Malformed::Count { count: i32::MAX as u32, left: 1 })
    );
    assert_eq!(Compact::new(&[0xf3, 0xff, 0xff, 0xff, 0xff, 0xf, 1]).list(), Err(Malformed::Negative));
    assert_eq!(Compact::new(&[2, 0x33, 1, 1, 1]).map(), Err(Malformed::Count { count: 2, left: 3 }));
    assert_eq!(Compact::new(&[0xff, 0xff, 0xff, 0xff, 7, 1]).binary(), Err(Malformed::Truncated));
    assert_eq!(Compact::new(&[0xff, 0xff, 0xff, 0xff, 0xf, 1]).binary(), Err(Malformed::Negative));
    assert_eq!(Compact::new(&[0x80; 11]).i64(), Err(Malformed::Varint));
    assert_eq!(Binary::new(&[12, 0x7f, 0xff, 0xff, 0xff, 0]).list(), Err(Malformed::Count { count: i32::MAX as u32, left: 1 }));
    assert_eq!(Binary::new(&[12, 0xff, 0xff, 0xff, 0xff]).list(), Err(Malformed::Negative));
    assert_eq!(Binary::new(&[3, 3, 0, 0, 0, 2, 1, 1, 1]).map(), Err(Malformed::Count { count: 2, left: 3 }));
    assert_eq!(Binary::new(&[0x7f, 0xff, 0xff, 0xff, 0]).binary(), Err(Malformed::Truncated));
    assert_eq!(Binary::new(&[0xff, 0xff, 0xff, 0xff]).binary(), Err(Malformed::Negative));
}

#[test]
fn types_that_do_not_exist() {
    assert_eq!(fields::<Compact<'_>>(&[0x1e]), Err(Malformed::Type(14)));
    assert_eq!(Compact::new(&[0x1f, 1]).list(), Err(Malformed::Type(15)));
    assert_eq!(Compact::new(&[0x10, 1]).list(), Err(Malformed::Type(0)));
    assert_eq!(Compact::new(&[1, 0x30, 1, 1]).map(), Err(Malformed::Type(0)));
    assert_eq!(fields::<Binary<'_>>(&[1, 0, 1]), Err(Malformed::Type(1)));
    assert_eq!(Binary::new(&[17, 0, 0, 0, 1, 1]).list(), Err(Malformed::Type(17)));
}

/// 64 values in one another are passed over, more are refused, and thousands do not end the thread's stack.
#[test]
fn nesting_is_bounded() {
    let compact = |depth: usize| [vec![0x1c; depth], vec![0; depth + 1]].concat();
    let binary = |depth: usize| [[12, 0, 1].repeat(depth), vec![0; depth + 1]].concat();
    assert!(fields::<Compact<'_>>(&compact(64)).is_ok());
    assert!(fields::<Binary<'_>>(&binary(64)).is_ok());
    let lists = [vec![0x19; 100_000], vec![0]].concat();
    for depth in [65, 100_000] {
        assert_eq!(fields::<Compact<'_>>(&compact(depth)), Err(Malformed::Depth));
        assert_eq!(fields::<Binary<'_>>(&binary(depth)), Err(Malformed::Depth));
    }
    assert_eq!(fields::<Compact<'_>>(&lists), Err(Malformed::Depth));
}
