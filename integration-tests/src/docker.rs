//! What Docker would read, without a Docker: see `validate/`.

use crate::process::{Process, new_log};
use crate::{Context, Result, ensure, wait};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A file under `deploy/`.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

/// The project of a compose file, with everything that it leaves out filled in; a mistake in it is an error.
pub async fn compose(name: &str) -> Result<Value> {
    read("compose", name).await
}

/// The stages of a Dockerfile, as `[{name, from, instructions}]`; what BuildKit refuses or warns of is an error.
pub async fn dockerfile(name: &str) -> Result<Value> {
    read("dockerfile", name).await
}

async fn read(kind: &str, name: &str) -> Result<Value> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("validate/run.sh");
    let folder = tempfile::tempdir()?;
    let log = new_log(folder.path(), "validate")?;
    let arguments = [kind.to_owned(), file(name).display().to_string()];
    let mut process = Process::spawn("validate", &program, &arguments, &[], true, &log)?;
    let status = process.wait(wait::PATIENCE).await?;
    let output = process.output()?;
    ensure(status.success(), || format!("{name}: {output}"))?;
    // `[go] building …` may come before it, in the same file.
    let json: String = output.lines().skip_while(|line| line.starts_with("[go]")).collect();
    serde_json::from_str(&json).context(format!("read what validate says of {name}: {output}"))
}
