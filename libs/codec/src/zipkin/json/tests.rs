use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Vec<u8>, JsonError> {
    let mut json = Json::new(text.as_bytes());
    let s = json.string()?.into_owned();
    json.end().map(|()| s)
}

fn accepts(text: &[u8]) -> bool {
    let mut json = Json::new(text);
    json.skip().and_then(|()| json.end()).is_ok()
}

#[test]
fn strings() {
    for (text, want) in [
        (r#""""#, ""),
        (r#""plain""#, "plain"),
        (r#""longer than eight bytes""#, "longer than eight bytes"),
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""http:\/\/a\/b""#, "http://a/b"),
        (r#""\u0041\u00e9\u20ac\ud83d\ude00""#, "Aé€😀"),
        ("\"é€😀\"", "é€😀"),
        (r#""a\ud83db""#, "a\u{fffd}b"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""\ude00""#, "\u{fffd}"),
    ] {
        assert_eq!(read(text).map(|s| String::from_utf8(s).expect("UTF-8")), Ok(want.to_owned()), "{text}");
    }
    for text in
        ["", "\"", "\"a", "\"a\\", "\"a\\\"", r#""\x""#, r#""\u12""#, r#""\u12g4""#, "\"a\nb\"", "\"01234567\u{1}\"", "a", "1"]
    {
        assert!(read(text).is_err(), "{text}");
    }
}

/// Go's reading: one U+FFFD for each byte.
#[test]
fn bytes_that_are_not_utf8() {
    let mut json = Json::new(b"\"a\xe2\x82b\xff\"");
    assert_eq!(json.string(), Ok(Cow::Owned("a\u{fffd}\u{fffd}b\u{fffd}".as_bytes().to_vec())));
}

#[test]
fn nesting_is_bounded() {
    let nested = |n: usize| [b"[".repeat(n), b"]".repeat(n)].concat();
    assert!(accepts(&nested(128)));
    assert!(!accepts(&nested(129)));
    assert!(!accepts(&b"[".repeat(1_000_000)));
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "nul",
        "01",
        "1.",
        ".5",
        "1e",
        "+1",
        "--1",
        "[",
        "1 2",
        "tru",
    ] {
        assert!(!accepts(text.as_bytes()), "{text}");
    }
    for text in ["[]", " [ ] ", "{}", "[1,-0.5e+7,\"a\",null,true,false,{\"a\":[{}]}]", "0", "-0"] {
        assert!(accepts(text.as_bytes()), "{text}");
    }
}

proptest! {
    #[test]
    fn any_string_comes_back(text in any::<String>()) {
        let json = serde_json::to_string(&text).expect("JSON");
        prop_assert_eq!(read(&json), Ok(text.into_bytes()));
    }

    /// What serde_json takes and refuses, but for numbers too large for it.
    #[test]
    fn the_same_texts_as_serde_json(text in r#"[\[\]{}:, a"\\u0-9e.tn+-]{0,12}"#) {
        let want = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(accepts(text.as_bytes()), want, "{}", text);
    }
}
