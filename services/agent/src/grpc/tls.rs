//! Encryption by `--reporter.grpc.tls.*`.

use super::target::Target;
use crate::config;
use crate::error::ConfigError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How connections to collectors are encrypted.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    /// Instead of the host of a target.
    server_name: Option<ServerName<'static>>,
}

impl Tls {
    /// Reads the files. `None` without `enabled`.
    ///
    /// # Errors
    /// Names the flag, and the file that cannot be used.
    pub fn load(flags: &config::Tls) -> Result<Option<Self>, ConfigError> {
        if !flags.enabled {
            return only_off(flags).map(|()| None);
        }
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| ConfigError::SystemCertificates(e.to_string()))?;
        let builder = if flags.skip_host_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(TakesAny(provider)))
        } else {
            builder.with_root_certificates(if flags.ca.is_empty() { system_roots()? } else { roots(&flags.ca)? })
        };
        let mut config = match (flags.cert.as_str(), flags.key.as_str()) {
            ("", "") => builder.with_no_client_auth(),
            ("", _) | (_, "") => return Err(ConfigError::CertWithoutKey),
            (cert, key) => {
                let chain = certificates("cert", cert)?;
                let private = PrivateKeyDer::from_pem_file(key).map_err(file("key", key))?;
                builder.with_client_auth_cert(chain, private).map_err(file("cert", cert))?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = (!flags.server_name.is_empty()).then(|| ServerName::try_from(flags.server_name.clone())).transpose();
        let server_name = name.map_err(|_| ConfigError::ServerName(flags.server_name.clone()))?;
        Ok(Some(Self { connector: TlsConnector::from(Arc::new(config)), server_name }))
    }

    /// Encrypts a connection to a target.
    ///
    /// # Errors
    /// When the other side is not who it should be.
    pub async fn connect(&self, target: &Target, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(target.host.clone()).map_err(io::Error::other)?,
        };
        self.connector.connect(name, stream).await
    }
}

/// Jaeger too refuses to start with a flag that would silently have no effect here.
fn only_off(flags: &config::Tls) -> Result<(), ConfigError> {
    let given = [
        ("ca", !flags.ca.is_empty()),
        ("cert", !flags.cert.is_empty()),
        ("key", !flags.key.is_empty()),
        ("server-name", !flags.server_name.is_empty()),
        ("skip-host-verify", flags.skip_host_verify),
    ];
    given.into_iter().find(|(_, given)| *given).map_or(Ok(()), |(flag, _)| Err(ConfigError::TlsNotEnabled(flag)))
}

fn file<E: Display>(flag: &'static str, name: &str) -> impl FnOnce(E) -> ConfigError {
    let file = name.to_owned();
    move |e| ConfigError::TlsFile { flag, file, reason: e.to_string() }
}

fn certificates(flag: &'static str, name: &str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(name).map_err(file(flag, name))?.collect();
    match all.map_err(file(flag, name))? {
        none if none.is_empty() => Err(file(flag, name)("no certificate in it (PEM)")),
        some => Ok(some),
    }
}

fn roots(name: &str) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca", name)? {
        roots.add(certificate).map_err(file("ca", name))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, ConfigError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        return Err(ConfigError::SystemCertificates(why));
    }
    Ok(roots)
}

/// `--reporter.grpc.tls.skip-host-verify`: whoever shows a certificate and has its key.
#[derive(Debug)]
struct TakesAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TakesAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
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
