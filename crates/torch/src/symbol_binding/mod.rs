//! Binds libtorch's calls to its own functions where the host defines the same names.
//!
//! libtorch exports its components (MKL's BLAS and LAPACK, oneDNN, XNNPACK, Sleef, libuv, …) and
//! calls them through slots. The dynamic loader binds a slot to the first definition in the
//! process. That is the host's if its program, a linked library or a preloaded one has the name.
//! Such a definition may have another ABI: a BLAS with 64-bit integers reads past its arguments.
//!
//! This module binds every slot of a C function to libtorch's own definition. Names that libtorch
//! imports from the C and C++ libraries keep the definition that the dynamic loader found, because
//! a host may replace its allocator. A few of them lead there through hooks.

mod hooks;
mod memory;
mod object;

use hooks::Hook;
pub use hooks::call_first_at_exit;
use libc::{c_char, c_int, c_void};
use object::{Object, Own, Slot};
use pt2_format::lock::lock;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::Mutex;

/// libtorch's libraries; each may use definitions of those before it.
const LIBRARIES: [&str; 5] =
    ["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch_cuda_linalg.so"];

/// Held while slots are written, because pages become writable and read-only again.
static WRITING: Mutex<()> = Mutex::new(());

/// Binds libtorch's loaded libraries to each other. An error names a symbol and its library.
pub fn bind_libtorch() -> Result<(), String> {
    let _writing = lock(&WRITING);
    let all = Object::all();
    let found = |name: &&str| all.iter().find(|object| object.file_name() == *name);
    let libraries: Vec<&Object> = LIBRARIES.iter().filter_map(found).collect();
    let program = all.first().ok_or("the dynamic loader lists no program")?;
    let mut openmp = Providers::default();
    for (at, library) in libraries.iter().enumerate() {
        let before = libraries.get(..at).unwrap_or_default();
        openmp.extend(bind(library, before, program, &all)?);
    }
    require_one_openmp(&all, &openmp)?;
    // Libraries that may free a block that another of them allocated.
    let own: fn() -> Result<(), String> = bind_libtorch;
    let is_hooked =
        |object: &&Object| object.span.contains(&(own as usize)) || is_allocating(object.file_name());
    // Every library is hooked as far as the system allows, whatever became of the others.
    if all.iter().filter(is_hooked).filter(|object| !hook(object)).count() == 0 {
        memory::serve();
    }
    Ok(())
}

/// Returns true for libraries that allocate for libtorch, or in its parallel regions.
fn is_allocating(file: &str) -> bool {
    file.starts_with("libstdc++.so") || file.starts_with("libgomp.so")
}

/// Writes the hooks into a library's slots. Slots that the system does not allow to be written are
/// unchanged. Returns true if there is no such slot.
fn hook(object: &Object) -> bool {
    object.slots().filter(|slot| hooked(object, slot).is_err()).count() == 0
}

/// Hooks the library that holds an address, as far as the system allows.
pub fn hook_library_of(address: *const c_void) {
    let _writing = lock(&WRITING);
    let all = Object::all();
    if let Some(object) = all.iter().find(|object| object.span.contains(&(address as usize))) {
        hook(object);
    }
}

/// Hooks a library that libpt2 has opened.
///
/// # Safety
/// `handle` was returned by `dlopen` and is not closed yet.
pub unsafe fn hook_library(handle: *mut c_void) {
    /// Public part of `struct link_map` in `link.h`.
    #[repr(C)]
    struct LinkMap {
        base: usize,
        name: *const c_char,
        dynamic: *const c_void,
    }
    /// `RTLD_DI_LINKMAP` of `dlfcn.h`.
    const LINK_MAP: c_int = 2;
    let mut map: *const LinkMap = ptr::null();
    // SAFETY: the handle is open by this function's contract, and the request fills one pointer.
    if unsafe { libc::dlinfo(handle, LINK_MAP, (&raw mut map).cast()) } == 0 && !map.is_null() {
        // SAFETY: the dynamic loader keeps its link map while the handle is open.
        hook_library_of(unsafe { (*map).dynamic });
    }
}

/// OpenMP functions that libtorch calls, by address.
type Providers = BTreeMap<usize, &'static CStr>;

