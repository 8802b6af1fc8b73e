//! The server itself, over sockets. Where a bound on time matters, the clock leaps once all that was to be said has been said, so
//! that nothing is measured and nothing waits. It is never paused while bytes are on their way: a paused clock does not wait for them.

use super::*;
use crate::server::{self, Limits};
use axum::routing::get;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};

const MINUTE: Duration = Duration::from_secs(60);
const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// What a test's handlers share with it.
struct Desk {
    /// Requests that have come to `/wait`.
    came: AtomicUsize,
    one_came: Notify,
    /// How many of them may be answered.
    go: Semaphore,
}

impl Default for Desk {
    fn default() -> Self {
        Self { came: AtomicUsize::new(0), one_came: Notify::new(), go: Semaphore::new(0) }
    }
}

async fn serve(limits: &Limits, desk: Arc<Desk>) -> Running<std::io::Result<()>> {
    let wait = move || {
        let desk = desk.clone();
        async move {
            desk.came.fetch_add(1, SeqCst);
            desk.one_came.notify_one();
            desk.go.acquire().await.unwrap().forget();
            "waited"
        }
    };
    let router = Router::new().route("/", get(|| async { "hello" })).route("/wait", get(wait));
    let limits = limits.clone();
    Running::start(|listener, stop| server::serve(listener, router, limits, stop)).await
}

/// A client that writes and reads what it likes.
struct Wire(TcpStream);

impl Wire {
    async fn connect<R>(server: &Running<R>) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        stream.set_nodelay(true).unwrap(); // what is sent is there
        Self(stream)
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Up to the end of an answer whose body is `body`.
    async fn answer(&mut self, body: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(body.as_bytes()) || !text.windows(4).any(|w| w == b"\r\n\r\n") {
            assert!(self.0.read_buf(&mut text).await.unwrap() > 0, "closed after {:?}", String::from_utf8_lossy(&text));
        }
        String::from_utf8(text).unwrap()
    }

    /// Returns when the server has read what was sent: it answers another connection, to which it came later.
    async fn arrived<R: Send + 'static>(&self, server: &Running<R>) {
        let mut other = Wire::connect(server).await;
        other.send(GET).await;
        other.answer("hello").await;
    }

    /// What comes until the server closes the connection.
    async fn rest(&mut self) -> String {
        let mut text = Vec::new();
        while self.0.read_buf(&mut text).await.unwrap_or(0) > 0 {}
        String::from_utf8(text).unwrap()
    }
}

/// Lets that time pass at once.
async fn leap(time: Duration) {
    tokio::time::pause();
    tokio::time::sleep(time).await;
    tokio::time::resume();
}

/// Scenario: a client says nothing, or sends the header of its second request bit by bit. Guarantee: the connection is closed
/// without an answer; that a few bytes come now and then does not help.
#[tokio::test]
async fn a_slow_header_is_cut() {
    let server = serve(&Limits { read_header_timeout: MINUTE, ..Limits::default() }, Arc::default()).await;
    let (mut silent, mut slow) = (Wire::connect(&server).await, Wire::connect(&server).await);
    slow.send(GET).await;
    slow.answer("hello").await;
    leap(MINUTE * 2).await;
    assert_eq!(silent.rest().await, "");
    for parts in [1, 2] {
        slow.send("GET / HTTP/1.1\r\nhost: a\r\n").await;
        for _ in 0..parts {
            slow.send("x: y\r\n").await;
            slow.arrived(&server).await;
            leap(MINUTE * 2 / 3).await;
        }
        if parts == 1 {
            slow.send("\r\n").await;
            slow.answer("hello").await; // in time
        }
    }
    drop(slow.0.write_all(b"\r\n").await); // too late
    assert_eq!(slow.rest().await, "");
    server.end().await.unwrap();
}

/// Scenario: a client that keeps its connection for an hour between two requests, with Jaeger's default limits. Guarantee: it may.
#[tokio::test]
async fn an_idle_connection_is_kept_without_an_idle_timeout() {
    let limits = Limits { read_header_timeout: MINUTE, ..Limits::default() };
    let server = serve(&limits, Arc::default()).await;
    let mut client = Wire::connect(&server).await;
    for _ in 0..3 {
        client.send(GET).await;
        client.answer("hello").await;
        leap(MINUTE * 60).await;
    }
    server.end().await.unwrap();
}

