//! What the head of a Linux program says: for which machine it is, and whether it needs an interpreter.

/// A program of 64 bits, little endian (ELF-64 Object File Format, version 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// The name that images have for its machine.
    pub architecture: &'static str,
    /// Whether a dynamic linker is named that has to load it.
    pub interpreted: bool,
}

/// Type of the segment that names the interpreter.
const PT_INTERP: u32 = 3;

impl Program {
    /// Reads the head; `None` if it is no such program, or for a machine that no image is made for.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let architecture = match number(bytes, 0x12, 2)? {
            62 => "amd64",
            183 => "arm64",
            _ => return None,
        };
        let (headers, size, count) =
            (number(bytes, 0x20, 8)?, number(bytes, 0x36, 2)?, number(bytes, 0x38, 2)?);
        let mut types = (0..count).map(|n| number(bytes, headers.checked_add(n * size)?, 4));
        let interpreted =
            types.try_fold(false, |found, kind| Some(found || kind? == u64::from(PT_INTERP)))?;
        Some(Program { architecture, interpreted })
    }
}

/// The number in `size` bytes at an offset.
fn number(bytes: &[u8], at: u64, size: usize) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head with these segments.
    fn program(machine: u8, segments: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 0x40];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (bytes[0x12], bytes[0x20], bytes[0x36], bytes[0x38]) = (machine, 0x40, 56, segments.len() as u8);
        for kind in segments {
            let mut segment = vec![0; 56];
            segment[0] = *kind;
            bytes.extend(segment);
        }
        bytes
    }

    #[test]
    fn a_program_that_needs_a_linker_is_told_from_a_static_one() {
        let of = |machine, segments: &[u8]| {
            Program::of(&program(machine, segments)).map(|found| (found.architecture, found.interpreted))
        };
        assert_eq!(of(62, &[6, 1, 1]), Some(("amd64", false)));
        assert_eq!(of(183, &[6, 3, 1]), Some(("arm64", true)));
        assert_eq!(of(40, &[1]), None);
        assert_eq!(Program::of(b"#!/bin/sh"), None);
        let short = program(62, &[1]);
        assert_eq!(Program::of(&short[..0x42]), None);
    }
}
