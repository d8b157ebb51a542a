//! Weights on a CUDA device: one allocation, filled by a few large copies.
//!
//! The storages lie one after the other in a slab, each aligned as libtorch's own allocations are, so that
//! kernels choose as they would for PyTorch. The slab is cut into pieces; each thread collects a piece in its
//! own pinned memory and sends it over its own stream, while the others collect theirs.

use super::BYTE;
use crate::archive::Slice;
use crate::torch::{Device, Failure, SideStream, Tensor};
use crate::{Error, Result, parallel, timeline};
use std::ops::Range;

/// libtorch's CUDA allocator rounds every block to this (`c10/core/AllocatorConfig.h`, 2.11, kMinBlockSize).
pub const ALIGNMENT: usize = 512;

/// Pinning memory costs half a millisecond a MiB, so each thread pins little.
const PIECE: usize = 4 << 20;

/// The storages as bytes.
pub fn place(storages: &[Slice], device: Device, verify: bool) -> Result<Vec<Tensor>> {
    let (starts, size) = layout(storages)?;
    let slab = timeline::span("allocate on the device", || {
        let slab = Tensor::empty(&[size as i64], BYTE, device, false)?;
        // The allocator may give back memory that queued work still reads; the side streams must not overtake it.
        device.synchronize().map(|()| slab)
    });
    let slab = slab.map_err(|f| f.outside_node())?;
    fill(&slab, &pieces(storages, &starts), device, verify)?;
    let storage =
        |(slice, start): (&Slice, &usize)| slab.part(*start as i64, &[slice.len() as i64], &[1], BYTE, false);
    storages.iter().zip(&starts).map(|pair| storage(pair).map_err(|f| f.outside_node())).collect()
}

/// Where each storage starts in the slab, and the slab's size.
fn layout(slices: &[Slice]) -> Result<(Vec<usize>, usize)> {
    let mut size = 0usize;
    let mut starts = Vec::with_capacity(slices.len());
    for slice in slices {
        starts.push(size);
        let end = size.checked_add(slice.len()).and_then(|end| end.checked_next_multiple_of(ALIGNMENT));
        size =
            end.ok_or_else(|| Error::OutOfMemory { reason: "the weights exceed the address space".into() })?;
    }
    Ok((starts, size.max(ALIGNMENT)))
}

/// A stretch of one storage and its place in the slab.
struct Stretch<'a> {
    slice: &'a Slice,
    bytes: Range<usize>,
    at: usize,
}

/// What one copy to the device carries.
#[derive(Default)]
struct CopyPiece<'a> {
    stretches: Vec<Stretch<'a>>,
}

impl CopyPiece<'_> {
    fn start(&self) -> usize {
        self.stretches.first().map_or(0, |stretch| stretch.at)
    }

    fn len(&self) -> usize {
        self.stretches.last().map_or(0, |last| last.at + last.bytes.len() - self.start())
    }
}

fn pieces<'a>(slices: &'a [Slice], starts: &[usize]) -> Vec<CopyPiece<'a>> {
    let mut pieces = vec![CopyPiece::default()];
    for (slice, start) in slices.iter().zip(starts) {
        for from in (0..slice.len()).step_by(PIECE) {
            let bytes = from..slice.len().min(from + PIECE);
            let stretch = Stretch { slice, at: start + from, bytes };
            match pieces.last_mut() {
                Some(last)
                    if last.stretches.is_empty()
                        || stretch.at + stretch.bytes.len() - last.start() <= PIECE =>
                {
                    last.stretches.push(stretch);
                }
                _ => pieces.push(CopyPiece { stretches: vec![stretch] }),
            }
        }
    }
    pieces.retain(|piece| piece.len() > 0);
    pieces
}

/// A thread's way to the device.
struct CopyStream {
    staging: Tensor,
    stream: SideStream,
}

fn fill(slab: &Tensor, pieces: &[CopyPiece], device: Device, verify: bool) -> Result<()> {
    let start = || {
        let courier = timeline::span("pin memory", || {
            let stream = SideStream::enter(device)?;
            let staging = Tensor::empty(&[PIECE as i64], BYTE, Device::Cpu, true)?;
            Ok(CopyStream { staging, stream })
        });
        courier.map_err(|failure: Failure| failure.outside_node())
    };
    parallel::for_each(pieces, start, |courier, piece| {
        timeline::span("verify and collect", || collect(courier, piece, verify))?;
        let sent = timeline::span("copy to the device", || send(courier, piece, slab));
        sent.map_err(|failure| failure.outside_node())
    })
}

/// Checks each storage when its first byte comes by, and gathers the piece in pinned memory.
fn collect(courier: &mut CopyStream, piece: &CopyPiece, verify: bool) -> Result<()> {
    let staging = courier.staging.view().data.cast::<u8>();
    for stretch in &piece.stretches {
        if verify && stretch.bytes.start == 0 {
            stretch.slice.verify()?;
        }
        let from = stretch.slice.as_ptr().wrapping_add(stretch.bytes.start);
        // SAFETY: the stretch lies in its slice, and a piece is never longer than the staging memory.
        unsafe {
            let to = staging.add(stretch.at - piece.start());
            std::ptr::copy_nonoverlapping(from, to, stretch.bytes.len());
        }
    }
    Ok(())
}

fn send(courier: &mut CopyStream, piece: &CopyPiece, slab: &Tensor) -> Result<(), Failure> {
    let size = [piece.len() as i64];
    let from = courier.staging.part(0, &size, &[1], BYTE, false)?;
    let mut to = slab.part(piece.start() as i64, &size, &[1], BYTE, false)?;
    to.fill_from(&from, true)?;
    courier.stream.synchronize()
}
