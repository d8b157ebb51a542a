//! `pt2 run --timeline`: a trace for the usual viewers, with every stage, run and node.

use crate::prefix::program;
use crate::repository::repository;
use serde_json::Value;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

fn pt2(case: &str, timeline: &Path, more: &[&str]) -> Output {
    let archive = repository(&format!("tests/archives/2.11.0/{case}.pt2"));
    let inputs = format!("{}:in0_0", archive.with_extension("npz").display());
    let mut command = program();
    command.arg("run").arg(archive).args(["--device", "cpu", "--input", &inputs, "--timeline"]);
    command.arg(timeline).args(more).output().unwrap()
}

#[derive(Debug)]
struct Event {
    name: String,
    category: String,
    operator: Option<String>,
    thread: u64,
    start: f64,
    end: f64,
}

/// Returns the complete events of a trace; every other event names a thread.
fn trace(case: &str, more: &[&str]) -> Vec<Event> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("out.json");
    let output = pt2(case, &path, more);
    assert!(output.status.success(), "{output:?}");
    let trace: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (complete, named): (Vec<_>, Vec<_>) =
        trace["traceEvents"].as_array().unwrap().iter().partition(|event| event["ph"] == "X");
    let threads: Vec<u64> = named.iter().map(|event| event["tid"].as_u64().unwrap()).collect();
    assert!(named.iter().all(|event| event["ph"] == "M" && event["name"] == "thread_name"));
    let events: Vec<Event> = complete.into_iter().map(event).collect();
    assert!(events.iter().all(|event| threads.contains(&event.thread)));
    events
}

fn event(event: &Value) -> Event {
    let text = |key: &str| event[key].as_str().unwrap().to_owned();
    let (start, length) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
    assert!(start >= 0.0 && length >= 0.0 && event["pid"] == 1);
    Event {
        name: text("name"),
        category: text("cat"),
        operator: event["args"]["operator"].as_str().map(str::to_owned),
        thread: event["tid"].as_u64().unwrap(),
        start,
        end: start + length,
    }
}

fn count(events: &[Event], name: &str) -> usize {
    events.iter().filter(|event| event.name == name).count()
}

/// Asserts that every span of one name is inside of a span of the other on the same thread.
fn require_inside(events: &[Event], inner: &str, outer: &str) {
    for event in events.iter().filter(|event| event.name == inner) {
        let holds = |other: &&Event| {
            other.name == outer
                && other.thread == event.thread
                && other.start <= event.start
                && event.end <= other.end + 1e-6
        };
        assert!(events.iter().any(|other| holds(&other)), "{inner} is outside of {outer}");
    }
}

/// Asserts that two spans of a thread are disjoint or nested.
fn require_nested(events: &[Event]) {
    const ROUNDING: f64 = 1e-6;
    for (index, one) in events.iter().enumerate() {
        for other in events[index + 1..].iter().filter(|other| other.thread == one.thread) {
            let (first, second) = if one.start <= other.start { (one, other) } else { (other, one) };
            let apart = first.end <= second.start + ROUNDING;
            let inside = second.end <= first.end + ROUNDING;
            let encloses = first.start + ROUNDING >= second.start && first.end <= second.end + ROUNDING;
            assert!(apart || inside || encloses, "{first:?} and {second:?}");
        }
    }
}

#[test]
fn the_trace_has_every_stage_and_run() {
    let events = trace("mini_resnet", &["--repeat", "3"]);
    for stage in [
        "load",
        "start libtorch",
        "map",
        "index",
        "parse",
        "graph",
        "policy",
        "device",
        "list weights",
        "passes",
        "batch_norm",
        "dead_code",
        "split",
        "resolve",
        "resolve constants",
        "place weights",
        "verify",
        "wait for checksums",
        "constants",
        "let go of weights",
    ] {
        assert!(count(&events, stage) > 0, "{stage}");
    }
    for (name, expected) in
        [("load", 1), ("first call", 1), ("later call", 2), ("run", 3), ("steps", 3), ("check inputs", 3)]
    {
        assert_eq!(count(&events, name), expected, "{name}");
    }
    require_nested(&events);
    let inside = [("map", "load"), ("passes", "load"), ("conv_fusion", "passes"), ("steps", "run")];
    inside.iter().for_each(|(inner, outer)| require_inside(&events, inner, outer));
    assert!(events.iter().all(|event| event.category == "stage" && event.operator.is_none()));
}

#[test]
fn nodes_are_shown_by_name_and_operator() {
    let events = trace("mini_resnet", &["--exact", "--repeat", "2", "--timeline-nodes"]);
    let nodes: Vec<&Event> = events.iter().filter(|event| event.category == "node").collect();
    let convolutions = nodes.iter().filter(|node| node.operator.as_deref() == Some("aten::conv2d.default"));
    let convolutions: Vec<&str> = convolutions.map(|node| node.name.as_str()).collect();
    assert!(convolutions.len() >= 2 && convolutions.len().is_multiple_of(2), "{convolutions:?}");
    let (first, second) = convolutions.split_at(convolutions.len() / 2);
    assert_eq!(first, second, "both runs call the same nodes");
    assert!(nodes.iter().all(|node| node.operator.is_some()));
    for node in nodes {
        require_inside(&events, &node.name, "steps");
    }
    require_nested(&events);
}

#[test]
fn an_unwritable_path_is_refused_before_the_run() {
    let output = pt2("mini_resnet", Path::new("/nonexistent/out.json"), &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(said.starts_with("pt2: cannot write `/nonexistent/out.json`"), "{said}");
}

#[test]
fn nodes_need_a_timeline() {
    let archive = repository("tests/archives/2.11.0/mini_resnet.pt2");
    let mut command = program();
    let output = command.arg("run").arg(archive).arg("--timeline-nodes").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
