//! Files of tensors that the program `pt2` reads: NumPy's header, and safetensors'.

use super::ledger::bounded;

#[allow(dead_code, reason = "shared with the program")]
#[path = "../../../crates/cli-commands/src/tensors/header.rs"]
pub mod header;

use header::{Header, MAX_LENGTH};

fn file(text: &str, length: u32) -> Vec<u8> {
    [b"\x93NUMPY\x02\x00", &length.to_le_bytes()[..], text.as_bytes()].concat()
}

/// Memory for each byte of a header.
const HEADER: usize = 16;

#[test]
fn headers_of_numpy() {
    let filled =
        |start: &str, piece: &str| start.to_owned() + &piece.repeat((MAX_LENGTH - start.len()) / piece.len());
    for (what, text) in [
        ("nested lists", filled("{'descr': ", "[")),
        ("nested tuples", filled("{'descr': '<f4', 'shape': ", "(")),
        ("sizes", filled("{'shape': (", "1,")),
        ("digits", filled("{'shape': (", "9")),
        ("blanks", filled("{", " ")),
        ("keys", filled("{", "'descr': '<f4',")),
        ("an open string", filled("{'descr': '", "<")),
    ] {
        let bytes = file(&text, text.len() as u32);
        bounded(what, bytes.len(), HEADER, 4096, || Header::read(&mut bytes.as_slice()).is_err());
    }
    let claims = file("{", u32::MAX);
    bounded("a length that is not there", claims.len(), HEADER, 4096, || {
        Header::read(&mut claims.as_slice()).is_err()
    });
}

/// Memory for each byte of a header: the two bytes of `1,` are a size of 8 in a list that doubles, several times.
const SAFETENSORS: usize = 64;

#[test]
fn headers_of_safetensors() {
    let with = |header: &str| [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    let one = |key: usize| format!("\"{key}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
    let many = format!("{{{}}}", (0..20_000).map(one).collect::<Vec<_>>().join(","));
    let nested = "[".repeat(1 << 20);
    let rank = format!(
        "{{\"a\":{{\"dtype\":\"U8\",\"shape\":[{}1],\"data_offsets\":[0,1]}}}}",
        "1,".repeat(1 << 18)
    );
    for (what, header) in [("tensors", many), ("nested lists", nested), ("sizes", rank)] {
        let bytes = with(&header);
        bounded(what, bytes.len(), SAFETENSORS, 1 << 20, || {
            safetensors::SafeTensors::deserialize(&bytes).map(|file| file.names().len()).is_ok()
        });
    }
    let claims = u64::MAX.to_le_bytes();
    bounded("a length that is not there", claims.len(), 16, 4096, || {
        safetensors::SafeTensors::deserialize(&claims).is_err()
    });
}
