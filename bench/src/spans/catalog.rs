//! A shop of twenty services: who they are, what they do and whom they call.

/// How the other services reach one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// HTTP server.
    Http,
    /// gRPC server.
    Rpc,
    /// Consumer of a topic.
    Topic,
}

/// One service of the shop.
#[derive(Debug)]
pub struct Service {
    /// `service.name`
    pub name: &'static str,
    /// `telemetry.sdk.language`
    pub language: &'static str,
    /// How it is called.
    pub api: Api,
    /// Routes of an HTTP server, methods of a gRPC server, topics of a consumer.
    pub operations: &'static [&'static str],
    /// Its database system; empty when it has none.
    pub database: &'static str,
    /// Tables (or key prefixes) in that database.
    pub tables: &'static [&'static str],
    /// Indices into [`SERVICES`] of the services it calls.
    pub calls: &'static [usize],
}

const fn service(
    name: &'static str,
    language: &'static str,
    api: Api,
    operations: &'static [&'static str],
    (database, tables): (&'static str, &'static [&'static str]),
    calls: &'static [usize],
) -> Service {
    Service { name, language, api, operations, database, tables, calls }
}

use Api::{Http, Rpc, Topic};

/// A service without a database.
const NONE: (&str, &[&str]) = ("", &[]);

/// Index of the services where a trace can begin.
pub const ENTRANCES: [usize; 4] = [0, 1, 2, 0];

/// All services. The calls have no cycle, so the service graph has a direction.
pub static SERVICES: [Service; 20] = [
    service("storefront", "nodejs", Http, &["/", "/products/{id}", "/cart", "/search"], NONE, &[2, 3, 4, 5, 11]),
    service("mobile-gateway", "go", Http, &["/v1/home", "/v1/items/{id}", "/v1/basket"], NONE, &[3, 4, 5, 6, 12]),
    service("checkout", "java", Http, &["/checkout", "/checkout/{id}/confirm"], NONE, &[4, 6, 7, 8, 9, 13]),
    service("catalog", "go", Rpc, &["GetProduct", "ListProducts", "Search"], ("postgresql", &["products", "brands"]), &[10, 12]),
    service("cart", "dotnet", Rpc, &["GetCart", "AddItem", "Empty"], ("redis", &["cart", "session"]), &[10]),
    service("search", "java", Http, &["/query", "/suggest"], ("elasticsearch", &["items", "terms"]), &[10, 11]),
    service("customer", "java", Rpc, &["GetCustomer", "Login", "Update"], ("postgresql", &["customers", "logins"]), &[14]),
    service("payment", "java", Rpc, &["Authorize", "Capture", "Refund"], ("postgresql", &["payments", "ledger"]), &[14, 15, 16]),
    service("shipping", "rust", Http, &["/quotes", "/orders/{id}"], ("mysql", &["parcels", "rates"]), &[9, 16]),
    service("currency", "cpp", Rpc, &["Convert", "Supported"], NONE, &[10]),
    service("cache", "go", Rpc, &["Get", "Set", "Expire"], ("redis", &["page", "price"]), &[]),
    service("recommend", "python", Rpc, &["ForProduct", "ForUser"], ("mongodb", &["vectors", "clicks"]), &[3, 10]),
    service("images", "rust", Http, &["/img/{id}", "/thumb/{id}"], ("redis", &["thumb"]), &[10]),
    service("order", "java", Topic, &["orders", "order-changes"], ("postgresql", &["orders", "lines"]), &[17, 18, 19]),
    service("fraud", "python", Rpc, &["Score", "Explain"], ("cassandra", &["scores"]), &[]),
    service("bank-adapter", "java", Http, &["/auth", "/settle"], ("mysql", &["bookings"]), &[]),
    service("invoice", "php", Topic, &["invoices", "receipts"], ("mysql", &["invoices"]), &[18]),
    service("warehouse", "go", Topic, &["picking", "stock"], ("postgresql", &["stock", "shelves"]), &[]),
    service("notify", "ruby", Topic, &["emails", "pushes"], ("redis", &["outbox"]), &[]),
    service("analytics", "python", Topic, &["events", "sales"], ("clickhouse", &["facts"]), &[]),
];
