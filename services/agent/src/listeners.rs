//! The sockets of an agent.

use crate::config::{Config, Processor};
use skua_codec::thrift::Protocol;
use skua_receive::udp::{Options, Receiver};
use skua_runtime::listen::{self, ListenError};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use tokio::net::TcpListener;

/// About what a worker takes at once: some 800 spans, a request of 400 KiB.
const TAKE: usize = 256 << 10;

/// The sockets of an agent; what has an empty address has none.
#[derive(Debug, Default)]
pub struct Listeners {
    /// One for each UDP port.
    pub udp: Vec<Port>,
    /// `http-server.host-port`.
    pub http: Option<TcpListener>,
}

/// A UDP port and what comes on it.
#[derive(Debug)]
pub struct Port {
    /// The sockets.
    pub receiver: Receiver,
    /// How datagrams are written.
    pub protocol: Protocol,
    /// Jaeger's label: `jaeger` or `zipkin`.
    pub model: &'static str,
    /// Tasks that decode.
    pub workers: usize,
}

impl Port {
    /// Jaeger's label of the protocol.
    pub fn protocol_label(&self) -> &'static str {
        match self.protocol {
            Protocol::Compact => "compact",
            Protocol::Binary => "binary",
        }
    }
}

impl Listeners {
    /// Opens what the configuration asks for.
    ///
    /// # Errors
    /// Names the flag and the address that cannot be listened on.
    pub fn bind(config: &Config) -> Result<Self, ListenError> {
        let p = &config.processor;
        let ports = [
            ("processor.zipkin-compact.server-host-port", &p.zipkin_compact, Protocol::Compact, "zipkin"),
            ("processor.jaeger-compact.server-host-port", &p.jaeger_compact, Protocol::Compact, "jaeger"),
            ("processor.jaeger-binary.server-host-port", &p.jaeger_binary, Protocol::Binary, "jaeger"),
        ];
        let mut listeners = Self::default();
        for (flag, processor, protocol, model) in ports {
            if !processor.server_host_port.is_empty() {
                let receiver = udp(flag, processor)?;
                listeners.udp.push(Port { receiver, protocol, model, workers: or(processor.workers, 10) });
            }
        }
        let http = with_colon(&config.http_server.host_port);
        if !http.is_empty() {
            listeners.http = Some(listen::tcp("http-server.host-port", &http)?);
        }
        Ok(listeners)
    }

    /// What listens where, for the log and for a person.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let name = |port: &Port| match (port.model, port.protocol) {
            ("zipkin", _) => "Zipkin Thrift compact, UDP",
            (_, Protocol::Compact) => "Jaeger Thrift compact, UDP",
            (_, Protocol::Binary) => "Jaeger Thrift binary, UDP",
        };
        let udp = self.udp.iter().map(|port| (name(port), port.receiver.local_addr().to_string()));
        let http = self.http.iter().filter_map(|l| l.local_addr().ok()).map(|a| ("Sampling strategies", a.to_string()));
        udp.chain(http).collect()
    }
}

/// Jaeger takes 0 for "not given".
fn or(value: usize, default: usize) -> usize {
    if value == 0 { default } else { value }
}

/// A bare port number is one on all addresses, as Jaeger's agent reads it.
fn with_colon(host_port: &str) -> String {
    if host_port.parse::<u16>().is_ok() { format!(":{host_port}") } else { host_port.to_owned() }
}

fn udp(flag: &'static str, p: &Processor) -> Result<Receiver, ListenError> {
    let queue_packets = or(p.server_queue_size, 1000);
    let max_packet = or(p.server_max_packet_size, 65_000);
    let options = Options {
        sockets: or(p.server_sockets, 1),
        socket_buffer: p.server_socket_buffer_size,
        max_packet,
        queue_packets,
        queue_bytes: queue_packets.saturating_mul(Processor::BYTES_PER_PACKET).max(max_packet),
        take_bytes: TAKE,
    };
    let text = with_colon(&p.server_host_port);
    let failed = |source| ListenError::Bind { flag, text: text.clone(), source };
    let mut last = io::Error::other("the name has no address");
    for address in addresses(flag, &text)? {
        match Receiver::bind(address, &options) {
            Ok(receiver) => return Ok(receiver),
            Err(e) => last = e,
        }
    }
    Err(failed(last))
}

/// `:6831` means all addresses of both families, as in Go.
fn addresses(flag: &'static str, text: &str) -> Result<Vec<SocketAddr>, ListenError> {
    let bad = || ListenError::Address { flag, text: text.to_owned() };
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    let port: u16 = port.parse().map_err(|_| bad())?;
    if host.is_empty() {
        return Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()]);
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let named = (host, port).to_socket_addrs();
    Ok(named.map_err(|source| ListenError::Bind { flag, text: text.to_owned(), source })?.collect())
}
