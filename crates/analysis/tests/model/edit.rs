//! The faults of the exhaustive check, and what users do.

use vexil_analysis::Exposure;

use super::{
    binding::Bound,
    state::State,
    world::{Object, Pods, Rev, Side, Workload},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    Push(Rev),
    PodsCrash(Side),
    /// The routes are edited.
    Route(u8),
    /// The target is scaled to nothing, or up.
    Scale(bool),
    Delete(Side),
    /// The deleted target is made again.
    Create(Rev),
    Suspend,
    /// The Canary is deleted, with `revertOnDeletion`.
    DeleteCanary,
    ApexEdited,
    ScalerEdited,
    /// The primary's copies of ConfigMaps and Secrets are edited or deleted.
    ConfigsEdited,
    /// All Services are deleted.
    DeleteServices,
    /// The route cannot be read any more, or again.
    Unreadable(bool),
    Refuse(Object),
    /// An effect is done, its answer lost.
    Unanswered,
    /// The process starts, or a write fails, and this object is not known.
    NotKnown(Object),
    /// No operator runs for as long as a deadline.
    Down,
    /// No operator runs for an hour.
    DownForAnHour,
    /// The operator is started where the clock is an hour ahead, or behind.
    ClockAhead,
    ClockBack,
    /// The spec binds something else, or the same again.
    Bind(Bound),
    /// The spec becomes invalid, or valid again.
    Invalid(bool),
    /// The primary is scaled to zero, or up.
    Sleep(bool),
    /// The primary loses its owner reference, or has it again.
    Disown(bool),
    /// Someone else edits the primary.
    EditPrimary,
    /// A cache is late from now on.
    Late(Object),
    /// The lease is lost in the middle of a tick: another process goes on, this one does not know.
    LoseLease,
}

impl State {
    /// What users do. `None` when it changes nothing.
    pub fn edited(mut self, edit: Fault) -> Option<State> {
        match edit {
            Fault::Push(rev) if self.world.target?.rev != rev => self.push(rev),
            Fault::Route(canary) => {
                let live = self.world.routes.as_mut().filter(|live| **live != canary)?;
                *live = canary;
                self.world.exposure = Exposure::Share;
                self.touched(Object::Routes);
                self.outdate();
            }
            Fault::Scale(up) => {
                self.world.target.as_mut().filter(|target| target.scaled != up)?.scale(up);
                self.scaled_by_user = up;
                self.touched(Object::Target);
            }
            Fault::Delete(side) => {
                if side == Side::Primary {
                    (self.world.disowned, self.world.edited) = (false, false);
                }
                self.workload_mut(side).take()?;
                self.touched(side.object());
            }
            Fault::Create(rev) if self.world.target.is_none() => {
                self.world.target = Some(Workload::new(rev, Pods::Coming));
                self.scaled_by_user = true;
                self.touched(Object::Target);
            }
            Fault::Suspend => {
                self.spec.suspended = true;
                self.touched(Object::Status);
            }
            Fault::DeleteCanary if !self.world.deleted => {
                self.world.deleted = true;
                self.touched(Object::Status);
            }
            Fault::ApexEdited => {
                self.world.apex = false;
                self.touched(Object::Apex);
            }
            Fault::ScalerEdited => {
                self.world.scaler = false;
                self.touched(Object::Scaler);
            }
            Fault::ConfigsEdited => {
                self.world.configs = false;
                self.touched(Object::Primary);
            }
            Fault::DeleteServices => {
                let world = &mut self.world;
                (world.backends, world.apex) = (false, false);
                (world.aside.selected, world.aside.apex) = (false, false);
                self.touched(Object::Backends);
                self.touched(Object::Apex);
                self.outdate();
            }
            Fault::Unreadable(unreadable) if self.world.unreadable != unreadable => {
                self.world.unreadable = unreadable;
                self.touched(Object::Routes);
                self.outdate();
            }
            Fault::Bind(bound) if self.spec.bound != bound => {
                self.spec.bound = bound;
                self.touched(Object::Status);
            }
            Fault::Invalid(halted) if self.spec.halted != halted => {
                self.spec.halted = halted;
                self.touched(Object::Status);
            }
            Fault::Sleep(asleep) => {
                self.world.primary.as_mut().filter(|primary| primary.scaled == asleep)?.scale(!asleep);
                self.touched(Object::Primary);
            }
            Fault::Disown(disowned) if self.world.disowned != disowned => {
                self.world.primary?;
                self.world.disowned = disowned;
                self.touched(Object::Primary);
            }
            Fault::EditPrimary if !self.world.edited => {
                self.world.primary?;
                self.world.edited = true;
                self.touched(Object::Primary);
            }
            _ => return None,
        }
        Some(self)
    }
}

impl State {
    pub fn push(&mut self, rev: Rev) {
        if let Some(target) = &mut self.world.target {
            target.roll(rev);
        }
        self.touched(Object::Target);
    }

    pub fn workload(&self, side: Side) -> Option<Workload> {
        match side {
            Side::Canary => self.world.target,
            Side::Primary => self.world.primary,
        }
    }

    pub fn workload_mut(&mut self, side: Side) -> &mut Option<Workload> {
        match side {
            Side::Canary => &mut self.world.target,
            Side::Primary => &mut self.world.primary,
        }
    }
}
