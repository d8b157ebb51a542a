//! Preloads what the first call needs of CUDA's libraries, beside other work.

use crate::Result;
use crate::graph::Graph;
use crate::passes::Optimization;
use crate::plan::{self, ConvTemplate, FirstCall, GemmTemplate, WarmupQueue};
use crate::program::Bindings;
use crate::program::symbol::Symbols;
use crate::timeline::span;
use crate::torch::{CudaPreload, Device};
use std::time::Duration;

/// Who calls right after loading is worth waiting for: which kernels are needed depends on sizes.
const WAIT: Duration = Duration::from_millis(100);
/// Who calls later than that, but soon, finds the kernels for its sizes too.
const PATIENCE: Duration = Duration::from_secs(1);

/// Threads that load libraries and kernels; dropping ends them early and waits. Nothing on the CPU.
#[derive(Debug, Default)]
pub struct Preload {
    call: FirstCall,
    libraries: CudaPreload,
}

impl Preload {
    /// Begins with what a program's text tells, once the device is known; refuses one that is not there.
    pub fn begin(&mut self, device: Device, text: &[u8], level: Optimization) -> Result<()> {
        span("device", || device.require())?;
        if device != Device::Cpu {
            let profile = plan::device_profile(device, false);
            self.libraries.begin(device, plan::cuda_library_hint(text, level, &profile));
        }
        Ok(())
    }

    /// Goes on with the kernels that a graph needs after the passes.
    pub fn kernels(&mut self, device: Device, graph: &Graph, symbols: &Symbols) {
        if device == Device::Cpu {
            return;
        }
        let convolutions = WarmupQueue::<ConvTemplate>::of(graph, symbols, &self.call);
        if !convolutions.is_empty() {
            self.libraries.warm_up_convs(device, convolutions);
        }
        let products = WarmupQueue::<GemmTemplate>::of(graph, symbols, &self.call).patient(PATIENCE);
        if !products.is_empty() {
            let call = self.call.clone();
            self.libraries.warm_up_gemms(device, products, move || call.wait(WAIT));
        }
    }

    /// A call has come, with these values of the symbols; only the first counts.
    pub fn called(&self, bindings: Bindings) {
        self.call.came(bindings);
    }
}

impl Drop for Preload {
    fn drop(&mut self) {
        self.call.is_over();
    }
}
