//! A child process that never outlives its test, with its output in a file.

use crate::{Context, Error, Result, wait};
use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A running child and everything it started. Dropping it kills them all.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program`, appending both of its outputs to `log`. The environment is exactly `env`, or, with
    /// `inherit`, `env` on top of this process's own.
    ///
    /// The child leads a process group of its own, and the kernel kills it when the *thread* that called this ends:
    /// call this from the thread of the test (or `main`), not from a worker.
    pub fn spawn(
        name: &str,
        program: &Path,
        args: &[String],
        env: &[(String, String)],
        inherit: bool,
        log: &Path,
    ) -> Result<Self> {
        let output = OpenOptions::new().create(true).append(true).open(log).context(format!("open {}", log.display()))?;
        let mut command = Self::command(program, args);
        if !inherit {
            command.env_clear();
        }
        command.envs(env.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().context(format!("start {name} ({})", program.display()))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// A command whose process leads a group and is killed by the kernel when the calling thread ends.
    pub fn command(program: &Path, args: &[String]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(args).process_group(0);
        command
    }

    /// The process id, which is also the id of its group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, or `None` while it runs.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Sends a signal, by its name without `SIG`, to the process and its group.
    pub fn signal(&self, name: &str) -> Result<()> {
        signal(name, &format!("-{}", self.id()))
    }

    /// Sends SIGTERM to the process and waits until it has ended, for at most `limit`.
    pub async fn terminate(&mut self, limit: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        signal("TERM", &self.id().to_string())?;
        self.wait(limit).await
    }

    /// Kills the process and its group with SIGKILL: it cannot tidy up.
    pub fn kill(&mut self) -> Result<()> {
        if self.ended()?.is_none() {
            self.signal("KILL")?;
            self.child.wait()?;
        }
        Ok(())
    }

    /// Waits until the process ends by itself.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let name = self.name.clone();
        wait::until_within(limit, format!("the end of {name}"), async || self.ended()).await
    }

    /// Everything it has written, as text.
    pub fn output(&self) -> Result<String> {
        let bytes = std::fs::read(&self.log).context(format!("read {}", self.log.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last `lines` lines of its output, under a title.
    pub fn tail(&self, lines: usize) -> String {
        let text = self.output().unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        let last = all[all.len().saturating_sub(lines)..].join("\n");
        format!("--- {} (process {}), last lines:\n{last}\n---", self.name, self.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("{}: {error}", self.name);
        }
    }
}

/// Sends a signal to a process id, or to the group whose id follows a minus sign.
pub fn signal(name: &str, target: &str) -> Result<()> {
    let status = Command::new("sh").args(["-c", &format!("kill -s {name} -- {target}")]).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(Error::new(format!("kill -s {name} {target}: {status}"))) }
}

/// An empty file, for the output of a process.
pub fn new_log(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(format!("{name}.log"));
    File::create(&path).context(format!("create {}", path.display()))?;
    Ok(path)
}
