//! A process group: everything that a command started and that did not walk away from it.

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpgid},
};

/// A process group of ours. What is left of it is killed when this is dropped.
#[derive(Debug)]
pub struct Group {
    id: Pid,
    gone: bool,
}

impl Group {
    /// The group that the process `leader` leads.
    pub fn led_by(leader: u32) -> Option<Self> {
        let id = i32::try_from(leader).ok().and_then(Pid::from_raw)?;
        Some(Group { id, gone: false })
    }

    /// Sends a signal to every member. A group that is gone hears nothing.
    pub fn signal(&self, signal: Signal) {
        if !self.gone {
            // Fails only if the group is empty, or for members that run as another user.
            let _heard = kill_process_group(self.id, signal);
        }
    }

    /// Whether the group is empty. Only valid after the leader's exit status has been fetched: members that were
    /// orphaned are our children ([`super::adopt_orphans`]), and are buried here.
    pub fn is_empty(&mut self) -> bool {
        while !self.gone && matches!(waitpgid(self.id, WaitOptions::NOHANG), Ok(Some(_))) {}
        self.gone = self.gone || test_kill_process_group(self.id) == Err(Errno::SRCH);
        self.gone
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
