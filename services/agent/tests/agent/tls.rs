//! Encryption to collectors, with certificates as `certificates/` has them.

use crate::given::{Agent, Collector, send, settings, until};
use prometheus_client::registry::Registry;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use skua_agent::{Collectors, Tls};
use skua_pipeline::Ledger;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

fn file(name: &str) -> String {
    format!("{}/tests/agent/certificates/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Decrypts for a collector, of clients that show a certificate of our CA.
async fn encrypted(collector: SocketAddr) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("ca.pem")).expect("a certificate")).expect("a CA");
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().expect("a verifier");
    let chain = vec![CertificateDer::from_pem_file(file("server.pem")).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(file("server.key")).expect("a key");
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .expect("a certificate with its key");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut inside) = acceptor.accept(stream).await else { return };
                let mut outside = TcpStream::connect(collector).await.expect("connected");
                drop(tokio::io::copy_bidirectional(&mut inside, &mut outside).await);
            });
        }
    });
    address
}

/// All that the collector asks for.
fn right() -> Tls {
    Tls {
        enabled: true,
        ca: file("ca.pem"),
        cert: file("client.pem"),
        key: file("client.key"),
        server_name: "collector.test".into(),
        skip_host_verify: false,
    }
}

fn agent(address: SocketAddr, tls: Tls) -> Agent {
    let mut settings = settings(address);
    settings.reporter.grpc.tls = tls;
    settings.reporter.grpc.retry.max = 0;
    settings.start()
}

/// Scenario: both sides show certificates. Guarantee: spans arrive; also when the agent is told not to look at the collector's.
#[tokio::test]
async fn spans_travel_encrypted() {
    let collector = Collector::start().await;
    let address = encrypted(collector.address).await;
    let blind = Tls { ca: String::new(), server_name: String::new(), skip_host_verify: true, ..right() };
    for (i, tls) in [right(), blind].into_iter().enumerate() {
        let agent = agent(address, tls);
        send(&agent, "s", &["x"]);
        until(|| collector.count() == i + 1).await;
    }
}

/// Scenario: the collector's certificate has another name, or is from nobody whom the agent trusts, or the agent has none, or speaks
/// in plain. Guarantee: no span is sent, and all are counted as dropped.
#[tokio::test]
async fn strangers_get_nothing() {
    let collector = Collector::start().await;
    let address = encrypted(collector.address).await;
    for wrong in [
        Tls { server_name: String::new(), ..right() },
        Tls { ca: file("client.pem"), ..right() },
        Tls { cert: String::new(), key: String::new(), ..right() },
        Tls::default(),
    ] {
        let agent = agent(address, wrong);
        send(&agent, "s", &["x"]);
        until(|| agent.ledger() == (1, 0, 1)).await;
    }
    assert_eq!(collector.count(), 0);
}

/// Guarantee: an agent does not start with flags that cannot work, and names flag and file.
#[tokio::test]
async fn what_is_wrong_is_said_at_the_start() {
    let refused = |tls: Tls, want: &str| {
        let mut reporter = settings("collector:14250").reporter;
        reporter.grpc.tls = tls;
        let mut registry = Registry::default();
        let ledger = Ledger::new("agent", &mut registry);
        let error = Collectors::new(&reporter, vec![], ledger, &mut registry).err().expect("an error").to_string();
        assert!(error.starts_with(want), "{error}");
    };
    let missing = || "/nowhere/x.pem".to_owned();
    let prefix = "--reporter.grpc.tls.";
    refused(Tls { ca: missing(), ..right() }, &format!("{prefix}ca: failed to use /nowhere/x.pem: "));
    refused(Tls { cert: missing(), ..right() }, &format!("{prefix}cert: failed to use /nowhere/x.pem: "));
    refused(Tls { key: missing(), ..right() }, &format!("{prefix}key: failed to use /nowhere/x.pem: "));
    refused(
        Tls { ca: file("README.md"), ..right() },
        &format!("{prefix}ca: failed to use {}: no certificate", file("README.md")),
    );
    refused(Tls { key: file("server.key"), ..right() }, &format!("{prefix}cert: failed to use {}: ", file("client.pem")));
    refused(Tls { key: String::new(), ..right() }, "--reporter.grpc.tls.cert and --reporter.grpc.tls.key must be given together");
    refused(Tls { server_name: "a b".into(), ..right() }, &format!("{prefix}server-name: \"a b\" is not a host name"));
    let off = Tls { ca: file("ca.pem"), ..Tls::default() };
    refused(off, "--reporter.grpc.tls.ca cannot be used when --reporter.grpc.tls.enabled is false");
}
