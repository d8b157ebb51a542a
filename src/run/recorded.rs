//! Runs launched as recorded kernels (CUDA graphs) instead of node by node.
//!
//! Owns: for each tuple of input shapes how often it was seen, and once that was often enough its recording.
//! Enters: a plan without effects, and checked inputs. Leaves: outputs in memory of their own, with the same bits.
//! Recordings share one memory pool and so run one after another, on whatever streams their callers use.

mod entry;
mod kernels;
mod shape;

use super::Input;
use crate::lock::lock;
use crate::plan::Plan;
use crate::torch::{Device, Event, Failure, Recorder, Scope, Session, Tensor, is_recorded};
use crate::{Error, Result};
use entry::{Entries, Stage};
use kernels::{Kernels, Trial};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Calls with the same shapes before they are recorded. The first call of a shape loads kernels, and shapes that
/// come once or twice are not worth the memory.
pub const CALLS_BEFORE: u32 = 3;

/// The recordings of one model.
#[derive(Debug)]
pub struct Recordings {
    device: Device,
    /// Runs that were a launch, these and whatever else is counted there.
    launches: Arc<AtomicU64>,
    state: Mutex<State>,
}

/// What was recorded so far.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Recordings that are kept.
    pub recordings: usize,
    /// Calls that were a launch of one, also of those that are no longer kept.
    pub launches: u64,
    /// Why the last attempt to record failed.
    pub refusal: Option<String>,
}

#[derive(Debug)]
struct State {
    entries: Entries,
    /// Whoever records has it meanwhile.
    recorder: Option<Recorder>,
    /// Whether someone records; then no entry changes its place.
    recording: bool,
    /// Where the last launch ends. The pool's memory is free for the next one from there on.
    done: Option<Event>,
    refusal: Option<String>,
}

impl Recordings {
    /// Keeps up to `limit` recordings; the one that was used least recently goes first. Launches are
    /// counted in `launches`.
    pub fn new(device: Device, limit: usize, launches: Arc<AtomicU64>) -> Recordings {
        let state = State {
            entries: Entries::new(limit),
            recorder: None,
            recording: false,
            done: None,
            refusal: None,
        };
        Recordings { device, launches, state: Mutex::new(state) }
    }

    /// What was recorded so far.
    pub fn statistics(&self) -> Statistics {
        let state = lock(&self.state);
        Statistics {
            recordings: state.entries.ready(),
            launches: self.launches.load(Ordering::Relaxed),
            refusal: state.refusal.clone(),
        }
    }

    /// Launches the recording for inputs of these shapes on the caller's stream; None if there is none.
    pub fn launch(&self, scope: &Scope, inputs: &[Input]) -> Result<Option<Vec<Option<Tensor>>>> {
        self.try_launch(scope, inputs).map_err(Failure::outside_node)
    }

    fn try_launch(&self, scope: &Scope, inputs: &[Input]) -> Result<Option<Vec<Option<Tensor>>>, Failure> {
        let mut state = lock(&self.state);
        let State { entries, done: Some(done), .. } = &mut *state else { return Ok(None) };
        let Some(kernels) = entries.kernels(inputs) else { return Ok(None) };
        // A caller who records wants the operators themselves.
        if is_recorded(self.device)? {
            return Ok(None);
        }
        done.block()?;
        let outputs = kernels.launch(scope, inputs);
        done.record()?;
        self.launches.fetch_add(1, Ordering::Relaxed);
        outputs.map(Some)
    }

    /// Counts a call that ran node by node, and records its shapes once they came often enough. What fails here
    /// is kept for [`Recordings::statistics`]; the call itself is done.
    pub fn count(&self, plan: &Plan, weights: &[(u32, Tensor)], inputs: &[Input]) {
        let Some((index, mut recorder)) = self.due(inputs) else { return };
        let recorded = self.record(plan, weights, &mut recorder, inputs);
        let mut state = lock(&self.state);
        (state.recorder, state.recording) = (recorder, false);
        let stage = match recorded {
            Ok(kernels) => Stage::Ready(Box::new(kernels)),
            Err(error) => {
                state.refusal = Some(error.to_string());
                Stage::Refused
            }
        };
        let State { entries, done, .. } = &mut *state;
        entries.settle(index, stage, || {
            // Nothing can be done about a device that was lost.
            let _ = done.as_ref().map(Event::synchronize);
        });
    }

    /// The entry of these shapes if it is to be recorded now, and the recorder if there is one already.
    fn due(&self, inputs: &[Input]) -> Option<(usize, Option<Recorder>)> {
        let mut state = lock(&self.state);
        let recording = state.recording;
        let (index, calls) = state.entries.count(inputs, !recording)?;
        if calls < CALLS_BEFORE || recording || is_recorded(self.device).unwrap_or(true) {
            return None;
        }
        state.recording = true;
        Some((index, state.recorder.take()))
    }

    fn record(
        &self,
        plan: &Plan,
        weights: &[(u32, Tensor)],
        recorder: &mut Option<Recorder>,
        inputs: &[Input],
    ) -> Result<Kernels> {
        if recorder.is_none() {
            *recorder = Some(Recorder::new(self.device).map_err(Failure::outside_node)?);
        }
        let recorder = recorder.as_mut().ok_or_else(|| unrecordable("it needs a recorder"))?;
        // What the calls before worked in is not needed beside the pool, nor what is left of a trial that came to nothing.
        self.device.release_cached().map_err(Failure::outside_node)?;
        let kernels = self.try_record(plan, weights, recorder, inputs);
        self.device.release_cached().map_err(Failure::outside_node)?;
        kernels
    }

    fn try_record(
        &self,
        plan: &Plan,
        weights: &[(u32, Tensor)],
        recorder: &mut Recorder,
        inputs: &[Input],
    ) -> Result<Kernels> {
        let session = self.open(recorder).map_err(Failure::outside_node)?;
        let trial = self.between_launches(|| Trial::queue(plan, weights, session.scope(), inputs))?;
        Kernels::record(plan, weights, session, trial)
    }

    /// A session that goes on after what the caller's stream holds.
    fn open<'a>(&self, recorder: &'a mut Recorder) -> Result<Session<'a>, Failure> {
        let mut before = Event::new(self.device)?;
        before.record()?;
        let session = recorder.open()?;
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

impl Drop for Recordings {
    /// Memory must not go while kernels work in it.
    fn drop(&mut self) {
        let _ = lock(&self.state).done.as_ref().map(Event::synchronize);
    }
}

fn unrecordable(reason: &str) -> Error {
    Error::Unsupported { what: format!("recording as a CUDA graph: {reason}") }
}
