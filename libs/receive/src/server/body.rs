//! Bodies that know their connection: a request's ends in time, a response's says when it is written.

use super::activity::UnderWay;
use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// A request's body that fails with [`io::ErrorKind::TimedOut`] at its deadline.
pub(super) struct RequestBody {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
}

impl RequestBody {
    /// The body as handlers take it, with a deadline from now if there is a limit.
    pub fn within(limit: Option<Duration>, body: Incoming) -> Body {
        match limit {
            Some(limit) if !body.is_end_stream() => {
                Body::new(Self { body, deadline: Box::pin(tokio::time::sleep_until(Instant::now() + limit)) })
            }
            _ => Body::new(body),
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(frame.map(|f| f.map_err(Into::into))),
            Poll::Pending => self.deadline.as_mut().poll(cx).map(|()| {
                let error = io::Error::new(io::ErrorKind::TimedOut, "the request body did not come in time (read-timeout)");
                Some(Err(error.into()))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body that keeps its request under way until it is written.
pub(super) struct ResponseBody {
    body: Body,
    _under_way: UnderWay,
}

impl ResponseBody {
    pub fn new(body: Body, under_way: UnderWay) -> Self {
        Self { body, _under_way: under_way }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
