//! Reading a `torch.save` file takes memory of at most four times its size, or a few MiB for small
//! files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod archive_builder;

use archive_builder::Zip;
use pt2::archive::{ReadOptions, ZipFile};
use pt2::weights::pickle::read_tensors;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Counts held memory and its peak.
struct Ledger;

// SAFETY: every call goes to the system's allocator unchanged; the counters are separate.
unsafe impl GlobalAlloc for Ledger {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), SeqCst) + layout.size();
        PEAK.fetch_max(held, SeqCst);
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), SeqCst);
        // SAFETY: the pointer came from `alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static LEDGER: Ledger = Ledger;

/// Returns the peak memory of reading a file, without its own bytes.
fn peak(container: &ZipFile) -> usize {
    let before = HELD.load(SeqCst);
    PEAK.store(before, SeqCst);
    let _ = read_tensors(container);
    PEAK.load(SeqCst) - before
}

fn body(opcodes: &[u8], size: usize) -> Vec<u8> {
    let repeated = opcodes.repeat(size / opcodes.len());
    [b"\x80\x02}q\x00", &repeated[..], b"."].concat()
}

#[test]
fn memory_is_four_times_the_file_at_most() {
    const FILE: usize = 8 << 20;
    let names = b"X\x01\x00\x00\x00ah\x00s";
    let cases: [&[u8]; 12] = [
        b"N",
        b"(",
        b")",
        b"]",
        b"}",
        b")\x85",
        b"]h\x00a",
        b"h\x00",
        b"(t",
        b"\x88",
        names,
        b"ccollections\nOrderedDict\n)R",
    ];
    let detector = HELD.load(SeqCst);
    let held = vec![0u8; FILE];
    assert!(PEAK.load(SeqCst) >= detector + FILE, "the ledger does not count");
    drop(held);
    for opcodes in cases {
        let bytes = Zip::plain(&[("a/data.pkl", &body(opcodes, FILE)), ("a/byteorder", b"little")]).write();
        let size = bytes.len();
        let container = ZipFile::from_bytes(bytes, &ReadOptions::default()).unwrap();
        let peak = peak(&container);
        assert!(peak <= 4 * size, "{peak} bytes for a file of {size}: {opcodes:02x?}");
    }
}
