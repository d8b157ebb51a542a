//! Operators that this process has, looked up once by name.

use super::failure::{Failure, check};
use super::{Device, ffi};
use libc::{c_char, c_void};
use std::ffi::{CStr, CString};
use std::ptr::NonNull;

/// What an argument of an operator can hold, by its type in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Tensors, numbers, dtypes, devices and the like.
    Values,
    /// A string, or something with strings in it.
    Text,
    /// Memory, streams and other things behind a pointer.
    Memory,
}

/// What libtorch says of an operator, by its number in `ATen/core/enum_tag.h` (2.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Its kernels cannot be recorded.
    CudaGraphUnsafe = 1,
    /// It returns a number that depends on what its tensors hold.
    DataDependentOutput = 2,
    /// The sizes it returns depend on what its tensors hold.
    DynamicOutputShape = 3,
    /// It draws random numbers.
    Random = 12,
}

/// The names of all operators that libraries of this process have registered, as `namespace::name.overload`;
/// the unnamed overload is `default`.
pub fn operator_names() -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = Vec::new();
    // SAFETY: `push` takes the context for what it is here, and is called only before the shim returns.
    check(unsafe { ffi::shim_operator_each(push, (&raw mut names).cast()) })?;
    Ok(names)
}

/// # Safety
/// `names` is a `Vec<String>`, the others are NUL-terminated strings.
unsafe extern "C" fn push(names: *mut c_void, name: *const c_char, overload: *const c_char) {
    // SAFETY: the caller's promise.
    let (names, name, overload) =
        unsafe { (&mut *names.cast::<Vec<String>>(), CStr::from_ptr(name), CStr::from_ptr(overload)) };
    let overload = if overload.is_empty() { c"default" } else { overload };
    names.push(format!("{}.{}", name.to_string_lossy(), overload.to_string_lossy()));
}

/// A registered operator with its schema.
#[derive(Debug)]
pub struct Operator(NonNull<ffi::OperatorHandle>);

// SAFETY: the handle points into the dispatcher's table, which lives as long as the process and may be read
// from any thread (c10/core/dispatch/Dispatcher.h, 2.11).
unsafe impl Send for Operator {}
// SAFETY: as above; every method only reads.
unsafe impl Sync for Operator {}

impl Operator {
    /// Finds `namespace::name` with an overload; `default` and the empty text both mean the unnamed one. None if this
    /// process has no such operator.
    pub fn look_up(namespace: &str, name: &str, overload: &str) -> Result<Option<Operator>, Failure> {
        let overload = if overload == "default" { "" } else { overload };
        let (Ok(full), Ok(overload)) = (CString::new(format!("{namespace}::{name}")), CString::new(overload))
        else {
            return Ok(None);
        };
        let mut found = std::ptr::null_mut();
        // SAFETY: both strings are NUL-terminated and outlive the call, which writes one pointer.
        check(unsafe { ffi::shim_operator_find(full.as_ptr(), overload.as_ptr(), &raw mut found) })?;
        Ok(NonNull::new(found).map(Operator))
    }

    /// The same where it does not matter why there is none.
    pub fn find(namespace: &str, name: &str, overload: &str) -> Option<Operator> {
        Operator::look_up(namespace, name, overload).ok().flatten()
    }

    /// The names of the schema's arguments, in order.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        // SAFETY: the handle is valid; indices stay below the count, and names live as long as the handle.
        (0..unsafe { ffi::shim_operator_argument_count(self.as_ptr()) }).map(|index| unsafe {
            CStr::from_ptr(ffi::shim_operator_argument_name(self.as_ptr(), index)).to_str().unwrap_or("")
        })
    }

    /// What this argument can hold besides tensors and numbers.
    pub fn content(&self, argument: usize) -> Content {
        // SAFETY: the handle is valid; an index out of range is answered with plain values.
        match unsafe { ffi::shim_operator_argument_content(self.as_ptr(), argument) } {
            0 => Content::Values,
            1 => Content::Text,
            _ => Content::Memory,
        }
    }

    /// Whether libtorch tags the operator so.
    pub fn has_tag(&self, tag: Tag) -> bool {
        // SAFETY: the handle is valid; an unknown number is answered with false.
        unsafe { ffi::shim_operator_has_tag(self.as_ptr(), tag as i32) }
    }

    /// Whether libtorch has a kernel of it for tensors on a device, of any layout.
    pub fn runs_on(&self, device: Device) -> bool {
        // SAFETY: the handle is valid.
        unsafe { ffi::shim_operator_runs_on(self.as_ptr(), device.torch_type()) }
    }

    /// Whether automatic casts for a type of device act on it.
    pub fn is_cast(&self, device: Device) -> bool {
        // SAFETY: the handle is valid.
        unsafe { ffi::shim_operator_is_cast(self.as_ptr(), device.torch_type()) }
    }

    /// Whether it is made of other operators on every device.
    pub fn is_composite(&self) -> bool {
        // SAFETY: the handle is valid.
        unsafe { ffi::shim_operator_is_composite(self.as_ptr()) }
    }

    /// Whether the schema says that the operator writes to this argument.
    pub fn writes(&self, argument: usize) -> bool {
        // SAFETY: the handle is valid; an index out of range is answered with false.
        unsafe { ffi::shim_operator_writes(self.as_ptr(), argument) }
    }

    /// Whether the schema says that a return may share memory with this argument.
    pub fn returns_alias_of(&self, argument: usize) -> bool {
        // SAFETY: the handle is valid; an index out of range is answered with false.
        unsafe { ffi::shim_operator_returns_alias_of(self.as_ptr(), argument) }
    }

    pub(super) fn as_ptr(&self) -> *const ffi::OperatorHandle {
        self.0.as_ptr()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // SAFETY: this value owns the handle.
        unsafe { ffi::shim_operator_free(self.0.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_this_libtorch() {
        let tagged = |name, overload, tag| Operator::find("aten", name, overload).unwrap().has_tag(tag);
        assert!(tagged("item", "default", Tag::DataDependentOutput));
        assert!(tagged("nonzero", "default", Tag::DynamicOutputShape));
        assert!(tagged("bernoulli", "default", Tag::Random));
        for tag in [Tag::CudaGraphUnsafe, Tag::DataDependentOutput, Tag::DynamicOutputShape, Tag::Random] {
            assert!(!tagged("add", "Tensor", tag), "{tag:?}");
        }
    }
}
