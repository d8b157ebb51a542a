//! Payload: the stored weights or constants of a model.

use super::slice::Slice;

/// The form in which an archive holds the weights or the constants of one model.
#[derive(Clone, Debug)]
pub enum Payload {
    /// The archive has none.
    Absent,
    /// A torch.save file: a zip of its own inside the entry. Not yet verified; [`Slice::nested`] does that.
    Legacy(Slice),
    /// One entry for each tensor.
    Raw {
        /// The JSON file that lists the tensors, verified if that was asked for.
        config: Slice,
        /// What the `path_name` of each is appended to, such as `tree/data/weights/`.
        folder: String,
    },
}
