//! Names of libpt2's own operators, which passes insert. All but [`POINTWISE`] are operators of the
//! shim, in the namespace `pt2`.

/// Runs a convolution on cuDNN, optionally with a sum and ReLU.
pub const CUDNN: &str = "cudnn_convolution";

/// Runs a convolution on oneDNN, optionally with a sum and an activation.
pub const ONEDNN: &str = "onednn_convolution";

/// In-place form of [`ONEDNN`], which writes over the other operand of the sum.
pub const ONEDNN_IN_PLACE: &str = "onednn_convolution_";

/// Holds the tensors from which the weight of a oneDNN convolution is prepacked.
pub const CONVOLUTION_WEIGHT: &str = "convolution_weight";

/// Returns the weight prepacked for an input.
pub const ORDERED_WEIGHT: &str = "ordered_weight";

/// Computes the factors and shifts of batch norms.
pub const FOLD_NORMS: &str = "fold_norms";

/// Writes a product of two constants in a given memory format.
pub const PRODUCT: &str = "product";

/// Multiplies matrices, adds a vector to the rows of the product, and applies ReLU.
pub const ADDMM_RELU: &str = "addmm_relu";

/// Turns blocks of pixels into channels.
pub const SPACE_TO_DEPTH: &str = "space_to_depth";

/// Makes a tensor contiguous.
pub const CONTIGUOUS: &str = "contiguous";

/// Copies a tensor into dense memory with a given order of dimensions.
pub const RESTRIDE: &str = "restride";

/// Higher-order operator for a group of fused pointwise operations.
pub const POINTWISE: &str = "pointwise";
