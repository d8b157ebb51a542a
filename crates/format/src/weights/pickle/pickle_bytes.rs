//! Bytes of a pickle: a bounds-checked reader, and the names of the opcodes.

/// Reader that starts at the front of a pickle.
pub struct PickleBytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A range of the pickle as start and length, so that text is not copied.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    start: u32,
    len: u32,
}

impl<'a> PickleBytes<'a> {
    /// Wraps the bytes of a pickle. Rejects more than 4 GiB, so that 32 bits suffice for a
    /// [`Piece`].
    pub fn new(bytes: &'a [u8]) -> Result<PickleBytes<'a>, String> {
        match u32::try_from(bytes.len()) {
            Ok(_) => Ok(PickleBytes { bytes, at: 0 }),
            Err(_) => Err(format!("{} bytes of pickle, at most {} are read", bytes.len(), u32::MAX)),
        }
    }

    /// Returns the number of bytes read.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Takes the next `len` bytes. Checks the length against the remaining bytes before any use.
    pub fn take(&mut self, len: usize) -> Result<Piece, String> {
        let left = self.bytes.len() - self.at;
        if len > left {
            return Err(format!("{len} bytes are announced, {left} are left"));
        }
        let piece = Piece { start: self.at as u32, len: len as u32 };
        self.at += len;
        Ok(piece)
    }

    /// Takes the next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let piece = self.take(N)?;
        self.bytes(piece).try_into().map_err(|_| "the pickle ends early".to_owned())
    }

    /// Takes the next byte.
    pub fn byte(&mut self) -> Result<u8, String> {
        self.array().map(|[byte]| byte)
    }

    /// Takes the bytes up to the next line feed, and skips the line feed.
    pub fn line(&mut self) -> Result<&'a str, String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|byte| *byte == b'\n').ok_or("a line has no end")?;
        let line = self.take(len)?;
        self.at += 1;
        self.text(line)
    }

    /// Returns the bytes of a piece.
    pub fn bytes(&self, piece: Piece) -> &'a [u8] {
        let start = piece.start as usize;
        self.bytes.get(start..start + piece.len as usize).unwrap_or_default()
    }

    /// Returns a piece as text.
    pub fn text(&self, piece: Piece) -> Result<&'a str, String> {
        std::str::from_utf8(self.bytes(piece)).map_err(|_| "a string is not UTF-8".to_owned())
    }
}

/// Returns the name of an opcode as in Python's `pickletools`.
pub fn opcode_name(opcode: u8) -> Option<&'static str> {
    OPCODES.iter().find(|(code, _)| *code == opcode).map(|(_, name)| *name)
}

/// All opcodes of pickle protocols 0 to 5, so that errors can name rejected ones.
#[rustfmt::skip]
const OPCODES: [(u8, &str); 68] = [
    (0x28, "MARK"), (0x29, "EMPTY_TUPLE"), (0x2e, "STOP"), (0x30, "POP"),
    (0x31, "POP_MARK"), (0x32, "DUP"), (0x42, "BINBYTES"), (0x43, "SHORT_BINBYTES"),
    (0x46, "FLOAT"), (0x47, "BINFLOAT"), (0x49, "INT"), (0x4a, "BININT"),
    (0x4b, "BININT1"), (0x4c, "LONG"), (0x4d, "BININT2"), (0x4e, "NONE"),
    (0x50, "PERSID"), (0x51, "BINPERSID"), (0x52, "REDUCE"), (0x53, "STRING"),
    (0x54, "BINSTRING"), (0x55, "SHORT_BINSTRING"), (0x56, "UNICODE"), (0x58, "BINUNICODE"),
    (0x5d, "EMPTY_LIST"), (0x61, "APPEND"), (0x62, "BUILD"), (0x63, "GLOBAL"),
    (0x64, "DICT"), (0x65, "APPENDS"), (0x67, "GET"), (0x68, "BINGET"),
    (0x69, "INST"), (0x6a, "LONG_BINGET"), (0x6c, "LIST"), (0x6f, "OBJ"),
    (0x70, "PUT"), (0x71, "BINPUT"), (0x72, "LONG_BINPUT"), (0x73, "SETITEM"),
    (0x74, "TUPLE"), (0x75, "SETITEMS"), (0x7d, "EMPTY_DICT"), (0x80, "PROTO"),
    (0x81, "NEWOBJ"), (0x82, "EXT1"), (0x83, "EXT2"), (0x84, "EXT4"),
    (0x85, "TUPLE1"), (0x86, "TUPLE2"), (0x87, "TUPLE3"), (0x88, "NEWTRUE"),
    (0x89, "NEWFALSE"), (0x8a, "LONG1"), (0x8b, "LONG4"), (0x8c, "SHORT_BINUNICODE"),
    (0x8d, "BINUNICODE8"), (0x8e, "BINBYTES8"), (0x8f, "EMPTY_SET"), (0x90, "ADDITEMS"),
    (0x91, "FROZENSET"), (0x92, "NEWOBJ_EX"), (0x93, "STACK_GLOBAL"), (0x94, "MEMOIZE"),
    (0x95, "FRAME"), (0x96, "BYTEARRAY8"), (0x97, "NEXT_BUFFER"), (0x98, "READONLY_BUFFER"),
];
