//! What a span's annotations say of it as a whole, and what Jaeger's agent mends with that.

use super::structs::{Annotation, BinaryAnnotation, Endpoint, Look, Span};
use super::tags::process_key;

/// What the annotations say of the span: times in microseconds, of the first of each kind if not otherwise said.
#[derive(Default)]
pub(super) struct Notes<'a> {
    count: usize,
    first: i64,
    last: i64,
    pub client_send: Option<i64>,
    last_client_send: Option<i64>,
    pub client_receive: Option<i64>,
    last_client_receive: Option<i64>,
    pub server_send: Option<i64>,
    pub server_receive: Option<i64>,
    last_server_receive: Option<i64>,
    /// Of the first core annotation.
    pub kind: Option<&'static [u8]>,
    /// Whose service is the span's: that of a core annotation, of `lc`, of another annotation, of another binary annotation.
    hosts: [Option<Endpoint<'a>>; 4],
    /// There are binary annotations that are tags of the process.
    pub process_tags: bool,
}

impl<'a> Look<'a> for Notes<'a> {
    fn annotations(&mut self) {
        let [_, of_lc, _, of_binary] = self.hosts;
        *self = Self { hosts: [None, of_lc, None, of_binary], process_tags: self.process_tags, ..Self::default() };
    }

    fn annotation(&mut self, a: &Annotation<'a>) {
        let time = a.timestamp;
        if self.count == 0 {
            self.first = time;
        }
        self.last = time;
        self.count += 1;
        match a.value {
            b"cs" => {
                self.client_send.get_or_insert(time);
                self.last_client_send = Some(time);
            }
            b"cr" => {
                self.client_receive.get_or_insert(time);
                self.last_client_receive = Some(time);
            }
            b"sr" => {
                self.server_receive.get_or_insert(time);
                self.last_server_receive = Some(time);
            }
            b"ss" => drop(self.server_send.get_or_insert(time)),
            _ => {}
        }
        let kind = core_kind(a.value);
        self.kind = self.kind.or(kind);
        self.offer_host(if kind.is_some() { 0 } else { 2 }, a.host);
    }

    fn binary_annotations(&mut self) {
        (self.hosts[1], self.hosts[3], self.process_tags) = (None, None, false);
    }

    fn binary_annotation(&mut self, b: &BinaryAnnotation<'a>) {
        self.process_tags |= process_key(b.key).is_some();
        self.offer_host(if b.key == b"lc" { 1 } else { 3 }, b.host);
    }
}

impl<'a> Notes<'a> {
    fn offer_host(&mut self, rank: usize, host: Option<Endpoint<'a>>) {
        if self.hosts[rank].is_none() {
            self.hosts[rank] = host.filter(|host| !host.service.is_empty());
        }
    }

    /// The service, and the address as Jaeger's tag has it.
    pub fn service(&self) -> (&'a [u8], i64) {
        let host = self.hosts.iter().flatten().next();
        host.map_or((b"unknown-service-name", 0), |host| (host.service, i64::from(host.ipv4)))
    }
}

/// The kind that a core annotation gives its span. Messages have none here.
pub(super) fn core_kind(value: &[u8]) -> Option<&'static [u8]> {
    match value {
        b"cs" | b"cr" => Some(b"client"),
        b"ss" | b"sr" => Some(b"server"),
        _ => None,
    }
}

/// Tags that say what was mended.
#[derive(Default)]
pub(super) struct Mended {
    pub negative_duration: Option<i64>,
    pub zero_parent: bool,
}

impl Mended {
    /// Gives the span a start and a duration, if it has none, and takes away a parent that is zero.
    pub fn mend<R>(s: &mut Span<'_, R>, n: &Notes<'_>) -> Self {
        let mut mended = Self::default();
        let received = n.last_server_receive.filter(|_| s.parent_id.is_none());
        s.timestamp = s.timestamp.or(n.client_send).or(received);
        match s.duration {
            None => {
                let (first, last) = (n.last_client_send.unwrap_or(n.first), n.last_client_receive.unwrap_or(n.last));
                let known = n.count >= 2 && first < last;
                s.duration = Some(if known { last.saturating_sub(first) } else { 1 });
                s.timestamp = s.timestamp.or(known.then_some(first));
            }
            Some(negative @ ..0) => {
                s.duration = Some(1);
                mended.negative_duration = Some(negative);
            }
            Some(_) => {}
        }
        if s.parent_id == Some(0) {
            s.parent_id = None;
            mended.zero_parent = true;
        }
        mended
    }
}
