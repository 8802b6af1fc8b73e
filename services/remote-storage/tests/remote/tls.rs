//! Encryption to the server, with the agent's certificates for tests: a CA, a server `collector.test` and a client.

use crate::given::{Server, batch, client, memory, span};
use prometheus_client::registry::Registry;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use skua_remote_storage::Versions;
use skua_store::{ErrorKind, SpanReader, SpanWriter};
use skua_store_remote::{Config, RemoteStore, Tls};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

fn file(name: &str) -> String {
    format!("{}/../agent/tests/agent/certificates/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Decrypts for a server, of clients that show a certificate of our CA.
async fn encrypted(server: String) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file("ca.pem")).unwrap()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let chain = vec![CertificateDer::from_pem_file(file("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_client_cert_verifier(clients).with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                let Ok(mut inside) = acceptor.accept(stream).await else { return };
                let mut outside = TcpStream::connect(server).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut inside, &mut outside).await);
            });
        }
    });
    address
}

/// All that the server asks for.
fn right() -> Tls {
    Tls {
        enabled: true,
        ca: file("ca.pem"),
        cert: file("client.pem"),
        key: file("client.key"),
        server_name: "collector.test".to_owned(),
        skip_host_verify: false,
    }
}

/// Scenario: both sides show certificates; then a wrong name, a wrong CA, no certificate of the client's, and plain text. Guarantee: spans
/// travel with the first, also when the client is told not to look at the server's; with the others nothing is acknowledged.
#[tokio::test]
async fn spans_travel_encrypted() {
    let server = Server::start(memory(), Versions::All).await;
    let address = encrypted(server.address.clone()).await;
    let to = |tls| client(&Config { server: address.clone(), tls, ..Config::default() });
    let blind = Tls { ca: String::new(), server_name: String::new(), skip_host_verify: true, ..right() };
    for tls in [right(), blind] {
        let store = to(tls);
        assert_eq!(store.write(&batch(&[span(1, 1, "a")])).await.unwrap().stored, 1);
        assert_eq!(store.services().await.unwrap(), ["s"]);
    }
    for tls in [
        Tls { server_name: String::new(), ..right() },
        Tls { ca: file("client.pem"), ..right() },
        Tls { cert: String::new(), key: String::new(), ..right() },
        Tls::default(),
    ] {
        let e = to(tls.clone()).write(&batch(&[span(1, 2, "b")])).await.unwrap_err();
        assert_eq!(e.kind, ErrorKind::Unavailable, "{tls:?}: {e}");
    }
    assert_eq!(server.spans("received", ""), 2);
}

/// Guarantee: a store is not made of flags that cannot work; flag and file are named.
#[tokio::test]
async fn what_is_wrong_is_said_at_the_start() {
    let refused = |server: &str, role: &str, tls: Tls, want: &str| {
        let config = Config { server: server.to_owned(), tls, ..Config::default() };
        let e = RemoteStore::new(&config, role, &mut Registry::default()).err().unwrap();
        assert!(e.kind == ErrorKind::Invalid && e.message.starts_with(want), "{e}");
    };
    let missing = || "/nowhere/x.pem".to_owned();
    refused(
        "storage",
        "primary",
        Tls::default(),
        "--grpc-storage.server: wants an address such as storage:17271, not \"storage\"",
    );
    refused("", "archive", Tls::default(), "--grpc-storage-archive.server: wants an address");
    let prefix = "--grpc-storage.tls.";
    let tls = |tls: Tls, want: &str| refused("storage:17271", "primary", tls, &format!("{prefix}{want}"));
    tls(Tls { ca: missing(), ..right() }, "ca=/nowhere/x.pem: ");
    tls(Tls { cert: missing(), ..right() }, "cert=/nowhere/x.pem: ");
    tls(Tls { key: missing(), ..right() }, "key=/nowhere/x.pem: ");
    tls(Tls { ca: file("README.md"), ..right() }, &format!("ca={}: no certificate", file("README.md")));
    tls(Tls { key: file("server.key"), ..right() }, &format!("cert={}: ", file("client.pem")));
    tls(Tls { key: String::new(), ..right() }, "key: must be set together");
    tls(Tls { server_name: "a b".to_owned(), ..right() }, "server-name: ");
}
