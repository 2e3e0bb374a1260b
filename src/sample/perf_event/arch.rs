//! The registers from which unwinding starts, per processor.

use framehop::UnwindRegsNative;
use linux_perf_event_reader::{Regs, constants};

/// `sample_regs_user`: frame pointer, stack pointer, instruction pointer.
#[cfg(target_arch = "x86_64")]
pub(super) const REGISTERS: u64 =
    1 << constants::PERF_REG_X86_BP | 1 << constants::PERF_REG_X86_SP | 1 << constants::PERF_REG_X86_IP;

/// `sample_regs_user`: frame pointer (x29), link register, stack pointer, program counter.
#[cfg(target_arch = "aarch64")]
pub(super) const REGISTERS: u64 = 1 << constants::PERF_REG_ARM64_X29
    | 1 << constants::PERF_REG_ARM64_LR
    | 1 << constants::PERF_REG_ARM64_SP
    | 1 << constants::PERF_REG_ARM64_PC;

/// Where a thread was.
#[derive(Clone, Copy)]
pub(super) struct Position {
    /// Instruction pointer.
    pub(super) pc: u64,
    /// Stack pointer.
    pub(super) sp: u64,
    /// What the unwinder starts with.
    pub(super) registers: UnwindRegsNative,
}

/// A position from its registers; x86-64 has no link register.
pub(super) fn position_at(pc: u64, sp: u64, fp: u64, lr: u64) -> Position {
    #[cfg(target_arch = "x86_64")]
    let (registers, _) = (UnwindRegsNative::new(pc, sp, fp), lr);
    #[cfg(target_arch = "aarch64")]
    let registers = UnwindRegsNative::new(lr, sp, fp);
    Position { pc, sp, registers }
}

#[cfg(target_arch = "x86_64")]
pub(super) fn position(regs: &Regs<'_>) -> Option<Position> {
    let pc = regs.get(constants::PERF_REG_X86_IP)?;
    let sp = regs.get(constants::PERF_REG_X86_SP)?;
    let bp = regs.get(constants::PERF_REG_X86_BP)?;
    Some(position_at(pc, sp, bp, 0))
}

#[cfg(target_arch = "aarch64")]
pub(super) fn position(regs: &Regs<'_>) -> Option<Position> {
    let pc = regs.get(constants::PERF_REG_ARM64_PC)?;
    let sp = regs.get(constants::PERF_REG_ARM64_SP)?;
    let lr = regs.get(constants::PERF_REG_ARM64_LR)?;
    let fp = regs.get(constants::PERF_REG_ARM64_X29)?;
    Some(position_at(pc, sp, fp, lr))
}
