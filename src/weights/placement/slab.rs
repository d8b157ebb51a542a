//! Weights on a CUDA device: one allocation, filled by a few large copies.
//!
//! The storages follow each other in a slab. Each is aligned as libtorch's own allocations are, so
//! that kernels select the same code as in PyTorch. The slab is cut into pieces. Each thread
//! gathers a piece in its own pinned memory and copies it on its own stream, in parallel with the
//! others.

use super::BYTE;
use crate::archive::Slice;
use crate::torch::{Device, Failure, SideStream, Tensor};
use crate::{Error, Result, parallel, timeline};
use std::ops::Range;

/// Block size of libtorch's CUDA allocator (`kMinBlockSize` in `c10/core/AllocatorConfig.h`, 2.11).
pub const ALIGNMENT: usize = 512;

/// Size of a piece in bytes. Pinning memory is slow, so each thread pins little.
const PIECE: usize = 4 << 20;

/// Returns the storages as tensors of bytes.
pub fn place(storages: &[Slice], device: Device) -> Result<Vec<Tensor>> {
    let (starts, size) = layout(storages)?;
    let slab = timeline::span("allocate on the device", || {
        let slab = Tensor::empty(&[size as i64], BYTE, device, false)?;
        // The allocator may reuse memory that queued work still reads, and side streams do not wait
        // for that work.
        device.synchronize().map(|()| slab)
    });
    let slab = slab.map_err(|f| f.outside_node())?;
    fill(&slab, &pieces(storages, &starts), device)?;
    let storage =
        |(slice, start): (&Slice, &usize)| slab.part(*start as i64, &[slice.len() as i64], &[1], BYTE, false);
    storages.iter().zip(&starts).map(|pair| storage(pair).map_err(|f| f.outside_node())).collect()
}

/// Returns the offset of each storage in the slab, and the slab's size.
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

/// Part of one storage and its offset in the slab.
struct Stretch<'a> {
    slice: &'a Slice,
    bytes: Range<usize>,
    at: usize,
}

/// Stretches that one copy to the device transfers.
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

/// Pinned memory and stream of one thread.
struct CopyStream {
    staging: Tensor,
    stream: SideStream,
}

fn fill(slab: &Tensor, pieces: &[CopyPiece], device: Device) -> Result<()> {
    let start = || {
        let courier = timeline::span("pin memory", || {
            let stream = SideStream::enter(device)?;
            let staging = Tensor::empty(&[PIECE as i64], BYTE, Device::Cpu, true)?;
            Ok(CopyStream { staging, stream })
        });
        courier.map_err(|failure: Failure| failure.outside_node())
    };
    parallel::for_each(pieces, start, |courier, piece| {
        timeline::span("verify and collect", || collect(courier, piece));
        let sent = timeline::span("copy to the device", || send(courier, piece, slab));
        sent.map_err(|failure| failure.outside_node())
    })
}

/// Gathers a piece in pinned memory.
fn collect(courier: &mut CopyStream, piece: &CopyPiece) {
    let staging = courier.staging.view().data.cast::<u8>();
    for stretch in &piece.stretches {
        let from = stretch.slice.as_ptr().wrapping_add(stretch.bytes.start);
        // SAFETY: `pieces` keeps each stretch inside its slice and each piece within `PIECE`, the
        // staging size.
        unsafe {
            let to = staging.add(stretch.at - piece.start());
            std::ptr::copy_nonoverlapping(from, to, stretch.bytes.len());
        }
    }
}

fn send(courier: &mut CopyStream, piece: &CopyPiece, slab: &Tensor) -> Result<(), Failure> {
    let size = [piece.len() as i64];
    let from = courier.staging.part(0, &size, &[1], BYTE, false)?;
    let mut to = slab.part(piece.start() as i64, &size, &[1], BYTE, false)?;
    to.fill_from(&from, true)?;
    courier.stream.synchronize()
}
