//! Payload: the stored weights or constants of a model.

use super::slice::Slice;

/// Form in which an archive stores the weights or the constants of one model.
#[derive(Clone, Debug)]
pub enum Payload {
    /// The archive has none.
    Absent,
    /// A torch.save file: a zip inside the entry. [`Slice::nested`] verifies it.
    Legacy(Slice),
    /// One entry per tensor.
    Raw {
        /// The JSON file that lists the tensors. Verified if the archive was opened with `verify`.
        config: Slice,
        /// The folder to which the `path_name` of each tensor is appended, such as
        /// `tree/data/weights/`.
        folder: String,
    },
}
