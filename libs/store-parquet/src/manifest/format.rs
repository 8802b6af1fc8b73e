//! `SKUAMAN1` · crc32c u32 LE of what follows · protobuf, zstd.

use super::Manifest;
use bytes::Bytes;
use prost::Message as _;

const MAGIC: &[u8; 8] = b"SKUAMAN1";
const HEADER: usize = 12;
/// Bytes of the message at most, against damage: some million blocks.
const MOST: usize = 256 << 20;

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Damage {
    #[error("it is no manifest of this version")]
    Magic,
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

impl Manifest {
    pub(super) fn encode_file(&self) -> Result<Bytes, std::io::Error> {
        let message = zstd::bulk::compress(&self.encode_to_vec(), 1)?;
        let mut file = Vec::with_capacity(HEADER + message.len());
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&crc32c::crc32c(&message).to_le_bytes());
        file.extend_from_slice(&message);
        Ok(file.into())
    }

    pub(super) fn decode_file(file: &Bytes) -> Result<Self, Damage> {
        if !file.starts_with(MAGIC) {
            return Err(Damage::Magic);
        }
        let header = file.get(..HEADER).ok_or(Damage::Damaged("cut short"))?;
        let message = &file[HEADER..];
        if header[MAGIC.len()..] != crc32c::crc32c(message).to_le_bytes() {
            return Err(Damage::Damaged("its checksum does not match"));
        }
        let size = zstd::zstd_safe::get_frame_content_size(message).ok().flatten().and_then(|n| usize::try_from(n).ok());
        let size = size.filter(|size| *size <= MOST).ok_or(Damage::Damaged("it does not say its size, or is too large"))?;
        let message = zstd::bulk::decompress(message, size).map_err(|_| Damage::Damaged("it is no zstd"))?;
        Self::decode(Bytes::from(message)).map_err(|_| Damage::Damaged("it is no protobuf"))
    }
}
