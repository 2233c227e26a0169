//! Chooses what is embedded as the web page: the built one, or a placeholder that says how to
//! build it. Cargo never calls npm.

use std::path::PathBuf;
use std::{env, fs};

const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Hither</title>
<h1>The web page is not built into this binary</h1>
<p>Build and start Hither with <code>make run</code>, which builds the page first.
The API, <code>hither attach</code> and other clients work without it.</p>
</html>
";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let web = manifest.join("../../web");
    let dist = web.join("dist");
    if dist.join("index.html").is_file() {
        println!("cargo:rerun-if-changed={}", dist.display());
        println!("cargo:rustc-env=HITHER_WEB_DIST={}", dist.display());
        return;
    }
    // Looks again when the page gets built. Cargo takes a missing path for a changed one, so what
    // is watched is the nearest folder that is there.
    let watched = if web.is_dir() { &web } else { &manifest };
    println!("cargo:rerun-if-changed={}", watched.display());
    let placeholder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("dist");
    fs::create_dir_all(&placeholder).expect("OUT_DIR is writable");
    fs::write(placeholder.join("index.html"), PLACEHOLDER).expect("OUT_DIR is writable");
    println!("cargo:rustc-env=HITHER_WEB_DIST={}", placeholder.display());
}
