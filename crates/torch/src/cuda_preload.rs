//! Preloads the libraries behind libtorch's CUDA operators, beside other work.
//!
//! The first convolution of a process on a device loads cuDNN, which builds its kernel tables. It
//! only matters that the program has convolutions; the kernels that it needs are known later.

use super::failure::check;
use super::warmup_conv::warm_up_convs;
use super::{Device, Failure, SideStream, Tensor, WarmupConv, WarmupGemm, dtype_to_torch, ffi};
use once_cell::sync::Lazy;
use pt2_format::lock::lock;
use pt2_format::program::schema::ScalarType;
use pt2_format::timeline;
use std::collections::HashSet;
use std::sync::Mutex;
use std::thread::JoinHandle;

/// Operators that share a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CudaLibrary {
    /// cuDNN, as libtorch's own operators use it.
    Convolution,
    /// cuDNN, as [`WarmupConv`]s use it.
    FusedConvolution,
}

/// Threads that load libraries and kernels. Drop waits for them, because the process must not end
/// while they run.
#[derive(Debug, Default)]
pub struct CudaPreload(Vec<JoinHandle<()>>);

static STARTED: Lazy<Mutex<HashSet<(Device, CudaLibrary)>>> = Lazy::new(Mutex::default);

impl CudaPreload {
    /// Starts to load a library for a CUDA device, unless another thread already has.
    pub fn begin(&mut self, device: Device, family: Option<CudaLibrary>) {
        let new = family.filter(|family| lock(&STARTED).insert((device, *family)));
        self.0.extend(new.and_then(|family| spawn("load cuDNN", move || first_call(device, family))));
    }

    /// Runs warm-ups of convolutions, one after another.
    pub fn warm_up_convs(&mut self, device: Device, all: impl Iterator<Item = WarmupConv> + Send + 'static) {
        // The iterator is advanced after the libraries are loaded, when the sizes of a call may be
        // known.
        let all = std::iter::once(WarmupConv::SMALL).chain(all);
        self.0.extend(spawn("load kernels", move || warm_up_convs(device, all)));
    }

    /// Loads cuBLAS and the kernels of products, one after another, once `ready` returns.
    pub fn warm_up_gemms(
        &mut self,
        device: Device,
        all: impl Iterator<Item = WarmupGemm> + Send + 'static,
        ready: impl FnOnce() + Send + 'static,
    ) {
        let load = move || {
            ready();
            timeline::span("load cuBLAS", || WarmupGemm::run(device, all))
        };
        self.0.extend(spawn("prepare products", load));
    }
}

impl Drop for CudaPreload {
    fn drop(&mut self) {
        for thread in self.0.drain(..) {
            // A panic here has no consequence: the first run loads the kernels.
            let _ = thread.join();
        }
    }
}

/// Starts a thread. If that or its work fails, the first run loads the kernels and reports the
/// error.
fn spawn(
    span: &'static str,
    load: impl FnOnce() -> Result<(), Failure> + Send + 'static,
) -> Option<JoinHandle<()>> {
    let named = std::thread::Builder::new().name("pt2-libraries".into());
    named.spawn(move || timeline::span(span, || drop(load()))).ok()
}

fn first_call(device: Device, family: CudaLibrary) -> Result<(), Failure> {
    if family == CudaLibrary::FusedConvolution {
        return warm_up_convs(device, [WarmupConv::SMALL]);
    }
    let stream = SideStream::enter(device)?;
    let empty = |sizes: &[i64]| Tensor::empty(sizes, dtype_to_torch(ScalarType::Float), device, false);
    let (input, weight) = (empty(&[1, 8, 8, 8])?, empty(&[8, 8, 3, 3])?);
    // SAFETY: both tensors are valid, and the stream's scope is entered.
    check(unsafe { ffi::shim_warm_up_convolution(input.as_ptr(), weight.as_ptr()) })?;
    stream.synchronize()
}
