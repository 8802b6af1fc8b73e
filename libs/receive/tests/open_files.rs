//! Alone in its process, because it changes the limit of open files.

use axum::Router;
use axum::routing::get;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use skua_receive::server::{self, Limits};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Scenario: no file descriptor is left for a connection that has come; later there are some again. Guarantee: the server is still
/// there, and the connection is served.
#[tokio::test]
async fn lack_of_file_descriptors_is_waited_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let router = Router::new().route("/", get(|| async { "hello" }));
    let server = tokio::spawn(server::serve(listener, router, Limits::default(), stop.clone()));

    // The kernel takes the connection; the server, on this thread, has not run yet.
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, client.as_raw_fd() as u64 + 1, hard).unwrap();
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(10)).await;
    tokio::time::resume();
    client.set_nonblocking(true).unwrap();
    assert_eq!(client.read(&mut [0; 100]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(!server.is_finished());

    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    let mut client = tokio::net::TcpStream::from_std(client).unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut client, &mut answer).await.unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    stop.cancel();
    server.await.unwrap().unwrap();
}
