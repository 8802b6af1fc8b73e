//! Objects that are replaced by compare-and-swap.
//!
//! Such an object begins with 16 bytes: its revision, one more at each replacement, and a mark, a number that whoever wrote it made up;
//! both `u64` little-endian. By the mark a writer knows its own bytes when an answer was lost, and no two versions are equal.

use super::error::of;
use super::files::Stamp;
use super::{Bucket, Location};
use crate::random;
use bytes::{BufMut, Bytes, BytesMut};
use object_store::{Error, GetOptions, PutMode, PutOptions, PutPayload, UpdateVersion};
use skua_store::{ErrorKind, StoreError};
use std::time::{Duration, Instant};

/// Bytes before the body.
pub(super) const HEADER: usize = 16;
/// How often a write is tried whose outcome is not known, and how long.
const TRIES: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

/// An object that is replaced, as it was when it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned {
    /// From 1 on, one more at each replacement.
    pub revision: u64,
    /// What follows the header.
    pub body: Bytes,
    /// Another at each replacement.
    pub(crate) mark: u64,
    /// By what the object store knows it; nothing of files.
    pub(crate) tag: UpdateVersion,
}

/// Of a header, if the bytes have one.
pub(super) fn stamp(bytes: &[u8]) -> Option<Stamp> {
    let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    Some((word(0)?, word(8)?))
}

impl Versioned {
    pub(super) fn stamp(&self) -> Stamp {
        (self.revision, self.mark)
    }

    /// What it takes to replace it.
    pub(crate) fn without_body(self) -> Self {
        Self { body: Bytes::new(), ..self }
    }

    fn read(file: &Bytes, tag: UpdateVersion) -> Option<Self> {
        let (revision, mark) = stamp(file)?;
        Some(Self { revision, body: file.slice(HEADER..), mark, tag })
    }
}

/// What a conditional write came to.
enum Wrote {
    Done(UpdateVersion),
    /// Nothing was changed.
    Refused,
    /// The server does not let us: nothing was changed, and trying again does not help.
    Denied(StoreError),
    /// It may or may not have been written.
    Unknown(StoreError),
}

impl Bucket {
    /// An object that is replaced; `None` when it is not there.
    ///
    /// # Errors
    /// `Internal` when it is damaged, `Unavailable` or `Overloaded`.
    pub async fn versioned(&self, name: &str) -> Result<Option<Versioned>, StoreError> {
        self.versioned_unless(name, None).await
    }

    /// What an object has become since it was `known`; `None` when it is still that.
    ///
    /// # Errors
    /// `NotFound` when it is not there any more; else as [`Bucket::versioned`].
    pub async fn changed(&self, name: &str, known: &Versioned) -> Result<Option<Versioned>, StoreError> {
        let now = self.versioned_unless(name, Some(known)).await?;
        let now = now.ok_or_else(|| self.doing("read", name).error(ErrorKind::NotFound, "it is not there any more"))?;
        Ok((now.stamp() != known.stamp()).then_some(now))
    }

    /// `known` itself when it has not changed.
    async fn versioned_unless(&self, name: &str, known: Option<&Versioned>) -> Result<Option<Versioned>, StoreError> {
        let (doing, location) = (self.doing("read", name), self.location(name)?);
        let (file, tag) = if self.is_local() {
            let stamp = known.map(Versioned::stamp);
            let read = self.on_files(move |files| {
                let unchanged = stamp.is_some() && files.stamp(&location)? == stamp;
                Ok((unchanged, if unchanged { None } else { files.whole(&location)? }))
            });
            let read = read.await;
            self.inner.metrics.count("get", 1, read.is_ok());
            let (unchanged, file) = read.map_err(|e| super::error::of_io(&doing, e))?;
            if unchanged {
                return Ok(known.cloned());
            }
            let Some(file) = file else { return Ok(None) };
            (file, UpdateVersion { e_tag: None, version: None })
        } else {
            let options = GetOptions::new().with_if_none_match(known.and_then(|known| known.tag.e_tag.clone()));
            let got = async {
                let got = self.inner.store.get_opts(&location, options).await?;
                let tag = UpdateVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
                Ok((got.bytes().await?, tag))
            };
            match got.await {
                Err(Error::NotModified { .. }) => {
                    self.inner.metrics.count("get", 1, true);
                    return Ok(known.cloned());
                }
                got => match self.found("get", &doing, got)? {
                    Some(got) => got,
                    None => return Ok(None),
                },
            }
        };
        if self.is_local() {
            self.inner.metrics.received(file.len());
        }
        Versioned::read(&file, tag).map(Some).ok_or_else(|| doing.damaged(format!("it has only {} bytes", file.len())))
    }

