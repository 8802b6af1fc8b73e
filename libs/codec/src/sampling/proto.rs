//! The messages of gRPC, as gogo/protobuf writes them: fields in order of their numbers, zeros left out.

use super::{Kind, PerOperation, Response};
use skua_model::wire::{Cursor, WireError, fixed64, len, put_bytes, put_message, put_uint, put_varint, varint};

impl Response {
    /// The message of gRPC.
    pub fn to_proto(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_uint(&mut out, 1, u64::from(self.kind == Kind::RateLimiting));
        if let Some(rate) = self.probabilistic {
            put_message(&mut out, 2, |out| put_double(out, 1, rate));
        }
        if let Some(limit) = self.rate_limiting {
            put_message(&mut out, 3, |out| put_uint(out, 1, i64::from(limit) as u64));
        }
        if let Some(of) = &self.operations {
            put_message(&mut out, 4, |out| of.put(out));
        }
        out
    }

    /// Reads the message of gRPC. A `strategyType` that does not exist yet is taken for probabilistic, and a listed operation
    /// without a strategy for one of probability 0.
    ///
    /// # Errors
    /// When it is not protobuf, or not this message.
    pub fn from_proto(message: &[u8]) -> Result<Self, WireError> {
        const KIND: u32 = varint(1);
        const PROBABILISTIC: u32 = len(2);
        const RATE_LIMITING: u32 = len(3);
        const OPERATIONS: u32 = len(4);
        let mut response = Self::default();
        let mut c = Cursor::new(message);
        while let Some(tag) = c.tag()? {
            match tag {
                KIND => response.kind = if c.varint()? == 1 { Kind::RateLimiting } else { Kind::Probabilistic },
                PROBABILISTIC => response.probabilistic = Some(read_rate(c.bytes()?)?),
                RATE_LIMITING => response.rate_limiting = Some(read_limit(c.bytes()?)?),
                OPERATIONS => response.operations = Some(PerOperation::read(c.bytes()?)?),
                _ => c.skip(tag, 0b11110)?,
            }
        }
        Ok(response)
    }
}

impl PerOperation {
    fn put(&self, out: &mut Vec<u8>) {
        put_double(out, 1, self.default_probability);
        put_double(out, 2, self.default_lower_bound);
        for (operation, rate) in &self.operations {
            put_message(out, 3, |out| {
                if !operation.is_empty() {
                    put_bytes(out, 1, operation.as_bytes());
                }
                put_message(out, 2, |out| put_double(out, 1, *rate));
            });
        }
        put_double(out, 4, self.default_upper_bound);
    }

    fn read(message: &[u8]) -> Result<Self, WireError> {
        const DEFAULT: u32 = fixed64(1);
        const LOWER: u32 = fixed64(2);
        const OPERATIONS: u32 = len(3);
        const UPPER: u32 = fixed64(4);
        let mut of = Self::default();
        let mut c = Cursor::new(message);
        while let Some(tag) = c.tag()? {
            match tag {
                DEFAULT => of.default_probability = f64::from_bits(c.fixed64()?),
                LOWER => of.default_lower_bound = f64::from_bits(c.fixed64()?),
                OPERATIONS => of.operations.push(read_operation(c.bytes()?)?),
                UPPER => of.default_upper_bound = f64::from_bits(c.fixed64()?),
                _ => c.skip(tag, 0b11110)?,
            }
        }
        Ok(of)
    }
}

/// `OperationSamplingStrategy`.
fn read_operation(message: &[u8]) -> Result<(String, f64), WireError> {
    const NAME: u32 = len(1);
    const STRATEGY: u32 = len(2);
    let (mut operation, mut rate) = (String::new(), 0.0);
    let mut c = Cursor::new(message);
    while let Some(tag) = c.tag()? {
        match tag {
            NAME => operation = String::from_utf8_lossy(c.bytes()?).into_owned(),
            STRATEGY => rate = read_rate(c.bytes()?)?,
            _ => c.skip(tag, 0b110)?,
        }
    }
    Ok((operation, rate))
}

/// `ProbabilisticSamplingStrategy`.
fn read_rate(message: &[u8]) -> Result<f64, WireError> {
    const RATE: u32 = fixed64(1);
    let mut rate = 0.0;
    let mut c = Cursor::new(message);
    while let Some(tag) = c.tag()? {
        match tag {
            RATE => rate = f64::from_bits(c.fixed64()?),
            _ => c.skip(tag, 0b10)?,
        }
    }
    Ok(rate)
}

/// `RateLimitingSamplingStrategy`.
fn read_limit(message: &[u8]) -> Result<i32, WireError> {
    const LIMIT: u32 = varint(1);
    let mut limit = 0;
    let mut c = Cursor::new(message);
    while let Some(tag) = c.tag()? {
        match tag {
            LIMIT => limit = c.varint()? as i32,
            _ => c.skip(tag, 0b10)?,
        }
    }
    Ok(limit)
}

/// Writes `SamplingStrategyParameters{1 serviceName}`.
pub fn put_request(service: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if !service.is_empty() {
        put_bytes(&mut out, 1, service.as_bytes());
    }
    out
}

/// Reads `SamplingStrategyParameters`.
///
/// # Errors
/// When it is not protobuf, or not this message.
pub fn read_request(message: &[u8]) -> Result<String, WireError> {
    const SERVICE: u32 = len(1);
    let mut service = String::new();
    let mut c = Cursor::new(message);
    while let Some(tag) = c.tag()? {
        match tag {
            SERVICE => service = String::from_utf8_lossy(c.bytes()?).into_owned(),
            _ => c.skip(tag, 0b10)?,
        }
    }
    Ok(service)
}

/// Both zeros are left out, as Go compares them equal.
fn put_double(out: &mut Vec<u8>, number: u32, v: f64) {
    if v != 0.0 {
        put_varint(out, u64::from(fixed64(number)));
        out.extend_from_slice(&v.to_le_bytes());
    }
}
