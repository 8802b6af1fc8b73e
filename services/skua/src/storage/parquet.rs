//! `SPAN_STORAGE_TYPE=parquet`.

mod store;

pub(super) use store::{Parquet, open};

use crate::process::Failure;
use skua_config::{Component, Loaded, Origin};
use std::io::ErrorKind;
use std::path::Path;

/// Whether spans can be kept at `--parquet.path`. False, with a word about it, where an `all-in-one` is to keep them in memory: nobody has asked for
/// a disk, and there is none that can be written, as in a container with a read-only file system, where Jaeger would start.
///
/// # Errors
/// When a directory that somebody wants cannot be written.
pub(super) fn is_possible(loaded: &Loaded) -> Result<bool, Failure> {
    let path = loaded.get_string("parquet.path");
    if path.contains("://") {
        return Ok(true);
    }
    let Err(error) = try_directory(Path::new(&path)) else { return Ok(true) };
    without_disk(loaded, &path, &error).map(|()| false)
}

/// What follows from a directory that cannot be written.
fn without_disk(loaded: &Loaded, path: &str, error: &std::io::Error) -> Result<(), Failure> {
    let unset = |flag| loaded.origin_of(flag) == Some(Origin::Default);
    let read_only = matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
    if read_only && loaded.component() == Component::AllInOne && unset("span-storage.type") && unset("parquet.path") {
        tracing::warn!(
            directory = path,
            %error,
            "SPANS ARE KEPT IN MEMORY and are gone when this process ends: the directory for them cannot be written; set --parquet.path to one \
             that can, or SPAN_STORAGE_TYPE=memory if that is what you want"
        );
        return Ok(());
    }
    Err(format!("failed to write to --parquet.path={path}: {error}; SPAN_STORAGE_TYPE=memory keeps spans in memory").into())
}

/// Makes a directory, if it is not there, and a file in it, which goes again.
fn try_directory(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path)?;
    let file = path.join(format!("try-{}", std::process::id()));
    std::fs::write(&file, [])?;
    std::fs::remove_file(file)
}

#[cfg(test)]
mod tests;
