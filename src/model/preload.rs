//! Preloads CUDA libraries and kernels of the first call, beside other work.

use crate::Result;
use crate::graph::Graph;
use crate::passes::Optimization;
use crate::plan::{self, ConvTemplate, FirstCall, GemmTemplate, WarmupQueue};
use crate::program::Bindings;
use crate::program::symbol::Symbols;
use crate::timeline::span;
use crate::torch::{CudaPreload, Device};
use std::time::Duration;

/// Time that warm-up waits for a call right after loading: the kernels depend on its sizes.
const WAIT: Duration = Duration::from_millis(100);
/// Time after warm-up in which a first call still has kernels loaded for its sizes.
const PATIENCE: Duration = Duration::from_secs(1);

/// Threads that load libraries and kernels. Drop ends them early and waits for them. Unused on the
/// CPU.
#[derive(Debug, Default)]
pub struct Preload {
    call: FirstCall,
    libraries: CudaPreload,
}

impl Preload {
    /// Starts with the libraries that a program's text suggests. Fails if the device does not
    /// exist.
    pub fn begin(&mut self, device: Device, text: &[u8], level: Optimization) -> Result<()> {
        span("device", || device.require())?;
        if device != Device::Cpu {
            let profile = plan::device_profile(device, false);
            self.libraries.begin(device, plan::cuda_library_hint(text, level, &profile));
        }
        Ok(())
    }

    /// Continues with the kernels that a graph needs after the passes.
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

    /// Reports a call with these values of the symbols; only the first counts.
    pub fn called(&self, bindings: Bindings) {
        self.call.came(bindings);
    }
}

impl Drop for Preload {
    fn drop(&mut self) {
        self.call.is_over();
    }
}
