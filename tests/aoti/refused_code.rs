//! Rejected packages: nothing of them is executed, and no file remains. The package's library
//! creates a marker file when it is loaded. Needs a C compiler, as the build does.

use pt2::aoti::{Digest, NativeCodeOptions};
use pt2::model::{LoadOptions, Model, RunOptions};
use pt2::program::schema::ScalarType;
use pt2::torch::Tensor;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

const MARK: &str = "PT2_MARK";
const LIBRARY: &str = "PT2_MARKING_LIBRARY";
/// Marker file that the command of a hostile package would create.
const COMMAND: &str = "PT2_COMMAND_MARK";

#[test]
fn refused_packages_execute_nothing_and_leave_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let library = compiled(folder.path(), &[]);
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let before = paths(folder.path());
    in_a_process_of_its_own("every_refusal_and_then_the_control", folder.path(), &library);
    assert_eq!(paths(folder.path()), before);
}

#[test]
fn packages_leave_stacks_non_executable() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let library = compiled(folder.path(), &["-Wl,-z,execstack"]);
    in_a_process_of_its_own("no_package_makes_stacks_executable", folder.path(), &library);
}

/// Compiles the marking library with additional linker arguments.
fn compiled(folder: &Path, more: &[&str]) -> PathBuf {
    let library = folder.join("marking.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aoti/packages/marking.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]);
    let minor = pt2::torch::libtorch_version().split('.').nth(1).unwrap();
    compiler.arg(&library).arg(source).arg(format!("-DPT2_TORCH_MINOR={minor}")).args(more).arg("-ldl");
    assert!(compiler.status().unwrap().success());
    library
}

#[test]
fn failures_have_the_reason_that_the_interface_reports() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let library = compiled(folder.path(), &["-DPT2_FAILS"]);
    in_a_process_of_its_own("a_call_that_fails", folder.path(), &library);
}

#[test]
#[ignore = "run by another test of this file, in a process of its own"]
fn a_call_that_fails() {
    // The interface is that of PyTorch 2.13, so the version must be recorded.
    let package = with("_metadata.json", metadata(&[("torch_version", pt2::torch::libtorch_version())]));
    let model = Model::load_from_memory(&package, &allowed(None)).unwrap();
    let input = Tensor::from_bytes(ScalarType::Float, &[4], &[7; 16]).unwrap();
    let error = model.run(&[Some(input)], &RunOptions::default()).unwrap_err().to_string();
    assert!(error.contains("out of luck") && !error.contains("Exception raised"), "{error}");
}

/// Compiles a library with a function that the marking library looks up.
fn kernel(folder: &Path) -> Vec<u8> {
    let (source, library) = (folder.join("kernel.c"), folder.join("kernel.so"));
    fs::write(&source, "int pt2_kernel(void);\nint pt2_kernel(void) { return 3; }\n").unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
    assert!(compiler.status().unwrap().success());
    fs::read(library).unwrap()
}

#[test]
fn libraries_of_kernels_are_loaded_from_the_package() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let library = compiled(folder.path(), &["-DPT2_KERNEL=\"kernel.so\""]);
    in_a_process_of_its_own("a_library_of_kernels", folder.path(), &library);
}

#[test]
#[ignore = "run by another test of this file, in a process of its own"]
fn a_library_of_kernels() {
    const KERNEL: &str = "m/data/aotinductor/model/kernel.so";
    let kernel = kernel(given(LIBRARY).parent().unwrap());
    let call =
        "kernels_.k_kernel_fn = loadCpuTritonKernel(\n\"/tmp/x/kernel.so\", \"pt2_kernel\", cubin_dir_);";
    let package = |more: &str, kernel: Option<Vec<u8>>| {
        let mut all = entries();
        all[0].1 = source(more);
        all.extend(kernel.map(|bytes| (KERNEL, bytes)));
        zipped(all)
    };
    control(&package(call, Some(kernel.clone())), &allowed(None));
    let mut processor = kernel.clone();
    processor[18] ^= 1;
    for (what, package, expected) in [
        ("missing kernel", package(call, None), "are missing: kernel.so"),
        ("no kernel", package("", Some(kernel.clone())), "more than one shared library"),
        ("truncated kernel", package(call, Some(kernel[..100].to_vec())), "no shared library"),
        ("processor", package(call, Some(processor)), "its library is for processor"),
        ("digest", package(call, Some(kernel)), "was expected"),
    ] {
        let digest = (what == "digest").then(|| Digest::of(&library()));
        let refused = Model::load_from_memory(&package, &allowed(digest)).unwrap_err().to_string();
        assert!(refused.contains(expected), "{what}: {refused}");
    }
}

