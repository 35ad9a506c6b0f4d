//! Tasks: what a payload asks for, and which of them may start now.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    kinds::{DEFAULT, Kind, Kinds, Work},
    payload::{Payload, is_on},
    reply::Reply,
};

/// Something to be done for a Canary.
#[derive(Debug)]
pub struct Task {
    /// Its type.
    pub kind: &'static Kind,
    /// `podinfo.test`.
    pub canary: String,
    /// Phase of the Canary, for the log.
    pub phase: String,
    /// Revision of the Canary, for the log.
    pub checksum: String,
    /// What is to be done.
    pub work: Work,
    /// Whether what it prints is the answer.
    pub returns_output: bool,
    /// Whether what it prints is logged when it succeeds.
    pub logs_output: bool,
    /// What makes it the same as another one.
    pub id: TaskId,
}

/// Tasks are the same when all of this is: not the phase and not the revision, so that the steps of a rollout share
/// one load test.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskId {
    kind: &'static str,
    name: String,
    namespace: String,
    work: String,
}

impl Task {
    /// The task of a payload.
    ///
    /// # Errors
    /// The answer that says what is wrong with it.
    pub fn read(payload: &Payload, kinds: &Kinds) -> Result<Self, Reply> {
        let metadata = &payload.metadata;
        if metadata.is_empty() {
            return Err(Reply::bad("metadata not found in payload"));
        }
        let name = metadata.get("type").map_or(DEFAULT, String::as_str);
        let kind = kinds.get(name).map_err(Reply::bad)?;
        let work = (kind.read)(metadata).map_err(|text| Reply::new(kind.refusal, text))?;
        let id = TaskId {
            kind: kind.name,
            name: payload.name.clone(),
            namespace: payload.namespace.clone(),
            work: work.identity(),
        };
        Ok(Task {
            kind,
            canary: payload.canary(),
            phase: payload.phase.clone(),
            checksum: payload.checksum.clone(),
            work,
            returns_output: is_on(metadata, "returnCmdOutput"),
            logs_output: !kind.background || is_on(metadata, "logCmdOutput"),
            id,
        })
    }
}

/// The tasks that run: at most so many, and none of those in the background twice.
#[derive(Clone, Debug)]
pub struct Places(Arc<Mutex<Taken>>);

#[derive(Debug)]
struct Taken {
    free: usize,
    background: BTreeSet<TaskId>,
}

/// Whether a task may start.
#[derive(Debug)]
pub enum Admission {
    /// It may, and is counted until this is dropped.
    Granted(Place),
    /// The same task is running.
    AlreadyRunning,
    /// No place is free.
    Full,
}

/// A place that is taken.
#[derive(Debug)]
pub struct Place {
    places: Places,
    background: Option<TaskId>,
}

impl Places {
    /// All places are free.
    pub fn new(count: usize) -> Self {
        Places(Arc::new(Mutex::new(Taken { free: count, background: BTreeSet::new() })))
    }

    /// Takes a place in one step, so that two calls at the same time cannot both get the last one, or start the same
    /// task.
    pub fn take(&self, task: &Task) -> Admission {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let background = task.kind.background.then(|| task.id.clone());
        if background.as_ref().is_some_and(|id| taken.background.contains(id)) {
            return Admission::AlreadyRunning;
        }
        if taken.free == 0 {
            return Admission::Full;
        }
        taken.free -= 1;
        taken.background.extend(background.clone());
        Admission::Granted(Place { places: self.clone(), background })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.free += 1;
        if let Some(id) = &self.background {
            taken.background.remove(id);
        }
    }
}

#[cfg(test)]
mod tests;
