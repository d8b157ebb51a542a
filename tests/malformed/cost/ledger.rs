//! Cost of reading: peak memory and the thread's processor time.

use crate::cpu_time;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Counts held memory and its peak for each thread, because tests run concurrently.
struct Ledger;

fn count(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: every call goes to the system's allocator unchanged; the counters are separate.
unsafe impl GlobalAlloc for Ledger {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the pointer came from `alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static LEDGER: Ledger = Ledger;

/// Cost of one reading.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Peak memory beyond the memory held before, in bytes.
    pub memory: usize,
    /// Processor time of the thread.
    pub time: Duration,
}

/// Measures one reading, whose result is dropped inside.
pub fn cost<T>(read: impl FnOnce() -> T) -> Cost {
    let before = HELD.get();
    PEAK.set(before);
    let start = cpu_time::used();
    drop(read());
    Cost { memory: usize::try_from(PEAK.get() - before).unwrap(), time: cpu_time::used() - start }
}

/// Asserts bounds for reading an input of `length` bytes. Memory: `factor` bytes for each byte, and
/// `least`. Time: two microseconds for each byte without optimisation, which only a superlinear
/// reader exceeds.
pub fn bounded<T>(what: &str, length: usize, factor: usize, least: usize, read: impl FnOnce() -> T) {
    let cost = cost(read);
    println!(
        "{what}: {length} bytes, {:.1} bytes of memory for each, {:?}",
        cost.memory as f64 / length as f64,
        cost.time
    );
    assert!(cost.memory <= factor * length + least, "{what}: {} bytes for {length}", cost.memory);
    let allowed = Duration::from_micros(2) * u32::try_from(length).unwrap() + Duration::from_millis(200);
    assert!(cost.time <= allowed, "{what}: {:?} for {length} bytes, {allowed:?} allowed", cost.time);
}

#[test]
fn the_ledger_counts() {
    let cost = cost(|| {
        drop(vec![0u8; 3 << 20]);
        vec![0u8; 1 << 20]
    });
    assert!((3 << 20..4 << 20).contains(&cost.memory), "{cost:?}");
    let doubling = || (0..24).fold(vec![1u8], |items, _| [items.clone(), items].concat());
    assert!(std::panic::catch_unwind(|| bounded("a control", 100, 100, 0, doubling)).is_err());
}
