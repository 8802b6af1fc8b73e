//! Opening the driver's session as the flags say.

use crate::config::Config;
use crate::error;
use crate::tls;
use async_trait::async_trait;
use scylla::authentication::{AuthError, AuthenticatorProvider, AuthenticatorSession, PlainTextAuthenticator};
use scylla::client::PoolSize;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::{DbError, RequestAttemptError};
use scylla::frame::Compression;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::{RequestInfo, RetryDecision, RetryPolicy, RetrySession};
use scylla::statement::Consistency;
use skua_store::{ErrorKind, StoreError};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// All that a session needs, read and checked.
pub(crate) struct Connector {
    config: Config,
    tls: Option<Arc<rustls::ClientConfig>>,
    consistency: Consistency,
    /// `host:port` of each server.
    servers: Vec<String>,
}

impl Connector {
    /// # Errors
    /// `Invalid`, for what can only be mended in the configuration.
    pub fn new(config: &Config) -> Result<Self, StoreError> {
        let invalid = |text: String| StoreError::new(ErrorKind::Invalid, text);
        let servers: Vec<String> = config.servers.iter().map(|s| with_port(s.trim(), config.port)).collect();
        if servers.is_empty() {
            return Err(invalid("cassandra.servers names no server".to_owned()));
        }
        if !matches!(config.proto_version, 0 | 4) {
            return Err(invalid(format!("cassandra.proto-version={}: the driver speaks version 4", config.proto_version)));
        }
        crate::schema::check_keyspace(&config.keyspace)?;
        let hosts: Vec<&str> = servers.iter().map(|s| s.rsplit_once(':').map_or(s.as_str(), |(host, _)| host)).collect();
        Ok(Self {
            tls: tls::load(&config.tls, &hosts)?,
            consistency: consistency(&config.consistency).map_err(invalid)?,
            servers,
            config: config.clone(),
        })
    }

    /// The servers, for messages.
    pub fn servers(&self) -> String {
        self.servers.join(",")
    }

    /// # Errors
    /// `Unavailable`, when none of the servers can be reached or they do not let us in.
    pub async fn connect(&self) -> Result<Session, StoreError> {
        let c = &self.config;
        let or = |time: Duration, default| if time.is_zero() { default } else { time };
        let mut policy = DefaultPolicy::builder().token_aware(true);
        if !c.local_dc.is_empty() {
            policy = policy.prefer_datacenter(c.local_dc.clone()).permit_dc_failover(true);
        }
        let profile = ExecutionProfile::builder()
            .consistency(self.consistency)
            .request_timeout(Some(or(c.timeout, TIMEOUT)))
            .load_balancing_policy(policy.build())
            .retry_policy(Arc::new(Attempts(c.max_retry_attempts.max(1))))
            .build();
        let connections = NonZeroUsize::new(c.connections_per_host).unwrap_or(NonZeroUsize::MIN);
        let mut builder = SessionBuilder::new()
            .known_nodes(&self.servers)
            .default_execution_profile_handle(profile.into_handle())
            .pool_size(PoolSize::PerHost(connections))
            .connection_timeout(or(c.connect_timeout, CONNECT_TIMEOUT))
            .compression((!c.disable_compression).then_some(Compression::Lz4))
            .fetch_full_schema_metadata(false)
            .tls_context(self.tls.clone());
        if !c.socket_keep_alive.is_zero() {
            builder = builder.tcp_keepalive_interval(c.socket_keep_alive);
        }
        if !c.username.is_empty() {
            builder = builder.authenticator_provider(Arc::new(Password::new(c)));
        }
        builder.build().await.map_err(|e| error::of_connect(&self.servers(), e))
    }
}

/// A server that was given with a port of its own keeps it; an IPv6 address has to be in brackets for that.
fn with_port(server: &str, port: u16) -> String {
    let own = server
        .rsplit_once(':')
        .is_some_and(|(host, port)| port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']')));
    match server {
        _ if own => server.to_owned(),
        v6 if v6.contains(':') && !v6.ends_with(']') => format!("[{v6}]:{port}"),
        host => format!("{host}:{port}"),
    }
}