/// Guarantee: an idle connection is closed after `idle_timeout`, or after `read_timeout` where that is not set; not earlier.
#[tokio::test]
async fn an_idle_connection_is_closed_in_time() {
    let limits = Limits { read_header_timeout: MINUTE, ..Limits::default() };
    for limits in [Limits { idle_timeout: MINUTE * 9, ..limits.clone() }, Limits { read_timeout: MINUTE * 9, ..limits.clone() }] {
        let server = serve(&limits, Arc::default()).await;
        let mut client = Wire::connect(&server).await;
        for _ in 0..3 {
            client.send(GET).await;
            client.answer("hello").await;
            leap(MINUTE * 6).await;
        }
        leap(MINUTE * 6).await;
        assert_eq!(client.rest().await, "");
        server.end().await.unwrap();
    }
}

/// Scenario: the body does not come. Guarantee: with a `read_timeout` the request is answered 408 and the connection closed.
#[tokio::test]
async fn a_slow_body_is_cut() {
    let limits = Limits { read_timeout: MINUTE, ..Limits::default() };
    let options = crate::http::Options { limits, ..Default::default() };
    let serve = async move |listener, stop| crate::http::zipkin::serve(listener, &options, takes_all(), stop).await;
    let server = Running::start(serve).await;
    let mut client = Wire::connect(&server).await;
    client.send("POST /api/v2/spans HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n").await;
    client.answer("HTTP/1.1 100 Continue\r\n\r\n").await; // somebody reads the body
    client.send("12345").await;
    leap(MINUTE * 2).await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\nthe request body did not come in time (read-timeout)\n"), "{answer}");
    server.end().await.unwrap();
}

/// Scenario: the answer takes longer than every bound. Guarantee: the client gets it; it is not to blame.
#[tokio::test]
async fn a_slow_handler_is_not_cut() {
    let limits = Limits { read_header_timeout: MINUTE, read_timeout: MINUTE, idle_timeout: MINUTE, ..Limits::default() };
    let desk = Arc::<Desk>::default();
    let server = serve(&limits, desk.clone()).await;
    let mut client = Wire::connect(&server).await;
    client.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await;
    desk.one_came.notified().await;
    leap(MINUTE * 60).await;
    desk.go.add_permits(1);
    client.answer("waited").await;
    server.end().await.unwrap();
}

/// Guarantee: one connection carries many requests, unless the receiver was told otherwise.
#[tokio::test]
async fn connections_are_kept_alive_or_not() {
    let server = serve(&Limits::default(), Arc::default()).await;
    let mut client = Wire::connect(&server).await;
    for _ in 0..3 {
        client.send(GET).await;
        assert!(!client.answer("hello").await.contains("connection: close"));
    }
    server.end().await.unwrap();
    let server = serve(&Limits { keep_alive: false, ..Limits::default() }, Arc::default()).await;
    let mut client = Wire::connect(&server).await;
    client.send(GET).await;
    let all = client.rest().await;
    assert!(all.contains("connection: close\r\n") && all.ends_with("hello"), "{all}");
    server.end().await.unwrap();
}

async fn until_counted(limits: &Limits) {
    while limits.waited.get() == 0 {
        tokio::task::yield_now().await;
    }
}

/// Scenario: room for one connection, which has a request under way, and a second client. Guarantee: the second waits, is counted,
/// and is served when there is room, which the first one makes as soon as it is idle.
#[tokio::test]
async fn connections_are_bounded() {
    let (limits, desk) = (Limits { max_connections: 1, ..Limits::default() }, Arc::<Desk>::default());
    let server = serve(&limits, desk.clone()).await;
    let mut first = Wire::connect(&server).await;
    first.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await;
    desk.one_came.notified().await;
    let mut second = Wire::connect(&server).await;
    second.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await;
    until_counted(&limits).await;
    assert_eq!(desk.came.load(SeqCst), 1, "the second request has not been read");
    desk.go.add_permits(2);
    first.answer("waited").await;
    assert_eq!(first.rest().await, "", "the first connection makes room when it is idle");
    second.answer("waited").await;
    server.end().await.unwrap();
}

