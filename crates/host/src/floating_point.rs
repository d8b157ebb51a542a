//! Floating-point environment of a thread: rounding, traps, and flushing of denormals.
//!
//! libtorch's kernels assume the default of the C library. Hosts change it: audio threads flush
//! denormals, Fortran's debug builds trap invalid operations, interval arithmetic rounds up.
//! Libraries that GCC 12 or older linked with `-ffast-math` change it while they are loaded
//! (`crtfastmath.o`).

use std::marker::PhantomData;

/// Guard that keeps the default floating-point environment. Dropping it restores the environment of
/// the thread, exception flags included.
///
/// Costs a few cycles if the thread already has the default: control registers are written only
/// when they differ.
#[derive(Debug)]
pub struct FloatingPoint {
    saved: registers::Saved,
    _one_thread: PhantomData<*const ()>,
}

impl FloatingPoint {
    /// Saves the thread's environment and sets the default.
    #[inline]
    pub fn default_environment() -> FloatingPoint {
        FloatingPoint { saved: registers::save_and_reset(), _one_thread: PhantomData }
    }
}

impl Drop for FloatingPoint {
    #[inline]
    fn drop(&mut self) {
        registers::restore(&self.saved);
    }
}

#[cfg(target_arch = "x86_64")]
mod registers {
    use std::arch::asm;

    /// Default MXCSR: every exception masked, round to nearest, denormals kept.
    const MXCSR: u32 = 0x1f80;
    /// Exception flags of MXCSR. All other bits are control bits.
    const MXCSR_FLAGS: u32 = 0x3f;
    /// Default x87 control word: every exception masked, 64-bit precision, round to nearest.
    const X87: u16 = 0x037f;
    /// Exception flags, stack fault and error summary of the x87 status word.
    const X87_FLAGS: u16 = 0xff;

    /// Saved registers of SSE and x87.
    #[derive(Clone, Copy, Debug)]
    pub struct Saved {
        mxcsr: u32,
        control: u16,
        status: u16,
    }

