//! Digest by which a caller allows a package's native code to run.

use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }
}

/// Returns the digest of all native code of a package.
///
/// Without separate kernel files this is the digest of the shared library. With them it is the
/// digest of the lines `<digest>  <file name>\n` of all files, ordered by file name, as `sha256sum`
/// prints them.
pub fn digest_of(library: (&str, Digest), kernels: &[(String, Digest)]) -> Digest {
    if kernels.is_empty() {
        return library.1;
    }
    let mut all: Vec<(&str, Digest)> =
        kernels.iter().map(|(name, digest)| (name.as_str(), *digest)).collect();
    all.push(library);
    all.sort();
    let lines: String = all.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
    Digest::of(lines.as_bytes())
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Digest, String> {
        let refused =
            || format!("`{}` is no SHA-256: 64 hexadecimal digits are expected", text.escape_debug());
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refused());
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(2 * place..2 * place + 2).ok_or_else(refused)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| refused())?;
        }
        Ok(Digest(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output of `printf abc | sha256sum`.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_are_read_and_written() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        assert_eq!(ABC.to_uppercase().parse(), Ok(Digest::of(b"abc")));
        for wrong in ["", "ba", &ABC[1..], &format!("{ABC}0"), &ABC.replace('b', "g"), &"é".repeat(32)] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn kernels_count_in_the_order_of_their_names() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(digest_of(("l.so", one), &[]), one);
        let listed = Digest::of(format!("{two}  k.cubin\n{one}  l.so\n").as_bytes());
        assert_eq!(digest_of(("l.so", one), &[("k.cubin".into(), two)]), listed);
        assert_ne!(digest_of(("l.so", one), &[("k.cubin".into(), one)]), listed);
    }
}
