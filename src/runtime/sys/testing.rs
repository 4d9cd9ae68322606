//! Help for tests that would kill their process: they run in a child.

/// Runs `f` in a child process made by fork and returns what it returned, or the signal that ended it.
pub fn in_child(f: impl FnOnce() -> u8) -> Result<u8, i32> {
    wait_for_child(start_child(f))
}

/// A child process that runs `f`, and ends.
pub fn start_child(f: impl FnOnce() -> u8) -> libc::pid_t {
    // SAFETY: the child runs `f` and exits without returning to the harness.
    unsafe {
        let child = libc::fork();
        assert!(child >= 0);
        if child == 0 {
            // Other threads are gone, with what they had locked: a child that waits for it must end.
            libc::alarm(60);
            let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
            libc::_exit(status.map_or(255, i32::from));
        }
        child
    }
}

/// What `f` of a child returned, or the signal that ended it.
pub fn wait_for_child(child: libc::pid_t) -> Result<u8, i32> {
    let mut status = 0;
    // SAFETY: writes the status.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    if libc::WIFEXITED(status) { Ok(libc::WEXITSTATUS(status) as u8) } else { Err(libc::WTERMSIG(status)) }
}
