//! Gives the interpreter more stack and memory than plugins of rules have: a script's calls are calls of the interpreter.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo:rustc-cdylib-link-arg=-zstack-size=1048576");
        println!("cargo:rustc-cdylib-link-arg=--initial-memory=4194304");
    }
}
