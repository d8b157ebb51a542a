//! Writes spans in the Chrome trace event format, which Perfetto and chrome://tracing open.
//!
//! The format is "Trace Event Format" of the Chromium project: complete events (`"ph": "X"`) with
//! times in microseconds, and metadata events that name threads.

use super::Span;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

/// Recorded spans and the names of their threads.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    spans: Vec<Span>,
    threads: BTreeMap<u64, String>,
}

impl Trace {
    pub(super) fn new(mut spans: Vec<Span>, threads: BTreeMap<u64, String>) -> Trace {
        // Enclosing spans come before enclosed ones.
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.length)));
        Trace { spans, threads }
    }

    /// Returns the spans in the order in which they began.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Writes the trace as JSON, one event per line.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        let names = self.threads.iter().map(|(thread, name)| named(*thread, name));
        let events = names.chain(self.spans.iter().map(event));
        write!(to, "{{\"displayTimeUnit\": \"ms\", \"traceEvents\": [")?;
        for (index, event) in events.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(to, "{comma}\n{event}")?;
        }
        writeln!(to, "\n]}}")
    }
}

fn named(thread: u64, name: &str) -> Value {
    json!({"ph": "M", "pid": 1, "tid": thread, "name": "thread_name", "args": {"name": name}})
}

fn event(span: &Span) -> Value {
    let category = if span.operator.is_some() { "node" } else { "stage" };
    let arguments =
        span.operator.as_ref().map_or_else(|| json!({}), |operator| json!({"operator": operator}));
    json!({
        "ph": "X",
        "pid": 1,
        "tid": span.thread,
        "name": span.name,
        "cat": category,
        "ts": microseconds(span.start),
        "dur": microseconds(span.length),
        "args": arguments,
    })
}

fn microseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_kind_are_valid_json() {
        let name = "a \"quoted\"\n\\ name, größe";
        let at = Duration::from_nanos;
        let span = |start, length| Span {
            name: name.into(),
            operator: Some("aten::add.Tensor".into()),
            thread: 3,
            start: at(start),
            length: at(length),
        };
        let threads = BTreeMap::from([(3, "main".to_owned())]);
        let mut text = Vec::new();
        Trace::new(vec![span(1500, 10), span(1500, 2001)], threads).write(&mut text).unwrap();
        let read: Value = serde_json::from_slice(&text).unwrap();
        let events = read["traceEvents"].as_array().unwrap();
        assert_eq!(events.len(), 3);
        assert_eq!((&events[0]["ph"], &events[0]["args"]["name"]), (&json!("M"), &json!("main")));
        assert_eq!((&events[1]["ts"], &events[1]["dur"]), (&json!(1.5), &json!(2.001)));
        assert_eq!((&events[1]["name"], &events[1]["tid"]), (&json!(name), &json!(3)));
        assert_eq!(events[2]["args"]["operator"], "aten::add.Tensor");
    }

    #[test]
    fn nothing_recorded_is_a_trace_too() {
        let mut text = Vec::new();
        Trace::default().write(&mut text).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap()["traceEvents"], json!([]));
    }
}
