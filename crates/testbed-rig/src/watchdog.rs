//! Virtual time only passes while no task has anything to do. A task that works without end stops it, and the test
//! would hang: when it has stood still for a minute of real time this ends the process and lists the last requests.

use std::{
    io::Write as _,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use vexil_testbed_apiserver::{ApiServer, AuditEntry};

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    /// Watches the server's requests.
    pub fn of(server: &ApiServer) -> Watchdog {
        let (alive, ended) = mpsc::channel::<()>();
        let server = server.clone();
        let test = thread::current().name().unwrap_or_default().to_owned();
        thread::spawn(move || {
            let mut stood = None;
            while ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let entries = server.audit().entries();
                // A slow machine is not a test that hangs: its requests get later.
                let last = entries.last().map(|entry| entry.at);
                if last == stood {
                    bark(&test, &entries);
                }
                stood = last;
            }
        });
        Watchdog { _alive: alive }
    }
}

fn bark(test: &str, entries: &[AuditEntry]) -> ! {
    let mut text = format!("{test} hangs; the last of {} requests:\n", entries.len());
    for entry in entries.iter().rev().take(30).rev() {
        text += &format!("{} {} {}\n", entry.at, entry.user_agent, entry.line());
    }
    // Not through `eprintln!`, which the test harness would swallow.
    let _written = std::io::stderr().write_all(text.as_bytes());
    std::process::abort();
}

const PATIENCE: Duration = Duration::from_secs(60);
