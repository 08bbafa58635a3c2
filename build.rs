//! Compiles bpf/traceloop.bpf.c and turns it into the skeleton that `src/skel.rs` includes.

use std::{
    env,
    error::Error,
    ffi::OsStr,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

use libbpf_cargo::SkeletonBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?).join("traceloop.skel.rs");
    let arch = match env::var("CARGO_CFG_TARGET_ARCH")?.as_str() {
        "x86_64" => "x86",
        "aarch64" => "arm64",
        other => return Err(format!("traceloop records on x86-64 and aarch64, not on {other}").into()),
    };
    SkeletonBuilder::new()
        .source(root.join("bpf/traceloop.bpf.c"))
        .clang_args([
            OsStr::new("-I"),
            root.join("vmlinux").as_os_str(),
            OsStr::new(&format!("-D__TARGET_ARCH_{arch}")),
            OsStr::new("-mcpu=v3"),
            OsStr::new("-Wall"),
            OsStr::new("-Werror"),
            OsStr::new("-Wno-unused-function"),
        ])
        .build_and_generate(&out)?;
    // The skeleton holds the whole object: a recording goes on only with the programs that it began with.
    let mut hasher = DefaultHasher::new();
    fs::read(&out)?.hash(&mut hasher);
    println!("cargo:rustc-env=TRACELOOP_BPF={:016x}", hasher.finish());
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-changed=vmlinux");
    Ok(())
}
