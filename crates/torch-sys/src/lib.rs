//! The shim's C surface, declared once. `shim/*.cpp` defines it.
#![allow(missing_docs, reason = "`cpp/shim.h` documents each function where it is declared for C++")]

mod warmup_conv;

pub use warmup_conv::{WarmupConv, count, is_floating};

use libc::{c_char, c_void};
use torch_sys::C_tensor;

#[repr(C)]
pub struct ShimError {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Frame {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct OperatorHandle {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct OpCall {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Scope {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Autocast {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct SideStream {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Event {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Capturer {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct CudaGraph {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct TensorView {
    pub sizes: *const i64,
    pub strides: *const i64,
    pub data: *mut c_void,
    pub rank: usize,
    pub elements: i64,
    pub bytes: i64,
    pub dtype: i32,
    pub device_type: i32,
    pub device_index: i32,
    pub layout: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CallOperand {
    pub tag: i32,
    pub slot: u32,
    pub integer: i64,
    pub real: f64,
    pub imaginary: f64,
    pub text: *const c_char,
    pub length: usize,
    pub items: *const CallOperand,
}

#[repr(C)]
pub struct Pointwise {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PointwiseOperand {
    pub kind: i32,
    pub index: u32,
    pub constant: f32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PointwiseStep {
    pub arithmetic: i32,
    pub left: PointwiseOperand,
    pub right: PointwiseOperand,
    pub to: u32,
}

#[repr(C)]
pub struct NamedOperand {
    pub name: *const c_char,
    pub operand: CallOperand,
}

#[repr(C)]
pub struct ReturnSlot {
    pub slots: *const u32,
    pub count: usize,
    pub list: bool,
}

#[repr(C)]
pub struct ModelContainer {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    pub fn shim_container_open(
        library: *mut c_void,
        device_type: i32,
        device_index: i32,
        kernels: *const c_char,
        instances: usize,
        out: *mut *mut ModelContainer,
    ) -> *mut ShimError;
    pub fn shim_container_close(container: *mut ModelContainer) -> *mut ShimError;
    pub fn shim_container_count(
        container: *const ModelContainer,
        what: i32,
        out: *mut usize,
    ) -> *mut ShimError;
    pub fn shim_container_text(
        container: *const ModelContainer,
        what: i32,
        index: usize,
        out: *mut *const c_char,
    ) -> *mut ShimError;
    pub fn shim_container_fold(container: *const ModelContainer) -> *mut ShimError;
    pub fn shim_container_read_from(
        container: *const ModelContainer,
        constants: *mut u8,
        length: usize,
        out_moved: *mut usize,
    ) -> *mut ShimError;
    pub fn shim_container_run(
        container: *const ModelContainer,
        inputs: *const *const C_tensor,
        input_count: usize,
        outputs: *mut *mut C_tensor,
        output_count: usize,
    ) -> *mut ShimError;
    pub fn shim_container_constants(
        container: *const ModelContainer,
        take: unsafe extern "C" fn(*mut c_void, *const c_char, i32, *const C_tensor),
        context: *mut c_void,
    ) -> *mut ShimError;
    pub fn shim_container_free_constants(container: *const ModelContainer) -> *mut ShimError;
    pub fn shim_constant_memory(constant: *const C_tensor) -> *mut c_void;
    pub fn shim_constant_read(
        constant: *const C_tensor,
        from: *const C_tensor,
        own: *mut c_void,
    ) -> *mut ShimError;
    pub fn shim_library_has(library: *mut c_void, name: *const c_char) -> bool;
    pub fn shim_tensor_laid_out(
        tensor: *const C_tensor,
        strides: *const i64,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;
    pub fn shim_tensor_fill_changed(to: *const C_tensor, from: *const C_tensor) -> *mut ShimError;
    pub fn shim_tensor_write_back(to: *const C_tensor, from: *const C_tensor) -> *mut ShimError;

    pub fn shim_error_kind(error: *const ShimError) -> i32;
    pub fn shim_error_message(error: *const ShimError, length: *mut usize) -> *const c_char;
    pub fn shim_error_free(error: *mut ShimError);
    pub fn shim_error_provoke(what: i32) -> *mut ShimError;

    pub fn shim_tensor_view(tensor: *const C_tensor, view: *mut TensorView);
    pub fn shim_tensor_from_blob(
        data: *mut c_void,
        sizes: *const i64,
        strides: *const i64,
        rank: usize,
        dtype: i32,
        device_type: i32,
        device_index: i32,
        release: Option<unsafe extern "C" fn(*mut c_void)>,
        context: *mut c_void,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;
    pub fn shim_tensor_empty(
        sizes: *const i64,
        rank: usize,
        dtype: i32,
        device_type: i32,
        device_index: i32,
        pinned: bool,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;
    pub fn shim_tensor_view_of(
        base: *const C_tensor,
        offset: i64,
        sizes: *const i64,
        strides: *const i64,
        rank: usize,
        dtype: i32,
        trained: bool,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;
    pub fn shim_tensor_copy(to: *mut C_tensor, from: *const C_tensor, non_blocking: bool) -> *mut ShimError;
    pub fn shim_tensor_dense(
        tensor: *const C_tensor,
        device_type: i32,
        device_index: i32,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;
    pub fn shim_tensor_to_dlpack(tensor: *const C_tensor, out: *mut *mut c_void) -> *mut ShimError;
    pub fn shim_tensor_clone(tensor: *const C_tensor) -> *mut C_tensor;
    pub fn shim_tensor_like(tensor: *const C_tensor, out: *mut *mut C_tensor) -> *mut ShimError;
    pub fn shim_tensor_copied(tensor: *const C_tensor, out: *mut *mut C_tensor) -> *mut ShimError;
    pub fn shim_tensor_copy_prepacking(tensor: *const C_tensor, other: *const C_tensor) -> *mut ShimError;
    pub fn shim_tensor_fills_its_memory(tensor: *const C_tensor) -> bool;
    pub fn shim_tensor_is_plain(tensor: *const C_tensor) -> bool;
    pub fn shim_tensor_plain(tensor: *const C_tensor, out: *mut *mut C_tensor) -> *mut ShimError;
    pub fn shim_tensor_shares_memory(tensor: *const C_tensor, other: *const C_tensor) -> bool;

    pub fn shim_frame_new(slots: usize) -> *mut Frame;
    pub fn shim_frame_free(frame: *mut Frame);
    pub fn shim_frame_set_tensor(frame: *mut Frame, slot: u32, tensor: *const C_tensor);
    pub fn shim_frame_set_int(frame: *mut Frame, slot: u32, value: i64);
    pub fn shim_frame_set_float(frame: *mut Frame, slot: u32, value: f64);
    pub fn shim_frame_set_bool(frame: *mut Frame, slot: u32, value: bool);
    pub fn shim_frame_tag(frame: *const Frame, slot: u32) -> i32;
    pub fn shim_frame_int(frame: *const Frame, slot: u32) -> i64;
    pub fn shim_frame_float(frame: *const Frame, slot: u32) -> f64;
    pub fn shim_frame_bool(frame: *const Frame, slot: u32) -> bool;
    pub fn shim_frame_tensor(frame: *const Frame, slot: u32, out: *mut *mut C_tensor) -> *mut ShimError;
    pub fn shim_frame_release(frame: *mut Frame, slots: *const u32, count: usize);

    pub fn shim_frame_share(from: *const Frame, slot: u32, to: *mut Frame, to_slot: u32);
    pub fn shim_frame_is_true(frame: *const Frame, slot: u32, out: *mut bool) -> *mut ShimError;
    pub fn shim_frame_unshare(frame: *mut Frame, slot: u32) -> *mut ShimError;
    pub fn shim_frame_rows(frame: *const Frame, slot: u32, out: *mut i64) -> *mut ShimError;
    pub fn shim_frame_row(
        from: *const Frame,
        slot: u32,
        row: i64,
        to: *mut Frame,
        to_slot: u32,
    ) -> *mut ShimError;
    pub fn shim_frame_append(from: *const Frame, slot: u32, to: *mut Frame, to_slot: u32) -> *mut ShimError;
    pub fn shim_frame_stack(frame: *mut Frame, slot: u32) -> *mut ShimError;

    pub fn shim_rows_slice(
        tensor: *const C_tensor,
        start: i64,
        skipped: i64,
        step: i64,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;
    pub fn shim_rows_first(tensor: *const C_tensor, out: *mut *mut C_tensor) -> *mut ShimError;
    pub fn shim_rows_join(
        first: *const C_tensor,
        second: *const C_tensor,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;
    pub fn shim_rows_interleave(
        first: *const C_tensor,
        second: *const C_tensor,
        out: *mut *mut C_tensor,
    ) -> *mut ShimError;

    pub fn shim_operator_find(
        name: *const c_char,
        overload: *const c_char,
        out: *mut *mut OperatorHandle,
    ) -> *mut ShimError;
    pub fn shim_operator_free(op: *mut OperatorHandle);
    pub fn shim_operator_argument_count(op: *const OperatorHandle) -> usize;
    pub fn shim_operator_argument_name(op: *const OperatorHandle, index: usize) -> *const c_char;
    pub fn shim_operator_argument_content(op: *const OperatorHandle, index: usize) -> i32;
    pub fn shim_operator_each(
        take: unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char),
        context: *mut c_void,
    ) -> *mut ShimError;
    pub fn shim_library_open(path: *const c_char) -> *mut ShimError;
    pub fn shim_operator_runs_on(op: *const OperatorHandle, device_type: i32) -> bool;
    pub fn shim_operator_is_cast(op: *const OperatorHandle, device_type: i32) -> bool;
    pub fn shim_operator_is_composite(op: *const OperatorHandle) -> bool;
    pub fn shim_operator_has_tag(op: *const OperatorHandle, tag: i32) -> bool;
    pub fn shim_operator_writes(op: *const OperatorHandle, index: usize) -> bool;
    pub fn shim_operator_returns_alias_of(op: *const OperatorHandle, index: usize) -> bool;

    pub fn shim_operand_size() -> usize;
    pub fn shim_op_call_bind(
        op: *const OperatorHandle,
        given: *const NamedOperand,
        given_count: usize,
        destinations: *const ReturnSlot,
        destination_count: usize,
        out: *mut *mut OpCall,
    ) -> *mut ShimError;
    pub fn shim_op_call_free(call: *mut OpCall);
    pub fn shim_op_call_run(call: *const OpCall, frame: *mut Frame) -> *mut ShimError;

    pub fn shim_pointwise_new(
        steps: *const PointwiseStep,
        count: usize,
        registers: usize,
        out: *mut *mut Pointwise,
    ) -> *mut ShimError;
    pub fn shim_pointwise_free(pointwise: *mut Pointwise);
    pub fn shim_pointwise_run(
        pointwise: *const Pointwise,
        frame: *mut Frame,
        slots: *const u32,
        count: usize,
        to: u32,
        done: *mut bool,
    ) -> *mut ShimError;

    pub fn shim_host_memory_install(
        take: unsafe extern "C" fn(*const c_void, usize) -> *mut c_void,
        give: extern "C" fn(*mut c_void) -> bool,
        least: usize,
    ) -> *mut ShimError;
    pub fn shim_host_memory_enter(workspace: *const c_void) -> *const c_void;
    pub fn shim_scope_enter(
        device_type: i32,
        device_index: i32,
        stream: *mut c_void,
        out: *mut *mut Scope,
    ) -> *mut ShimError;
    pub fn shim_scope_leave(scope: *mut Scope);
    pub fn shim_fused_calls_fail(wanted: bool);
    pub fn shim_fused_fallbacks() -> u64;
    pub fn shim_scope_has_prepacked(scope: *const Scope) -> bool;
    pub fn shim_autocast_enter(
        device_type: i32,
        dtype: i32,
        enabled: bool,
        out: *mut *mut Autocast,
    ) -> *mut ShimError;
    pub fn shim_autocast_leave(autocast: *mut Autocast);
    pub fn shim_side_stream_enter(
        device_type: i32,
        device_index: i32,
        out: *mut *mut SideStream,
    ) -> *mut ShimError;
    pub fn shim_side_stream_leave(side: *mut SideStream);
    pub fn shim_event_new(device_type: i32, device_index: i32, out: *mut *mut Event) -> *mut ShimError;
    pub fn shim_event_free(event: *mut Event);
    pub fn shim_event_record(event: *mut Event) -> *mut ShimError;
    pub fn shim_event_block(event: *const Event) -> *mut ShimError;
    pub fn shim_event_synchronize(event: *const Event) -> *mut ShimError;
    pub fn shim_capturer_new(device: i32, out: *mut *mut Capturer) -> *mut ShimError;
    pub fn shim_capturer_free(capturer: *mut Capturer);
    pub fn shim_capturer_stream(capturer: *const Capturer) -> *mut c_void;
    pub fn shim_capturer_open(capturer: *mut Capturer) -> *mut ShimError;
    pub fn shim_capturer_close(capturer: *mut Capturer, keep: bool) -> *mut ShimError;
    pub fn shim_capture_begin(capturer: *mut Capturer) -> *mut ShimError;
    pub fn shim_capture_end(capturer: *mut Capturer, out: *mut *mut CudaGraph) -> *mut ShimError;
    pub fn shim_capture_abandon(capturer: *mut Capturer);
    pub fn shim_cuda_graph_launch(cuda_graph: *const CudaGraph) -> *mut ShimError;
    pub fn shim_cuda_graph_free(cuda_graph: *mut CudaGraph);
    pub fn shim_stream_is_capturing(device: i32, out: *mut bool) -> *mut ShimError;
    pub fn shim_cudnn_warm_up(device: i32, warmup: *const WarmupConv) -> *mut ShimError;
    pub fn shim_cudnn_load_tuning(device: i32, line: *const c_char, length: usize) -> bool;
    pub fn shim_cudnn_tuned_count() -> u64;
    pub fn shim_cudnn_version() -> usize;
    pub fn shim_cudnn_each_tuning(
        device: i32,
        take: unsafe extern "C" fn(*mut c_void, *const c_char, usize),
        context: *mut c_void,
    ) -> *mut ShimError;
    pub fn shim_device_synchronize(device_type: i32, device_index: i32) -> *mut ShimError;
    pub fn shim_device_finish(device_type: i32, device_index: i32) -> *mut ShimError;
    pub fn shim_device_release_cached(device_type: i32, device_index: i32) -> *mut ShimError;
    pub fn shim_cuda_device_count() -> i32;
    /// Function of libtorch itself.
    pub fn aoti_torch_abi_version() -> u64;
    pub fn shim_disable_onednn();
    pub fn shim_set_threads(count: i32) -> *mut ShimError;
    pub fn shim_threads() -> i32;
    pub fn shim_libtorch_version(length: *mut usize) -> *const c_char;
}
