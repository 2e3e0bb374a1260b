//! What the kernel told this process about itself: page size and the vDSO's image.

use std::os::unix::fs::FileExt;

/// Auxiliary vector keys, `linux/auxvec.h`.
const AT_PAGESZ: u64 = 6;
const AT_SYSINFO_EHDR: u64 = 33;

/// No vDSO is near this size; the bound keeps a wrong map line from costing memory.
const MOST_VDSO_BYTES: u64 = 1 << 20;

/// Bytes per page; 4096 where the kernel does not say.
pub(in crate::sample) fn page_size() -> usize {
    entry(AT_PAGESZ).filter(|size| size.is_power_of_two()).map_or(4096, |size| size as usize)
}

/// The vDSO as this process sees it: the same image in every process of a kernel, and in no file.
pub(in crate::sample) fn vdso() -> Option<Vec<u8>> {
    let start = entry(AT_SYSINFO_EHDR)?;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let range = maps.lines().find(|line| line.ends_with("[vdso]"))?.split_once(' ')?.0;
    let (from, to) = range.split_once('-')?;
    let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
    let len = to.checked_sub(from).filter(|&len| from == start && len <= MOST_VDSO_BYTES)?;
    let mut image = vec![0; len as usize];
    std::fs::File::open("/proc/self/mem").ok()?.read_exact_at(&mut image, start).ok()?;
    Some(image)
}

fn entry(key: u64) -> Option<u64> {
    let bytes = std::fs::read("/proc/self/auxv").ok()?;
    let (pairs, _rest) = bytes.as_chunks::<16>();
    pairs.iter().find_map(|pair| {
        let (words, _none_left) = pair.as_chunks::<8>();
        match words {
            [k, value] if u64::from_ne_bytes(*k) == key => Some(u64::from_ne_bytes(*value)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vdso_is_an_elf_image() {
        assert!(vdso().is_none_or(|image| image.starts_with(b"\x7fELF")));
        assert!(page_size() >= 4096);
    }
}
