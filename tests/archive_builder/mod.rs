//! Writes zips in which every field can be made wrong.

#![allow(dead_code, reason = "each test uses a part of it")]

use pt2_format::Error;
use pt2_format::archive::{ReadOptions, ZipFile};

pub const STREAMED: u16 = 0x0808;

/// One of the two headers of an entry.
#[derive(Clone)]
pub struct Header {
    pub needed: u16,
    pub flags: u16,
    pub method: u16,
    pub time: u32,
    pub crc32: u32,
    pub compressed: u32,
    pub size: u32,
    pub name: Vec<u8>,
    pub extra: Vec<u8>,
}

#[derive(Clone)]
pub struct Record {
    pub local: Header,
    pub central: Header,
    pub body: Vec<u8>,
    pub descriptor: Vec<u8>,
    pub made_by: u16,
    pub attributes: u32,
    pub disk: u16,
    pub comment: Vec<u8>,
    pub offset: Option<u32>,
    /// True if the entry has a local header and a body.
    pub present: bool,
    /// True if the directory lists the entry.
    pub listed: bool,
}

#[derive(Clone, Default)]
pub struct End {
    pub disk: u16,
    pub first_disk: u16,
    pub here: Option<u16>,
    pub count: Option<u16>,
    pub size: Option<u32>,
    pub offset: Option<u32>,
    pub comment: Vec<u8>,
    pub comment_length: Option<u16>,
}

/// ZIP64 records at the end.
#[derive(Clone)]
pub struct Wide {
    pub length: u64,
    pub disk: u32,
    pub here: Option<u64>,
    pub count: Option<u64>,
    pub size: Option<u64>,
    pub offset: Option<u64>,
    pub extensible: Vec<u8>,
    pub position: Option<u64>,
    pub disks: u32,
    pub gap: Vec<u8>,
    pub has_record: bool,
}

#[derive(Clone, Default)]
pub struct Zip {
    pub before: Vec<u8>,
    pub records: Vec<Record>,
    pub before_directory: Vec<u8>,
    pub after_directory: Vec<u8>,
    pub wide: Option<Wide>,
    pub end: End,
    pub after: Vec<u8>,
}

impl Header {
    fn of(name: &str, body: &[u8], flags: u16) -> Self {
        let size = body.len() as u32;
        Self {
            needed: 20,
            flags,
            method: 0,
            time: 0x5d76_a557,
            crc32: crc32fast::hash(body),
            compressed: size,
            size,
            name: name.into(),
            extra: Vec::new(),
        }
    }

    fn common(&self) -> Vec<u8> {
        [
            &self.needed.to_le_bytes()[..],
            &self.flags.to_le_bytes(),
            &self.method.to_le_bytes(),
            &self.time.to_le_bytes(),
            &self.crc32.to_le_bytes(),
            &self.compressed.to_le_bytes(),
            &self.size.to_le_bytes(),
            &(self.name.len() as u16).to_le_bytes(),
            &(self.extra.len() as u16).to_le_bytes(),
        ]
        .concat()
    }

    /// Moves checksum and sizes to the data descriptor.
    pub fn open(&mut self) {
        (self.crc32, self.compressed, self.size) = (0, 0, 0);
    }
}

impl Record {
    /// An entry as Python's zipfile writes it.
    pub fn plain(name: &str, body: &[u8]) -> Self {
        let header = Header::of(name, body, 0);
        Self {
            local: header.clone(),
            central: header,
            body: body.to_vec(),
            descriptor: Vec::new(),
            made_by: 0x0314,
            attributes: 0o600 << 16,
            disk: 0,
            comment: Vec::new(),
            offset: None,
            present: true,
            listed: true,
        }
    }

    /// An entry as PyTorch's writer writes it.
    pub fn streamed(name: &str, body: &[u8]) -> Self {
        let mut record = Self::plain(name, body);
        for header in [&mut record.local, &mut record.central] {
            (header.needed, header.flags, header.time) = (0, STREAMED, 0);
        }
        (record.made_by, record.attributes) = (0, 0);
        record.descriptor = descriptor(record.local.crc32, body.len() as u32);
        record.local.open();
        record.local.extra = extra(0x4246, &[b'Z'; 9]);
        record
    }

    fn write_local(&self) -> Vec<u8> {
        [
            &b"PK\x03\x04"[..],
            &self.local.common(),
            &self.local.name,
            &self.local.extra,
            &self.body,
            &self.descriptor,
        ]
        .concat()
    }

    fn write_central(&self, offset: u32) -> Vec<u8> {
        [
            &b"PK\x01\x02"[..],
            &self.made_by.to_le_bytes(),
            &self.central.common(),
            &(self.comment.len() as u16).to_le_bytes(),
            &self.disk.to_le_bytes(),
            &0u16.to_le_bytes(),
            &self.attributes.to_le_bytes(),
            &self.offset.unwrap_or(offset).to_le_bytes(),
            &self.central.name,
            &self.central.extra,
            &self.comment,
        ]
        .concat()
    }
}

impl Default for Wide {
    fn default() -> Self {
        Self {
            length: 44,
            disk: 0,
            here: None,
            count: None,
            size: None,
            offset: None,
            extensible: Vec::new(),
            position: None,
            disks: 1,
            gap: Vec::new(),
            has_record: true,
        }
    }
}

