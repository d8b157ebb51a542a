//! Load, run and free, again and again, beside PyTorch's own loader.

use crate::packages::{device, image, load, made, mapped, package, run};
use pt2::torch::Device;
use std::fs;
use std::process::Command;

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
fn cycles_of_load_run_and_free_keep_nothing() {
    let files = || {
        fs::read_dir(std::env::temp_dir())
            .unwrap()
            .flatten()
            .filter(|file| file.file_name().to_string_lossy().starts_with("pt2-kernels-"))
            .count()
    };
    let cycle = || drop(run(&load("conv", "model"), &[Some(image(2, 1))]).unwrap());
    let theirs = cycles_of_pytorch();
    cycle();
    let kept = mapped();
    (0..20).for_each(|_| cycle());
    let before = (held(), files());
    (0..500).for_each(|_| cycle());
    let after = (held(), files());
    println!("memory in KiB, descriptors, maps, files: {before:?} before 500 cycles, {after:?} after");
    println!("PyTorch's own loader: {:?} before, {:?} after", theirs[0], theirs[1]);
    assert_eq!((after.0.1, after.1), (before.0.1, before.1));
    let grown = |before: usize, after: usize| after.saturating_sub(before);
    // Nobody unloads CUDA kernels that compiled code has loaded: there both grow, and the driver not evenly.
    let (slack, maps) = if device() == Device::Cpu { (0, 0) } else { (4, 16) };
    let allowed = |theirs: usize, more: usize| theirs + theirs * slack / 16 + more;
    assert!(grown(before.0.0, after.0.0) <= allowed(grown(theirs[0][0], theirs[1][0]), ALLOWANCE_KIB));
    assert!(grown(before.0.2, after.0.2) <= allowed(grown(theirs[0][2], theirs[1][2]), maps));
    // The dynamic loader may keep the code of one content, however often that is loaded (docs/reliability.md).
    println!("mappings of code that stay: {}", mapped());
    assert_eq!(mapped(), kept);
}

/// An allocator does not settle to the page.
const ALLOWANCE_KIB: usize = 2048;

/// The same cycles with PyTorch's own loader, in a process of its own: memory in KiB, descriptors, maps, folders.
fn cycles_of_pytorch() -> [[usize; 4]; 2] {
    let arguments = ["20", "500", &device().to_string()];
    let output = Command::new(made("cycles")).arg(package("conv")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let numbers = |line: &str| -> Vec<usize> { line.split(' ').map(|word| word.parse().unwrap()).collect() };
    let lines: Vec<[usize; 4]> = said.lines().map(|line| numbers(line).try_into().unwrap()).collect();
    lines.try_into().unwrap()
}
