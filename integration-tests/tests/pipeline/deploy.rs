//! The files of `deploy/`: read by the programs that they are for, or by the same libraries, and by the binary that they start.

use serde_json::Value;
use skua_integration_tests::nginx::{self, Queries};
use skua_integration_tests::query::{list, text};
use skua_integration_tests::{Result, docker, skua};
use std::collections::BTreeSet;
use std::path::Path;

const PIPELINES: [&str; 3] = ["compose/kafka-elasticsearch.yaml", "compose/kafka-cassandra.yaml", "compose/kafka-parquet.yaml"];

/// The words of a command in a compose file.
fn words(command: &Value) -> Vec<String> {
    list(command).iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

/// The members of a JSON object.
fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// The ports that a service has on the host.
fn published(service: &Value) -> BTreeSet<u16> {
    list(&service["ports"]).iter().filter_map(|port| text(port, "published").parse().ok()).collect()
}

/// Scenario: each compose file. Guarantee: it is valid; the binary takes the configuration of each of its services, and asks the right
/// port for its health.
#[tokio::test]
async fn compose_files_are_valid_and_so_are_their_flags() -> Result<()> {
    for file in PIPELINES.into_iter().chain(["compose/all-in-one.yaml"]) {
        let project = docker::compose(file).await?;
        for (name, service) in members(&project["services"]).filter(|(_, service)| service["image"] == "skua") {
            let command = words(&service["command"]);
            let env = members(&service["environment"]);
            let env: Vec<_> = env.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
            let check = [vec!["config".to_owned(), "check".to_owned()], command.clone()].concat();
            let said = skua::run_in(&check, &env).await?;
            assert_eq!(said, "the configuration is valid\n", "{file}, {name}");
            if service["healthcheck"]["disable"] != true {
                let health = words(&service["healthcheck"]["test"]);
                assert_eq!(health, ["CMD", "/usr/bin/skua", "status", &command[0]], "{file}, {name}");
            }
        }
    }
    Ok(())
}

/// Scenario: the compose files with a pipeline. Guarantee: two of each tier; nginx finds the services that it names, and publishes what
/// it listens on; the servers are those that the tests run with.
#[tokio::test]
async fn compose_files_fit_nginx_and_the_tests() -> Result<()> {
    let files = nginx::read(Queries::AtTheRoot)?;
    let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers");
    let poms =
        ["kafka", "elasticsearch8", "cassandra"].map(|server| std::fs::read_to_string(servers.join(server).join("pom.xml")));
    let poms: String = poms.into_iter().collect::<std::io::Result<_>>()?;
    for file in PIPELINES {
        let project = docker::compose(file).await?;
        let services = &project["services"];
        for tier in ["collector", "ingester", "query"] {
            let command = |number| words(&services[format!("{tier}-{number}")]["command"]);
            assert_eq!((command(1), command(2)), (vec![tier.to_owned()], vec![tier.to_owned()]), "{file}");
        }
        for (name, port) in &files.services {
            assert!(services[name].is_object(), "{file} has no {name}, which deploy/nginx/upstreams.conf names with {port}");
            assert!(services["nginx"]["depends_on"][name].is_object(), "{file}: nginx does not wait for {name}");
        }
        assert_eq!(published(&services["nginx"]), files.ports, "{file}");
        for (name, service) in members(services).filter(|(_, service)| service["image"] != "skua") {
            let (image, version) = text(service, "image").split_once(':').unwrap_or_default();
            assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{file}, {name}: no version of {image}");
            assert!(name == "nginx" || poms.contains(&format!(">{version}<")), "{file}: {image} is tested with another version");
        }
    }
    let project = docker::compose("compose/all-in-one.yaml").await?;
    assert!(published(&project["services"]["skua"]).is_superset(&files.ports));
    Ok(())
}

/// Guarantee: nginx takes its files, with either of the two ways to serve queries, without a warning, except that since 1.25 there is
/// another way to say `http2`, which 1.22 does not know.
#[tokio::test]
async fn nginx_takes_its_files() -> Result<()> {
    for queries in [Queries::AtTheRoot, Queries::BelowTracing] {
        let said = nginx::check(queries).await?;
        let warns = |line: &str| line.contains("[warn]") && !line.contains(r#"the "listen ... http2" directive is deprecated"#);
        assert!(said.contains("test is successful") && !said.lines().any(warns), "{said}");
    }
    Ok(())
}

/// Guarantee: BuildKit reads the Dockerfile and warns of nothing; the image has a numeric user, every port that nginx passes to, and a
/// link for each of Jaeger's programs; it is built by the oldest compiler that the workspace promises.
#[tokio::test]
async fn dockerfile_is_valid() -> Result<()> {
    let stages = docker::dockerfile("Dockerfile").await?;
    let [build, image] = list(&stages) else { panic!("not two stages: {stages}") };
    let workspace = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))?;
    let version = workspace.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap_or_default();
    assert!(text(build, "from").starts_with(&format!("rust:{}-", version.trim_end_matches('"'))), "{build}");
    let tiers = "for tier in agent collector ingester query all-in-one remote-storage;";
    assert!(words(&build["instructions"]).iter().any(|one| one.contains(tiers)), "{build}");

    let instructions = words(&image["instructions"]);
    let of =
        |name: &str| instructions.iter().filter_map(|one| one.strip_prefix(name)).map(str::trim).collect::<Vec<_>>().join(" ");
    assert!(of("USER").chars().all(|c| c.is_ascii_digit() || c == ':') && !of("USER").starts_with('0'), "{instructions:?}");
    assert_eq!(of("ENTRYPOINT"), r#"["/usr/bin/skua"]"#);
    assert!(of("HEALTHCHECK").contains(r#""status""#), "{instructions:?}");
    let exposed: BTreeSet<_> = of("EXPOSE").split(' ').map(str::to_owned).collect();
    for (name, port) in nginx::read(Queries::AtTheRoot)?.services {
        assert!(exposed.contains(&port.to_string()), "{name}:{port} is not in {exposed:?}");
    }
    Ok(())
}
