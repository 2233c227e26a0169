//! What `cargo metadata` says about the crates of the workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// The crates of the workspace, without those of others.
#[derive(Debug, Deserialize)]
pub(super) struct Workspace {
    pub(super) packages: Vec<Package>,
    workspace_root: PathBuf,
}

/// One crate.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
    /// What each feature switches on.
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    targets: Vec<Target>,
}

/// One dependency as a manifest states it.
#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    #[serde(default)]
    kind: Option<String>,
    /// Whether it is there only with a feature.
    #[serde(default)]
    pub(super) optional: bool,
}

/// One library, program or test of a crate.
#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

impl Workspace {
    /// Asks cargo about the workspace at `root`; needs neither a network nor a lock file.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root)
            .output()
            .context("starting cargo metadata")?;
        ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).context("reading its answer")?;
        Self::parse(&text)
    }

    /// Reads the JSON that `cargo metadata` prints.
    pub(super) fn parse(json: &str) -> anyhow::Result<Self> {
        serde_json::from_str(json).context("parsing the answer of cargo metadata")
    }

    /// The root files of a package's libraries and programs, from the root of the workspace.
    pub(super) fn crate_roots<'a>(
        &'a self,
        package: &'a Package,
    ) -> impl Iterator<Item = &'a Path> {
        let shipped =
            |target: &&Target| target.kind.iter().any(|kind| kind == "lib" || kind == "bin");
        package.targets.iter().filter(shipped).map(|target| {
            let path = &target.src_path;
            path.strip_prefix(&self.workspace_root).unwrap_or(path)
        })
    }
}

impl Package {
    /// What is switched on when nobody says anything.
    pub(super) fn default_features(&self) -> &[String] {
        self.features.get("default").map_or(&[], Vec::as_slice)
    }
}

impl Dependency {
    /// Whether only tests, examples and benches see this dependency.
    pub(super) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}