    /// 32-bit protected-mode layout of `fnstenv`.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Environment {
        control: u32,
        status: u32,
        rest: [u32; 5],
    }

    #[inline]
    fn read() -> Saved {
        let mut saved = Saved { mxcsr: 0, control: 0, status: 0 };
        // SAFETY: the instructions store registers to these locals and change nothing.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &raw mut saved.mxcsr, options(nostack, preserves_flags));
            asm!("fnstcw [{}]", in(reg) &raw mut saved.control, options(nostack, preserves_flags));
            asm!("fnstsw [{}]", in(reg) &raw mut saved.status, options(nostack, preserves_flags));
        }
        saved
    }

    #[inline]
    fn write_mxcsr(value: u32) {
        // SAFETY: `value` was read from the register or is the default, so no reserved bit is set.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, preserves_flags)) }
    }

    #[inline]
    pub fn save_and_reset() -> Saved {
        let saved = read();
        if saved.mxcsr & !MXCSR_FLAGS != MXCSR {
            write_mxcsr(MXCSR | saved.mxcsr & MXCSR_FLAGS);
        }
        if saved.control != X87 {
            write_x87(X87, saved.status);
        }
        saved
    }

    #[inline]
    pub fn restore(saved: &Saved) {
        let now = read();
        if now.mxcsr != saved.mxcsr {
            write_mxcsr(saved.mxcsr);
        }
        if now.control != saved.control || (now.status ^ saved.status) & X87_FLAGS != 0 {
            write_x87(saved.control, saved.status);
        }
    }

    /// Sets the control word and the flags together: a flag that was raised while masked would trap
    /// once unmasked.
    #[cold]
    fn write_x87(control: u16, status: u16) {
        let mut environment = Environment { control: 0, status: 0, rest: [0; 5] };
        // SAFETY: `fnstenv` fills the 28 bytes of the local, and `fldenv` loads them with other
        // control bits and flags. The register stack and its tags are unchanged.
        unsafe {
            asm!("fnstenv [{}]", in(reg) &raw mut environment, options(nostack, preserves_flags));
            environment.control = environment.control & !0xffff | u32::from(control);
            let flags = u32::from(X87_FLAGS);
            environment.status = environment.status & !flags | u32::from(status) & flags;
            asm!("fldenv [{}]", in(reg) &raw const environment, options(nostack, preserves_flags));
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod registers {
    use std::arch::asm;

    /// Saved FPCR and FPSR.
    #[derive(Clone, Copy, Debug)]
    pub struct Saved {
        control: u64,
        status: u64,
    }

    #[inline]
    fn read() -> Saved {
        let (control, status);
        // SAFETY: the instructions read registers of the thread.
        unsafe {
            asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack, preserves_flags));
            asm!("mrs {}, fpsr", out(reg) status, options(nomem, nostack, preserves_flags));
        }
        Saved { control, status }
    }

    #[inline]
    fn write_control(value: u64) {
        // SAFETY: the value was read from the register, or is the default.
        unsafe { asm!("msr fpcr, {}", in(reg) value, options(nomem, nostack, preserves_flags)) }
    }

    #[inline]
    pub fn save_and_reset() -> Saved {
        let saved = read();
        if saved.control != 0 {
            write_control(0);
        }
        saved
    }

    #[inline]
    pub fn restore(saved: &Saved) {
        let now = read();
        if now.control != saved.control {
            write_control(saved.control);
        }
        if now.status != saved.status {
            // SAFETY: the value was read from the register.
            unsafe { asm!("msr fpsr, {}", in(reg) saved.status, options(nomem, nostack, preserves_flags)) }
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod registers {
    /// Empty: libpt2 does not change the environment of other processors.
    #[derive(Clone, Copy, Debug)]
    pub struct Saved;

    pub fn save_and_reset() -> Saved {
        Saved
    }

    pub fn restore(_: &Saved) {}
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use std::arch::asm;
    use std::hint::black_box;

    fn words() -> (u32, u16, u16) {
        let (mut mxcsr, mut control, mut status) = (0u32, 0u16, 0u16);
        // SAFETY: the instructions store registers to these locals.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &raw mut mxcsr);
            asm!("fnstcw [{}]", in(reg) &raw mut control);
            asm!("fnstsw [{}]", in(reg) &raw mut status);
        }
        (mxcsr, control, status & 0xff)
    }

    fn set(mxcsr: u32, control: u16) {
        // SAFETY: no reserved bit is set, and no exception is pending.
        unsafe {
            asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr);
            asm!("fldcw [{}]", in(reg) &raw const control);
        }
    }

    /// Raises invalid, inexact and overflow in both units.
    fn raise() {
        let zero = black_box(0.0f64);
        black_box(zero / black_box(zero) + f64::MAX * black_box(3.0));
        // SAFETY: the instructions pop as many registers as they push.
        unsafe { asm!("fldz", "fldz", "fdivp", "fstp st(0)", out("st(0)") _, out("st(1)") _) }
    }

    #[test]
    fn every_environment_is_replaced_and_restored_with_its_flags() {
        // Flush and denormals-are-zero; upward; invalid, zero and overflow trap; 53 bits and
        // invalid traps in x87.
        for (mxcsr, control) in [(0x9fc0, 0x37f), (0x5f80, 0xb7f), (0x1900, 0x37f), (0x1f80, 0x27e)] {
            set(mxcsr, control);
            let before = words();
            {
                let _default = FloatingPoint::default_environment();
                assert_eq!((words().0 & !0x3f, words().1), (0x1f80, 0x37f));
                raise();
                assert_ne!(words().0 & 0x3f, 0);
            }
            let after = words();
            set(0x1f80, 0x37f);
            assert_eq!(after, before, "{mxcsr:x} {control:x}");
        }
    }

    #[test]
    fn a_change_meanwhile_is_undone() {
        set(0x1f80, 0x37f);
        {
            let _default = FloatingPoint::default_environment();
            set(0x9fc0, 0x27f);
        }
        assert_eq!((words().0, words().1), (0x1f80, 0x37f));
    }
}

#[cfg(all(test, target_arch = "aarch64"))]
mod tests {
    use super::*;
    use std::arch::asm;
    use std::hint::black_box;

    /// FPCR and FPSR.
    fn words() -> (u64, u64) {
        let (control, status);
        // SAFETY: the instructions read registers of the thread.
        unsafe {
            asm!("mrs {}, fpcr", out(reg) control);
            asm!("mrs {}, fpsr", out(reg) status);
        }
        (control, status)
    }

    fn set(control: u64, status: u64) {
        // SAFETY: no reserved bit is set, and no exception traps.
        unsafe {
            asm!("msr fpcr, {}", in(reg) control);
            asm!("msr fpsr, {}", in(reg) status);
        }
    }

    #[test]
    fn every_environment_is_replaced_and_restored_with_its_flags() {
        // Flush to zero; upward; default NaN; downward and flush, with flags.
        for (control, status) in [(1 << 24, 0), (1 << 22, 0), (1 << 25, 0), (1 << 24 | 2 << 22, 0x11)] {
            set(control, status);
            let before = words();
            assert_eq!(before, (control, status));
            {
                let _default = FloatingPoint::default_environment();
                assert_eq!(words().0, 0);
                // Invalid, inexact and overflow.
                let zero = black_box(0.0f64);
                black_box(zero / black_box(zero) + f64::MAX * black_box(3.0));
                assert_ne!(words().1 & 0x5, 0);
            }
            let after = words();
            set(0, 0);
            assert_eq!(after, before, "{control:x} {status:x}");
        }
    }

    #[test]
    fn a_change_meanwhile_is_undone() {
        set(0, 0);
        {
            let _default = FloatingPoint::default_environment();
            set(1 << 24, 0x1f);
        }
        assert_eq!(words(), (0, 0));
    }
}
