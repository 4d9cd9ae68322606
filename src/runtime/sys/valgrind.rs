//! What valgrind must be told when the process runs under it.
//!
//! Valgrind translates code and follows stack pointers; it cannot know that code was replaced through
//! another mapping, or that memory is a stack. It recognises a sequence of instructions that does nothing on a
//! processor as a request: four rotations of `rdi` by 128 bits in all and an exchange of `rbx` with itself, with the
//! address of six words in `rax` and a default result in `rdx`. Costs a few cycles anywhere else.

use std::arch::asm;

/// Whether this is a processor of valgrind's making.
const RUNNING_ON_VALGRIND: usize = 0x1001;
/// Forget translations of code in a range.
const DISCARD_TRANSLATIONS: usize = 0x1002;
/// A range is a stack.
const STACK_REGISTER: usize = 0x1501;
/// A range is no longer a stack.
const STACK_DEREGISTER: usize = 0x1502;

fn request(number: usize, first: usize, second: usize) -> usize {
    let words = [number, first, second, 0, 0, 0];
    let result;
    // SAFETY: the instructions change nothing but the flags; valgrind reads the six words and sets rdx.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inout("rdx") 0usize => result,
            options(nostack),
        );
    }
    result
}

/// Whether the process runs under valgrind.
pub fn is_running() -> bool {
    request(RUNNING_ON_VALGRIND, 0, 0) != 0
}

/// The code at these addresses is not what it was.
pub fn discard_translations(address: usize, len: usize) {
    request(DISCARD_TRANSLATIONS, address, len);
}

/// The addresses from `low` to `high` are a stack. The result is for [`deregister_stack`].
pub fn register_stack(low: usize, high: usize) -> usize {
    request(STACK_REGISTER, low, high)
}

/// Undoes [`register_stack`].
pub fn deregister_stack(id: usize) {
    request(STACK_DEREGISTER, id, 0);
}
