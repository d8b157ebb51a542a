//! Version of libtorch, which only the core knows.

use crate::core;
use crate::result::Text;
use pt2_host::without_cancellation;

#[unsafe(no_mangle)]
pub extern "C-unwind" fn pt2_libtorch_version() -> Text {
    without_cancellation(|| match core::opened() {
        // SAFETY: the function takes no arguments.
        Ok(functions) => unsafe { (functions.pt2_libtorch_version)() },
        Err(_) => Text(c"".as_ptr()),
    })
}
