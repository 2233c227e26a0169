//! Which crate may know which: the table of ARCHITECTURE.md as code.

use super::Finding;
use super::workspace::{Dependency, Package, Workspace};

/// A crate of ours and the crates of ours that it may depend on.
struct Rule {
    name: &'static str,
    may_use: &'static [&'static str],
    /// What its tests may use besides.
    tests_may_use: &'static [&'static str],
    purity: Purity,
}

/// Whether a crate may touch the world.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purity {
    /// No runtime, no clock, no environment, no I/O.
    Pure,
    /// Free to do I/O.
    Shell,
}

const RULES: &[Rule] = &[
    Rule::pure("hither-core", &[]),
    Rule::pure("hither-protocol", &["hither-core"]),
    Rule::pure("hither-screen", &["hither-core"]),
    Rule::pure("hither-auth", &["hither-core"]),
    Rule::shell("hither-store", &["hither-auth", "hither-core"]),
    Rule::shell("hither-pty", &[]).tests(&["hither-core"]),
    Rule::shell("hither-host", &["hither-core", "hither-pty"]),
    Rule::shell(
        "hither-server",
        &[
            "hither-auth",
            "hither-core",
            "hither-host",
            "hither-protocol",
            "hither-pty",
            "hither-screen",
            "hither-store",
        ],
    ),
    Rule::shell("hither-client", &["hither-core", "hither-protocol"]),
    Rule::shell("hither-bench", &["hither-client", "hither-core", "hither-protocol", "hither-pty"]),
    // What is checked and what checks it share no code.
    Rule::shell("hither-testkit", &[]),
    // The laws that hold for any bytes; links whatever decodes some.
    Rule::shell(
        "hither-fuzz",
        &["hither-auth", "hither-core", "hither-host", "hither-protocol", "hither-screen"],
    ),
    // The binary puts everything together.
    Rule::shell(
        "hither",
        &[
            "hither-auth",
            "hither-bench",
            "hither-client",
            "hither-core",
            "hither-host",
            "hither-server",
            "hither-store",
        ],
    )
    .tests(&["hither-protocol", "hither-testkit"]),
    Rule::shell("xtask", &[]),
];

/// What would let a pure crate reach the world. Its tests may use them.
const IMPURE: &[&str] = &["axum", "hyper", "libc", "mio", "nix", "polling", "rustix", "tokio"];

/// What only those carry who ask for it: the words in names of crates, and the feature.
const ONLY_BY_FEATURE: (&str, &str) = ("opentelemetry", "otel");

impl Rule {
    const fn pure(name: &'static str, may_use: &'static [&'static str]) -> Self {
        Self { name, may_use, tests_may_use: &[], purity: Purity::Pure }
    }

    const fn shell(name: &'static str, may_use: &'static [&'static str]) -> Self {
        Self { name, may_use, tests_may_use: &[], purity: Purity::Shell }
    }

    const fn tests(self, tests_may_use: &'static [&'static str]) -> Self {
        Self { tests_may_use, ..self }
    }

    fn allows(&self, dependency: &Dependency) -> bool {
        let name = dependency.name.as_str();
        self.may_use.contains(&name) || (dependency.is_dev() && self.tests_may_use.contains(&name))
    }
}

/// Names of the pure crates.
pub(super) fn pure_crates() -> impl Iterator<Item = &'static str> {
    let pure = RULES.iter().filter(|rule| rule.purity == Purity::Pure);
    pure.map(|rule| rule.name)
}

/// Finds every dependency, of whatever kind, that the table does not allow.
pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    workspace.packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let Some(rule) = RULES.iter().find(|rule| rule.name == package.name) else {
        let message = "is not in the table of crates; add it to ARCHITECTURE.md and to tidy";
        return vec![Finding::failure(&package.name, message)];
    };
    let mut findings = Vec::new();
    let (word, feature) = ONLY_BY_FEATURE;
    if package.default_features().iter().any(|name| name == feature) {
        let message = format!("may not have the feature {feature} by default");
        findings.push(Finding::failure(&package.name, message));
    }
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let ours = RULES.iter().any(|rule| rule.name == name);
        if ours && !rule.allows(dependency) {
            let message = format!("may not depend on {name}; it may use {:?}", rule.may_use);
            findings.push(Finding::failure(&package.name, message));
        }
        if name.contains(word) && !dependency.optional {
            let message = format!("may not depend on {name} without the feature {feature}");
            findings.push(Finding::failure(&package.name, message));
        }
        let pure = rule.purity == Purity::Pure && !dependency.is_dev();
        if pure && IMPURE.contains(&name) {
            let message = format!("is pure and may not depend on {name} outside its tests");
            findings.push(Finding::failure(&package.name, message));
        }
    }
    findings
}