    /// Replaces an object if it is still as it was read, or makes it with `None` if it is not there. `None`, and nothing changed, when
    /// somebody was faster.
    ///
    /// An answer that was lost is looked for: an error means that it could not be found out within half a minute whether the object
    /// was replaced.
    ///
    /// # Errors
    /// `Timeout` when the outcome is not known, `Unavailable` or `Overloaded`, after which it is not known either.
    pub async fn replace(&self, name: &str, body: Bytes, was: Option<&Versioned>) -> Result<Option<Versioned>, StoreError> {
        let location = self.location(name)?;
        let (revision, mark) = (was.map_or(0, |was| was.revision).wrapping_add(1), random::number());
        let mut file = BytesMut::with_capacity(HEADER + body.len());
        file.put_u64_le(revision);
        file.put_u64_le(mark);
        file.extend_from_slice(&body);
        let file = file.freeze();
        let stamp = was.map(Versioned::stamp);
        let ours = |tag| Ok(Some(Versioned { revision, body: file.slice(HEADER..), mark, tag }));
        if self.is_local() {
            let bytes = file.clone();
            let replaced = self.on_files(move |files| files.replace(&location, &bytes, stamp)).await;
            self.inner.metrics.count("replace", 1, replaced.is_ok());
            let replaced = replaced.map_err(|e| super::error::of_io(&self.doing("replace", name), e))?;
            self.inner.metrics.sent(if replaced { file.len() } else { 0 });
            return if replaced { ours(UpdateVersion { e_tag: None, version: None }) } else { Ok(None) };
        }
        let (started, mut unsure) = (Instant::now(), false);
        for again in 1.. {
            let unknown = match self.write_if(name, &location, &file, was).await {
                Wrote::Done(tag) => return ours(tag),
                Wrote::Refused if !unsure => return Ok(None),
                // By what another wrote, or by what we wrote ourselves before.
                Wrote::Refused => None,
                Wrote::Denied(e) => return Err(e),
                Wrote::Unknown(e) => Some(e),
            };
            unsure = true;
            // A look that fails leaves the outcome open.
            if let Ok(now) = self.versioned(name).await {
                let there = now.as_ref().map(Versioned::stamp);
                match now {
                    Some(now) if there == Some((revision, mark)) => return Ok(Some(now)),
                    Some(now) if now.revision == revision => return Ok(None),
                    _ if there == stamp => {}
                    _ => {
                        let why = "it is not known whether it was replaced: others have replaced it since";
                        return Err(self.doing("replace", name).error(ErrorKind::Timeout, why));
                    }
                }
            }
            if again >= TRIES || started.elapsed() > PATIENCE {
                let why = "it is not known whether it was replaced";
                return Err(unknown.unwrap_or_else(|| self.doing("replace", name).error(ErrorKind::Timeout, why)));
            }
            tokio::time::sleep(random::jittered(PAUSE * 2u32.pow(again))).await;
        }
        Ok(None)
    }

    /// One try.
    async fn write_if(&self, name: &str, location: &Location, file: &Bytes, was: Option<&Versioned>) -> Wrote {
        let mode = was.map_or(PutMode::Create, |was| PutMode::Update(was.tag.clone()));
        let written = self.inner.once.put_opts(location, PutPayload::from(file.clone()), PutOptions::from(mode)).await;
        let refused = matches!(written, Err(Error::Precondition { .. } | Error::AlreadyExists { .. }));
        self.inner.metrics.count("replace", 1, written.is_ok() || refused);
        match written {
            Ok(written) => {
                self.inner.metrics.sent(file.len());
                Wrote::Done(written.into())
            }
            Err(_) if refused => Wrote::Refused,
            Err(e @ (Error::PermissionDenied { .. } | Error::Unauthenticated { .. } | Error::NotImplemented { .. })) => {
                Wrote::Denied(of(&self.doing("replace", name), e))
            }
            Err(e) => Wrote::Unknown(of(&self.doing("replace", name), e)),
        }
    }

    async fn on_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&super::Files) -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let inner = self.inner.clone();
        let work = move || match &inner.files {
            Some(files) => work(files),
            None => Err(std::io::Error::other("it has no files")),
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(std::io::Error::other(e)))
    }
}

impl super::Size for (Bytes, UpdateVersion) {
    fn size(&self) -> usize {
        self.0.len()
    }
}
