//! What calls leave behind on the stack of a thread: copies of what they worked with. The heap is wiped by the
//! programs' allocator; no allocator wipes a stack.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
};

/// How deep the calls of an answer reach, and more.
const STACK_BYTES: usize = 256 << 10;

/// Whether the vault of this process was found to be shut, or has been locked.
static SHUT: AtomicBool = AtomicBool::new(false);

/// To be known by those who wipe.
pub(crate) fn vault_is_shut(shut: bool) {
    SHUT.store(shut, Ordering::Release);
}

/// For a thread that goes to rest, called with a shallow stack: while the vault is shut, wipes what
/// the thread's calls have left on its stack. While it is open that costs a look at one byte.
pub fn wipe_while_shut() {
    if SHUT.load(Ordering::Acquire) {
        wipe_stack();
    }
}

/// Takes the room that deeper calls had, and leaves zeros there.
#[inline(never)]
fn wipe_stack() {
    let mut room = [0_u8; STACK_BYTES];
    black_box(&mut room);
}
