//! Names, attributes and events, close to OpenTelemetry's semantic conventions. Eleven attributes whatever the role.

use super::catalog::SERVICES;
use super::encode::{Attributes, bytes, fixed64};
use super::rng::Rng;
use super::trace::{Planned, Role};

/// Attributes of every span.
pub const COUNT: usize = 11;

const CITIES: [&str; 6] = ["Oslo", "Leeds", "Zürich", "Kyōto", "São Paulo", "Lyon"];
const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15",
    "okhttp/4.12.0",
];
const TIERS: [&str; 3] = ["free", "plus", "business"];

/// The span's name.
pub fn name(span: &Planned) -> String {
    let (op, peer) = (span.operation, SERVICES[span.peer].name);
    let own = SERVICES[span.service].name;
    match span.role {
        Role::HttpServer => format!("{} {op}", method(span)),
        Role::HttpClient => method(span).to_owned(),
        Role::RpcServer => format!("shop.{own}.v1/{op}"),
        Role::RpcClient => format!("shop.{peer}.v1/{op}"),
        Role::Producer => format!("send {op}"),
        Role::Consumer => format!("process {op}"),
        Role::Database => format!("{} {op}", statement(span)),
        Role::Internal => op.to_owned(),
    }
}

/// Type and message of what went wrong.
pub fn failure(span: &Planned) -> (&'static str, &'static str) {
    match span.role {
        Role::HttpServer => ("IllegalStateException", "cart was changed by another request"),
        Role::HttpClient => ("ConnectException", "connection refused"),
        Role::RpcServer => ("StatusRuntimeException", "UNAVAILABLE: upstream has no healthy host"),
        Role::RpcClient => ("DeadlineExceeded", "deadline of 250ms exceeded"),
        Role::Producer | Role::Consumer => ("TimeoutException", "broker did not answer within 5000 ms"),
        Role::Database => ("SQLTransientException", "deadlock detected, transaction \"4711\" was rolled back"),
        Role::Internal => ("ArithmeticException", "price is not a number"),
    }
}

/// The body of an `Event`: the exception of a failed span, or a note.
pub fn put_event(out: &mut Vec<u8>, rng: &mut Rng, span: &Planned) {
    fixed64(out, 1, span.start + (span.end - span.start) / 2);
    if span.error {
        let (kind, text) = failure(span);
        bytes(out, 2, b"exception");
        let mut a = Attributes::new(out, 3);
        a.text("exception.type", kind);
        a.text("exception.message", text);
        let line = 20 + rng.below(300);
        a.text("exception.stacktrace", &format!("{kind}: {text}\n\tat shop.Handler.run(Handler.java:{line})\n\tat shop.Main"));
    } else if rng.chance(50) {
        bytes(out, 2, b"cache.miss");
        let mut a = Attributes::new(out, 3);
        a.text("cache.key", &format!("{}:{}", span.operation, rng.below(100_000)));
        a.int("cache.size", 1 + rng.below(5000) as i64);
    } else {
        bytes(out, 2, b"retry");
        let mut a = Attributes::new(out, 3);
        a.int("retry.attempt", 1 + rng.below(3) as i64);
        a.flag("retry.last", false);
    }
}

/// Eleven attributes.
pub fn put(a: &mut Attributes<'_>, rng: &mut Rng, span: &Planned) {
    match span.role {
        Role::HttpServer | Role::HttpClient => http(a, rng, span),
        Role::RpcServer | Role::RpcClient => rpc(a, rng, span),
        Role::Producer | Role::Consumer => messaging(a, rng, span),
        Role::Database => database(a, rng, span),
        Role::Internal => internal(a, rng, span),
    }
    debug_assert_eq!(a.count, COUNT);
}

fn http(a: &mut Attributes<'_>, rng: &mut Rng, span: &Planned) {
    let path = span.operation.replace("{id}", &(10_000 + rng.below(90_000)).to_string());
    let client = span.role == Role::HttpClient;
    a.text("http.request.method", method(span));
    if client {
        a.text("url.full", &format!("http://{}:8080{path}", host(span.peer)));
        a.text("network.peer.address", &address(rng));
        a.int("http.request.resend_count", rng.below(3) as i64);
    } else {
        a.text("url.path", &path);
        a.text("http.route", span.operation);
        a.text("user_agent.original", rng.pick(&AGENTS));
    }
    a.text("url.scheme", "http");
    a.text("server.address", &host(if client { span.peer } else { span.service }));
    a.int("server.port", 8080);
    a.text("network.protocol.version", "1.1");
    a.int("http.response.status_code", if span.error { 500 } else { rng.pick(&[200, 200, 200, 201, 204, 404]) });
    a.flag("shop.cached", rng.chance(30));
    a.double("shop.wait_ms", millis(rng));
}

