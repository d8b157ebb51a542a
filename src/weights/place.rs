//! Stored tensors → tensors on a device.
//!
//! On the CPU they are the archive's own memory, which the tensors keep alive. On a CUDA device they share one
//! slab, filled through little pinned memory by several threads. Either way each storage is compared with its
//! checksum by the thread that touches its bytes. Later a caller may give other tensors for some of them.

mod archived;
mod assign;
mod host;
mod slab;
mod storages;
mod verification;
mod view;
mod weights;

pub use archived::Archived;
pub use assign::Assignment;
pub use verification::Verification;
pub use weights::Weights;

use super::pickle::SavedTensor;
use crate::Result;
use crate::torch::Device;
use storages::Storages;
use view::View;

/// libtorch's number of the dtype in which storages are.
const BYTE: i32 = 0;

/// Puts tensors on a device.
pub fn place(tensors: &[SavedTensor], device: Device, verify: bool) -> Result<Weights> {
    let archived = Archived::new(tensors, device);
    archived.put(&archived.absent(), &archived.all(), verify)
}

/// What libtorch's own memory is aligned to on a device, in bytes.
fn alignment(device: Device) -> usize {
    match device {
        Device::Cpu => host::ALIGNMENT,
        Device::Cuda(_) => slab::ALIGNMENT,
    }
}

/// More threads do not make memory faster.
const MOST_THREADS: usize = 8;

/// Runs `work` on every item in as many threads as pay; the first error wins.
fn in_parallel<T: Sync, S>(
    items: &[T],
    start: impl Fn() -> Result<S> + Sync,
    work: impl Fn(&mut S, &T) -> Result<()> + Sync,
) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let take = || items.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let worker = || {
        let mut state = start()?;
        while let Some(item) = take() {
            work(&mut state, item)?;
        }
        Ok(())
    };
    let threads = cores.min(MOST_THREADS).min(items.len());
    if threads < 2 {
        return worker();
    }
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let died = || crate::Error::Internal { reason: "a thread that loads weights died".into() };
        all.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(died())))
    })
}
