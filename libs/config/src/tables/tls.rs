//! The two families of TLS flags.

use crate::flag::Flag;
use crate::kind::Kind;

const SERVER: &str = "TLS on servers is not supported yet; terminate TLS in front (nginx) or remove the flag";

/// `X.tls.*` of a listener: known, and only the defaults are accepted.
pub(super) fn server(prefix: &str) -> Vec<Flag> {
    let rows: &[(&str, Kind, &str, &str)] = &[
        ("enabled", Kind::Bool, "false", "listen with TLS"),
        ("cert", Kind::String, "", "path of the server's certificate (PEM)"),
        ("key", Kind::String, "", "path of the server's private key (PEM)"),
        ("client-ca", Kind::String, "", "path of the CA (PEM) that client certificates must be signed by"),
        ("cipher-suites", Kind::List, "", "cipher suites by their IANA names; empty = the library's choice"),
        ("min-version", Kind::String, "", "lowest TLS version, 1.2 or 1.3"),
        ("max-version", Kind::String, "", "highest TLS version, 1.2 or 1.3"),
        ("reload-interval", Kind::Duration, "0s", "how often certificates are read again; 0 = never"),
    ];
    let flag = |(name, kind, default, help): &(&str, Kind, &'static str, &'static str)| {
        Flag::new(format!("{prefix}.tls.{name}"), *kind, default, *help).not_yet(SERVER)
    };
    rows.iter().map(flag).collect()
}

/// `X.tls.*` of a connection that we open. Setting any of them without `enabled` is an error, as in Jaeger.
pub(super) fn client(prefix: &str) -> Vec<Flag> {
    let rows: &[(&str, Kind, &str, &str)] = &[
        ("enabled", Kind::Bool, "false", "connect with TLS"),
        ("ca", Kind::String, "", "path of the CA (PEM) that the server's certificate must be signed by; empty = the system's"),
        ("cert", Kind::String, "", "path of the client's certificate (PEM)"),
        ("key", Kind::String, "", "path of the client's private key (PEM)"),
        ("server-name", Kind::String, "", "name that the server's certificate must have; empty = the host that is connected to"),
        ("skip-host-verify", Kind::Bool, "false", "do not check the server's certificate; insecure"),
    ];
    let flag = |(name, kind, default, help): &(&str, Kind, &'static str, &'static str)| {
        Flag::new(format!("{prefix}.tls.{name}"), *kind, default, *help)
    };
    rows.iter().map(flag).collect()
}
