//! What the answer to a read tells beyond the cache, and what it does not.
//!
//! "Not found" tells no version, so it is believed only about the object that was there when the question was sent.

use serde_json::Value;
use vexil_object::{ObjectKey, meta};

use super::Cache;
use crate::{
    changes::Noted,
    overlay::{Laid, What, uid, version},
    packed::Packed,
};

/// What was known when a read was sent, so that its answer is not believed about later things.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    ticket: u64,
    uid: Option<String>,
}

/// What the answer to a read tells beyond the cache.
enum Heard {
    Nothing,
    AsTold,
    Laid(What),
}

impl Cache {
    /// A read is about to be sent.
    pub(crate) fn ask(&self, key: &ObjectKey) -> Question {
        Question { ticket: self.ticket, uid: self.under(key).map(|object| uid(object, key)) }
    }

    /// The read was answered; `None` = there is no such object. Answers what looks different now.
    pub(crate) fn answered(
        &mut self,
        key: &ObjectKey,
        question: &Question,
        object: Option<&Value>,
    ) -> Vec<Noted> {
        let what = match object {
            Some(object) => self.answered_present(key, question, object),
            None => self.answered_absent(key, question),
        };
        match what {
            Heard::Nothing => Vec::new(),
            Heard::AsTold => self.lift(key),
            Heard::Laid(what) => self.lay(key.clone(), what),
        }
    }

    fn answered_present(&self, key: &ObjectKey, question: &Question, object: &Value) -> Heard {
        let at = version(object);
        if let Some(laid) = self.laid.get(key) {
            let doomed = matches!(&laid.what, What::Gone { uid, .. } if *uid == meta::uid(object));
            let known = laid.what.version();
            if at < known || (laid.ticket > question.ticket && (at == known || doomed)) {
                return Heard::Nothing;
            }
        }
        Heard::Laid(What::Present(Packed::of(object)))
    }

    fn answered_absent(&self, key: &ObjectKey, question: &Question) -> Heard {
        match self.laid.get(key) {
            Some(Laid { what: What::Gone { .. }, .. }) => return Heard::Nothing,
            Some(Laid { what: What::Present(object), ticket }) => {
                let (uid, at) = (uid(object, key), object.version());
                // Asked before the write: it may have been gone before, or again after.
                return Heard::Laid(match *ticket <= question.ticket {
                    true => What::Gone { uid, at },
                    false => What::Unknown { floor: at, fenced: Some(uid), doomed: None },
                });
            }
            Some(Laid { what: What::Unknown { .. }, ticket }) if *ticket > question.ticket => {
                return Heard::Nothing;
            }
            Some(Laid { what: What::Unknown { floor, fenced, doomed }, .. }) => {
                if let Some(uid) = fenced.as_ref().or(doomed.as_ref()) {
                    return Heard::Laid(What::Gone { uid: uid.clone(), at: *floor });
                }
            }
            None => {}
        }
        match self.under(key) {
            None => Heard::AsTold,
            Some(under) => {
                let (uid, at) = (uid(under, key), under.version());
                // Not the object that was there when we asked: it may have come after, or before its end.
                Heard::Laid(match question.uid.as_deref() == Some(uid.as_str()) {
                    true => What::Gone { uid, at },
                    false => What::Unknown { floor: at, fenced: Some(uid), doomed: None },
                })
            }
        }
    }
}
