//! A tonic codec that hands messages over as they came.

use bytes::{Buf, BufMut, Bytes};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Messages as bytes, both ways. tonic gathers a message's frames in one buffer; this splits it off without a copy.
#[derive(Debug, Clone, Copy)]
pub struct Raw {
    send: (usize, usize),
    receive: usize,
}

/// First size of the buffer in which tonic gathers a request's frames. Its default of 8 KiB costs a third more CPU a span,
/// because a request of 200 spans (94 KiB) is then copied while the buffer grows.
const LONG: usize = 128 << 10;

/// Bytes of short messages that are sent together.
const TOGETHER: usize = 32 << 10;

impl Raw {
    /// Of a server: long requests, answers of a few bytes.
    pub const LONG_REQUESTS: Self = Self { send: (64, 1024), receive: LONG };

    /// Of a client: long requests, answers of a few bytes.
    pub const LONG_CALLS: Self = Self { send: (1 << 10, 1 << 20), receive: 1 << 10 };

    /// Messages of any length both ways, and streams of them.
    pub const STREAMS: Self = Self { send: (TOGETHER, TOGETHER), receive: LONG };
}

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        dst.reserve(item.len()); // at once, instead of by doubling
        dst.put(item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(self.send.0, self.send.1)
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(src.copy_to_bytes(src.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(self.receive, self.receive)
    }
}
