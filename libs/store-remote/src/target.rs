//! The server of `--grpc-storage.server`.

use http::uri::Authority;

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// A name, or an address without brackets.
    pub host: String,
    pub port: u16,
}

impl Target {
    /// Reads `host:port`, `:port` or `dns:///host:port`; `None` when it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let address = text.trim();
        let (host, port) = address.strip_prefix("dns:///").unwrap_or(address).rsplit_once(':')?;
        let port = port.parse().ok()?;
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        if bare.is_none() && host.contains([':', '/', '[', ',', '@']) {
            return None; // another scheme, a list, or an address that needs brackets
        }
        let host = match bare.unwrap_or(host) {
            "" => "localhost",
            host => host,
        };
        let target = Self { host: host.to_owned(), port };
        target.authority().parse::<Authority>().is_ok().then_some(target)
    }

    /// `host:port`, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn targets_are_those_of_go() {
        let read = |text| Target::parse(text).map(|t| t.authority());
        for (text, want) in [
            ("storage:17271", "storage:17271"),
            (":17271", "localhost:17271"),
            ("dns:///storage.ns.svc:17271", "storage.ns.svc:17271"),
            ("[::1]:17271", "[::1]:17271"),
        ] {
            assert_eq!(read(text).as_deref(), Some(want), "{text}");
        }
        for text in
            ["", "storage", "storage:port", "unix:///x.sock", "dns://8.8.8.8/x:1", "::1:17271", "a b:1", "http://x:1", "a:1,b:2"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
