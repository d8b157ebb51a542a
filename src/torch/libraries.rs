//! The libraries behind libtorch's CUDA operators, loaded beside other work.
//!
//! The first convolution of a process on a device loads cuDNN and makes its handle, the first matrix product does so
//! with cuBLAS: 60 to 100 ms and 30 to 50 ms, which need nothing of the program but that it has such operators.

use super::{Device, Failure, Rehearsal, SideStream};
use crate::lock::lock;
use crate::timeline;
use once_cell::sync::Lazy;
use std::collections::HashSet;
use std::sync::Mutex;
use std::thread::JoinHandle;

/// Operators that share a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// cuDNN, as libtorch's own operators use it.
    Convolution,
    /// cuDNN, as [`Rehearsal`]s use it.
    FusedConvolution,
    /// cuBLAS.
    Product,
}

impl Family {
    /// Its loading in a timeline.
    fn span(self) -> &'static str {
        match self {
            Family::Convolution | Family::FusedConvolution => "load cuDNN",
            Family::Product => "load cuBLAS",
        }
    }
}

/// Threads that load libraries and end; dropping waits for them, for a process must not end while they run.
#[derive(Debug, Default)]
pub struct Loading(Vec<JoinHandle<()>>);

static BEGUN: Lazy<Mutex<HashSet<(Device, Family)>>> = Lazy::new(Mutex::default);

impl Loading {
    /// Begins with the libraries of these families that no one has begun with before. None on the CPU.
    pub fn begin(device: Device, families: &[Family]) -> Loading {
        if device == Device::Cpu {
            return Loading::default();
        }
        let mut begun = lock(&BEGUN);
        let new = families.iter().copied().filter(|family| begun.insert((device, *family)));
        let threads = new.filter_map(|family| spawn(family.span(), move || first_call(device, family)));
        Loading(threads.collect())
    }

    /// Goes on with the kernels of convolutions, in turn.
    pub fn rehearse(&mut self, device: Device, convolutions: Vec<Rehearsal>) {
        if !convolutions.is_empty() {
            self.0.extend(spawn("load kernels", move || Rehearsal::run(device, &convolutions)));
        }
    }
}

impl Drop for Loading {
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

fn first_call(device: Device, family: Family) -> Result<(), Failure> {
    let stream = SideStream::enter(device)?;
    let zeros = |sizes: &[i64]| tch::Tensor::f_zeros(sizes, (tch::Kind::Float, device.for_tch()));
    let result = match family {
        Family::Convolution => zeros(&[1, 8, 8, 8]).and_then(|input| {
            input.f_conv2d(&zeros(&[8, 8, 3, 3])?, None::<&tch::Tensor>, [1, 1], [1, 1], [1, 1], 1)
        }),
        Family::Product => zeros(&[8, 8]).and_then(|input| zeros(&[8])?.f_addmm(&input, &zeros(&[8, 8])?)),
        Family::FusedConvolution => return Rehearsal::run(device, &[Rehearsal::SMALL]),
    };
    drop(result.map_err(|error| Failure::of_tch(&error))?);
    stream.synchronize()
}
