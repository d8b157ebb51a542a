//! Malformed programs: every value of every program, stored list and pickle of the archives,
//! changed in every meaningful way. The result is a typed error or a program, without panics and in
//! bounded time.
//!
//! `cargo test --release --test malformed` tries the smallest programs of each layout; `--
//! --ignored` tries all of them. Both print the number of inputs.

use crate::{changes, kinds, lists, sources};
use pt2_format::Error;
use pt2_format::program::Program;
use pt2_graph::graph::Function;
use pt2_graph::{graph, passes};
use std::collections::BTreeMap;
use std::time::Duration;

/// Loads as far as possible without libtorch.
fn load(json: &[u8]) -> Result<Function, Error> {
    let program = Program::parse(json)?;
    let _ = program.interface.check(&[]);
    let mut function = graph::import(&program.graph_module)?;
    passes::run(&mut function, passes::Optimization::Fast, &passes::DeviceProfile::ONEDNN)?;
    drop(passes::split_const_subgraph(function.clone()));
    Ok(function)
}

/// Results of all inputs.
#[derive(Default)]
struct Count {
    tried: usize,
    loaded: usize,
    slowest: Duration,
    refused: BTreeMap<&'static str, usize>,
}

impl Count {
    /// Tries one input. `what` describes it in the message of a failure.
    fn take<T>(&mut self, what: &str, outcome: impl FnOnce() -> Result<T, Error>) {
        let start = crate::cpu_time::used();
        let outcome = outcome();
        self.slowest = self.slowest.max(crate::cpu_time::used() - start);
        self.tried += 1;
        match outcome {
            Ok(_) => self.loaded += 1,
            Err(error) => {
                let kind = kinds::of(&error).unwrap_or_else(|| panic!("{what}: {error:?}"));
                *self.refused.entry(kind).or_default() += 1;
            }
        }
    }

    fn report(&self, what: &str) {
        println!(
            "{what}: {} inputs tried, {} load, the others are refused: {:?}; the slowest took {:?}",
            self.tried, self.loaded, self.refused, self.slowest
        );
        assert!(self.slowest < Duration::from_secs(1));
    }
}

fn programs(documents: impl Iterator<Item = (String, serde_json::Value)>) {
    let mut count = Count::default();
    for (name, document) in documents {
        load(document.to_string().as_bytes()).unwrap_or_else(|error| panic!("{name}, unchanged: {error}"));
        changes::each(&document, &mut |path, change, text| {
            let what = format!("{name} {path}: {change}");
            count.take(&what, || load(text.as_bytes()));
        });
    }
    count.report("programs");
    assert!(count.tried > 10_000 && count.refused.len() >= 2);
}

#[test]
fn small_programs() {
    programs(sources::programs().filter(|(_, document)| document.to_string().len() < 6_000));
}

#[test]
#[ignore = "an hour: every program"]
fn all_programs() {
    programs(sources::programs());
}

fn stored_lists(most: usize) {
    let mut count = Count::default();
    for (name, archive, list, document) in sources::lists().take(most) {
        lists::read(&archive, &list, document.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{name}, unchanged: {error}"));
        changes::each(&document, &mut |path, change, text| {
            let what = format!("{name} {list} {path}: {change}");
            count.take(&what, || lists::read(&archive, &list, text.as_bytes()));
        });
    }
    count.report("lists of stored tensors");
    assert!(count.tried > 500 && count.refused.len() >= 2);
}

#[test]
fn small_lists_of_stored_tensors() {
    stored_lists(6);
}

#[test]
#[ignore = "minutes: every list"]
fn all_lists_of_stored_tensors() {
    stored_lists(usize::MAX);
}

fn pickles(most: usize) {
    let mut count = Count::default();
    for (name, entries) in sources::pickles().take(most) {
        let place = entries.iter().position(|(name, _)| name.ends_with("/data.pkl")).unwrap();
        let original = entries[place].1.clone();
        lists::pickle(&entries).unwrap_or_else(|error| panic!("{name}, unchanged: {error}"));
        for at in 0..original.len() {
            for changed in lists::bytes(&original, at) {
                let mut entries = entries.clone();
                entries[place].1 = changed;
                count.take(&format!("{name} byte {at}"), || lists::pickle(&entries));
            }
        }
    }
    count.report("pickles");
    assert!(count.tried > 1_000 && count.loaded > 0 && count.refused.len() >= 2);
}

#[test]
fn small_pickles() {
    pickles(4);
}

#[test]
#[ignore = "minutes: every pickle"]
fn all_pickles() {
    pickles(usize::MAX);
}
