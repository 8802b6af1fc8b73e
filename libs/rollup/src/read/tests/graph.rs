use super::*;
use crate::document::Exemplar;

fn exemplar(trace: u8, start: u64, duration: u64) -> Option<Exemplar> {
    Some(Exemplar { trace_id: [trace; 16], span_id: [trace; 8], start, duration })
}

/// `web` calls `shop`, which calls `stock` and a database, and tells `mail` by a queue; `cron` calls `stock`, `stock` itself.
async fn counted() -> RollupReader {
    let store = Arc::new(Map::default());
    let (call, queue, database) = (Connection::Call, Connection::Messaging, Connection::Database);
    for (key, minute, figures) in [
        (link("web", "shop", call), 0, Figures { errors: 1, exemplar: exemplar(1, NOON + 5, 9_000), ..took(&[1_000; 90]) }),
        (link("web", "shop", call), 1, Figures { errors: 2, exemplar: exemplar(2, NOON + MINUTE, 8_000), ..took(&[64_000; 10]) }),
        (link("shop", "stock", call), 11, took(&[10; 20])),
        (link("shop", "postgres", database), 0, took(&[10; 30])),
        (link("shop", "mail", queue), 0, took(&[10; 5])),
        (link("cron", "stock", call), 0, Figures { errors: 4, ..took(&[10; 4]) }),
        (link("stock", "stock", call), 0, took(&[10; 2])),
        (link("web", "shop", call), 30, took(&[10; 1000])),
    ] {
        store.count(&key, NOON + minute * MINUTE, &figures).await;
    }
    reader(&store)
}

/// Twenty minutes from noon.
fn query() -> GraphQuery {
    GraphQuery { start: NOON, end: NOON + 20 * MINUTE, now: u64::MAX, ..GraphQuery::default() }
}

fn around(service: &str, depth: u32) -> GraphQuery {
    GraphQuery { service: Some(service.to_owned()), depth, ..query() }
}

fn edges(graph: &Graph) -> Vec<String> {
    graph.edges.iter().map(|e| format!("{}>{}", e.parent, e.child)).collect()
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|n| n.name.as_str()).collect()
}

/// Guarantees: figures of minutes in two documents are added up, others are not; of the exemplars the slowest stays.
#[tokio::test]
async fn figures_of_an_edge_and_its_node() {
    let graph = counted().await.graph(&query()).await.unwrap();
    let want = ["cron>stock", "shop>mail", "shop>postgres", "shop>stock", "stock>stock", "web>shop"];
    assert_eq!((graph.start, graph.end, edges(&graph)), (NOON, NOON + 20 * MINUTE, want.map(str::to_owned).to_vec()));
    let edge = graph.edges.last().unwrap();
    assert_eq!((edge.calls, edge.errors, edge.connection), (100, 3, Connection::Call));
    assert_eq!((edge.rate, edge.sum), (100.0 / 1200.0, 90.0 + 640.0));
    let [p50, p95, p99] = edge.quantiles;
    assert!(p50 > 0.84 && p50 <= 1.03 && p95 > 53.0 && p95 < p99 && p99 <= 66.0, "{:?}", edge.quantiles);
    assert_eq!(edge.exemplar, exemplar(1, NOON + 5, 9_000));
    let kinds: Vec<_> = graph.nodes.iter().map(|n| (n.name.as_str(), n.kind, n.calls, n.errors)).collect();
    let want = [
        ("cron", NodeKind::Service, 0, 0),
        ("mail", NodeKind::Called(Connection::Messaging), 5, 0),
        ("postgres", NodeKind::Called(Connection::Database), 30, 0),
        ("shop", NodeKind::Service, 100, 3),
        ("stock", NodeKind::Service, 26, 4),
        ("web", NodeKind::Service, 0, 0),
    ];
    assert_eq!(kinds, want);
    assert_eq!(graph.nodes[3].rate, 100.0 / 1200.0);
}

/// Guarantees: minutes count by their starts; a rate is over the time that has passed; nothing in, nothing out.
#[tokio::test]
async fn times() {
    let reader = counted().await;
    let (start, end) = (NOON + 1, NOON + MINUTE + 30_000_000);
    let graph = reader.graph(&GraphQuery { start, end, now: end, ..query() }).await.unwrap();
    assert_eq!((graph.start, graph.end, graph.edges.len()), (NOON + MINUTE, end, 1));
    assert_eq!((graph.edges[0].calls, graph.edges[0].rate), (10, 10.0 / 30.0));
    assert_eq!(graph.edges[0].exemplar, exemplar(2, NOON + MINUTE, 8_000), "the other is of a minute that is not asked of");
    for (start, end) in [(NOON, NOON), (NOON, 0), (NOON + 2 * MINUTE, NOON + 3 * MINUTE)] {
        let graph = reader.graph(&GraphQuery { start, end, ..query() }).await.unwrap();
        assert_eq!((graph.nodes, graph.edges), (vec![], vec![]), "{start} to {end}");
    }
    let error = reader.graph(&GraphQuery { start: 0, ..query() }).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Invalid, "a graph is of 31 days at most"));
    let far = GraphQuery { start: u64::MAX - 1, end: u64::MAX, ..query() };
    assert_eq!(reader.graph(&far).await.unwrap().edges, []);
}

/// Guarantees: around a service is what so many calls lead to, in both directions; edges with few calls are not there and lead nowhere;
/// a node keeps the calls of all its edges.
#[tokio::test]
async fn around_a_service() {
    let reader = counted().await;
    let ask = async |query: GraphQuery| reader.graph(&query).await.unwrap();
    assert_eq!(edges(&ask(around("mail", 1)).await), ["shop>mail"]);
    assert_eq!(names(&ask(around("mail", 2)).await), ["mail", "postgres", "shop", "stock", "web"]);
    assert_eq!(ask(around("mail", 3)).await, ask(query()).await);
    assert_eq!(ask(around("mail", u32::MAX)).await.nodes.len(), 6);
    let cron = ask(around("cron", 1)).await;
    assert_eq!((edges(&cron), cron.nodes[1].calls), (vec!["cron>stock".to_owned(), "stock>stock".to_owned()], 26));
    assert_eq!(edges(&ask(around("stock", 0)).await), ["stock>stock"], "what a service does with itself");
    assert_eq!(ask(around("nobody", 5)).await.nodes, []);
    let frequent = ask(GraphQuery { min_calls: 20, ..query() }).await;
    assert_eq!(edges(&frequent), ["shop>postgres", "shop>stock", "web>shop"]);
    assert_eq!(names(&frequent), ["postgres", "shop", "stock", "web"]);
    assert_eq!(edges(&ask(GraphQuery { min_calls: 10, ..around("mail", 5) }).await), [""; 0]);
}
