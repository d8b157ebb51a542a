//! Number of calls that may run compiled code at once.

use super::NativeCodeOptions;
use crate::plan::Effects;
use crate::torch::Device;
use std::thread;

/// Limit on the CPU, where more calls are bound by memory bandwidth.
const MOST: usize = 8;

/// Returns the number of instances.
///
/// Instances share one set of constants, and writes to it are not ordered. So code that may write
/// has one instance. Without a program the caller may allow more. On a CUDA device each instance
/// loads its own kernels, so the default is one, as in PyTorch's loader. On the CPU an instance
/// costs nothing.
pub fn instance_count(effects: Option<&Effects>, device: Device, native_code: &NativeCodeOptions) -> usize {
    match (effects.map(|effects| effects.state.is_empty()), native_code.instances, device) {
        (Some(false), _, _) => 1,
        (_, Some(count), _) => count.max(1),
        (None, None, _) | (_, None, Device::Cuda(_)) => 1,
        (Some(true), None, Device::Cpu) => {
            thread::available_parallelism().map_or(1, |count| count.get().min(MOST))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_written_to_by_several_calls_at_once_has_one_instance() {
        let written = Effects { state: vec!["count".into()], inputs: Vec::new() };
        let vouched = NativeCodeOptions { instances: Some(4), ..NativeCodeOptions::default() };
        let plain = NativeCodeOptions::default();
        let (cpu, cuda, none) = (Device::Cpu, Device::Cuda(0), Effects::default());
        assert_eq!(instance_count(Some(&written), cpu, &vouched), 1);
        assert_eq!((instance_count(None, cpu, &plain), instance_count(None, cpu, &vouched)), (1, 4));
        assert_eq!(
            (instance_count(Some(&none), cuda, &plain), instance_count(Some(&none), cuda, &vouched)),
            (1, 4)
        );
        let many = thread::available_parallelism().unwrap().get().min(MOST);
        assert_eq!(instance_count(Some(&none), cpu, &plain), many);
    }
}