impl Wide {
    fn write(&self, count: u64, size: u64, offset: u64, position: u64) -> Vec<u8> {
        let count = self.count.unwrap_or(count);
        let record = [
            &b"PK\x06\x06"[..],
            &self.length.to_le_bytes(),
            &798u16.to_le_bytes(),
            &45u16.to_le_bytes(),
            &self.disk.to_le_bytes(),
            &self.disk.to_le_bytes(),
            &self.here.unwrap_or(count).to_le_bytes(),
            &count.to_le_bytes(),
            &self.size.unwrap_or(size).to_le_bytes(),
            &self.offset.unwrap_or(offset).to_le_bytes(),
            &self.extensible,
        ]
        .concat();
        let locator = [
            &b"PK\x06\x07"[..],
            &0u32.to_le_bytes(),
            &self.position.unwrap_or(position).to_le_bytes(),
            &self.disks.to_le_bytes(),
            &self.gap,
        ]
        .concat();
        if self.has_record { [record, locator].concat() } else { locator }
    }
}

impl End {
    fn write(&self, count: u64, size: u64, offset: u64) -> Vec<u8> {
        let count = self.count.unwrap_or(count as u16);
        let comment_length = self.comment_length.unwrap_or(self.comment.len() as u16);
        [
            &b"PK\x05\x06"[..],
            &self.disk.to_le_bytes(),
            &self.first_disk.to_le_bytes(),
            &self.here.unwrap_or(count).to_le_bytes(),
            &count.to_le_bytes(),
            &self.size.unwrap_or(size as u32).to_le_bytes(),
            &self.offset.unwrap_or(offset as u32).to_le_bytes(),
            &comment_length.to_le_bytes(),
            &self.comment,
        ]
        .concat()
    }
}

impl Zip {
    /// A zip as Python's zipfile writes it.
    pub fn plain(entries: &[(&str, &[u8])]) -> Self {
        let records = entries.iter().map(|(name, body)| Record::plain(name, body)).collect();
        Self { records, ..Self::default() }
    }

    /// A zip as PyTorch's writer writes it.
    pub fn streamed(entries: &[(&str, &[u8])]) -> Self {
        let records = entries.iter().map(|(name, body)| Record::streamed(name, body)).collect();
        Self { records, wide: Some(Wide::default()), ..Self::default() }
    }

    pub fn write(&self) -> Vec<u8> {
        let mut bytes = self.before.clone();
        let mut directory = Vec::new();
        for record in &self.records {
            let offset = bytes.len() as u32;
            if record.present {
                bytes.extend(record.write_local());
            }
            if record.listed {
                directory.extend(record.write_central(offset));
            }
        }
        bytes.extend(&self.before_directory);
        self.finish(bytes, directory)
    }

    fn finish(&self, mut bytes: Vec<u8>, directory: Vec<u8>) -> Vec<u8> {
        let count = self.records.iter().filter(|record| record.listed).count() as u64;
        let (size, offset) = (directory.len() as u64, bytes.len() as u64);
        bytes.extend(directory);
        bytes.extend(&self.after_directory);
        if let Some(wide) = &self.wide {
            let position = bytes.len() as u64;
            bytes.extend(wide.write(count, size, offset, position));
        }
        bytes.extend(self.end.write(count, size, offset));
        bytes.extend(&self.after);
        bytes
    }
}

/// One extra field.
pub fn extra(tag: u16, value: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat()
}

/// A ZIP64 extra field.
pub fn wide_extra(values: &[u64]) -> Vec<u8> {
    extra(1, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
}

pub fn descriptor(crc32: u32, size: u32) -> Vec<u8> {
    let fields = [crc32, size, size].map(u32::to_le_bytes).concat();
    [&b"PK\x07\x08"[..], &fields].concat()
}

pub fn wide_descriptor(crc32: u32, size: u64) -> Vec<u8> {
    [&b"PK\x07\x08"[..], &crc32.to_le_bytes(), &size.to_le_bytes(), &size.to_le_bytes()].concat()
}

/// A sound zip of two entries in each of the two styles.
pub fn sound() -> [Zip; 2] {
    let entries: [(&str, &[u8]); 2] = [("a/first", b"one"), ("a/second", b"two and more")];
    [Zip::plain(&entries), Zip::streamed(&entries)]
}

/// Opens the zip and verifies every entry. Returns names and bytes, or the error.
pub fn contents(bytes: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let container = ZipFile::from_bytes(bytes, &ReadOptions::default())?;
    let names: Vec<_> = container.names().map(str::to_owned).collect();
    names.into_iter().map(|name| Ok((name.clone(), container.get(&name)?.bytes().to_vec()))).collect()
}

/// Returns the message of the error for these bytes.
pub fn refusal(bytes: Vec<u8>) -> String {
    match contents(bytes) {
        Ok(entries) => panic!("accepted: {:?}", entries.iter().map(|(name, _)| name).collect::<Vec<_>>()),
        Err(error @ (Error::Archive { .. } | Error::Unsupported { .. } | Error::Checksum { .. })) => {
            error.to_string()
        }
        Err(error) => panic!("refused with the wrong kind of error: {error:?}"),
    }
}
