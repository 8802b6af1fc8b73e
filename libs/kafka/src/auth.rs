//! Jaeger's authentication flags in librdkafka's words; the same for producer and consumer.

use crate::config::wrong;
use rdkafka::ClientConfig;
use serde::Deserialize;
use skua_store::{ErrorKind, StoreError};
use std::fmt;

/// `kafka.*.plaintext.*`: SASL with a user and a password.
#[derive(Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Plaintext {
    /// User.
    pub username: String,
    /// Password; not printed.
    pub password: String,
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`, in any case of letters.
    pub mechanism: String,
}

impl Default for Plaintext {
    fn default() -> Self {
        Self { username: String::new(), password: String::new(), mechanism: "PLAIN".to_owned() }
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plaintext").field("username", &self.username).field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// `kafka.*.tls.*`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Tls {
    /// TLS also with another authentication than `tls`.
    pub enabled: bool,
    /// File of certificate authorities, PEM; empty for the system's.
    pub ca: String,
    /// File of our certificate, PEM.
    pub cert: String,
    /// File of our key, PEM.
    pub key: String,
    /// Must be empty: librdkafka always checks the name of the broker it connects to.
    pub server_name: String,
    /// Accept any certificate.
    pub skip_host_verify: bool,
}

/// `kafka.*.kerberos.*`: read so that the flags are known; not supported.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Kerberos {
    /// Name of the broker's service.
    pub service_name: String,
}

/// Who we are to the brokers.
#[derive(Debug)]
pub struct Authentication<'a> {
    /// `none`, `plaintext`, `tls` or `kerberos`, in any case of letters.
    pub method: &'a str,
    /// For `plaintext`.
    pub plaintext: &'a Plaintext,
    /// For `tls`, or when enabled.
    pub tls: &'a Tls,
}

impl Authentication<'_> {
    /// Sets `security.protocol` and what belongs to it. `prefix` is that of the flags, for the messages.
    ///
    /// # Errors
    /// Unsupported for Kerberos and for `tls.server-name`; Invalid for unknown words, and for TLS files without TLS.
    pub fn apply(&self, prefix: &str, conf: &mut ClientConfig) -> Result<(), StoreError> {
        let method = self.method.to_ascii_lowercase();
        let tls = self.tls.enabled || method == "tls";
        let sasl = match method.as_str() {
            "" | "none" | "tls" => false,
            "plaintext" => true,
            "kerberos" => return Err(unsupported(format!("{prefix}.authentication=kerberos needs a librdkafka with GSSAPI"))),
            other => return Err(wrong(&format!("{prefix}.authentication"), "none, plaintext, tls or kerberos", other)),
        };
        conf.set(
            "security.protocol",
            match (sasl, tls) {
                (false, false) => "plaintext",
                (false, true) => "ssl",
                (true, false) => "sasl_plaintext",
                (true, true) => "sasl_ssl",
            },
        );
        if sasl {
            let mechanism = self.plaintext.mechanism.to_ascii_uppercase();
            if !matches!(mechanism.as_str(), "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512") {
                let flag = format!("{prefix}.plaintext.mechanism");
                return Err(wrong(&flag, "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", &mechanism));
            }
            conf.set("sasl.mechanism", mechanism)
                .set("sasl.username", &self.plaintext.username)
                .set("sasl.password", &self.plaintext.password);
        }
        self.apply_tls(prefix, tls, conf)
    }

    fn apply_tls(&self, prefix: &str, on: bool, conf: &mut ClientConfig) -> Result<(), StoreError> {
        let t = self.tls;
        if !t.server_name.is_empty() {
            let why = "librdkafka checks the name of the broker it connects to and cannot be given another";
            return Err(unsupported(format!("{prefix}.tls.server-name: {why}")));
        }
        let files = [
            ("ssl.ca.location", "ca", &t.ca),
            ("ssl.certificate.location", "cert", &t.cert),
            ("ssl.key.location", "key", &t.key),
        ];
        for (setting, flag, file) in files.into_iter().filter(|(_, _, file)| !file.is_empty()) {
            if !on {
                return Err(wrong(&format!("{prefix}.tls.{flag}"), "tls.enabled or authentication=tls beside it", file));
            }
            conf.set(setting, file.as_str());
        }
        if t.skip_host_verify {
            if !on {
                return Err(wrong(
                    &format!("{prefix}.tls.skip-host-verify"),
                    "tls.enabled or authentication=tls beside it",
                    "true",
                ));
            }
            conf.set("enable.ssl.certificate.verification", "false");
        }
        Ok(())
    }
}

fn unsupported(what: String) -> StoreError {
    StoreError::new(ErrorKind::Unsupported, format!("start: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(method: &str, plaintext: Plaintext, tls: Tls) -> Result<ClientConfig, StoreError> {
        let mut conf = ClientConfig::new();
        Authentication { method, plaintext: &plaintext, tls: &tls }.apply("kafka.producer", &mut conf).map(|()| conf)
    }

    #[test]
    fn protocols_follow_jaegers_rules() {
        let protocol = |method: &str, enabled: bool| {
            let conf = applied(method, Plaintext::default(), Tls { enabled, ..Tls::default() }).unwrap();
            conf.get("security.protocol").unwrap().to_owned()
        };
        assert_eq!(protocol("none", false), "plaintext");
        assert_eq!(protocol("TLS", false), "ssl");
        assert_eq!(protocol("none", true), "ssl");
        assert_eq!(protocol("plaintext", false), "sasl_plaintext");
        assert_eq!(protocol("plaintext", true), "sasl_ssl");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let error = |method: &str, plaintext: Plaintext, tls: Tls| applied(method, plaintext, tls).unwrap_err();
        assert_eq!(error("kerberos", Plaintext::default(), Tls::default()).kind, ErrorKind::Unsupported);
        let named = Tls { server_name: "k".into(), enabled: true, ..Tls::default() };
        assert!(error("none", Plaintext::default(), named).message.contains("tls.server-name"));
        let off = Tls { ca: "ca.pem".into(), ..Tls::default() };
        assert!(error("none", Plaintext::default(), off).message.contains("kafka.producer.tls.ca"));
        let md5 = Plaintext { mechanism: "md5".into(), ..Plaintext::default() };
        assert!(error("plaintext", md5, Tls::default()).message.contains("SCRAM-SHA-256"));
    }

    #[test]
    fn passwords_are_not_printed() {
        let shown = format!("{:?}", Plaintext { password: "hunter2".into(), ..Plaintext::default() });
        assert!(!shown.contains("hunter2"));
    }
}