/// Binds one library, and returns the OpenMP functions that it calls.
fn bind(library: &Object, before: &[&Object], program: &Object, all: &[Object]) -> Result<Providers, String> {
    let mut openmp = Providers::default();
    let handle = OnceCell::new();
    for slot in library.outgoing_slots() {
        match library.own(&slot) {
            Some(Own::Data(address)) => own_data(library, &slot, address, program, all)?,
            // libtorch's Python half replaces some C++ functions of the others on purpose.
            _ if library.is_cpp(&slot) => {}
            Some(Own::Function(address)) => library.write(&slot, address)?,
            None => {
                let Some(name) = library.foreign(&slot) else { continue };
                if is_openmp(name) {
                    let handle = || handle.get_or_init(|| Handle::of(library)).as_ref();
                    let address = Handle::GLOBAL.symbol(name).or_else(|| handle()?.symbol(name));
                    openmp.extend(address.map(|address| (address, name)));
                }
                let own = before.iter().find_map(|object| object.function(name));
                if let Some(address) = own.or_else(|| Hook::of(name).map(Hook::address)) {
                    library.write(&slot, address)?;
                }
            }
        }
    }
    Ok(openmp)
}

/// Binds a data symbol to the library's own definition, if the host defines it too.
///
/// C data has no constructor, so it can be rebound. A constructor may already have run on the
/// host's C++ data, so that is an error. libtorch's libraries share such data with each other.
fn own_data(
    library: &Object,
    slot: &Slot,
    address: usize,
    program: &Object,
    all: &[Object],
) -> Result<(), String> {
    let found = slot.leads_to();
    if found == address || program.has_copy_at(found) {
        return Ok(());
    }
    if !library.is_cpp(slot) {
        return library.write(slot, address);
    }
    match all.iter().find(|object| object.span.contains(&found)) {
        Some(provider) if !is_libtorch(provider) => Err(format!(
            "`{}` of {} is taken from {}; load that one later or without exporting its symbols",
            library.name_of(slot).to_string_lossy(),
            library.file_name(),
            shown(provider)
        )),
        _ => Ok(()),
    }
}

/// Returns true if a library is libtorch's, including its Python library.
fn is_libtorch(object: &Object) -> bool {
    let name = object.file_name();
    LIBRARIES.contains(&name) || name.starts_with("libtorch") || name.starts_with("libc10")
}

fn shown(object: &Object) -> String {
    if object.name.is_empty() { "the program".into() } else { object.name.clone() }
}

fn hooked(library: &Object, slot: &Slot) -> Result<(), String> {
    let hook = library.foreign(slot).and_then(Hook::of);
    hook.map_or(Ok(()), |hook| library.write(slot, hook.address()))
}

/// Checks that all OpenMP functions come from one runtime, because they share state.
///
/// A host may bring a whole runtime, but not some of its functions.
fn require_one_openmp(all: &[Object], functions: &Providers) -> Result<(), String> {
    let provider = |address: &usize| all.iter().find(|object| object.span.contains(address));
    let mut found = functions.iter().filter_map(|(address, name)| Some((provider(address)?, name)));
    let Some((one, _)) = found.next() else { return Ok(()) };
    let Some((other, name)) = found.find(|(object, _)| object.span != one.span) else { return Ok(()) };
    Err(format!(
        "functions of OpenMP come from {} and from {} (`{}`); rename those of the one that is no OpenMP runtime",
        shown(one),
        shown(other),
        name.to_string_lossy()
    ))
}

fn is_openmp(name: &CStr) -> bool {
    name.to_bytes().starts_with(b"GOMP_") || name.to_bytes().starts_with(b"omp_")
}

/// Handle for `dlsym`. Its library is never closed.
#[derive(Clone, Copy, Debug)]
struct Handle(*mut c_void);

impl Handle {
    /// Scope of the program, its linked libraries, and preloaded ones.
    const GLOBAL: Handle = Handle(libc::RTLD_DEFAULT);

    fn of(object: &Object) -> Option<Handle> {
        let name = CString::new(object.name.as_str()).ok()?;
        // SAFETY: `RTLD_NOLOAD` only finds a loaded library, so no initialiser runs.
        let raw = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        (!raw.is_null()).then_some(Handle(raw))
    }

    fn symbol(self, name: &CStr) -> Option<usize> {
        // SAFETY: the handle is open or `RTLD_DEFAULT`, and the name is NUL-terminated.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        (!address.is_null()).then_some(address as usize)
    }
}
