//! What is written is what was asked for, and is read back, for each kind of request that the router supports.

use proptest::{prelude::*, strategy::Union};
use serde_json::json;
use vexil_api::{Capabilities, Feature, canary::CanarySpec};
use vexil_object::Action;

use super::{
    arbitrary::forall,
    case::{Case, broken},
};
use crate::{RouteError, RouteTarget, Routes, SessionCookies, Weight};

/// `canary` percent to the canary.
pub(super) fn split(canary: u32) -> Routes {
    Routes::split(Weight::clamped(canary))
}

fn sticky(canary: u32) -> Routes {
    Routes::Sticky { canary: Weight::clamped(canary) }
}

fn mirrored(percent: u32) -> Routes {
    Routes::Mirrored { percent: Weight::clamped(percent) }
}

/// Each kind of request with the feature that it needs, and all requests of the kind.
fn all_kinds() -> [(Feature, Vec<Routes>); 4] {
    [
        (Feature::Weights, (0..=100).map(split).collect()),
        (Feature::Matches, vec![Routes::Matched]),
        (Feature::Mirroring, (1..=100).map(mirrored).collect()),
        (Feature::SessionAffinity, (0..=100).map(sticky).collect()),
    ]
}

/// One request of each kind that the router supports, with a part of the traffic for both sides where there are two.
pub(super) fn supported(case: &Case<'_>) -> Vec<Routes> {
    let can = case.router.supports();
    let each = [
        (Feature::Weights, split(50)),
        (Feature::Matches, Routes::Matched),
        (Feature::Mirroring, mirrored(50)),
        (Feature::SessionAffinity, sticky(50)),
    ];
    each.into_iter().filter(|(feature, _)| can.has(*feature)).map(|(_, routes)| routes).collect()
}

/// Any request that the router supports, the ends of a range more often than the rest.
pub(super) fn requests(case: &Case<'_>) -> impl Strategy<Value = Routes> + use<> {
    let can = case.router.supports();
    let percent = || prop_oneof![1 => Just(0), 1 => Just(100), 4 => 0u32..=100];
    let mut kinds = vec![Just(Routes::PRIMARY).boxed()];
    let mut add = |feature: Feature, kind: BoxedStrategy<Routes>| {
        if can.has(feature) {
            kinds.extend([kind.clone(), kind.clone(), kind.clone(), kind]);
        }
    };
    add(Feature::Weights, percent().prop_map(split).boxed());
    add(Feature::Matches, Just(Routes::Matched).boxed());
    add(Feature::Mirroring, (1u32..=100).prop_map(mirrored).boxed());
    add(Feature::SessionAffinity, percent().prop_map(sticky).boxed());
    Union::new(kinds)
}

pub(super) fn are_read_back(case: &Case<'_>) -> Result<(), String> {
    let can = case.router.supports();
    for (_, all) in all_kinds().iter().filter(|(feature, _)| can.has(*feature)) {
        for want in all {
            case.made(want).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

pub(super) fn follow_each_other(case: &Case<'_>) -> Result<(), String> {
    forall(&[requests(case), requests(case), requests(case)], |[first, second, third]| {
        let mut store = case.made(&first)?;
        case.make(&mut store, &second)?;
        case.make(&mut store, &third)
    })
}

pub(super) fn are_refused_without_support(case: &Case<'_>) -> Result<(), String> {
    let can = case.router.supports();
    for (feature, all) in all_kinds().iter().filter(|(feature, _)| !can.has(*feature)) {
        for want in all.iter().filter(|want| **want != Routes::PRIMARY) {
            match case.render(&case.cluster, want).map_err(|error| error.to_string())? {
                Err(RouteError::Unsupported { provider, feature: refused })
                    if provider == case.router.name() && refused == *feature => {}
                other => return Err(format!("{want:?} is not supported, and rendering returns {other:?}")),
            }
        }
    }
    Ok(())
}

pub(super) fn begin_with_a_create(case: &Case<'_>) -> Result<(), String> {
    forall(&requests(case), |want| {
        let read = case.read(&case.cluster)?;
        if !matches!(read, Err(RouteError::Absent { .. })) {
            return broken(format!("without a route, {read:?} is read"));
        }
        match case.render(&case.cluster, &want)?.as_deref() {
            Ok([companions @ .., last])
                if last.key == case.route
                    && companions.iter().all(|change| change.key.kind() != case.route.kind())
                    && companions.iter().chain([last]).all(|one| matches!(one.action, Action::Create(_))) =>
            {
                Ok(())
            }
            other => broken(format!("without a route, rendering returns {other:?}")),
        }
    })
}

/// Validation refuses a target Service without `spec.service.port` if the router needs it.
pub(super) fn need_a_port(case: &Case<'_>) -> Result<(), String> {
    let mut spec = case.target.spec.clone();
    spec.target_ref.kind = "Service".to_owned();
    spec.service.port = None;
    let is_missing = |error: &RouteError| matches!(error, RouteError::Malformed { path, .. } if path == "spec.service.port");
    let mut is_needed = false;
    for want in supported(case) {
        let made = case.with(case.target_with(&spec)).render(&case.cluster, &want);
        is_needed |= made.map_err(|error| error.to_string())?.as_ref().is_err_and(is_missing);
    }
    if is_needed == case.router.supports().needs_port {
        return Ok(());
    }
    Err(format!("whether a port is needed is {is_needed}, and the router's capabilities say the opposite"))
}

/// The user's settings of each kind of request, twice: they differ in everything.
pub(super) fn settings(spec: &CanarySpec) -> [(CanarySpec, SessionCookies<'static>); 2] {
    let with = |header: &str, age: i64, cookies| {
        let mut spec = spec.clone();
        let mut analysis = spec.analysis().cloned().unwrap_or_default();
        let condition = json!({"headers": {header: {"exact": "insider"}}});
        analysis.match_ = serde_json::from_value(condition).into_iter().collect();
        let cookie =
            json!({"cookieName": "flagger-cookie", "primaryCookieName": "primary-cookie", "maxAge": age});
        analysis.session_affinity = serde_json::from_value(cookie).ok();
        spec.analysis = Some(analysis);
        (spec, cookies)
    };
    let cookies = |canary, primary, previous| SessionCookies { canary, primary, previous };
    [
        with("x-canary", 60, cookies(Some("flagger-cookie=a"), None, None)),
        with(
            "x-beta",
            90,
            cookies(Some("flagger-cookie=b"), Some("primary-cookie=c"), Some("flagger-cookie=a")),
        ),
    ]
}

/// Another condition, cookie or age in the Canary is drift of the route, and is corrected.
pub(super) fn follow_the_settings(case: &Case<'_>) -> Result<(), String> {
    let Capabilities { matches, affinity, .. } = case.router.supports();
    let wants = [(matches, Routes::Matched), (affinity, sticky(50))];
    for (_, want) in wants.into_iter().filter(|(is_supported, _)| *is_supported) {
        let [(first, cookies), (second, other_cookies)] = settings(case.target.spec);
        let before = case.with(RouteTarget { cookies, ..case.target_with(&first) });
        let after = case.with(RouteTarget { cookies: other_cookies, ..case.target_with(&second) });
        let mut store = before.made(&want).map_err(|error| error.to_string())?;
        let changes = after.render(&store, &want).map_err(|error| error.to_string())?;
        if changes.as_ref().is_ok_and(Vec::is_empty) {
            return Err(format!(
                "{want:?} with other settings changes nothing of {:?}",
                store.get(&case.route)
            ));
        }
        after.make(&mut store, &want).map_err(|error| error.to_string())?;
    }
    Ok(())
}
