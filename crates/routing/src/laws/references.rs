//! Laws of the fields of a Canary that name an object of its user.

use vexil_api::ObjectReference;

use super::case::Case;

/// A router declares the field that its route depends on, and no other. The status records it: an edit is a migration.
pub(super) fn of_the_route_are_declared(case: &Case<'_>) -> Result<(), String> {
    let have = case.observe(&case.cluster).map_err(|error| error.to_string())?;
    for reference in ObjectReference::ALL {
        let mut spec = case.target.spec.clone();
        reference.set_name(&mut spec, "elsewhere");
        let other = case.target_with(&spec);
        let depends = !case.router.needs(&other, &have).is_empty();
        if depends != (case.router.reference() == Some(reference)) {
            let field = reference.field();
            return Err(format!(
                "whether the route depends on {field} is {depends}, and the router says the opposite"
            ));
        }
    }
    Ok(())
}
