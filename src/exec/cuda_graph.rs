//! CUDA graphs: launch the captured kernels of a run instead of its nodes.
//!
//! Owns the number of calls of each tuple of input shapes, and its CUDA graph after enough calls.
//! Input: a plan without effects, and checked inputs. Output: outputs in memory of their own,
//! bitwise equal to those of a run by nodes.
//!
//! CUDA graphs share one memory pool, so one runs after another, whatever streams the callers use.

mod capture;
mod key;
mod shape_table;

use super::Input;
use crate::lock::lock;
use crate::plan::Plan;
use crate::torch::{CaptureSession, Capturer, Device, Event, Failure, Scope, Tensor, is_capturing};
use crate::{Error, Result};
use capture::{CapturedGraph, WarmupRun};
use shape_table::{ShapeTable, Stage};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Calls with the same shapes before their kernels are captured.
///
/// The first call of a shape loads kernels. Rare shapes are not worth the memory of a CUDA graph.
pub const CALLS_BEFORE_CAPTURE: u32 = 3;

/// Captured CUDA graphs of one model.
#[derive(Debug)]
pub struct CudaGraphCache {
    device: Device,
    /// Counter of launches, shared with other caches of the model.
    launches: Arc<AtomicU64>,
    state: Mutex<CacheState>,
}

/// Counters of CUDA graphs.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// CUDA graphs in the cache.
    pub cuda_graphs: usize,
    /// Calls that launched a CUDA graph, including graphs that were evicted.
    pub launches: u64,
    /// Reason why the last capture failed.
    pub refusal: Option<String>,
}

#[derive(Debug)]
struct CacheState {
    table: ShapeTable,
    /// None while a call captures: that call has the capturer.
    capturer: Option<Capturer>,
    /// True while a call captures. No entry changes its index then.
    capturing: bool,
    /// End of the last launch, after which the pool's memory is free for the next one.
    done: Option<Event>,
    refusal: Option<String>,
}

impl CudaGraphCache {
    /// Creates a cache of up to `limit` CUDA graphs, which evicts the least recently used one.
    ///
    /// Launches are counted in `launches`.
    pub fn new(device: Device, limit: usize, launches: Arc<AtomicU64>) -> CudaGraphCache {
        let state = CacheState {
            table: ShapeTable::new(limit),
            capturer: None,
            capturing: false,
            done: None,
            refusal: None,
        };
        CudaGraphCache { device, launches, state: Mutex::new(state) }
    }

    /// Returns the counters so far.
    pub fn statistics(&self) -> Statistics {
        let state = lock(&self.state);
        Statistics {
            cuda_graphs: state.table.ready(),
            launches: self.launches.load(Ordering::Relaxed),
            refusal: state.refusal.clone(),
        }
    }

    /// Launches the CUDA graph for inputs of these shapes on the caller's stream; None if there is
    /// none.
    pub fn launch(&self, scope: &Scope, inputs: &[Input]) -> Result<Option<Vec<Option<Tensor>>>> {
        self.try_launch(scope, inputs).map_err(Failure::outside_node)
    }

    fn try_launch(&self, scope: &Scope, inputs: &[Input]) -> Result<Option<Vec<Option<Tensor>>>, Failure> {
        let mut state = lock(&self.state);
        let CacheState { table, done: Some(done), .. } = &mut *state else { return Ok(None) };
        let Some(kernels) = table.kernels(inputs) else { return Ok(None) };
        // A caller that captures its own CUDA graph needs the operators' kernels in it.
        if is_capturing(self.device)? {
            return Ok(None);
        }
        done.block()?;
        let outputs = kernels.launch(scope, inputs);
        done.record()?;
        self.launches.fetch_add(1, Ordering::Relaxed);
        outputs.map(Some)
    }

    /// Counts a call that ran node by node, and captures its shapes after enough calls.
    ///
    /// The call itself has succeeded, so a failure is only kept for [`CudaGraphCache::statistics`].
    pub fn count(&self, plan: &Plan, weights: &[(u32, Tensor)], inputs: &[Input]) {
        let Some((index, mut capturer)) = self.due(inputs) else { return };
        let captured = self.capture(plan, weights, &mut capturer, inputs);
        let mut state = lock(&self.state);
        (state.capturer, state.capturing) = (capturer, false);
        let stage = match captured {
            Ok(kernels) => Stage::Ready(Box::new(kernels)),
            Err(error) => {
                state.refusal = Some(error.to_string());
                Stage::Refused
            }
        };
        let CacheState { table, done, .. } = &mut *state;
        table.settle(index, stage, || {
            // A lost device also fails the next call, which reports it.
            let _ = done.as_ref().map(Event::synchronize);
        });
    }

    /// Returns the entry of these shapes if it is to be captured now, and the capturer if there is
    /// one already.
    fn due(&self, inputs: &[Input]) -> Option<(usize, Option<Capturer>)> {
        let mut state = lock(&self.state);
        let capturing = state.capturing;
        let (index, calls) = state.table.count(inputs, !capturing)?;
        if calls < CALLS_BEFORE_CAPTURE || capturing || is_capturing(self.device).unwrap_or(true) {
            return None;
        }
        state.capturing = true;
        Some((index, state.capturer.take()))
    }

    fn capture(
        &self,
        plan: &Plan,
        weights: &[(u32, Tensor)],
        capturer: &mut Option<Capturer>,
        inputs: &[Input],
    ) -> Result<CapturedGraph> {
        if capturer.is_none() {
            *capturer = Some(Capturer::new(self.device).map_err(Failure::outside_node)?);
        }
        let capturer = capturer.as_mut().ok_or_else(|| capture_refused("no capture was begun"))?;
        // Free memory of earlier calls and of a failed warm-up run is not needed beside the pool.
        self.device.release_cached().map_err(Failure::outside_node)?;
        let kernels = self.try_capture(plan, weights, capturer, inputs);
        self.device.release_cached().map_err(Failure::outside_node)?;
        kernels
    }

    fn try_capture(
        &self,
        plan: &Plan,
        weights: &[(u32, Tensor)],
        capturer: &mut Capturer,
        inputs: &[Input],
    ) -> Result<CapturedGraph> {
        let session = self.open(capturer).map_err(Failure::outside_node)?;
        let warmup = self.between_launches(|| WarmupRun::queue(plan, weights, session.scope(), inputs))?;
        CapturedGraph::capture(plan, weights, session, warmup)
    }

    /// Opens a session whose work starts after the work already on the caller's stream.
    fn open<'a>(&self, capturer: &'a mut Capturer) -> Result<CaptureSession<'a>, Failure> {
        let mut before = Event::new(self.device)?;
        before.record()?;
        let session = capturer.open()?;
        before.block()?;
        Ok(session)
    }

    /// Queues work that uses the pool's memory: after the last launch, and before the next one.
    fn between_launches<T>(&self, queue: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut state = lock(&self.state);
        let done = match &mut state.done {
            Some(done) => done,
            none => none.insert(Event::new(self.device).map_err(Failure::outside_node)?),
        };
        done.block().map_err(Failure::outside_node)?;
        let queued = queue();
        done.record().map_err(Failure::outside_node)?;
        queued
    }
}

impl Drop for CudaGraphCache {
    /// Waits for the last launch, because its kernels use the pool's memory.
    fn drop(&mut self) {
        let _ = lock(&self.state).done.as_ref().map(Event::synchronize);
    }
}

fn capture_refused(reason: &str) -> Error {
    Error::Unsupported { what: format!("capture of a CUDA graph: {reason}") }
}
