//! CUDA graphs: runs launched as captured kernels instead of node by node.
//!
//! Owns: for each tuple of input shapes how often it was seen, and once that was often enough its captured graph.
//! Enters: a plan without effects, and checked inputs. Leaves: outputs in memory of their own, with the same bits.
//! Captured graphs share one memory pool and so run one after another, on whatever streams their callers use.

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

/// Calls with the same shapes before they are captured. The first call of a shape loads kernels, and shapes that
/// come once or twice are not worth the memory.
pub const CALLS_BEFORE_CAPTURE: u32 = 3;

/// The captured graphs of one model.
#[derive(Debug)]
pub struct CudaGraphCache {
    device: Device,
    /// Runs that were a launch, these and whatever else is counted there.
    launches: Arc<AtomicU64>,
    state: Mutex<CacheState>,
}

/// What was captured so far.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Captured graphs that are kept.
    pub cuda_graphs: usize,
    /// Calls that were a launch of one, also of those that are no longer kept.
    pub launches: u64,
    /// Why the last attempt to capture failed.
    pub refusal: Option<String>,
}

#[derive(Debug)]
struct CacheState {
    table: ShapeTable,
    /// The thread that captures has it meanwhile.
    capturer: Option<Capturer>,
    /// Whether a thread captures; then no entry changes its place.
    capturing: bool,
    /// Where the last launch ends. The pool's memory is free for the next one from there on.
    done: Option<Event>,
    refusal: Option<String>,
}

impl CudaGraphCache {
    /// Keeps up to `limit` captured graphs; the one that was used least recently goes first. Launches are
    /// counted in `launches`.
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

    /// What was captured so far.
    pub fn statistics(&self) -> Statistics {
        let state = lock(&self.state);
        Statistics {
            cuda_graphs: state.table.ready(),
            launches: self.launches.load(Ordering::Relaxed),
            refusal: state.refusal.clone(),
        }
    }

    /// Launches the captured graph for inputs of these shapes on the caller's stream; None if there is none.
    pub fn launch(&self, scope: &Scope, inputs: &[Input]) -> Result<Option<Vec<Option<Tensor>>>> {
        self.try_launch(scope, inputs).map_err(Failure::outside_node)
    }

    fn try_launch(&self, scope: &Scope, inputs: &[Input]) -> Result<Option<Vec<Option<Tensor>>>, Failure> {
        let mut state = lock(&self.state);
        let CacheState { table, done: Some(done), .. } = &mut *state else { return Ok(None) };
        let Some(kernels) = table.kernels(inputs) else { return Ok(None) };
        // A caller that captures wants the operators themselves.
        if is_capturing(self.device)? {
            return Ok(None);
        }
        done.block()?;
        let outputs = kernels.launch(scope, inputs);
        done.record()?;
        self.launches.fetch_add(1, Ordering::Relaxed);
        outputs.map(Some)
    }

    /// Counts a call that ran node by node, and captures its shapes once they came often enough. What fails here
    /// is kept for [`CudaGraphCache::statistics`]; the call itself is done.
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
            // Nothing can be done about a device that was lost.
            let _ = done.as_ref().map(Event::synchronize);
        });
    }

    /// The entry of these shapes if it is to be captured now, and the capturer if there is one already.
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
        let capturer = capturer.as_mut().ok_or_else(|| capture_refused("it needs a recorder"))?;
        // What the calls before worked in is not needed beside the pool, nor what is left of a warm-up run that came to nothing.
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

    /// A session that goes on after what the caller's stream holds.
    fn open<'a>(&self, capturer: &'a mut Capturer) -> Result<CaptureSession<'a>, Failure> {
        let mut before = Event::new(self.device)?;
        before.record()?;
        let session = capturer.open()?;
        before.block()?;
        Ok(session)
    }

    /// Queues work in the pool's memory, in which launches work too: after the last one, and the next one waits for it.
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
    /// Memory must not go while kernels work in it.
    fn drop(&mut self) {
        let _ = lock(&self.state).done.as_ref().map(Event::synchronize);
    }
}

fn capture_refused(reason: &str) -> Error {
    Error::Unsupported { what: format!("recording as a CUDA graph: {reason}") }
}
