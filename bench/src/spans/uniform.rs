//! Spans that are all alike: eleven attributes that each of them has, parents that are all the trace's root, and values drawn evenly. What the
//! layout of the Parquet store was chosen with.

use super::encode::{Attributes, bytes, fixed32, fixed64, message, uint};
use super::rng::Rng;
use super::{Config, Load, trace_id};

/// Traces that are open at a time.
const OPEN: usize = 64;
const SERVICES: u64 = 20;

struct Open {
    id: [u8; 16],
    root: Option<[u8; 8]>,
    left: u64,
}

/// Makes all requests of a load; [`Config::one_trace`] is not looked at. The window is stretched to a tenth of a millisecond a span.
pub fn generate_uniform(config: &Config) -> Load {
    let mut rng = Rng::new(config.seed ^ 0x51fe);
    let mut load = Load::default();
    let next = |rng: &mut Rng, load: &mut Load| {
        load.traces += 1;
        Open { id: trace_id(config.seed, load.traces as u64 - 1), root: None, left: 5 + rng.below(30) }
    };
    let mut open: Vec<Open> = (0..OPEN).map(|_| next(&mut rng, &mut load)).collect();
    let mut time = config.now.saturating_sub(config.spans as u64 * 100_000 + 1_000_000_000);
    while load.spans < config.spans {
        let count = config.batch.max(1).min(config.spans - load.spans);
        let (service, pod) = (rng.below(SERVICES), rng.below(200));
        let mut spans = Vec::with_capacity(count * 480);
        for _ in 0..count {
            let at = rng.below(OPEN as u64) as usize;
            time += rng.below(2000) * 100;
            let body = span(&mut rng, &mut open[at], service, time);
            bytes(&mut spans, 2, &body);
            if open[at].left == 0 {
                open[at] = next(&mut rng, &mut load);
            }
        }
        let mut request = Vec::with_capacity(spans.len() + 600);
        message(&mut request, 1, |out| {
            message(out, 1, |out| resource(out, service, pod));
            message(out, 2, |out| {
                message(out, 1, |scope| {
                    bytes(scope, 1, b"shop.server");
                    bytes(scope, 2, b"2.21.0");
                });
                out.extend_from_slice(&spans);
            });
        });
        load.requests.push(request.into());
        load.sizes.push(count as u32);
        load.spans += count;
    }
    load
}

fn resource(out: &mut Vec<u8>, service: u64, pod: u64) {
    let name = format!("service-{service:02}");
    let mut a = Attributes::new(out, 1);
    a.text("service.name", &name);
    a.text("service.version", "1.4.2");
    a.text("service.namespace", "shop");
    a.text("host.name", &format!("node-{}", pod % 7));
    a.text("k8s.pod.name", &format!("{name}-7d9f{pod:04x}"));
    a.text("k8s.namespace.name", "prod");
    a.text("telemetry.sdk.language", "go");
    a.text("telemetry.sdk.version", "1.32.0");
}

fn span(rng: &mut Rng, of: &mut Open, service: u64, start: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(480);
    let id = rng.next().to_be_bytes();
    let lasts = (200.0 - 20_000.0 * (1.0 - rng.unit()).ln()) as u64 * 1000;
    let route = format!("/api/v1/resource{}/{{id}}", rng.below(12));
    bytes(&mut out, 1, &of.id);
    bytes(&mut out, 2, &id);
    if let Some(root) = of.root {
        bytes(&mut out, 4, &root);
    }
    bytes(&mut out, 5, format!("GET {route}").as_bytes());
    uint(&mut out, 6, 1 + rng.below(5));
    fixed64(&mut out, 7, start);
    fixed64(&mut out, 8, start + lasts);
    let mut a = Attributes::new(&mut out, 9);
    a.text("http.request.method", "GET");
    a.text("http.route", &route);
    a.text("url.path", &format!("/api/v1/resource/{}", rng.below(100_000)));
    a.int("http.response.status_code", rng.pick(&[200, 200, 200, 200, 201, 404, 500]));
    a.text("server.address", &format!("service-{service:02}.prod.svc"));
    a.int("server.port", 8080);
    a.text("network.peer.address", &format!("10.0.{}.{}", rng.below(255), rng.below(255)));
    a.text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)");
    a.int("thread.id", rng.below(64) as i64);
    a.flag("cache.hit", rng.chance(50));
    a.text("customer.id", &rng.below(5000).to_string());
    of.root.get_or_insert(id);
    of.left -= 1;
    if rng.chance(20) {
        message(&mut out, 11, |event| {
            fixed64(event, 1, start);
            bytes(event, 2, b"message");
            let mut a = Attributes::new(event, 3);
            a.text("message.type", "SENT");
            a.int("message.id", rng.below(200) as i64);
        });
    }
    message(&mut out, 15, |status| {
        if rng.chance(5) {
            bytes(status, 2, b"deadline exceeded");
            uint(status, 3, 2);
        }
    });
    fixed32(&mut out, 16, 0x101);
    out
}
