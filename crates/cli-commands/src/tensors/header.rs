//! Header of a `.npy` file: a Python dict with three keys, which NumPy writes in one way
//! (`numpy/lib/format.py`).
//!
//! It is parsed in one pass and without recursion. A parser of all Python literals takes
//! exponential time for some texts of a hundred bytes.

use std::io::Read;

/// Maximum length of a header, in bytes. NumPy reads at most 10,000.
pub const MAX_LENGTH: usize = 1 << 16;

/// Maximum number of dimensions, the same as NumPy's.
pub const MAX_RANK: usize = 64;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Fields of a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Element type, such as `<f4`.
    pub descr: String,
    /// True if the first index is contiguous.
    pub fortran_order: bool,
    /// Sizes.
    pub shape: Vec<u64>,
}

impl Header {
    /// Reads a header. Returns it with its length in the file.
    pub fn read(from: &mut impl Read) -> Result<(Header, usize), String> {
        let mut start = [0; 8];
        from.read_exact(&mut start).map_err(|error| format!("no magic number: {error}"))?;
        let [magic @ .., version, _] = start;
        if magic != MAGIC {
            return Err("it does not begin with NumPy's magic number".into());
        }
        let width = match version {
            1 => 2,
            2 | 3 => 4,
            other => return Err(format!("version {other} of the format is not known")),
        };
        let mut length = [0; 4];
        let (digits, _) = length.split_at_mut(width);
        from.read_exact(digits).map_err(|error| format!("no length of a header: {error}"))?;
        let length = u32::from_le_bytes(length) as usize;
        if length > MAX_LENGTH {
            return Err(format!("its header has {length} bytes, at most {MAX_LENGTH} are read"));
        }
        let mut text = vec![0; length];
        from.read_exact(&mut text).map_err(|error| format!("its header is cut short: {error}"))?;
        let text = std::str::from_utf8(&text).map_err(|_| "its header is not UTF-8")?;
        Ok((Header::parse(text)?, start.len() + width + length))
    }

    /// Parses the text of a header.
    pub fn parse(text: &str) -> Result<Header, String> {
        let mut cursor = Cursor(text);
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        cursor.expect("{")?;
        while !cursor.eat("}") {
            let key = cursor.string().ok_or("a key of its header is no string")?;
            cursor.expect(":")?;
            let before = match key {
                "descr" => descr.replace(cursor.string().ok_or("its dtype is none of a tensor")?).is_some(),
                "fortran_order" => fortran_order.replace(cursor.truth()?).is_some(),
                "shape" => shape.replace(cursor.sizes()?).is_some(),
                other => return Err(format!("its header has the key `{}`", other.escape_debug())),
            };
            if before {
                return Err(format!("its header has the key `{key}` twice"));
            }
            if !cursor.eat(",") {
                cursor.expect("}")?;
                break;
            }
        }
        let (Some(descr), Some(fortran_order), Some(shape), "") =
            (descr, fortran_order, shape, cursor.rest())
        else {
            return Err("its header is not a dict of descr, fortran_order and shape".into());
        };
        Ok(Header { descr: descr.into(), fortran_order, shape })
    }

    /// Returns the bytes of a header, padded so that elements are aligned to 64 bytes.
    pub fn write(&self) -> Vec<u8> {
        let order = if self.fortran_order { "True" } else { "False" };
        let sizes: Vec<String> = self.shape.iter().map(u64::to_string).collect();
        let shape = if let [one] = &sizes[..] { format!("{one},") } else { sizes.join(", ") };
        let dict = format!("{{'descr': '{}', 'fortran_order': {order}, 'shape': ({shape}), }}", self.descr);
        let start = MAGIC.len() + 4;
        let length = (start + dict.len() + 1).next_multiple_of(64) - start;
        let mut bytes = [MAGIC, &[1, 0]].concat();
        bytes.extend((length as u16).to_le_bytes());
        bytes.extend(format!("{dict:<width$}\n", width = length - 1).into_bytes());
        bytes
    }
}

/// Rest of the text.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn rest(&mut self) -> &'a str {
        self.0 = self.0.trim_start();
        self.0
    }

    fn eat(&mut self, sign: &str) -> bool {
        let after = self.rest().strip_prefix(sign);
        self.0 = after.unwrap_or(self.0);
        after.is_some()
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.eat(sign) { Ok(()) } else { Err(format!("`{sign}` is missing in its header")) }
    }

    /// Parses a string without escapes.
    fn string(&mut self) -> Option<&'a str> {
        let quote = self.rest().chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (content, after) = self.0.get(1..)?.split_once(quote)?;
        self.0 = after;
        (!content.contains('\\')).then_some(content)
    }

    fn truth(&mut self) -> Result<bool, String> {
        match (self.eat("True"), self.eat("False")) {
            (false, false) => Err("fortran_order is neither True nor False in its header".into()),
            (truth, _) => Ok(truth),
        }
    }

    /// Parses a tuple of ints. Python 2 appended an `L` to some.
    fn sizes(&mut self) -> Result<Vec<u64>, String> {
        self.expect("(")?;
        let mut sizes = Vec::new();
        while !self.eat(")") {
            let text = self.rest();
            let digits =
                text.split_once(|other: char| !other.is_ascii_digit()).map_or(text, |(digits, _)| digits);
            self.0 = text.get(digits.len()..).unwrap_or_default();
            let size = digits.parse().map_err(|_| {
                if digits.is_empty() { "its shape is no tuple of sizes" } else { "its sizes are too large" }
            })?;
            sizes.push(size);
            if sizes.len() > MAX_RANK {
                return Err(format!("it has more than {MAX_RANK} dimensions"));
            }
            self.eat("L");
            if !self.eat(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(sizes)
    }
}
