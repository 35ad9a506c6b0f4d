//! What a page shows must be what is in `examples/`, which the demo and the tests apply.

use std::fs;

use anyhow::{Context as _, bail};
use serde_json::Value;

/// Compares a manifest of a page with the file of its name.
pub fn compare(page: &str, file: &str, text: &str) -> anyhow::Result<()> {
    let shown = objects(text).with_context(|| format!("{file} is no YAML"))?;
    if shown != objects_of(page, file)? {
        bail!("{file} is not what stands in examples/{page}/{file}");
    }
    Ok(())
}

/// The objects of a file in `examples/`.
pub fn objects_of(page: &str, file: &str) -> anyhow::Result<Vec<Value>> {
    objects(&text_of(page, file)?).with_context(|| format!("examples/{page}/{file} is no YAML"))
}

/// The text of a file in `examples/`.
pub fn text_of(page: &str, file: &str) -> anyhow::Result<String> {
    let path = vexil_launcher::root().join("examples").join(page).join(file);
    fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

/// The objects of a text.
pub fn objects(text: &str) -> anyhow::Result<Vec<Value>> {
    Ok(serde_saphyr::from_multiple(text)?)
}
