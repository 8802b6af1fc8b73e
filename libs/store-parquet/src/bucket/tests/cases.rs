//! What every bucket promises, whatever it lies on. Each has to be empty at first.
#![allow(clippy::single_range_in_vec_init, reason = "lists of ranges, which may have one")]

use super::Bucket;
use bytes::Bytes;
use futures::future::join_all;
use skua_store::ErrorKind;

/// All cases, one after the other, below a prefix each.
pub async fn run(bucket: &Bucket, what: &str) {
    bucket.ready().await.unwrap_or_else(|e| panic!("{what}: {e}"));
    bucket.ready().await.unwrap_or_else(|e| panic!("{what}: {e}"));
    whole(&bucket.below("whole"), what).await;
    ranges(&bucket.below("ranges"), what).await;
    listing(&bucket.below("listing"), what).await;
    replacing(&bucket.below("replacing"), what).await;
    race(&bucket.below("race"), what).await;
    assert_eq!(bucket.folders("").await.unwrap(), ["listing", "race", "ranges", "replacing"], "{what}");
}

fn noise(bytes: usize) -> Bytes {
    (0..bytes as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

/// Objects are there whole or not at all, of any size.
async fn whole(bucket: &Bucket, what: &str) {
    assert_eq!(bucket.get("a/b").await.unwrap(), None, "{what}");
    for (name, bytes) in [("empty", 0), ("a/b", 10), ("a/b", 11), ("large", (16 << 20) + 12_345)] {
        let body = noise(bytes);
        bucket.put(name, body.clone()).await.unwrap();
        assert!(bucket.get(name).await.unwrap() == Some(body), "{what}: {name} of {bytes} bytes");
    }
    assert_eq!(bucket.get("a").await.ok().flatten(), None, "{what}: a part of a name is no object");
    for name in ["empty", "a/b", "large", "large", "never"] {
        bucket.delete(name).await.unwrap_or_else(|e| panic!("{what}: {name}: {e}"));
        assert_eq!(bucket.get(name).await.unwrap(), None, "{what}: {name}");
    }
    for name in ["", "/", "a//b", "../a", "a/.."] {
        let e = bucket.put(name, Bytes::new()).await.unwrap_err();
        assert!(e.kind == ErrorKind::Internal && e.message.contains("the name of an object"), "{what}: {e}");
    }
}

/// Ranges come in the order of the question, and with few requests.
async fn ranges(bucket: &Bucket, what: &str) {
    let object = noise(5 << 20);
    bucket.put("x", object.clone()).await.unwrap();
    let near = [10..20, 0..10, 500_000..600_000, 30..30, 20..500_000];
    let far: Vec<_> = (0..5).map(|i| (4 - i) * 1_200_000..(4 - i) * 1_200_000 + 7).chain([0..0]).collect();
    let pieces: Vec<_> = (0..400).map(|i| i * 13_000 + 5..i * 13_000 + 500).collect();
    // Requests that an object store needs; a file is not counted by its reads.
    for (wanted, most) in [(&near[..], 1), (&far[..], 4), (&pieces[..], 1), (&[], 0)] {
        let before = bucket.requests();
        let read = bucket.read("x", wanted).await.unwrap();
        let requests = bucket.requests() - before;
        assert!(requests <= if bucket.is_local() { 1 } else { most }, "{what}: {requests} requests for {} ranges", wanted.len());
        let want: Vec<Bytes> = wanted.iter().map(|r| object.slice(r.start as usize..r.end as usize)).collect();
        assert!(read == want, "{what}: {} ranges", wanted.len());
    }
    #[allow(clippy::reversed_empty_ranges, reason = "damage")]
    for beyond in [5_242_870..5_242_881, 9_000_000..9_000_001, 3..u64::MAX, 5..4] {
        let read = bucket.read("x", std::slice::from_ref(&beyond)).await;
        assert!(read.is_err(), "{what}: {beyond:?} of {} bytes", object.len());
    }
    let one = 0..1;
    let e = bucket.read("y", std::slice::from_ref(&one)).await.unwrap_err();
    assert!(e.kind == ErrorKind::NotFound && e.message.contains("ranges/y"), "{what}: {e}");
}

/// All pages, in order, and only what is below.
async fn listing(bucket: &Bucket, what: &str) {
    assert_eq!(bucket.list("many").await.unwrap(), [], "{what}");
    let names: Vec<String> = (0..2500).map(|i| format!("many/{}/{i:05}", i % 3)).collect();
    for some in names.chunks(32) {
        join_all(some.iter().map(|name| bucket.put(name, Bytes::from_static(b"abc")))).await.into_iter().for_each(|r| r.unwrap());
    }
    bucket.put("manyother", Bytes::new()).await.unwrap();
    let listed = bucket.list("many").await.unwrap();
    let mut want = names.clone();
    want.sort_unstable();
    assert!(listed.iter().map(|object| &object.name).eq(&want), "{what}: {} of {}", listed.len(), want.len());
    assert!(listed.iter().all(|object| object.bytes == 3 && object.modified_ms > 1_600_000_000_000), "{what}");
    assert_eq!(bucket.list("").await.unwrap().len(), 2501, "{what}");
    assert_eq!(bucket.folders("many").await.unwrap(), ["0", "1", "2"], "{what}");
    let between = bucket.list_between("many/1", "00100", "01000").await.unwrap();
    let between: Vec<&str> = between.iter().map(|object| object.name.as_str()).collect();
    assert_eq!((between[0], between[between.len() - 1], between.len()), ("many/1/00103", "many/1/01000", 300), "{what}");
    let old: Vec<String> = want.iter().take(1800).cloned().chain(["many/never".to_owned()]).collect();
    bucket.delete_all(&old).await.unwrap();
    assert!(bucket.list("many").await.unwrap().iter().map(|object| &object.name).eq(&want[1800..]), "{what}");
}

/// Only who has seen the last replaces it.
async fn replacing(bucket: &Bucket, what: &str) {
    let body = |text: &'static str| Bytes::from_static(text.as_bytes());
    assert_eq!(bucket.versioned("m").await.unwrap(), None, "{what}");
    let first = bucket.replace("m", body("one"), None).await.unwrap().unwrap();
    assert_eq!((first.revision, &first.body), (1, &body("one")), "{what}");
    assert_eq!(bucket.replace("m", body("two"), None).await.unwrap(), None, "{what}: it is there");
    assert_eq!(bucket.versioned("m").await.unwrap().as_ref(), Some(&first), "{what}");
    assert_eq!(bucket.changed("m", &first).await.unwrap(), None, "{what}");
    let second = bucket.replace("m", body("one"), Some(&first)).await.unwrap().unwrap();
    assert!(second != first && second.revision == 2, "{what}: the same body is another version");
    assert_eq!(bucket.changed("m", &first).await.unwrap().as_ref(), Some(&second), "{what}");
    assert_eq!(bucket.replace("m", body("three"), Some(&first)).await.unwrap(), None, "{what}: it is not as it was");
    let third = bucket.replace("m", Bytes::new(), Some(&second)).await.unwrap().unwrap();
    assert_eq!(bucket.versioned("m").await.unwrap().unwrap(), third, "{what}: empty");
    bucket.delete("m").await.unwrap();
    assert_eq!(bucket.replace("m", body("four"), Some(&third)).await.unwrap(), None, "{what}: it is gone");
    let e = bucket.changed("m", &third).await.unwrap_err();
    assert!(e.kind == ErrorKind::NotFound && e.message.contains("replacing/m"), "{what}: {e}");
    bucket.put("short", body("no header")).await.unwrap();
    let e = bucket.versioned("short").await.unwrap_err();
    assert!(e.kind == ErrorKind::Internal && e.message.contains("9 bytes"), "{what}: {e}");
    assert_eq!(bucket.list("").await.unwrap().len(), 1, "{what}: no locks or temporary files are listed");
}

/// Eight tasks add to one object: nothing is lost and nothing is twice, and the body alone, which is equal for some, tells nothing.
async fn race(bucket: &Bucket, what: &str) {
    let add = async |_| {
        for _ in 0..5 {
            loop {
                let was = bucket.versioned("sum").await.unwrap();
                let sum = was.as_ref().map_or(0, |was| was.body[0]) + 1;
                if bucket.replace("sum", Bytes::from(vec![sum]), was.as_ref()).await.unwrap().is_some() {
                    break;
                }
            }
        }
    };
    join_all((0..8).map(add)).await;
    let sum = bucket.versioned("sum").await.unwrap().unwrap();
    assert_eq!((sum.revision, sum.body[0]), (40, 40), "{what}");
}
