//! Encryption by `--grpc-storage.tls.*`.

use crate::config;
use crate::target::Target;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use skua_store::{ErrorKind, StoreError};
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How the connection is encrypted.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the files. `None` without `enabled`. `group` is `grpc-storage` or `grpc-storage-archive`.
    ///
    /// # Errors
    /// `Invalid`; names the flag, and the file that cannot be used.
    pub fn load(flags: &config::Tls, group: &str, target: &Target) -> Result<Option<Self>, StoreError> {
        if !flags.enabled {
            return Ok(None);
        }
        let wrong = Wrong(group);
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| wrong.flag("enabled", e))?;
        let builder = if flags.skip_host_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(TakesAny(provider)))
        } else {
            builder.with_root_certificates(if flags.ca.is_empty() { wrong.system_roots()? } else { wrong.roots(&flags.ca)? })
        };
        let mut config = match (flags.cert.as_str(), flags.key.as_str()) {
            ("", "") => builder.with_no_client_auth(),
            ("", _) => return Err(wrong.flag("cert", "must be set together with tls.key")),
            (_, "") => return Err(wrong.flag("key", "must be set together with tls.cert")),
            (cert, key) => {
                let chain = wrong.certificates("cert", cert)?;
                let private = PrivateKeyDer::from_pem_file(key).map_err(|e| wrong.file("key", key, e))?;
                builder.with_client_auth_cert(chain, private).map_err(|e| wrong.file("cert", cert, e))?
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = if flags.server_name.is_empty() { target.host.clone() } else { flags.server_name.clone() };
        let name = ServerName::try_from(name).map_err(|e| wrong.flag("server-name", e))?;
        Ok(Some(Self { connector: TlsConnector::from(Arc::new(config)), name }))
    }

    /// Encrypts a connection.
    ///
    /// # Errors
    /// When the other side is not who it should be.
    pub async fn connect(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

/// Says which flag of a group is wrong, and why.
struct Wrong<'a>(&'a str);

impl Wrong<'_> {
    fn flag(&self, flag: &str, why: impl Display) -> StoreError {
        StoreError::new(ErrorKind::Invalid, format!("--{}.tls.{flag}: {why}", self.0))
    }

    fn file(&self, flag: &str, name: &str, why: impl Display) -> StoreError {
        StoreError::new(ErrorKind::Invalid, format!("--{}.tls.{flag}={name}: {why}", self.0))
    }

    fn certificates(&self, flag: &str, name: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
        let all = CertificateDer::pem_file_iter(name).map_err(|e| self.file(flag, name, e))?.collect::<Result<Vec<_>, _>>();
        match all.map_err(|e| self.file(flag, name, e))? {
            none if none.is_empty() => Err(self.file(flag, name, "no certificate in it (PEM)")),
            some => Ok(some),
        }
    }

    fn roots(&self, name: &str) -> Result<RootCertStore, StoreError> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates("ca", name)? {
            roots.add(certificate).map_err(|e| self.file("ca", name, e))?;
        }
        Ok(roots)
    }

    fn system_roots(&self) -> Result<RootCertStore, StoreError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
            return Err(self.flag("ca", format!("not set, and the system's certificates cannot be used: {why}")));
        }
        Ok(roots)
    }
}

/// `tls.skip-host-verify`: takes any certificate; only the handshake has to be sound.
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
