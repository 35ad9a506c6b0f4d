//! What the last stage of a Dockerfile says about how its image is run.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// How the image is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    user: String,
    port: String,
    environment: BTreeMap<String, String>,
    entrypoint: Vec<String>,
}

impl Dockerfile {
    /// Reads the last stage, which has to be made from nothing.
    ///
    /// # Errors
    /// If it is not, or says something that this does not know.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let joined = text.replace("\\\n", " ");
        let lines = joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let lines: Vec<&str> = lines.collect();
        let begin = lines.iter().rposition(|line| line.starts_with("FROM ")).context("no FROM")?;
        let mut found = Dockerfile::default();
        for line in lines.into_iter().skip(begin) {
            let (word, rest) = line.split_once(' ').with_context(|| format!("{line:?} says nothing"))?;
            match word {
                "FROM" if rest == "scratch" => {}
                // The files are those of the chore.
                "COPY" => {}
                "USER" => found.user = rest.to_owned(),
                "EXPOSE" => found.port = rest.to_owned(),
                "ENTRYPOINT" => found.entrypoint = serde_json::from_str(rest)?,
                "ENV" => {
                    let pairs = rest.split_whitespace().filter_map(|pair| pair.split_once('='));
                    found.environment.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
                }
                _ => bail!("{line:?} is not known to cargo xtask image"),
            }
        }
        Ok(found)
    }

    /// The same as `config` of an image (OCI image specification, "Image Configuration").
    pub fn config(&self) -> Value {
        let environment: Vec<String> =
            self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        json!({
            "User": self.user,
            "ExposedPorts": {format!("{}/tcp", self.port): {}},
            "Env": environment,
            "Entrypoint": self.entrypoint,
            "WorkingDir": "/",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_says_how_the_image_is_run() {
        let text = "FROM rust AS build\nRUN make\n# Why.\nFROM scratch\nCOPY --from=build /x /x\nUSER 1:2\n\
                    EXPOSE 8080\nENV A=1 \\\n  B=2\nENTRYPOINT [\"/x\"]\n";
        assert_eq!(
            Dockerfile::parse(text).unwrap().config(),
            json!({
                "User": "1:2", "ExposedPorts": {"8080/tcp": {}}, "Env": ["A=1", "B=2"], "Entrypoint": ["/x"],
                "WorkingDir": "/",
            })
        );
        for wrong in ["FROM debian\nUSER 1", "FROM scratch\nRUN make", "USER 1"] {
            Dockerfile::parse(wrong).unwrap_err();
        }
    }

    #[test]
    fn the_operators_dockerfile_is_understood() {
        let text = include_str!("../../../images/vexil/Dockerfile");
        let config = Dockerfile::parse(text).unwrap().config();
        assert_eq!(config["User"], "10001:10001");
        assert_eq!(config["Entrypoint"], json!(["/vexil"]));
        assert!(config["Env"].as_array().is_some_and(|all| !all.is_empty()), "{config}");
    }
}
