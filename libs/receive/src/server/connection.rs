//! Connections and their requests, from the first byte to an orderly end.

use super::body::{RequestBody, ResponseBody};
use super::{Accept, Activity, Limits, Patience, Socket};
use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// Requests that one HTTP/2 connection may have under way.
const STREAMS: u32 = 128;

/// Receive window of one HTTP/2 stream in bytes, as for gRPC.
const STREAM_WINDOW: u32 = 1 << 20;

/// Serves until `stop`. Then idle connections are closed at once and requests under way are finished, however long they take.
/// When the future is dropped, every connection is cut.
///
/// # Errors
/// When the socket cannot accept connections. Lack of file descriptors and the like is waited out.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) -> io::Result<()> {
    let mut accept = Accept::new(listener, limits.max_connections, limits.waited.clone());
    let patience = Patience { header: limits.header(), idle: limits.idle(), wanted: Some(accept.wanted()) };
    let listener = Arc::new(Listener { http: http(&limits), router, limits, patience });
    let ending = stop.child_token();
    let mut connections = JoinSet::new();
    let ended = loop {
        tokio::select! {
            () = stop.cancelled() => break Ok(()),
            Some(_) = connections.join_next() => {}
            accepted = accept.next() => match accepted {
                Ok((stream, room)) => {
                    let activity = Arc::<Activity>::default();
                    let socket = Socket::new(stream, room, activity.clone(), listener.patience.clone());
                    connections.spawn(listener.clone().connection(socket, activity, ending.clone()));
                }
                Err(error) => break Err(error),
            },
        }
    };
    drop(accept); // nobody is let in any more
    ending.cancel();
    while connections.join_next().await.is_some() {}
    ended
}

fn http(limits: &Limits) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(None).keep_alive(limits.keep_alive);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW * 4);
    http
}

/// What the connections of a listener share.
struct Listener {
    http: Builder<TokioExecutor>,
    router: Router,
    limits: Limits,
    patience: Patience,
}

impl Listener {
    async fn connection(self: Arc<Self>, socket: Socket, activity: Arc<Activity>, stop: CancellationToken) {
        let service = service_fn(|request: http::Request<Incoming>| {
            let under_way = activity.begin();
            let request = request.map(|body| RequestBody::within(self.limits.body(), body));
            let answer = self.router.clone().call(request);
            async move { answer.await.map(|response| response.map(|body| ResponseBody::new(body, under_way))) }
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(socket), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error, "a connection ended early");
        }
    }
}
