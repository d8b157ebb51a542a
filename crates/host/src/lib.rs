//! Host process of libpt2, as both halves of the library handle it.
//!
//! The host owns its threads, their floating-point environment and cancellation state, its exit and
//! its forks. A call of libpt2 sets the state that libtorch needs and restores the host's.

mod cancellation;
mod floating_point;
mod gate;
mod object;
pub mod reserve;
mod team_size;
mod thread_storage;

pub use cancellation::without_cancellation;
pub use floating_point::FloatingPoint;
pub use gate::{Closed, Gate, InFlightCall};
pub use object::path_of;
pub use team_size::TeamSize;
pub use thread_storage::ThreadStorage;
