//! The narrow trait for routers that keep the routes of a Canary in one object.

use serde_json::Value;
use vexil_analysis::{Acceptance, Routes};
use vexil_object::{Kind, ObjectKey, Objects};

use crate::{Claim, Companion, Provider, RouteContext, RouteError, RouteRequest, RouteTarget};

/// A router of one object per Canary. What is common to all of them is implemented once: every `RouteObject` is a
/// [`Router`](crate::Router).
///
/// `live` is the object as it was observed. The methods that return an object start from it and change only what is
/// ours, so that fields and entries of others survive.
///
/// ```
/// use serde_json::Value;
/// use vexil_object::Kind;
/// use vexil_routing::{
///     Capabilities, Provider, QuerySet, RouteContext, RouteError, RouteObject, RouteRequest, Router, Routes, Weight,
///     omit, put,
/// };
///
/// /// Routes with one number, the canary's percentage.
/// struct Dial;
///
/// const PERCENT: &str = "spec.canaryPercent";
///
/// impl Provider for Dial {
///     fn name(&self) -> &'static str {
///         "dial"
///     }
///     fn supports(&self) -> Capabilities {
///         Capabilities { weights: true, ..Capabilities::default() }
///     }
///     fn queries(&self) -> Option<&'static QuerySet> {
///         None
///     }
/// }
///
/// impl RouteObject for Dial {
///     fn product(&self) -> &'static str {
///         "Dial"
///     }
///     fn kinds(&self) -> Vec<Kind> {
///         vec![Kind::namespaced("dial.example.com", "v1", "Dial", "dials")]
///     }
///     fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError> {
///         let percent = live.pointer("/spec/canaryPercent").and_then(Value::as_i64);
///         let canary = percent.and_then(|percent| Weight::new(percent).ok());
///         let canary = canary.ok_or_else(|| RouteError::edited(&route.key, PERCENT, "is not a percentage"))?;
///         Ok(Routes::Weighted { canary })
///     }
///     fn owned(&self, route: &RouteContext<'_>, want: &RouteRequest<'_>, live: &Value) -> Result<Value, RouteError> {
///         self.adopted(route, want, live)
///     }
///     fn adopted(&self, _: &RouteContext<'_>, want: &RouteRequest<'_>, live: &Value) -> Result<Value, RouteError> {
///         let mut object = live.clone();
///         if let RouteRequest::Weighted { canary } = want {
///             put(&mut object, PERCENT, canary.percent().into());
///         }
///         Ok(object)
///     }
///     fn released(&self, _: &RouteContext<'_>, live: &Value) -> Value {
///         let mut object = live.clone();
///         omit(&mut object, PERCENT);
///         object
///     }
/// }
///
/// // The adapter makes a router of it.
/// let router: &dyn Router = &Dial;
/// assert!(router.serves("dial"));
/// ```
pub trait RouteObject: Provider {
    /// The product that installs the CRDs, for the message when none is served.
    fn product(&self) -> &'static str;

    /// The kinds that it can write, the preferred one first. The first one that the cluster serves is used; one that is
    /// already in use stays in use.
    fn kinds(&self) -> Vec<Kind>;

    /// The kinds for this Canary, the preferred one first. By default all of them.
    fn kinds_for(&self, target: &RouteTarget<'_>) -> Vec<Kind> {
        let _ = target;
        self.kinds()
    }

    /// Whether an object that exists decides which kind is used, before the order of the kinds does.
    fn follows_existing(&self) -> bool {
        false
    }

    /// The object of this Canary. By default it has the name of the apex, in the Canary's namespace.
    ///
    /// # Errors
    /// When the Canary does not say which.
    fn key(&self, target: &RouteTarget<'_>, kind: Kind) -> Result<ObjectKey, RouteError> {
        Ok(ObjectKey::new(kind, target.namespace, target.apex))
    }

    /// Further objects that it reads.
    fn sources(&self, route: &RouteContext<'_>) -> Vec<ObjectKey> {
        let _ = route;
        Vec::new()
    }

    /// Further objects that belong to the route, as far as its sources are known. They are written before it, and read
    /// back only when they are compared.
    fn companions(&self, target: &RouteTarget<'_>, have: &Objects) -> Vec<Companion> {
        let _ = (target, have);
        Vec::new()
    }

    /// Who owns the object. By default its controller reference decides.
    ///
    /// # Errors
    /// [`RouteError::NotKnown`] and [`RouteError::Foreign`].
    fn claim<'a>(&self, route: &RouteContext<'a>) -> Result<Claim<'a>, RouteError> {
        Claim::of(&route.key, route.target.owner, route.have)
    }

    /// Whether clients are served without the object: it is a copy of one of the user's, or stands between a Service
    /// and its clients. Such an object is deleted when it is released. Others may be what clients or objects of the
    /// user name, and are left to the garbage collector.
    fn is_dispensable(&self) -> bool {
        false
    }

    /// The routes that the object says.
    ///
    /// # Errors
    /// [`RouteError::Edited`] for what this router does not write, [`RouteError::Malformed`] for what it cannot
    /// correct.
    fn routes(&self, route: &RouteContext<'_>, live: &Value) -> Result<Routes, RouteError>;

    /// What the gateways report about the object. By default there are no such reports.
    fn acceptance(&self, route: &RouteContext<'_>, live: &Value) -> Acceptance {
        let _ = (route, live);
        Acceptance::Accepted
    }

    /// Checks what else is ours in an object that the Canary owns, before its routes are read: selectors, the mesh.
    ///
    /// # Errors
    /// As [`RouteObject::routes`].
    fn check_owned(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        let _ = (route, live);
        Ok(())
    }

    /// Checks whether our entries would have an effect in an object of the user, before it is read or written.
    ///
    /// # Errors
    /// [`RouteError::Malformed`] with what the user has to correct.
    fn check_adopted(&self, route: &RouteContext<'_>, live: &Value) -> Result<(), RouteError> {
        let _ = (route, live);
        Ok(())
    }

    /// A new object, made from `bare`: its identity and owner.
    ///
    /// # Errors
    /// When the Canary or a source lacks something.
    fn created(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        bare: Value,
    ) -> Result<Value, RouteError> {
        self.owned(route, want, &bare)
    }

    /// An object that the Canary owns, saying `want`. Its metadata is ours too.
    ///
    /// # Errors
    /// When `live` has no place for our fields.
    fn owned(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError>;

    /// An object of the user, saying `want`: only our entries are written.
    ///
    /// # Errors
    /// As [`RouteObject::owned`].
    fn adopted(
        &self,
        route: &RouteContext<'_>,
        want: &RouteRequest<'_>,
        live: &Value,
    ) -> Result<Value, RouteError>;

    /// An object of the user without anything of ours.
    fn released(&self, route: &RouteContext<'_>, live: &Value) -> Value;
}
