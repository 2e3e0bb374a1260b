//! The registers from which unwinding starts, per processor.

use framehop::UnwindRegsNative;
use linux_perf_event_reader::{Regs, constants};

use crate::sample::walk::Position;

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

#[cfg(target_arch = "x86_64")]
pub(super) fn position(regs: &Regs<'_>) -> Option<Position> {
    let pc = regs.get(constants::PERF_REG_X86_IP)?;
    let sp = regs.get(constants::PERF_REG_X86_SP)?;
    let bp = regs.get(constants::PERF_REG_X86_BP)?;
    Some(Position { pc, sp, registers: UnwindRegsNative::new(pc, sp, bp) })
}

#[cfg(target_arch = "aarch64")]
pub(super) fn position(regs: &Regs<'_>) -> Option<Position> {
    let pc = regs.get(constants::PERF_REG_ARM64_PC)?;
    let sp = regs.get(constants::PERF_REG_ARM64_SP)?;
    let lr = regs.get(constants::PERF_REG_ARM64_LR)?;
    let fp = regs.get(constants::PERF_REG_ARM64_X29)?;
    Some(Position { pc, sp, registers: UnwindRegsNative::new(lr, sp, fp) })
}
