//! The values of a chart: those of `values.yaml`, those of the README's table, and those that are refused.

use std::fs;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::helm::{Helm, Release, folder};

/// `values.yaml` and the table of the README must say the same.
pub fn documented(chart: &str) -> anyhow::Result<()> {
    let read = |name: &str| {
        let file = folder(chart).join(name);
        fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
    };
    let values: Value = serde_saphyr::from_str(&read("values.yaml")?)?;
    let defects = differences(&values, &rows(&read("README.md")?));
    if !defects.is_empty() {
        bail!("charts/{chart}: {}", defects.join("; "));
    }
    Ok(())
}

/// Each value that `_refuse.tpl` names must be refused with its sentence, and be in the README.
pub fn refused(helm: &Helm, chart: &str) -> anyhow::Result<usize> {
    let template = fs::read_to_string(folder(chart).join("templates/_refuse.tpl"))?;
    let readme = fs::read_to_string(folder(chart).join("README.md"))?;
    let mut count = 0;
    for line in template
        .lines()
        .skip_while(|line| !line.contains("define"))
        .take_while(|line| !line.contains("end -"))
    {
        let Some((path, why)) = line.split_once(": ") else { continue };
        if !readme.contains(&format!("`{path}`")) {
            bail!("charts/{chart}: the README does not say that {path} is refused");
        }
        // The name of a release does not matter to it.
        let release = Release { name: "x", namespace: "x", chart, values: &[&format!("{path}=true")] };
        let message = match helm.template(&release) {
            Ok(_) => bail!("charts/{chart}: {path} is not refused"),
            Err(error) => format!("{error:#}"),
        };
        if !message.contains(&format!("value {path}: {why}")) {
            bail!("charts/{chart}: {path} is refused with other words: {message}");
        }
        count += 1;
    }
    Ok(count)
}

/// A row of the README: the path of a value, and the default as it is written.
type Row<'a> = (&'a str, &'a str);

fn rows(readme: &str) -> Vec<Row<'_>> {
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|line| {
        let mut cells = line.split('|').map(str::trim);
        let (path, default) = (cells.nth(1)?, cells.next()?);
        Some((path.trim_matches('`'), default))
    })
    .collect()
}

fn differences(values: &Value, rows: &[Row<'_>]) -> Vec<String> {
    let mut defects = Vec::new();
    for (path, default) in rows {
        match values.pointer(&format!("/{}", path.replace('.', "/"))) {
            None => defects.push(format!("the README's {path} is not in values.yaml")),
            Some(value) => {
                let want = shown(value);
                if want.as_ref().is_some_and(|want| want != default) {
                    defects
                        .push(format!("{path} is {}, the README says {default}", want.unwrap_or_default()));
                }
            }
        }
    }
    undocumented(values, String::new(), rows, &mut defects);
    defects
}

/// How a default is written in the table; those that hold several values are put in words.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => Some("empty".to_owned()),
        Value::String(text) => Some(format!("`{text}`")),
        Value::Object(fields) => fields.is_empty().then(|| "`{}`".to_owned()),
        Value::Array(items) => items.is_empty().then(|| "`[]`".to_owned()),
        other => Some(format!("`{other}`")),
    }
}

fn undocumented(value: &Value, path: String, rows: &[Row<'_>], defects: &mut Vec<String>) {
    if rows.iter().any(|(row, _)| *row == path) {
        return;
    }
    match value.as_object() {
        Some(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                undocumented(field, path, rows, defects);
            }
        }
        _ => defects.push(format!("{path} is not in the README")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(readme: &str, want: &[&str]) {
        let values = json!({"a": {"b": "x", "c": ""}, "d": {"e": 1}, "f": []});
        assert_eq!(differences(&values, &rows(readme)), want);
    }

    #[test]
    fn the_table_and_the_values_say_the_same() {
        let rest = "| `d` | words | y |\n| `f` | `[]` | z |";
        check(&format!("| `a.b` | `x` | does |\n| `a.c` | empty | does |\n{rest}"), &[]);
        check(
            &format!("| `a.b` | `y` | does |\n| `a.c` | empty | does |\n{rest}"),
            &["a.b is `x`, the README says `y`"],
        );
        check(
            &format!("| `a.b` | `x` | does |\n| `a.g` | | |\n{rest}"),
            &["the README's a.g is not in values.yaml", "a.c is not in the README"],
        );
    }

    #[test]
    fn the_readmes_of_the_charts_are_up_to_date() {
        for chart in ["vexil", "loadtester", "grafana"] {
            documented(chart).unwrap();
        }
    }
}
