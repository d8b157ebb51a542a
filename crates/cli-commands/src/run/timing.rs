//! Load and call times of a model.

use crate::failure::Failure;
use pt2::model::Model;
use pt2::torch::{Device, threads};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Measured times.
pub struct Timing {
    /// Time from the path to a model on its device.
    pub load: Duration,
    /// Time of the first call.
    pub first: Duration,
    /// Times of the later calls.
    pub later: Vec<Duration>,
}

/// Prints a short table.
pub fn print(path: &Path, model: &Model, times: Timing, out: &mut impl Write) -> Result<(), Failure> {
    let device = match model.device() {
        Device::Cpu => format!("cpu, {} threads", threads()),
        device => device.to_string(),
    };
    writeln!(out, "archive  {}", path.display())?;
    writeln!(out, "model    {}, exported by PyTorch {}", model.name(), model.torch_version())?;
    writeln!(out, "device   {device}")?;
    writeln!(out, "load     {:>10.3} ms", milliseconds(times.load))?;
    writeln!(out, "first    {:>10.3} ms", milliseconds(times.first))?;
    let calls = times.later.len();
    match median(times.later.into_iter().map(milliseconds).collect()) {
        Some(median) => writeln!(out, "median   {median:>10.3} ms, {calls} calls after the first")?,
        None => writeln!(out, "median   {:>10}    no call after the first", "-")?,
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    let upper = times.get(times.len() / 2)?;
    let lower = times.get((times.len() - 1) / 2)?;
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_middle_is_found() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }
}