/// Scenario: as above, but the first client leaves. Guarantee: that somebody waited is forgotten when he is served.
#[tokio::test]
async fn a_connection_that_ends_makes_room() {
    let (limits, desk) = (Limits { max_connections: 1, ..Limits::default() }, Arc::<Desk>::default());
    let server = serve(&limits, desk.clone()).await;
    let mut first = Wire::connect(&server).await;
    first.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await;
    desk.one_came.notified().await;
    let mut second = Wire::connect(&server).await;
    second.send(GET).await;
    until_counted(&limits).await;
    drop(first);
    for _ in 0..2 {
        second.answer("hello").await;
        second.send(GET).await;
    }
    second.answer("hello").await;
    server.end().await.unwrap();
}

/// Scenario: all connections are idle, without an idle time-out, and one more client comes. Guarantee: it does not wait for ever:
/// one of the idle ones is closed, and only one.
#[tokio::test]
async fn an_idle_connection_makes_room() {
    let limits = Limits { max_connections: 2, ..Limits::default() };
    let server = serve(&limits, Arc::default()).await;
    let mut idle = [Wire::connect(&server).await, Wire::connect(&server).await];
    for client in &mut idle {
        client.send(GET).await;
        client.answer("hello").await;
    }
    let mut third = Wire::connect(&server).await;
    third.send(GET).await;
    third.answer("hello").await;
    let [mut oldest, mut other] = idle;
    assert_eq!(oldest.rest().await, "");
    other.send(GET).await;
    other.answer("hello").await;
    server.end().await.unwrap();
}

/// Scenario: the process is asked to stop with a request under way, an idle connection, and one on which nothing has been said.
/// Guarantee: the request is answered, the others are closed at once, nobody is let in any more, and then the server has ended.
#[tokio::test]
async fn a_stop_finishes_what_is_under_way() {
    let desk = Arc::<Desk>::default();
    let server = serve(&Limits::default(), desk.clone()).await;
    let (mut busy, mut idle) = (Wire::connect(&server).await, Wire::connect(&server).await);
    let mut silent = Wire::connect(&server).await;
    idle.send(GET).await;
    idle.answer("hello").await;
    busy.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await;
    desk.one_came.notified().await;
    server.stop.cancel();
    assert_eq!((idle.rest().await, silent.rest().await), Default::default());
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(!server.ended.is_finished());
    desk.go.add_permits(1);
    assert!(busy.rest().await.ends_with("waited"));
    server.ended.await.unwrap().unwrap();
}

/// Scenario: the time to finish is over and the server is dropped. Guarantee: no connection outlives it.
#[tokio::test]
async fn a_dropped_server_cuts_its_connections() {
    let desk = Arc::<Desk>::default();
    let server = serve(&Limits::default(), desk.clone()).await;
    let mut busy = Wire::connect(&server).await;
    busy.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").await;
    desk.one_came.notified().await;
    server.ended.abort();
    assert_eq!(busy.rest().await, "");
}

/// Scenario: HTTP/2 without TLS. Guarantee: it is served on the same port, the bounds on headers and idle connections do not cut a
/// request, and an idle connection is closed in time.
#[tokio::test]
async fn http2_is_served_within_the_same_bounds() {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let limits = Limits { read_header_timeout: MINUTE, idle_timeout: MINUTE * 9, ..Limits::default() };
    let desk = Arc::<Desk>::default();
    let server = serve(&limits, desk.clone()).await;
    let io = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (mut send, connection) = hyper::client::conn::http2::handshake::<_, _, Body>(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let get = |path| Request::get(server.url(path)).body(Body::empty()).unwrap();
    for _ in 0..2 {
        assert_eq!(send.send_request(get("/")).await.unwrap().status(), StatusCode::OK);
        leap(MINUTE * 6).await;
    }
    let long = send.send_request(get("/wait"));
    desk.one_came.notified().await;
    leap(MINUTE * 60).await;
    desk.go.add_permits(1);
    assert_eq!(long.await.unwrap().into_body().collect().await.unwrap().to_bytes(), "waited");
    leap(MINUTE * 12).await;
    drop(connection.await.unwrap()); // closed by the server
    server.end().await.unwrap();
}