/// Runs a test of this file in another process, because the temporary folder and the stacks belong
/// to all threads.
fn in_a_process_of_its_own(test: &str, folder: &Path, library: &Path) {
    let run = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", &format!("refused_code::{test}")])
        .env("TMPDIR", folder.join("tmp"))
        .env(MARK, folder.join("mark"))
        .env(COMMAND, folder.join("command"))
        .env(LIBRARY, library)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

const PT_NULL: u32 = 0;
const PT_NOTE: u32 = 4;
const PT_GNU_STACK: u32 = 0x6474_e551;
/// Kind of program header that the loader ignores.
const UNKNOWN: u32 = 0x6fff_ff00;

/// Changes the kinds of a library's program headers. In 64-bit ELF the headers begin at byte 64.
fn relabelled(mut library: Vec<u8>, changes: &[(u32, u32)]) -> Vec<u8> {
    let count = usize::from(u16::from_le_bytes(library[56..58].try_into().unwrap()));
    for at in (0..count).map(|index| 64 + 56 * index) {
        let kind = u32::from_le_bytes(library[at..at + 4].try_into().unwrap());
        if let Some((_, to)) = changes.iter().find(|(from, _)| *from == kind) {
            library[at..at + 4].copy_from_slice(&to.to_le_bytes());
        }
    }
    library
}

/// Returns the number of writable and executable mappings. Stacks become such if a library requests
/// it.
fn executable_stacks() -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains(" rwxp ")).count()
}

#[test]
#[ignore = "run by another test of this file, in a process of its own"]
fn no_package_makes_stacks_executable() {
    let before = executable_stacks();
    for (what, changes) in [
        ("a mark that asks", &[][..]),
        ("no mark, a header without meaning", &[(PT_GNU_STACK, PT_NULL)]),
        ("no mark, a note", &[(PT_GNU_STACK, UNKNOWN)]),
    ] {
        let package = with(".so", relabelled(library(), changes));
        control(&package, &allowed(None));
        assert_eq!(executable_stacks(), before, "{what}");
    }
    let silent = relabelled(library(), &[(PT_GNU_STACK, UNKNOWN), (PT_NOTE, UNKNOWN)]);
    let refused = Model::load_from_memory(&with(".so", silent), &allowed(None)).unwrap_err().to_string();
    assert!(refused.contains("does not say whether it executes its stack"), "{refused}");
    assert_eq!(executable_stacks(), before);
    // Control: the library requests an executable stack itself. glibc 2.41 refuses to load it.
    let path = std::ffi::CString::new(given(LIBRARY).to_str().unwrap()).unwrap();
    // SAFETY: the path is NUL-terminated, and the library's initialiser only creates a file.
    let opened = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    assert!(opened.is_null() || executable_stacks() > before);
}

/// Returns all paths below a folder.
fn paths(folder: &Path) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(paths(&path));
        }
        all.insert(path);
    }
    all
}

fn given(variable: &str) -> PathBuf {
    env::var_os(variable).expect("the other test of this file runs this one").into()
}

#[test]
#[ignore = "run by the other test of this file, in a process of its own"]
fn every_refusal_and_then_the_control() {
    let root = given(LIBRARY).parent().unwrap().to_path_buf();
    let before = paths(&root);
    for (what, package, options, expected) in refusals() {
        let refused = Model::load_from_memory(&package, &options).unwrap_err();
        assert!(refused.to_string().contains(expected), "{what}: {refused}");
        assert_eq!(paths(&root), before, "{what}");
    }
    control(&good(), &allowed(Some(code())));
    assert!(given(MARK).exists());
    fs::remove_file(given(MARK)).unwrap();
    assert_eq!(paths(&root), before);
}

