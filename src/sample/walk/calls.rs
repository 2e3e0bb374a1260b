//! Which function a call instruction calls, where the instruction itself says so. Follows no pointers.

/// The longest instruction that is looked at.
pub(super) const LONGEST: usize = 5;

/// The function that is called by the instruction in front of `returns_to`, whose last bytes these are; `None` for a call through a
/// register or memory, and for what is no call.
#[cfg(target_arch = "x86_64")]
pub(super) fn target(before: &[u8], returns_to: u64) -> Option<u64> {
    // CALL rel32 (Intel SDM, volume 2): counted from the next instruction.
    let [0xe8, offset @ ..] = before.last_chunk::<5>()? else { return None };
    Some(returns_to.wrapping_add_signed(i32::from_le_bytes(*offset).into()))
}

/// The same.
#[cfg(target_arch = "aarch64")]
pub(super) fn target(before: &[u8], returns_to: u64) -> Option<u64> {
    // BL (Arm ARM, C6.2): six bits that say so, and a signed number of instructions, counted from itself.
    let word = u32::from_le_bytes(*before.last_chunk::<4>()?);
    let instructions = i64::from((word << 6) as i32 >> 6);
    (word >> 26 == 0b10_0101).then(|| returns_to.wrapping_sub(4).wrapping_add_signed(instructions * 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_direct_call_says_whom_it_calls() {
        assert_eq!(target(&[0x90, 0xe8, 0xf0, 0xff, 0xff, 0xff], 0x1000), Some(0xff0));
        assert_eq!(target(&[0xe8, 0x10, 0, 0, 0], 0x1000), Some(0x1010));
        assert_eq!(target(&[0x90, 0x90, 0x90, 0xff, 0xd5], 0x1000), None, "through a register");
        assert_eq!(target(&[0xe8], 0x1000), None);
    }

    #[cfg(target_arch = "aarch64")]
    #[test]
    fn a_direct_call_says_whom_it_calls() {
        assert_eq!(target(&0x9400_0002_u32.to_le_bytes(), 0x1000), Some(0x1004));
        assert_eq!(target(&0x97ff_ffff_u32.to_le_bytes(), 0x1000), Some(0xff8));
        assert_eq!(target(&0xd63f_0000_u32.to_le_bytes(), 0x1000), None, "through a register");
    }
}
