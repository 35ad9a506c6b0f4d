//! Processes that outlived the one that started them. They are ours: in a container because we are its first process,
//! elsewhere because we ask for them. Otherwise whether they are ever buried would depend on who gets them.
//!
//! Those in a command's group end with it. Those that left it, with a session of their own (`setsid`), end with us.

use std::{fs, io, time::Duration};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

/// How often orphans are looked for that came up while others were killed, and how long each look waits.
const ROUNDS: usize = 50;
const ROUND: Duration = Duration::from_millis(10);

/// Makes orphans our children.
#[cfg(target_os = "linux")]
pub fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(getpid()))?)
}

/// Elsewhere the system buries them.
#[cfg(not(target_os = "linux"))]
pub fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// Buries those that have ended. Only while no command runs: its exit status would be taken as well.
pub fn bury_orphans() {
    while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
}

/// Kills those that are left, and those that this makes orphans. Only when no command runs any more.
pub async fn end_orphans() {
    for _ in 0..ROUNDS {
        bury_orphans();
        let left = children();
        if left.is_empty() {
            return;
        }
        for child in left {
            // It may have ended by itself.
            let _heard = kill_process(child, Signal::KILL);
        }
        tokio::time::sleep(ROUND).await;
    }
}

/// Our children; none where there is no `/proc`.
fn children() -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let ours = getpid().as_raw_pid();
    ids.filter(|id| parent(*id) == Some(ours)).filter_map(Pid::from_raw).collect()
}

/// The parent of a process: the second field after the name, which may hold anything (proc_pid_stat(5)).
fn parent(id: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}