/// The package is valid apart from the rejected part: with permission it runs.
fn control(package: &[u8], options: &LoadOptions) {
    let model = Model::load_from_memory(package, options).unwrap();
    let input = Tensor::from_bytes(ScalarType::Float, &[4], &[7; 16]).unwrap();
    let outputs = model.run(&[Some(input)], &RunOptions::default()).unwrap();
    assert_eq!(outputs[0].as_ref().unwrap().to_bytes().unwrap(), [7; 16]);
}

fn allowed(digest: Option<Digest>) -> LoadOptions {
    let native_code = NativeCodeOptions { allowed: true, digest, ..NativeCodeOptions::default() };
    LoadOptions { native_code, ..LoadOptions::default() }
}

fn library() -> Vec<u8> {
    fs::read(given(LIBRARY)).unwrap()
}

fn code() -> Digest {
    Digest::of(&library())
}

type Entries = Vec<(&'static str, Vec<u8>)>;

/// Returns PyTorch 2.11's metadata of this machine, with some fields replaced.
fn metadata(changed: &[(&str, &str)]) -> Vec<u8> {
    let mut fields = serde_json::json!({
        "AOTI_DEVICE_KEY": "cpu", "AOTI_PLATFORM": "linux", "AOTI_MACHINE": env::consts::ARCH,
        "AOTI_CPU_ISA": "", "AOTI_COMPUTE_CAPABILITY": "",
    });
    changed.iter().for_each(|(key, value)| fields[*key] = (*value).into());
    fields.to_string().into_bytes()
}

/// Returns the wrapper source, as far as libpt2 reads it.
fn source(more: &str) -> Vec<u8> {
    let leaf = r#"{"type": null, "context": null, "children_spec": []}"#;
    let tuple = r#"{"type": "builtins.tuple", "context": "null", "children_spec": ["#;
    let dict = r#"{"type": "builtins.dict", "context": "[]", "children_spec": []}"#;
    format!(
        "inputs_info_[0].name = \"arg0_1\";\n\
         in_spec_ = R\"([1, {tuple}{tuple}{leaf}]}}, {dict}]}}])\";\n\
         out_spec_ = R\"([1, {leaf}])\";\n\
         outputs_info_[0].name = \"output0\";\n\
         int32_t arg0_1_expected_dtype = aoti_torch_dtype_float32();\n\
         if (4 != arg0_1_size[0]) {{\nif (1 != arg0_1_stride[0]) {{\n{more}\n"
    )
    .into_bytes()
}

fn entries() -> Entries {
    vec![
        ("m/data/aotinductor/model/x.wrapper.cpp", source("")),
        ("m/data/aotinductor/model/x.wrapper_metadata.json", metadata(&[])),
        ("m/data/aotinductor/model/x.wrapper.so", library()),
    ]
}

fn good() -> Vec<u8> {
    zipped(entries())
}

/// Returns the valid package with one entry changed.
fn with(end: &str, bytes: Vec<u8>) -> Vec<u8> {
    let change = |(name, old): (&'static str, Vec<u8>)| match name.ends_with(end) {
        true => (name, bytes.clone()),
        false => (name, old),
    };
    zipped(entries().into_iter().map(change).collect())
}

fn without_library(more: Entries) -> Vec<u8> {
    zipped(entries().into_iter().filter(|(name, _)| !name.ends_with(".so")).chain(more).collect())
}

fn zipped(mut entries: Entries) -> Vec<u8> {
    let frame: [(&str, &[u8]); 4] = [
        ("m/archive_format", b"pt2"),
        ("m/archive_version", b"0"),
        ("m/byteorder", b"little"),
        ("m/.data/version", b"3\n"),
    ];
    entries.extend(frame.map(|(name, bytes)| (name, bytes.to_vec())));
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in entries {
        archive.start_file(name, stored).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// PyTorch's loader runs the compiler that is named here (`model_package_loader.cpp` 2.11).
fn commands() -> Entries {
    let command = format!("touch {} #", given(COMMAND).display());
    let flags = serde_json::json!({"compiler": command, "cflags": [], "definitions": []}).to_string();
    vec![
        ("m/data/aotinductor/model/x.wrapper_compile_flags.json", flags.clone().into_bytes()),
        ("m/data/aotinductor/model/x.wrapper_linker_flags.json", flags.into_bytes()),
    ]
}

type Refusal = (&'static str, Vec<u8>, LoadOptions, &'static str);

fn refusals() -> Vec<Refusal> {
    let mut all = refused_by_the_caller();
    let others = other_machines().into_iter().chain(damaged()).chain(hostile());
    all.extend(others.map(|(what, package, expected)| (what, package, allowed(None), expected)));
    all
}

fn refused_by_the_caller() -> Vec<Refusal> {
    let gone = NativeCodeOptions { allowed: false, digest: Some(code()), ..NativeCodeOptions::default() };
    vec![
        ("no permission", good(), LoadOptions::default(), "allow native code for this load"),
        (
            "a digest is no permission",
            good(),
            LoadOptions { native_code: gone, ..LoadOptions::default() },
            "allow native code",
        ),
        ("other digest", good(), allowed(Some(Digest::of(b"other"))), "was expected"),
    ]
}

type Case = (&'static str, Vec<u8>, &'static str);

fn other_machines() -> Vec<Case> {
    let made_for = |changed: &[(&str, &str)]| with("_metadata.json", metadata(changed));
    let capability = [("AOTI_DEVICE_KEY", "cuda"), ("AOTI_COMPUTE_CAPABILITY", "10")];
    let mut processor = library();
    processor[18] ^= 1;
    vec![
        ("platform", made_for(&[("AOTI_PLATFORM", "win32")]), "its platform is win32"),
        ("machine", made_for(&[("AOTI_MACHINE", "vax")]), "its machine is vax"),
        ("instruction set", made_for(&[("AOTI_CPU_ISA", "AVX1024")]), "avx1024 is missing"),
        ("compute capability", made_for(&capability), "its compute capability is 10"),
        ("PyTorch", made_for(&[("torch_version", "2.15.0")]), "its PyTorch is 2.15.0"),
        ("processor", with(".so", processor), "its library is for processor"),
    ]
}

fn damaged() -> Vec<Case> {
    let (package, library) = (good(), library());
    let kernel = source("loadKernel(\"/tmp/x/cabc.cubin\", \"f\", 0, this->cubin_dir_);");
    let weights = source(": AOTInductorModelBase(1, 1, 2, device_str, std::move(cubin_dir), false) {");
    let mut flipped = package.clone();
    let place = package.windows(4).position(|bytes| bytes == b"\x7fELF").unwrap();
    flipped[place + library.len() / 2] ^= 1;
    vec![
        ("truncated package", package[..package.len() / 2].to_vec(), "zip"),
        ("truncated library", with(".so", library[..library.len() / 2].to_vec()), "no shared library"),
        ("flipped bit", flipped, "its CRC-32 is"),
        ("missing kernel", with(".cpp", kernel), "cabc.cubin"),
        ("weights outside", with(".cpp", weights), "weights outside of the library"),
        ("empty metadata", with("_metadata.json", b"{}".to_vec()), "does not say AOTI_DEVICE_KEY"),
        ("library without the interface", with(".so", stripped(library)), "does not offer"),
    ]
}

/// Returns the library without one of the functions that libpt2 calls.
fn stripped(mut library: Vec<u8>) -> Vec<u8> {
    let name = b"AOTInductorModelContainerRun\0";
    let places: Vec<usize> =
        (0..library.len() - name.len()).filter(|at| library[*at..].starts_with(name)).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| library[at] = b'X');
    library
}

fn hostile() -> Vec<Case> {
    let also = |name: &'static str| zipped(entries().into_iter().chain([(name, library())]).collect());
    vec![
        ("climbing", also("m/data/aotinductor/model/../../../../mark"), "only dots"),
        ("absolute", also("/tmp/pt2-climbed"), "absolute"),
        ("two libraries", also("m/data/aotinductor/model/y.wrapper.so"), "more than one shared library"),
        ("sources and a command", without_library(commands()), "a compiler (`"),
        ("sources only", without_library(Vec::new()), "sources are never compiled here"),
        ("library and commands", zipped(entries().into_iter().chain(commands()).collect()), "a compiler (`"),
    ]
}
