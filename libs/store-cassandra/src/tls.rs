//! Encryption by `--cassandra.tls.*`.
//!
//! The driver names a node by its address, and certificates seldom have addresses in them: a certificate counts when it is valid
//! for `tls.server-name`, else for the node's address or for a host name of `--cassandra.servers`.

use crate::config::Tls;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use skua_store::{ErrorKind, StoreError};
use std::fmt::Display;
use std::sync::Arc;

/// Reads the files. `None` without `enabled`. `hosts` are those of `--cassandra.servers`, without ports.
///
/// # Errors
/// `Invalid`; names the flag, and the file that cannot be used.
pub(crate) fn load(flags: &Tls, hosts: &[&str]) -> Result<Option<Arc<ClientConfig>>, StoreError> {
    if !flags.enabled {
        return Ok(None);
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| invalid(format!("cassandra.tls: {e}")))?;
    let verifier: Arc<dyn ServerCertVerifier> = if flags.skip_host_verify {
        Arc::new(TakesAny(provider))
    } else {
        let roots = Arc::new(if flags.ca.is_empty() { system_roots()? } else { roots(&flags.ca)? });
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        let inner = inner.map_err(|e| invalid(format!("cassandra.tls.ca: {e}")))?;
        let name = |host: &str| ServerName::try_from(host.to_owned());
        let (names, address) = if flags.server_name.is_empty() {
            (hosts.iter().filter_map(|host| name(host).ok()).collect(), true)
        } else {
            let wrong = |_| invalid(format!("cassandra.tls.server-name={}: not a host name", flags.server_name));
            (vec![name(&flags.server_name).map_err(wrong)?], false)
        };
        Arc::new(Named { inner, names, address })
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let config = match (flags.cert.as_str(), flags.key.as_str()) {
        ("", "") => builder.with_no_client_auth(),
        ("", _) | (_, "") => return Err(invalid("cassandra.tls.cert and cassandra.tls.key go together".to_owned())),
        (cert, key) => {
            let chain = certificates("cert", cert)?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(file("key", key))?;
            builder.with_client_auth_cert(chain, private).map_err(file("cert", cert))?
        }
    };
    Ok(Some(Arc::new(config)))
}

fn invalid(text: String) -> StoreError {
    StoreError::new(ErrorKind::Invalid, text)
}

fn file<E: Display>(flag: &'static str, name: &str) -> impl FnOnce(E) -> StoreError {
    let name = name.to_owned();
    move |e| invalid(format!("cassandra.tls.{flag}={name}: {e}"))
}

fn certificates(flag: &'static str, name: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(name).map_err(file(flag, name))?.collect();
    match all.map_err(file(flag, name))? {
        none if none.is_empty() => Err(file(flag, name)("no certificate in it (PEM)")),
        some => Ok(some),
    }
}

fn roots(name: &str) -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca", name)? {
        roots.add(certificate).map_err(file("ca", name))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, StoreError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        return Err(invalid(format!("cassandra.tls.ca is not set and the system's certificates cannot be used: {why}")));
    }
    Ok(roots)
}

/// Checks a certificate against names that are known beforehand.
#[derive(Debug)]
struct Named {
    inner: Arc<WebPkiServerVerifier>,
    names: Vec<ServerName<'static>>,
    /// The node's address will do as well.
    address: bool,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        node: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verify = |name: &ServerName<'_>| self.inner.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
        let mut refused = None;
        for name in self.address.then_some(node).into_iter().chain(&self.names) {
            match verify(name) {
                Ok(verified) => return Ok(verified),
                Err(e) => refused = refused.or(Some(e)),
            }
        }
        Err(refused.unwrap_or_else(|| rustls::Error::General("no name to check the certificate against".to_owned())))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// `tls.skip-host-verify`: takes any certificate; only the handshake has to be sound.
#[derive(Debug)]
struct TakesAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TakesAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
