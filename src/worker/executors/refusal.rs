//! Without control groups: memory that belongs to no process cannot be counted, so the kernel refuses
//! it. The calls that make such memory answer as on a kernel that does not have them.
//!
//! A filter as seccomp(2) has it, in the classic BPF of bpf(4); bubblewrap reads it from a file.

/// The calls, by what the kernel calls the machine: `memfd_create`, `memfd_secret`, `shmget`, and on
/// 32-bit x86 `ipc`, which is `shmget` among others.
const REFUSED: [(u32, &[u32]); 4] = [
    // x86_64, and its x32 calls, which differ by a bit that is masked.
    (0xc000_003e, &[319, 447, 29]),
    // i386
    (0x4000_0003, &[356, 447, 395, 117]),
    // aarch64
    (0xc000_00b7, &[279, 447, 194]),
    // arm
    (0x4000_0028, &[385, 447, 307]),
];

/// Codes of instructions: load a word, mask it, compare it, return.
const LOAD: u16 = 0x20;
const MASK: u16 = 0x54;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
/// Where `struct seccomp_data` has the number of the call and the machine.
const CALL: u32 = 0;
const MACHINE: u32 = 4;
/// All bits of a call's number but that of x32.
const WITHOUT_X32: u32 = 0x3fff_ffff;
/// What becomes of a call.
const ALLOW: u32 = 0x7fff_0000;
const NO_SUCH_CALL: u32 = 0x0005_0000 + 38;

/// The filter's bytes.
pub(super) fn filter() -> Vec<u8> {
    let mut program = vec![(LOAD, 0, 0, MACHINE)];
    for (machine, calls) in REFUSED {
        // Loading, masking, a comparison for each call, and the two ends.
        let rest = u8::try_from(calls.len()).unwrap_or(u8::MAX);
        program.push((JUMP_IF_EQUAL, 0, rest.saturating_add(4), machine));
        program.push((LOAD, 0, 0, CALL));
        program.push((MASK, 0, 0, WITHOUT_X32));
        for (&call, left) in calls.iter().zip((0..rest).rev()) {
            program.push((JUMP_IF_EQUAL, left.saturating_add(1), 0, call));
        }
        program.push((RETURN, 0, 0, ALLOW));
        program.push((RETURN, 0, 0, NO_SUCH_CALL));
    }
    // A machine that nobody knows.
    program.push((RETURN, 0, 0, NO_SUCH_CALL));
    let bytes = |(code, yes, no, value): (u16, u8, u8, u32)| {
        let mut one = code.to_ne_bytes().to_vec();
        one.extend([yes, no]);
        one.extend(value.to_ne_bytes());
        one
    };
    program.into_iter().flat_map(bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the filter answers, by the rules of bpf(4).
    fn answer(machine: u32, call: u32) -> u32 {
        let program = filter();
        let (mut at, mut held) = (0, 0);
        loop {
            let one = &program[8 * at..8 * at + 8];
            let value = u32::from_ne_bytes(one[4..].try_into().unwrap());
            at += 1;
            match u16::from_ne_bytes(one[..2].try_into().unwrap()) {
                LOAD => held = if value == CALL { call } else { machine },
                MASK => held &= value,
                JUMP_IF_EQUAL => at += usize::from(if held == value { one[2] } else { one[3] }),
                RETURN => return value,
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn only_those_calls_are_refused_on_every_machine() {
        for (machine, calls) in REFUSED {
            for call in 0..600 {
                let expected = if calls.contains(&call) {
                    NO_SUCH_CALL
                } else {
                    ALLOW
                };
                assert_eq!(answer(machine, call), expected, "{machine:x} {call}");
            }
        }
        assert_eq!(answer(0xc000_003e, 0x4000_0000 + 319), NO_SUCH_CALL);
        assert_eq!(answer(7, 0), NO_SUCH_CALL);
    }
}
