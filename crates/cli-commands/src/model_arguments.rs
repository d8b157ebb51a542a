//! Arguments of a model, as libpt2 takes them.

use pt2::aoti::NativeCodeOptions;
use pt2::torch::load_op_library;
use pt2_cli_arguments::ModelArguments;

/// Loads the operator libraries, before any program is planned.
pub fn load_op_libraries(arguments: &ModelArguments) -> pt2::Result<()> {
    arguments.op_library.iter().try_for_each(|path| load_op_library(path))
}

/// Returns the permission to load compiled code.
pub fn native_code(arguments: &ModelArguments) -> NativeCodeOptions {
    NativeCodeOptions {
        allowed: arguments.allow_native_code,
        digest: arguments.native_code_sha256,
        ..NativeCodeOptions::default()
    }
}
