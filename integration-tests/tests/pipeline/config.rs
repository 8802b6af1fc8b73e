//! A configuration that cannot be right stops the start, with exit code 64 and a text that says where the mistake is.

use skua_integration_tests::{Result, Skua};

/// Runs a tier that must refuse to start, and gives what it said.
async fn refused(tier: &str, args: &[String], env: &[(&str, &str)]) -> Result<String> {
    let mut skua = Skua::launch(tier, args, env)?;
    let status = skua.wait().await?;
    let output = skua.output()?;
    assert_eq!(status.code(), Some(64), "{output}");
    Ok(output)
}

fn says(output: &str, parts: &[&str]) {
    for part in parts {
        assert!(output.contains(part), "{part:?} is not in:\n{output}");
    }
}

/// Scenario: a flag is misspelt. Guarantee: it is named, with the flag that was probably meant.
#[tokio::test]
async fn unknown_flag() -> Result<()> {
    let args = ["--kafka.producer.brokrs=127.0.0.1:1".to_owned()];
    let output = refused("collector", &args, &[("SPAN_STORAGE_TYPE", "kafka")]).await?;
    says(&output, &["--kafka.producer.brokrs", "--kafka.producer.brokers"]);
    Ok(())
}

/// Scenario: a config file has a key that no flag defines (which Jaeger ignores). Guarantee: file, line and key are named.
#[tokio::test]
async fn unknown_key_in_the_config_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("skua.yaml");
    std::fs::write(&path, "es:\n  num-replicas: 0\n  num-shrds: 3\n")?;
    let args = [format!("--config-file={}", path.display())];
    let output = refused("query", &args, &[("SPAN_STORAGE_TYPE", "elasticsearch")]).await?;
    says(&output, &["skua.yaml:3", "num-shrds", "num-shards"]);
    Ok(())
}

/// Scenario: an environment variable holds a text where a number is wanted. Guarantee: the variable and the text are named.
#[tokio::test]
async fn wrong_type_in_the_environment() -> Result<()> {
    let env = [("SPAN_STORAGE_TYPE", "elasticsearch"), ("ES_NUM_SHARDS", "many")];
    let output = refused("query", &[], &env).await?;
    says(&output, &["ES_NUM_SHARDS", "many"]);
    Ok(())
}

/// Scenario: several mistakes at once, in different places. Guarantee: one start shows all of them.
#[tokio::test]
async fn all_mistakes_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("skua.toml");
    std::fs::write(&path, "[es]\nindex-prefx = \"a\"\n")?;
    let args = [format!("--config-file={}", path.display()), "--es.bulk.workers=none".to_owned()];
    let env = [("SPAN_STORAGE_TYPE", "elasticsearch"), ("ES_NUM_REPLICAS", "-")];
    let output = refused("ingester", &args, &env).await?;
    says(&output, &["skua.toml:2", "index-prefx", "--es.bulk.workers", "ES_NUM_REPLICAS"]);
    Ok(())
}