/// gocql's names, in any case of letters.
fn consistency(name: &str) -> Result<Consistency, String> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "" | "LOCAL_ONE" => Consistency::LocalOne,
        "ANY" => Consistency::Any,
        "ONE" => Consistency::One,
        "TWO" => Consistency::Two,
        "THREE" => Consistency::Three,
        "QUORUM" => Consistency::Quorum,
        "ALL" => Consistency::All,
        "LOCAL_QUORUM" => Consistency::LocalQuorum,
        "EACH_QUORUM" => Consistency::EachQuorum,
        _ => return Err(format!("cassandra.consistency={name}: not a consistency level")),
    })
}

/// Gives user and password to the authenticators that it may.
struct Password {
    allowed: Vec<String>,
    plain: PlainTextAuthenticator,
}

impl Password {
    fn new(c: &Config) -> Self {
        let plain = PlainTextAuthenticator::new(c.username.clone(), c.password.clone());
        Self { allowed: c.basic.allowed_authenticators.clone(), plain }
    }
}

#[async_trait]
impl AuthenticatorProvider for Password {
    async fn start_authentication_session(
        &self,
        authenticator: &str,
    ) -> Result<(Option<Vec<u8>>, Box<dyn AuthenticatorSession>), AuthError> {
        if !self.allowed.is_empty() && !self.allowed.iter().any(|a| a == authenticator) {
            return Err(format!("the server's authenticator {authenticator} is not in --cassandra.basic.allowed-authenticators"));
        }
        self.plain.start_authentication_session(authenticator).await
    }
}

/// `--cassandra.max-retry-attempts`: a read is tried that often, on one node after the other. Writes say that they are not
/// idempotent and come back at once: `deliver` waits before it tries them again.
#[derive(Debug)]
struct Attempts(usize);

struct Tried {
    most: usize,
    so_far: usize,
}

impl RetryPolicy for Attempts {
    fn new_session(&self) -> Box<dyn RetrySession> {
        Box::new(Tried { most: self.0, so_far: 0 })
    }
}

impl RetrySession for Tried {
    fn decide_should_retry(&mut self, info: RequestInfo<'_>) -> RetryDecision {
        self.so_far += 1;
        let hopeless = matches!(
            info.error,
            RequestAttemptError::SerializationError(_)
                | RequestAttemptError::CqlRequestSerialization(_)
                | RequestAttemptError::DbError(DbError::Invalid | DbError::SyntaxError | DbError::Unauthorized, _)
        );
        if !info.is_idempotent || hopeless || self.so_far >= self.most {
            return RetryDecision::DontRetry;
        }
        RetryDecision::RetryNextTarget(None)
    }

    fn reset(&mut self) {
        self.so_far = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_added_where_there_is_none() {
        let cases = [
            ("db", "db:9042"),
            ("db:9142", "db:9142"),
            ("10.0.0.1", "10.0.0.1:9042"),
            ("::1", "[::1]:9042"),
            ("[::1]:9", "[::1]:9"),
            ("[::1]", "[::1]:9042"),
        ];
        for (given, want) in cases {
            assert_eq!(with_port(given, 9042), want);
        }
    }

    #[test]
    fn what_only_the_configuration_can_mend_is_said_at_once() {
        let refused = |change: &dyn Fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            let e = Connector::new(&config).err().expect("refused");
            assert_eq!(e.kind, ErrorKind::Invalid);
            e.message
        };
        assert!(refused(&|c| c.consistency = "MOST".to_owned()).contains("cassandra.consistency=MOST"));
        assert!(refused(&|c| c.proto_version = 3).contains("cassandra.proto-version=3"));
        assert!(refused(&|c| c.keyspace = "a-b".to_owned()).contains("cassandra.keyspace=a-b"));
        assert!(refused(&|c| c.servers.clear()).contains("cassandra.servers"));
        let tls = |c: &mut Config, ca: &str| {
            c.tls.enabled = true;
            c.tls.ca = ca.to_owned();
        };
        assert!(refused(&|c| tls(c, "/no/such/ca.pem")).contains("cassandra.tls.ca=/no/such/ca.pem"));
        assert_eq!(consistency("local_quorum").unwrap(), Consistency::LocalQuorum);
    }
}
