//! The program `pt2`: its output, its files, and its exit codes.

use crate::array::{Array, read_npz};
use crate::prefix::program;
use crate::repository::{repository, writer_versions};
use pt2_format::program::schema::ScalarType;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use tempfile::TempDir;

fn pt2(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns the output of a successful call.
fn printed(arguments: &[&str]) -> String {
    let output = pt2(arguments);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{arguments:?}");
    text(&output.stdout)
}

/// Returns the message of a failing call.
fn refused(code: i32, arguments: &[&str]) -> String {
    let output = pt2(arguments);
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(code), String::new()), "{said}");
    if code == 1 {
        assert!(said.starts_with("pt2: ") && said.lines().count() == 1, "{said}");
    }
    said
}

fn archive(version: &str, case: &str) -> String {
    repository(&format!("tests/archives/{version}/{case}.pt2")).display().to_string()
}

fn arrays(case: &str) -> String {
    repository(&format!("tests/archives/2.11.0/{case}.npz")).display().to_string()
}

fn stored(case: &str) -> BTreeMap<String, Array> {
    read_npz(Path::new(&arrays(case)))
}

fn written(path: &str) -> BTreeMap<String, Array> {
    read_npz(Path::new(path))
}

fn in_folder(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(elements);
    file
}

fn npz(path: &str, files: &[(&str, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn version_is_printed() {
    let path = Path::new(&std::env::var("LIBTORCH").unwrap()).join("include/torch/headeronly/version.h");
    let header = fs::read_to_string(path).unwrap();
    let number = |part: &str| {
        let (_, after) = header.split_once(&format!("#define TORCH_VERSION_{part} ")).unwrap();
        after.lines().next().unwrap().trim().to_owned()
    };
    let libtorch = ["MAJOR", "MINOR", "PATCH"].map(number).join(".");
    let said = printed(&["--version"]);
    assert_eq!(said, format!("pt2 {} (libtorch {libtorch})\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_archive_is_inspected() {
    for version in writer_versions() {
        for entry in fs::read_dir(repository(&format!("tests/archives/{version}"))).unwrap() {
            let path = entry.unwrap().path().display().to_string();
            if !path.ends_with(".pt2") {
                continue;
            }
            let said = printed(&["inspect", &path]);
            let layout = match version.as_str() {
                "2.6.0" | "2.7.1" => "flat, tensors in torch.save files, as PyTorch 2.6 and 2.7",
                "2.8.0" => "folder, tensors in torch.save files, as PyTorch 2.8",
                _ => "folder, an entry a tensor, as PyTorch 2.9 and later",
            };
            let runs = if path.contains("branch") { "runs here  " } else { "runs here  yes" };
            for part in [layout, &format!("by PyTorch {version}"), "inputs     ", "outputs    result", runs] {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
    }
}

#[test]
fn inspection_is_complete() {
    let said = printed(&["inspect", &archive("2.11.0", "tree"), "--skip-checksums", "--memory", "copy"]);
    let (_, rest) = said.split_once('\n').unwrap();
    assert_eq!(rest, include_str!("tree.txt"));
    let said = printed(&["inspect", &archive("2.11.0", "mutation")]);
    assert!(said.contains("writes to  its total, input args[0]\n"), "{said}");
}

#[test]
fn inspection_lists_state_constants_and_shared_memory() {
    let of = |case: &str| printed(&["inspect", &archive("2.11.0", case)]);
    let said = of("aliases");
    assert!(said.contains("one storage: whole, rows, turned\n") && said.contains("its rows\n"), "{said}");
    let said = of("cache");
    for part in ["1 buffer, 1 non-persistent buffer", "writes to  its keys, values\n"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = of("all_dtypes");
    assert!(said.contains("1  float8_e4m3fnuz\n") && said.contains("1  complex32\n"), "{said}");
    assert!(of("constants").contains("result[\"more\"][1][1]  constant False\n"));
    let said = of("conditions");
    assert!(said.contains("higher_order::cond") && said.contains("aten::sin.default"), "{said}");
    assert!(of("sizes").contains("guards     L['y']"), "{}", of("sizes"));
}

#[test]
fn operators_are_allowed_and_brought_by_flags() {
    let special =
        |case: &str| repository(&format!("tests/special_archives/2.11.0/{case}.pt2")).display().to_string();
    let said = printed(&["inspect", &special("from_file")]);
    assert!(said.contains("runs here  no, ") && said.contains("aten::from_file"), "{said}");
    let said = printed(&["inspect", &special("from_file"), "--allow-operator", "aten::from_file"]);
    assert!(said.contains("runs here  yes\n"), "{said}");
    let said = refused(1, &["inspect", &special("twice"), "--op-library", "/missing.so"]);
    assert!(said.contains("/missing.so"), "{said}");
    let said = refused(1, &["run", &special("twice"), "--op-library", &special("twice")]);
    assert!(said.contains("ELF"), "{said}");
    assert!(refused(1, &["run", &special("several")]).contains("double, triple"));
}

#[test]
fn graphs_are_printed_as_text_that_reads_back() {
    for case in ["mini_resnet", "tree", "branch", "dtypes"] {
        let said = printed(&["inspect", &archive("2.11.0", case), "--graph"]);
        let graph = pt2_graph::graph::parse(&said).unwrap();
        assert_eq!(format!("{graph}\n"), said);
    }
}

/// Runs the first call that is stored beside an archive and compares the written outputs.
fn run_first_call(case: &str, names: &[&str], options: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (output, stored) = (in_folder(&folder, "out.npz"), stored(case));
    let inputs: Vec<_> = stored.keys().filter(|key| key.starts_with("in0_")).cloned().collect();
    let input = format!("{}:{}", arrays(case), inputs.join(","));
    let model = archive("2.11.0", case);
    let all = [&["run", &model, "--input", &input, "--output", &output], options].concat();
    printed(&all);
    let (written, expected) = (written(&output), stored.range("out0_".to_owned().."out0a".to_owned()));
    assert_eq!(written.len(), names.len());
    for (name, (_, expected)) in names.iter().zip(expected) {
        let error = written[*name].error_against(expected);
        assert!(error < 1e-5, "{case} {name}: {error}");
    }
}

#[test]
fn outputs_are_those_of_pytorch() {
    let tree = ["result.sum", "result.rows", "result.more.0", "result.more.1"];
    run_first_call("mini_resnet", &["result"], &[]);
    run_first_call("mini_resnet", &["result"], &["--exact", "--device", "cpu", "--model", "model"]);
    run_first_call("tree", &tree, &["--skip-checksums", "--memory", "copy"]);
    run_first_call("dtypes", &["result.0_bf16", "result.1"], &["--memory", "map"]);
}

#[test]
fn repeating_keeps_the_outputs_of_the_first_call() {
    run_first_call("mutation", &["result"], &["--repeat", "3"]);
    run_first_call("train_buffers", &["result.0", "result.1", "result.2"], &["--repeat", "2"]);
}

#[test]
fn times_are_a_table() {
    let input = format!("{}:in0_0", arrays("mini_resnet"));
    for (count, last) in [("4", "ms, 3 calls after the first"), ("1", "no call after the first")] {
        let path = archive("2.11.0", "mini_resnet");
        let said = printed(&["run", &path, "--device", "cpu", "--input", &input, "--repeat", count]);
        let lines: Vec<_> = said.lines().collect();
        let starts = [
            "result  float32 [4, 10]",
            "archive  ",
            "model    model, ",
            "device   cpu",
            "load     ",
            "first    ",
        ];
        assert!(lines.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{said}");
        assert!(lines[6].starts_with("median   ") && lines[6].ends_with(last), "{said}");
        let load: f64 = lines[4].split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(load > 0.0 && lines[4].ends_with(" ms"), "{said}");
    }
}

#[test]
fn one_output_round_trips_through_npy() {
    let folder = tempfile::tempdir().unwrap();
    let stored = stored("mutation");
    let (input, output) = (in_folder(&folder, "in.npy"), in_folder(&folder, "out.npy"));
    fs::write(&input, npy("<f4", "(4, 3)", &stored["in0_0"].bytes)).unwrap();
    printed(&["run", &archive("2.8.0", "mutation"), "--input", &input, "--output", &output]);
    let file = fs::read(&output).unwrap();
    let floats = npyz::NpyFile::new(file.as_slice()).unwrap().into_vec::<f32>().unwrap();
    let bytes = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
    let written = Array { dtype: ScalarType::Float, sizes: vec![4, 3], bytes };
    assert!(written.error_against(&stored["out0_0"]) < 1e-5);
    let said =
        refused(1, &["run", &archive("2.11.0", "tree"), "--input", &arrays("tree"), "--output", &output]);
    assert!(
        said.contains("the program takes 3 inputs, got 14; choose with --input FILE:NAME,NAME"),
        "{said}"
    );
}

#[test]
fn safetensors_keep_bfloat16_and_go_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (in_folder(&folder, "first.safetensors"), in_folder(&folder, "second.npz"));
    let chosen = format!("{}:in0_0", arrays("dtypes"));
    printed(&["run", &archive("2.11.0", "dtypes"), "--input", &chosen, "--output", &first]);
    let bytes = fs::read(&first).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let half = tensors.tensor("result.0").unwrap();
    let expected = &stored("dtypes")["out0_0_bf16"];
    assert_eq!((half.dtype(), half.data()), (safetensors::Dtype::BF16, expected.bytes.as_slice()));

    let tree = archive("2.11.0", "tree");
    let refusal = refused(1, &["run", &tree, "--input", &first]);
    assert!(
        refusal.contains("have no order: name them args.0.0, args.0.1, kwargs.extra.bias, or"),
        "{refusal}"
    );
    let named = in_folder(&folder, "named.safetensors");
    let stored = stored("tree");
    let view = |name: &str, sizes| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, sizes, &stored[name].bytes).unwrap()
    };
    let tensors = [
        ("kwargs.extra.bias", view("in0_2", vec![6])),
        ("args[0][1]", view("in0_1", vec![4, 6])),
        ("args.0.0", view("in0_0", vec![4, 6])),
    ];
    fs::write(&named, safetensors::serialize(tensors, None).unwrap()).unwrap();
    printed(&["run", &tree, "--input", &named, "--output", &second]);
    assert!(written(&second)["result.sum"].error_against(&stored["out0_0"]) < 1e-5);
}

#[test]
fn input_files_bind_in_order_unless_named() {
    let folder = tempfile::tempdir().unwrap();
    let (output, named) = (in_folder(&folder, "out.npz"), in_folder(&folder, "named.npz"));
    let (tree, stored) = (archive("2.11.0", "tree"), stored("tree"));
    let check = |inputs: &[&str]| {
        printed(&[&["run", &tree, "--output", &output], inputs].concat());
        assert!(written(&output)["result.sum"].error_against(&stored["out0_0"]) < 1e-5);
    };
    let file = |name: &str, shape| {
        let path = in_folder(&folder, &format!("{name}.npy"));
        fs::write(&path, npy("<f4", shape, &stored[name].bytes)).unwrap();
        path
    };
    let files = [file("in0_0", "(4, 6)"), file("in0_1", "(4, 6)"), file("in0_2", "(6,)")];
    check(&["--input", &files[0], "--input", &files[1], "--input", &files[2]]);
    check(&["--input", &files[0], &files[1], &format!("{}:in0_2", arrays("tree"))]);
    let part = |name: &str, shape| npy("<f4", shape, &stored[name].bytes);
    let swapped = [
        ("kwargs.extra.bias", part("in0_2", "(6,)")),
        ("args.0.1", part("in0_1", "(4, 6)")),
        ("args.0.0", part("in0_0", "(4, 6)")),
    ];
    npz(&named, &swapped);
    check(&["--input", &named]);
}

#[test]
fn models_and_inputs_that_do_not_fit_end_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: Vec<u8>| {
        let path = in_folder(&folder, name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let resnet = archive("2.11.0", "mini_resnet");
    let doubles = path("double.npy", npy("<f8", "(1, 3, 32, 32)", &[0; 8 * 3072]));
    let flat = path("flat.npy", npy("<f4", "(1, 3)", &[0; 12]));
    let large = path("large.npy", npy("<f4", "(513, 3, 32, 32)", &vec![0; 513 * 4 * 3072]));
    let text = path("text.npy", npy("<U1", "(1,)", &[0; 4]));
    let cut = path("cut.pt2", fs::read(&resnet).unwrap()[..5000].to_vec());
    let empty = path("empty.pt2", vec![]);
    let good = format!("{}:in0_0", arrays("mini_resnet"));
    let nowhere = in_folder(&folder, "no/where.npz");
    for (arguments, sentence) in [
        (vec!["inspect", "missing.pt2"], "cannot read `missing.pt2`: No such file"),
        (vec!["inspect", folder.path().to_str().unwrap()], "the path leads to a directory"),
        (vec!["inspect", &cut], "cut.pt2: not a valid .pt2 archive"),
        (vec!["inspect", &empty], "empty.pt2: not a valid .pt2 archive"),
        (vec!["inspect", &resnet, "--model", "other"], "no model `other`; it holds model"),
        (vec!["run", "missing.pt2"], "cannot read `missing.pt2`: No such file"),
        (vec!["run", &resnet, "--input", "missing.npy"], "cannot read `missing.npy`: No such file"),
        (vec!["run", &resnet, "--input", &text], "its dtype `<U1` is none of a tensor"),
        (vec!["run", &resnet], "the program takes 1 inputs, got 0"),
        (vec!["run", &resnet, "--input", &doubles], "input `args[0]`: expected float32, got float64"),
        (vec!["run", &resnet, "--input", &flat], "input `args[0]`: expected 4 dimensions, got 2"),
        (
            vec!["run", &resnet, "--input", &large],
            "`args[0]`: dimension 0 is 513, expected at most 512 (symbol s77)",
        ),
        (vec!["run", &resnet, "--input", &good, "--output", &nowhere], "cannot write"),
        (vec!["run", &resnet, "--input", &good, "--device", "cuda:99"], "device `cuda:99`: "),
        (vec!["run", &resnet, "--input", &good, "--model", "other"], "argument `model`: "),
        (
            vec!["run", &resnet, "--input", &format!("{}:x", arrays("tree"))],
            "it holds no `x`; it holds in0_0, ",
        ),
    ] {
        let said = refused(1, &arguments);
        assert!(said.contains(sentence), "{arguments:?}: {said}");
    }
}

#[test]
fn outputs_that_a_format_cannot_hold_are_refused_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (format!("{}:in0_0", arrays("dtypes")), in_folder(&folder, "out.npy"));
    let said = refused(1, &["run", &archive("2.11.0", "dtypes"), "--input", &input, "--output", &output]);
    assert!(said.contains("a .npy file takes one array, the model gives 2; write .npz"), "{said}");
    assert!(!Path::new(&output).exists());
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &[][..],
        &["walk"],
        &["inspect"],
        &["inspect", "a.pt2", "--loud"],
        &["run", "a.pt2", "--device", "gpu"],
        &["run", "a.pt2", "--repeat", "0"],
        &["run", "a.pt2", "--memory", "none"],
        &["run", "a.pt2", "--input", "a.txt"],
        &["run", "a.pt2", "--input", "a.npy:x"],
        &["run", "a.pt2", "--input", "a.npz:"],
        &["run", "a.pt2", "--output", "a.txt"],
    ] {
        refused(2, arguments);
    }
    assert!(refused(2, &["run", "a.pt2", "--device", "gpu"]).contains("use cpu, cuda or cuda:N"));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for extra in ["--graph", "--skip-checksums"] {
        let mut child = program()
            .args(["inspect", &archive("2.11.0", "mini_resnet"), extra])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = program();
    let output = command.args(["inspect", &archive("2.11.0", "tree")]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("pt2: cannot print: "));
}