fn rpc(a: &mut Attributes<'_>, rng: &mut Rng, span: &Planned) {
    let server = if span.role == Role::RpcClient { span.peer } else { span.service };
    a.text("rpc.system", "grpc");
    a.text("rpc.service", &format!("shop.{}.v1", SERVICES[server].name));
    a.text("rpc.method", span.operation);
    a.int("rpc.grpc.status_code", if span.error { 14 } else { 0 });
    a.text("server.address", &host(server));
    a.int("server.port", 9090);
    a.text("network.peer.address", &address(rng));
    a.text("network.type", "ipv4");
    a.text("shop.request.id", &format!("{:016x}{:016x}", rng.next(), rng.next()));
    a.flag("shop.cached", rng.chance(30));
    a.double("shop.wait_ms", millis(rng));
}

fn messaging(a: &mut Attributes<'_>, rng: &mut Rng, span: &Planned) {
    a.text("messaging.system", "kafka");
    a.text("messaging.destination.name", span.operation);
    a.text("messaging.operation.type", if span.role == Role::Producer { "send" } else { "process" });
    a.text("messaging.message.id", &format!("{:016x}{:016x}", rng.next(), rng.next()));
    a.text("messaging.destination.partition.id", &rng.below(12).to_string());
    a.int("messaging.kafka.offset", 1_000_000 + rng.below(1_000_000) as i64);
    a.int("messaging.message.body.size", 200 + rng.below(4000) as i64);
    a.text("server.address", "kafka-2.data.svc.cluster.local");
    a.int("server.port", 9092);
    a.flag("shop.replayed", rng.chance(2));
    a.double("shop.wait_ms", millis(rng));
}

fn database(a: &mut Attributes<'_>, rng: &mut Rng, span: &Planned) {
    let service = &SERVICES[span.service];
    let (verb, table) = (statement(span), span.operation);
    a.text("db.system.name", service.database);
    a.text("db.namespace", service.name);
    a.text("db.operation.name", verb);
    a.text("db.collection.name", table);
    a.text("db.query.text", &query(verb, table));
    a.text("server.address", &format!("{}-0.data.svc.cluster.local", service.database));
    a.int("server.port", 5432);
    a.int("db.response.returned_rows", rng.below(200) as i64);
    a.text("thread.name", &format!("pool-1-{}", 1 + rng.below(32)));
    a.flag("db.pooled", rng.chance(95));
    a.double("shop.wait_ms", millis(rng));
}

fn internal(a: &mut Attributes<'_>, rng: &mut Rng, span: &Planned) {
    let own = SERVICES[span.service].name;
    a.text("code.function.name", &format!("shop.{own}.{}", span.operation));
    a.text("code.file.path", &format!("src/main/shop/{own}/internal/{}/handler.src", span.operation));
    a.int("code.line.number", 20 + rng.below(800) as i64);
    a.int("thread.id", 1 + rng.below(64) as i64);
    a.text("thread.name", &format!("worker-{}", 1 + rng.below(16)));
    a.text("enduser.id", &format!("u-{:06}", rng.below(1_000_000)));
    a.text("shop.customer.tier", rng.pick(&TIERS));
    a.text("shop.customer.city", rng.pick(&CITIES));
    a.int("shop.basket.items", rng.below(40) as i64);
    a.flag("shop.experiment", rng.chance(10));
    a.double("shop.basket.total", millis(rng));
}

fn method(span: &Planned) -> &'static str {
    if matches!(span.operation, "/checkout" | "/auth" | "/settle" | "/quotes") { "POST" } else { "GET" }
}

fn statement(span: &Planned) -> &'static str {
    if matches!(span.operation, "orders" | "ledger" | "outbox" | "clicks") { "INSERT" } else { "SELECT" }
}

fn query(verb: &str, table: &str) -> String {
    match verb {
        "INSERT" => format!("INSERT INTO {table} (id, tenant, body, created_at) VALUES ($1, $2, $3, now())"),
        _ => format!("SELECT id, body, updated_at FROM {table} WHERE tenant = $1 AND id = $2 LIMIT 20"),
    }
}

/// The name of a service inside the cluster.
fn host(service: usize) -> String {
    format!("{}.shop.svc.cluster.local", SERVICES[service].name)
}

fn address(rng: &mut Rng) -> String {
    format!("10.{}.{}.{}", rng.below(4), rng.below(256), rng.below(256))
}

/// Up to 100 with two digits behind the point, as a person would log it.
fn millis(rng: &mut Rng) -> f64 {
    rng.below(10_000) as f64 / 100.0
}
