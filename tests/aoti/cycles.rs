//! Repeated load, run and free, compared with PyTorch's own loader.

use crate::packages::{device, image, load, made, mapped, package, run};
use pt2::torch::Device;
use std::fs;
use std::io::{Write, stderr};
use std::path::Path;
use std::process::Command;

const CYCLES: usize = 500;

/// Memory in KiB, descriptors, maps.
fn held() -> (usize, usize, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let memory = memory.trim().trim_end_matches(" kB").parse().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    (memory, fs::read_dir("/proc/self/fd").unwrap().count(), maps)
}

#[test]
#[ignore = "needs packages and a process of its own; `make test-compiled` runs it"]
fn cycles_of_load_run_and_free_leak_nothing() {
    let files = || {
        fs::read_dir(std::env::temp_dir())
            .unwrap()
            .flatten()
            .filter(|file| file.file_name().to_string_lossy().starts_with("pt2-kernels-"))
            .count()
    };
    let cycle = || drop(run(&load("conv", "model"), &[Some(image(2, 1))]).unwrap());
    let theirs = held_by_pytorch(&made("cycles"), &package("conv"));
    cycle();
    let kept = mapped();
    (0..20).for_each(|_| cycle());
    let before = (held(), files());
    (0..CYCLES).for_each(|_| cycle());
    let after = (held(), files());
    say(&format!(
        "memory in KiB, descriptors, maps, files: {before:?} before {CYCLES} cycles, {after:?} after"
    ));
    match &theirs {
        Ok([before, after]) => say(&format!("PyTorch's own loader: {before:?} before, {after:?} after")),
        Err(why) => say(&format!("NOT COMPARED with PyTorch's own loader, which died: {why}")),
    }
    assert_eq!((after.0.1, after.1), (before.0.1, before.1));
    let [memory, maps] = allowed(theirs.ok(), device());
    assert!(after.0.0.saturating_sub(before.0.0) <= memory, "more than {memory} KiB");
    assert!(after.0.2.saturating_sub(before.0.2) <= maps, "more than {maps} maps");
    // The dynamic loader may keep mapped code, once for equal content
    // (docs/contributing/robustness.md).
    say(&format!("mappings of code that stay: {}", mapped()));
    assert_eq!(mapped(), kept);
}

/// An allocator does not settle to the page.
const ALLOWANCE_KIB: usize = 2048;

/// CUDA kernels that compiled code has loaded are never unloaded: both loaders grow, and the driver
/// grows unevenly. In KiB a cycle, for runs in which PyTorch's loader crashed; the packages have
/// few kernels.
const KERNELS_KIB: usize = 128;

/// Returns the memory in KiB and the maps that all cycles may keep: as much as PyTorch's loader, if
/// known.
fn allowed(theirs: Option<[[usize; 4]; 2]>, device: Device) -> [usize; 2] {
    let [memory, maps] = match (theirs, device) {
        (Some([before, after]), _) => [0, 2].map(|what: usize| after[what].saturating_sub(before[what])),
        (None, Device::Cpu) => [0, 0],
        (None, Device::Cuda(_)) => [CYCLES * KERNELS_KIB, CYCLES],
    };
    match device {
        Device::Cpu => [memory + ALLOWANCE_KIB, maps],
        Device::Cuda(_) => [memory + memory / 4 + ALLOWANCE_KIB, maps + maps / 4 + 16],
    }
}

/// Runs the same cycles with PyTorch's own loader in another process. Returns memory in KiB,
/// descriptors, maps and folders, before and after. The error describes how the process ended.
fn held_by_pytorch(program: &Path, package: &Path) -> Result<[[usize; 4]; 2], String> {
    let arguments = ["20".to_owned(), CYCLES.to_string(), device().to_string()];
    let output = Command::new(program).arg(package).args(arguments).output().unwrap();
    if !output.status.success() {
        return Err(format!("{}, {}", output.status, String::from_utf8_lossy(&output.stderr).trim()));
    }
    let said = String::from_utf8(output.stdout).unwrap();
    let numbers = |line: &str| -> Vec<usize> { line.split(' ').map(|word| word.parse().unwrap()).collect() };
    let lines: Vec<[usize; 4]> = said.lines().map(|line| numbers(line).try_into().unwrap()).collect();
    Ok(lines.try_into().unwrap())
}

/// Prints also if the test passes, when the test runner hides its output.
fn say(text: &str) {
    let mut shown = stderr().lock();
    writeln!(shown, "{text}").unwrap();
}

#[test]
fn a_peer_that_dies_is_reported_and_leaves_libpt2_its_own_bounds() {
    let died = held_by_pytorch(Path::new("/bin/sh"), Path::new("/nonexistent")).unwrap_err();
    assert!(died.contains("exit status") && died.contains("/nonexistent"), "{died}");
    let theirs = Some([[1000, 7, 90, 0], [1400, 7, 98, 0]]);
    assert_eq!(allowed(None, Device::Cpu), [ALLOWANCE_KIB, 0]);
    assert_eq!(allowed(theirs, Device::Cpu), [400 + ALLOWANCE_KIB, 8]);
    assert_eq!(allowed(theirs, Device::Cuda(0)), [500 + ALLOWANCE_KIB, 26]);
    assert!(allowed(None, Device::Cuda(0))[0] < CYCLES * 256);
}
