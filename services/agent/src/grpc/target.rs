//! The collectors of `--reporter.grpc.host-port`.

use crate::error::ConfigError;

/// A collector's name, which may have many addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
}

impl Target {
    /// Reads a list separated by commas.
    pub fn list(text: &str) -> Result<Vec<Self>, ConfigError> {
        let targets: Vec<_> =
            text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(Self::parse).collect::<Result<_, _>>()?;
        if targets.is_empty() {
            return Err(ConfigError::NoCollector);
        }
        Ok(targets)
    }

    fn parse(text: &str) -> Result<Self, ConfigError> {
        let bad = || ConfigError::Target(text.to_owned());
        let address = text.strip_prefix("dns:///").unwrap_or(text);
        let (host, port) = address.rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        if bare.is_none() && host.contains([':', '/', '[']) {
            return Err(bad()); // another scheme, or an address that needs brackets
        }
        let host = match bare.unwrap_or(host) {
            "" => "localhost",
            host => host,
        };
        let target = Self { host: host.to_owned(), port };
        target.authority().parse::<http::uri::Authority>().map_err(|_| bad())?;
        Ok(target)
    }

    /// `host:port`, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_jaegers() {
        for (text, want) in [
            ("collector:14250", vec!["collector:14250"]),
            (":14250", vec!["localhost:14250"]),
            ("dns:///jaeger-collector-headless.ns.svc:14250", vec!["jaeger-collector-headless.ns.svc:14250"]),
            ("a:1,b:2, c:3 ,", vec!["a:1", "b:2", "c:3"]),
            ("[::1]:14250,10.0.0.1:14250", vec!["[::1]:14250", "10.0.0.1:14250"]),
        ] {
            let got: Vec<_> = Target::list(text).expect("targets").iter().map(Target::authority).collect();
            assert_eq!(got, want);
        }
    }

    #[test]
    fn what_is_no_target_is_said() {
        for text in ["collector", "collector:port", "unix:///x.sock", "dns://8.8.8.8/x:1", "::1:14250", "a b:1", "http://x:1"] {
            let error = Target::list(text).expect_err(text).to_string();
            assert!(error.contains(&format!("{text:?}")) && error.starts_with("--reporter.grpc.host-port: "), "{error}");
        }
        assert!(Target::list(" , ").expect_err("empty").to_string().contains("no collector"));
    }
}
