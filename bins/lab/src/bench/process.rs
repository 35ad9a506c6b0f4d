//! What Linux says about a process.

use std::fs;

use anyhow::Context as _;

/// A process, by its id.
pub struct Process(pub u32);

impl Process {
    /// Resident memory, in bytes.
    pub fn resident(&self) -> anyhow::Result<u64> {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.0)).context("the operator is gone")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }

    /// Time on a core since its start, in seconds: the first number of each thread's `schedstat`, in nanoseconds.
    pub fn cpu_s(&self) -> anyhow::Result<f64> {
        let mut nanos = 0_u64;
        for thread in fs::read_dir(format!("/proc/{}/task", self.0)).context("the operator is gone")? {
            let stat = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanos += stat.split_whitespace().next().unwrap_or("0").parse::<u64>()?;
        }
        Ok(nanos as f64 / 1e9)
    }
}
