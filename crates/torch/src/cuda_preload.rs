//! Preloads the libraries behind libtorch's CUDA operators, beside other work.
//!
//! The first convolution of a process on a device loads cuDNN, which makes its tables of kernels: 100 ms that need
//! nothing of the program but that it has such operators. Which kernels it needs is known later.

use super::warmup_conv::warm_up_convs;
use super::{Device, Failure, SideStream, WarmupConv, WarmupGemm};
use once_cell::sync::Lazy;
use pt2_format::lock::lock;
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

/// Threads that load libraries and kernels and end; dropping waits for them, for a process must not end while they run.
#[derive(Debug, Default)]
pub struct CudaPreload(Vec<JoinHandle<()>>);

static STARTED: Lazy<Mutex<HashSet<(Device, CudaLibrary)>>> = Lazy::new(Mutex::default);

impl CudaPreload {
    /// Begins with a library of a CUDA device, unless someone has begun with it before.
    pub fn begin(&mut self, device: Device, family: Option<CudaLibrary>) {
        let new = family.filter(|family| lock(&STARTED).insert((device, *family)));
        self.0.extend(new.and_then(|family| spawn("load cuDNN", move || first_call(device, family))));
    }

    /// Goes on with the kernels of convolutions, in turn.
    pub fn warm_up_convs(&mut self, device: Device, all: impl Iterator<Item = WarmupConv> + Send + 'static) {
        // Which is next is asked once the libraries are there, when more is known of the calls.
        let all = std::iter::once(WarmupConv::SMALL).chain(all);
        self.0.extend(spawn("load kernels", move || warm_up_convs(device, all)));
    }

    /// Loads cuBLAS and the kernels of products, in turn, once `ready` returns.
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
            // A thread that panicked has nothing to say.
            let _ = thread.join();
        }
    }
}

/// A thread that cannot be had is no loss, for the first run loads what it needs; and what fails here fails there too,
/// and is reported there.
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
    let empty = |sizes: &[i64]| tch::Tensor::f_empty(sizes, (tch::Kind::Float, device.for_tch()));
    let convolved = empty(&[1, 8, 8, 8]).and_then(|input| {
        input.f_conv2d(&empty(&[8, 8, 3, 3])?, None::<&tch::Tensor>, [1, 1], [1, 1], [1, 1], 1)
    });
    drop(convolved.map_err(|error| Failure::of_tch(&error))?);
    stream.synchronize()
}
