//! The switch of the timeline, and the spans recorded since it was turned on.

use super::{Span, Trace, thread};
use crate::lock::lock;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

/// Level of detail of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Detail {
    /// Stages of loads and runs.
    Stages = 1,
    /// Stages, and every node of every run.
    Nodes = 2,
}

const OFF: u8 = 0;

/// Current level of detail. It is only a hint: spans are recorded only while `STATE` is occupied.
static LEVEL: AtomicU8 = AtomicU8::new(OFF);

static STATE: Mutex<Option<State>> = Mutex::new(None);

#[derive(Debug)]
struct State {
    start: Instant,
    spans: Vec<Span>,
    threads: BTreeMap<u64, String>,
}

/// Handle of a recording. Spans of all threads are recorded while it is alive.
#[derive(Debug)]
pub struct Timeline(());

impl Timeline {
    /// Starts recording. Returns None if another timeline is recording.
    pub fn begin(detail: Detail) -> Option<Timeline> {
        let mut state = lock(&STATE);
        if state.is_some() {
            return None;
        }
        *state = Some(State { start: Instant::now(), spans: Vec::new(), threads: BTreeMap::new() });
        LEVEL.store(detail as u8, Ordering::Relaxed);
        Some(Timeline(()))
    }

    /// Stops recording. Spans that are still open are discarded.
    pub fn finish(self) -> Trace {
        let recorded = stop();
        recorded.map_or_else(Trace::default, |state| Trace::new(state.spans, state.threads))
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        stop();
    }
}

fn stop() -> Option<State> {
    LEVEL.store(OFF, Ordering::Relaxed);
    lock(&STATE).take()
}

/// Runs `work` as a stage with this name.
pub fn span<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let _open = records(Detail::Stages).then(|| Open::new(name.into(), None));
    work()
}

/// Runs `work` as a node.
#[inline]
pub fn node<T>(name: &str, operator: &str, work: impl FnOnce() -> T) -> T {
    let _open = records(Detail::Nodes).then(|| Open::new(name.into(), Some(operator.into())));
    work()
}

#[inline]
fn records(detail: Detail) -> bool {
    LEVEL.load(Ordering::Relaxed) >= detail as u8
}

/// A span in progress. Dropping it records it, also during unwinding.
struct Open {
    name: String,
    operator: Option<String>,
    start: Instant,
}

impl Open {
    fn new(name: String, operator: Option<String>) -> Open {
        Open { name, operator, start: Instant::now() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let length = self.start.elapsed();
        let thread = thread::number();
        // The timeline may have ended since this span began, and another one may have started.
        let Some(state) = &mut *lock(&STATE) else { return };
        let Some(start) = self.start.checked_duration_since(state.start) else { return };
        state.threads.entry(thread).or_insert_with(thread::name);
        let (name, operator) = (std::mem::take(&mut self.name), self.operator.take());
        state.spans.push(Span { name, operator, thread, start, length });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, because the recorder is process-wide.
    #[test]
    fn only_what_happens_meanwhile_is_recorded() {
        span("before", || ());
        let timeline = Timeline::begin(Detail::Stages).unwrap();
        assert!(Timeline::begin(Detail::Nodes).is_none());
        let answer = span("outer", || {
            node("no_node", "aten::add.Tensor", || ());
            std::thread::scope(|scope| scope.spawn(|| span("beside", || ())).join()).unwrap();
            span("inner", || 7)
        });
        let spans = timeline.finish().spans().to_vec();
        let ours = |name: &str| spans.iter().filter(|span| span.name == name).count();
        assert_eq!((answer, ours("before"), ours("no_node")), (7, 0, 0));
        let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
        let (outer, inner, beside) = (find("outer"), find("inner"), find("beside"));
        assert_eq!(outer.thread, inner.thread);
        assert_ne!(outer.thread, beside.thread);
        assert!(outer.start <= inner.start && inner.start + inner.length <= outer.start + outer.length);

        let timeline = Timeline::begin(Detail::Nodes).unwrap();
        node("add_1", "aten::add.Tensor", || ());
        let spans = timeline.finish().spans().to_vec();
        let named = spans.iter().find(|span| span.name == "add_1").unwrap();
        assert_eq!(named.operator.as_deref(), Some("aten::add.Tensor"));
        drop(Timeline::begin(Detail::Stages));
        assert!(Timeline::begin(Detail::Stages).is_some());
    }
}
