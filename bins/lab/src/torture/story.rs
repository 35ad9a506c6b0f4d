//! A case as lines for people: what was done, what happened, what clients got.

#![expect(
    clippy::indexing_slicing,
    reason = "objects and lists that are made here, with a shape that is known"
)]

use std::collections::BTreeMap;

use serde_json::Value;
use vexil_testbed_rig::OPERATOR;

use super::{
    fold::course,
    place::NAMESPACE,
    record::{Ms, events, text},
    world::World,
};

/// Everything that happened, in order.
pub fn tell(world: &World) -> String {
    let mut lines: Vec<(Ms, u8, String)> = Vec::new();
    for span in &world.deeds {
        lines.push((span.from, 0, format!("deed      {}", span.what)));
    }
    for span in &world.impaired {
        lines.push((span.from, 0, format!("operator  {} until {} ms", span.what, span.to.min(99_999_999))));
    }
    lines
        .extend(events(&world.recorder).into_iter().map(|(at, event)| (at, 3, format!("event     {event}"))));
    objects(world, &mut lines);
    for entry in world.cluster.server().audit().of(OPERATOR) {
        let at = world.ms_of(&entry);
        if entry.is_write() || entry.code == 0 || entry.code >= 400 {
            lines.push((at, 1, format!("request   {}", entry.line())));
        }
    }
    clients(world, &mut lines);
    lines.sort();
    let line = |(at, _, line): (Ms, u8, String)| format!("{:9.3} {line}\n", at as f64 / 1_000.0);
    lines.into_iter().map(line).collect()
}

fn objects(world: &World, lines: &mut Vec<(Ms, u8, String)>) {
    let course = course(world);
    for (at, weight) in &course.weights {
        let _ = weight;
        lines.push((*at, 2, format!("status    {}", course.state_at(*at))));
    }
    let seen = world.recorder.seen();
    for (at, happened) in &seen.past {
        let object = &*happened.object;
        let name = text(object, "/metadata/name");
        let ours = text(object, "/metadata/namespace") == NAMESPACE;
        let said = match happened.resource.as_str() {
            "deployments.apps" | "daemonsets.apps" if ours => format!(
                "replicas={} image={} ready={}",
                object["spec"]["replicas"],
                text(object, "/spec/template/spec/containers/0/image").rsplit(':').next().unwrap_or_default(),
                object.pointer("/status/readyReplicas").and_then(Value::as_u64).unwrap_or(0),
            ),
            "services" if ours => format!("selects {}", object["spec"]["selector"]),
            resource if resource == world.place.routes() => format!("{:?}", world.place.weights(object)),
            _ => continue,
        };
        let said = if happened.gone { "gone".to_owned() } else { said };
        lines.push((*at, 2, format!("object    {} {name} {said}", happened.resource)));
    }
    drop(seen);
    let mut last = BTreeMap::new();
    lines.retain(|(_, _, line)| {
        let words: Vec<&str> = line.split_whitespace().take(3).collect();
        let key = match words.as_slice() {
            ["object", resource, name] => format!("{resource} {name}"),
            ["status", ..] => "status".to_owned(),
            _ => return true,
        };
        last.insert(key, line.clone()).as_deref() != Some(line)
    });
}

/// Spells of errors; a second without any ends one.
fn clients(world: &World, lines: &mut Vec<(Ms, u8, String)>) {
    let mut spell: Option<(Ms, Ms, u64, String)> = None;
    for answer in world.answers.all().iter().filter(|answer| answer.is_lost() || answer.status >= 400) {
        let what = format!("{} {} {}", answer.status, answer.version, answer.why);
        match &mut spell {
            Some((_, last, count, said)) if answer.at < *last + 1_000 && *said == what => {
                (*last, *count) = (answer.at, *count + 1);
            }
            _ => {
                lines.extend(spell.take().map(said));
                spell = Some((answer.at, answer.at, 1, what));
            }
        }
    }
    lines.extend(spell.map(said));
}

fn said((from, to, count, what): (Ms, Ms, u64, String)) -> (Ms, u8, String) {
    (from, 4, format!("clients   {count} × {what} until {:.1}", to as f64 / 1_000.0))
}
