//! When stored bytes are compared with their checksums.

use crate::Result;
use crate::weights::pickle::SavedTensor;
use crate::weights::place::Verification;

/// Who compares stored bytes with their checksums.
pub enum Checksums {
    /// Nobody: the file is trusted.
    Trusted,
    /// Threads, while the program is read: nobody else has to touch the bytes before that is done.
    Beside(Verification),
}

impl Checksums {
    /// Begins, if bytes are compared.
    pub fn begin(stored: &[SavedTensor], wanted: bool) -> Checksums {
        if wanted { Checksums::Beside(Verification::of(stored)) } else { Checksums::Trusted }
    }

    /// Waits for the answer.
    pub fn finish(self) -> Result<()> {
        match self {
            Checksums::Trusted => Ok(()),
            Checksums::Beside(verification) => verification.finish(),
        }
    }
}
