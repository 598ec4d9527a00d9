//! The workspace as cargo sees it: our packages and what each asks for.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::Line;

/// The workspace's packages, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// The folder of what is built.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a package asks for by name, whatever the feature or the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Only tests, examples and benches see it.
    pub(crate) dev: bool,
}

impl Metadata {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        let text = Line::cargo(&["metadata", "--no-deps", "--format-version", "1"]).output()?;
        Self::parse(&text)
    }

    /// Reads what `cargo metadata --no-deps --format-version 1` prints.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).context("cargo metadata is no JSON")?;
        let target = PathBuf::from(word(&value, "target_directory")?);
        let mut packages = list(&value, "packages")?
            .iter()
            .map(Package::parse)
            .collect::<Result<Vec<_>>>()?;
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { target, packages })
    }
}

impl Package {
    fn parse(value: &Value) -> Result<Self> {
        let dependencies = list(value, "dependencies")?
            .iter()
            .map(|value| {
                let dev = value.get("kind").and_then(Value::as_str) == Some("dev");
                Ok(Dependency {
                    name: word(value, "name")?,
                    dev,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            name: word(value, "name")?,
            dependencies,
        })
    }
}

fn word(value: &Value, key: &str) -> Result<String> {
    let found = value.get(key).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("cargo metadata lacks the text `{key}`"))?
        .to_owned())
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    let found = value.get(key).and_then(Value::as_array);
    found.with_context(|| format!("cargo metadata lacks the list `{key}`"))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn packages_and_their_dependencies_are_read() {
        let metadata = Metadata::parse(
            r#"{"target_directory":"/t","packages":[
                {"name":"b","dependencies":[{"name":"a","kind":null},{"name":"p","kind":"dev"}]},
                {"name":"a","dependencies":[]}]}"#,
        )
        .unwrap();
        assert_eq!(metadata.target, PathBuf::from("/t"));
        assert_eq!(metadata.packages[0].name, "a");
        let b = &metadata.packages[1];
        assert_eq!(
            b.dependencies[0],
            Dependency {
                name: "a".to_owned(),
                dev: false
            }
        );
        assert_eq!(
            b.dependencies[1],
            Dependency {
                name: "p".to_owned(),
                dev: true
            }
        );
    }

    #[test]
    fn another_shape_is_an_error() {
        assert!(Metadata::parse("").is_err());
        assert!(Metadata::parse(r#"{"packages":[]}"#).is_err());
    }

    #[test]
    fn cargo_answers_for_this_workspace() {
        let metadata = Metadata::load().unwrap();
        assert!(
            metadata
                .packages
                .iter()
                .any(|package| package.name == "xtask")
        );
    }
}
