//! Thrift's compact and binary protocol, as far as clients write them: structs, lists, integers, strings.
//! (`thrift-compact-protocol.md` and `thrift-binary-protocol.md` of Apache Thrift.)

/// How the same values lie on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Integers as varints, the number of a field as the step from the one before.
    Compact,
    /// Everything at its full width, big end first.
    Binary,
}

/// The types that Jaeger and Zipkin use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A truth value; compact has it in the type of the field.
    Bool,
    /// 16 bits.
    I16,
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
    /// IEEE 754.
    Double,
    /// Text or bytes.
    Binary,
    /// Elements of one type.
    List,
    /// Fields.
    Struct,
}

impl Type {
    fn code(self, protocol: Protocol) -> u8 {
        let (compact, binary) = match self {
            Self::Bool => (1, 2), // compact: true; false is 2
            Self::I16 => (4, 6),
            Self::I32 => (5, 8),
            Self::I64 => (6, 10),
            Self::Double => (7, 4),
            Self::Binary => (8, 11),
            Self::List => (9, 15),
            Self::Struct => (12, 12),
        };
        if protocol == Protocol::Compact { compact } else { binary }
    }
}

/// Appends values to a message.
#[derive(Debug)]
pub struct Writer {
    protocol: Protocol,
    out: Vec<u8>,
    /// The number of the last field of each open struct.
    last: Vec<i16>,
}

impl Writer {
    /// An empty message.
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, out: Vec::new(), last: Vec::new() }
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// A message of the type ONEWAY, its arguments in a struct.
    pub fn oneway(&mut self, method: &str, sequence: i32, arguments: impl FnOnce(&mut Self)) {
        const ONEWAY: u8 = 4;
        match self.protocol {
            Protocol::Compact => {
                self.out.extend_from_slice(&[0x82, 1 | ONEWAY << 5]);
                self.varint(sequence as u32 as u64);
                self.bytes(method.as_bytes());
            }
            Protocol::Binary => {
                self.out.extend_from_slice(&[0x80, 1, 0, ONEWAY]);
                self.bytes(method.as_bytes());
                self.out.extend_from_slice(&sequence.to_be_bytes());
            }
        }
        self.structure(arguments);
    }

    /// A struct without a field around it: an element of a list or a whole body.
    pub fn structure(&mut self, fields: impl FnOnce(&mut Self)) {
        self.last.push(0);
        fields(self);
        self.last.pop();
        self.out.push(0);
    }

    /// A field that is a struct.
    pub fn field(&mut self, number: i16, fields: impl FnOnce(&mut Self)) {
        self.head(number, Type::Struct.code(self.protocol));
        self.structure(fields);
    }

    /// A field that is a list; its elements follow.
    pub fn list(&mut self, number: i16, of: Type, length: usize) {
        self.head(number, Type::List.code(self.protocol));
        self.elements(of, length);
    }

    /// The head of a list without a field around it.
    pub fn elements(&mut self, of: Type, length: usize) {
        let code = of.code(self.protocol);
        match self.protocol {
            Protocol::Compact if length < 15 => self.out.push((length as u8) << 4 | code),
            Protocol::Compact => {
                self.out.push(0xf0 | code);
                self.varint(length as u64);
            }
            Protocol::Binary => {
                self.out.push(code);
                self.out.extend_from_slice(&(length as i32).to_be_bytes());
            }
        }
    }

    /// A field.
    pub fn bool(&mut self, number: i16, v: bool) {
        match self.protocol {
            Protocol::Compact => self.head(number, if v { 1 } else { 2 }),
            Protocol::Binary => {
                self.head(number, Type::Bool.code(self.protocol));
                self.out.push(u8::from(v));
            }
        }
    }

    /// A field.
    pub fn i16(&mut self, number: i16, v: i16) {
        self.head(number, Type::I16.code(self.protocol));
        self.int(i64::from(v), &v.to_be_bytes());
    }

    /// A field.
    pub fn i32(&mut self, number: i16, v: i32) {
        self.head(number, Type::I32.code(self.protocol));
        self.int(i64::from(v), &v.to_be_bytes());
    }

    /// A field.
    pub fn i64(&mut self, number: i16, v: i64) {
        self.head(number, Type::I64.code(self.protocol));
        self.int(v, &v.to_be_bytes());
    }

    /// A field. Compact has the little end first.
    pub fn double(&mut self, number: i16, v: f64) {
        self.head(number, Type::Double.code(self.protocol));
        self.out.extend_from_slice(&if self.protocol == Protocol::Compact { v.to_le_bytes() } else { v.to_be_bytes() });
    }

    /// A field of text or bytes.
    pub fn binary(&mut self, number: i16, v: &[u8]) {
        self.head(number, Type::Binary.code(self.protocol));
        self.bytes(v);
    }

    fn head(&mut self, number: i16, code: u8) {
        if self.protocol == Protocol::Binary {
            self.out.push(code);
            self.out.extend_from_slice(&number.to_be_bytes());
            return;
        }
        let last = self.last.last_mut().map_or(0, |last| std::mem::replace(last, number));
        match number - last {
            step @ 1..=15 => self.out.push((step as u8) << 4 | code),
            _ => {
                self.out.push(code);
                self.varint(zigzag(i64::from(number)));
            }
        }
    }

    fn int(&mut self, v: i64, big_endian: &[u8]) {
        match self.protocol {
            Protocol::Compact => self.varint(zigzag(v)),
            Protocol::Binary => self.out.extend_from_slice(big_endian),
        }
    }

    fn bytes(&mut self, v: &[u8]) {
        match self.protocol {
            Protocol::Compact => self.varint(v.len() as u64),
            Protocol::Binary => self.out.extend_from_slice(&(v.len() as i32).to_be_bytes()),
        }
        self.out.extend_from_slice(v);
    }

    fn varint(&mut self, mut v: u64) {
        while v >= 0x80 {
            self.out.push(v as u8 | 0x80);
            v >>= 7;
        }
        self.out.push(v as u8);
    }
}

/// Small numbers of either sign as small unsigned ones.
fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}
