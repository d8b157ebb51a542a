//! Operators that this process has, looked up once by name.

use super::failure::{Failure, check};
use super::{Device, ffi};
pub use ffi::{Content, Tag};
use libc::{c_char, c_void};
use std::ffi::{CStr, CString};
use std::ptr::NonNull;

/// Returns the names of all registered operators of this process, as `namespace::name.overload`.
///
/// The unnamed overload is `default`.
pub fn operator_names() -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = Vec::new();
    // SAFETY: `push` takes the list of names as context, and is called only before the shim
    // returns.
    check(unsafe { ffi::shim_operator_each(push, (&raw mut names).cast()) })?;
    Ok(names)
}

/// # Safety
/// `names` is a `Vec<String>`, the others are NUL-terminated strings.
unsafe extern "C" fn push(names: *mut c_void, name: *const c_char, overload: *const c_char) {
    // SAFETY: `operator_names` passes its list as context, and the shim NUL-terminated strings.
    let (names, name, overload) =
        unsafe { (&mut *names.cast::<Vec<String>>(), CStr::from_ptr(name), CStr::from_ptr(overload)) };
    let overload = if overload.is_empty() { c"default" } else { overload };
    names.push(format!("{}.{}", name.to_string_lossy(), overload.to_string_lossy()));
}

/// Registered operator with its schema.
#[derive(Debug)]
pub struct Operator(NonNull<ffi::Operator>);

// SAFETY: the handle points into the dispatcher's table, which is never freed and thread-safe to
// read (c10/core/dispatch/Dispatcher.h, 2.11).
unsafe impl Send for Operator {}
// SAFETY: every method only reads the dispatcher's table, which is thread-safe.
unsafe impl Sync for Operator {}

impl Operator {
    /// Finds an overload of `namespace::name`; `default` and the empty text both mean the unnamed
    /// one.
    ///
    /// None if this process has no such operator.
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

    /// Finds an overload of `namespace::name`; None also if the lookup fails.
    pub fn find(namespace: &str, name: &str, overload: &str) -> Option<Operator> {
        Operator::look_up(namespace, name, overload).ok().flatten()
    }

    /// Returns the names of the schema's arguments, in order.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        // SAFETY: the handle is valid, the index is below the count, and names live as long as the
        // handle.
        (0..unsafe { ffi::shim_operator_argument_count(self.as_ptr()) }).map(|index| unsafe {
            CStr::from_ptr(ffi::shim_operator_argument_name(self.as_ptr(), index)).to_str().unwrap_or("")
        })
    }

    /// Returns the content of an argument.
    pub fn content(&self, argument: usize) -> Content {
        // SAFETY: the handle is valid. For an index out of range the shim returns `Values`.
        unsafe { ffi::shim_operator_argument_content(self.as_ptr(), argument) }
    }

    /// Returns true if the operator has this tag.
    pub fn has_tag(&self, tag: Tag) -> bool {
        // SAFETY: the handle is valid.
        unsafe { ffi::shim_operator_has_tag(self.as_ptr(), tag) }
    }

    /// Returns true if the operator has a kernel for tensors on a device, of any layout.
    pub fn runs_on(&self, device: Device) -> bool {
        // SAFETY: the handle is valid.
        unsafe { ffi::shim_operator_runs_on(self.as_ptr(), device.torch_type()) }
    }

    /// Returns true if autocast for a type of device casts the operator's arguments.
    pub fn is_cast(&self, device: Device) -> bool {
        // SAFETY: the handle is valid.
        unsafe { ffi::shim_operator_is_cast(self.as_ptr(), device.torch_type()) }
    }

    /// Returns true if the operator is a composite of other operators on every device.
    pub fn is_composite(&self) -> bool {
        // SAFETY: the handle is valid.
        unsafe { ffi::shim_operator_is_composite(self.as_ptr()) }
    }

    /// Returns true if the schema declares that the operator writes to this argument.
    pub fn writes(&self, argument: usize) -> bool {
        // SAFETY: the handle is valid. For an index out of range the shim returns false.
        unsafe { ffi::shim_operator_writes(self.as_ptr(), argument) }
    }

    /// Returns true if the schema declares that a return may alias this argument.
    pub fn returns_alias_of(&self, argument: usize) -> bool {
        // SAFETY: the handle is valid. For an index out of range the shim returns false.
        unsafe { ffi::shim_operator_returns_alias_of(self.as_ptr(), argument) }
    }

    pub(super) fn as_ptr(&self) -> *const ffi::Operator {
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
