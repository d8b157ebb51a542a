//! `include/pt2.h` is generated from `src/capi`: cbindgen writes the declarations of each group, and
//! the frame around them is written here.

use crate::repository::repository;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

/// A section of the header, and a topic of the reference.
struct Group {
    name: &'static str,
    title: &'static str,
    brief: &'static str,
    /// The files of `src/capi` with its declarations, in order.
    files: &'static [&'static str],
}

/// In the order of the header: a type is declared before its first use.
const GROUPS: [Group; 10] = [
    Group {
        name: "errors",
        title: "Errors",
        brief: "Error objects, their codes and messages.",
        files: &["error"],
    },
    Group {
        name: "library",
        title: "Library",
        brief: "Versions, libtorch, threads of the process, and operator libraries.",
        files: &["version", "libtorch", "op_library"],
    },
    Group {
        name: "options",
        title: "Options and streams",
        brief: "Options for loading and running, among them the device and the CUDA stream.",
        files: &["options"],
    },
    Group {
        name: "tensors",
        title: "Tensors",
        brief: "Tensors on the caller's memory, their properties, copies between devices, and DLPack.",
        files: &["tensor", "tensor_copy", "dlpack"],
    },
    Group {
        name: "models",
        title: "Models and packages",
        brief: "Loading, querying and freeing models from archives and AOTInductor packages.",
        files: &["model"],
    },
    Group {
        name: "ports",
        title: "Inputs and outputs",
        brief: "Names, kinds, element types and sizes of inputs and outputs.",
        files: &["port", "port_index"],
    },
    Group {
        name: "runs",
        title: "Runs",
        brief: "Running and warming up models.",
        files: &["run", "warm_up"],
    },
    Group {
        name: "state",
        title: "State",
        brief: "Values that a program writes to, such as a KV cache: clones and resets.",
        files: &["state"],
    },
    Group {
        name: "weights",
        title: "Weights",
        brief: "Reading, setting, resetting and sharing weights by name.",
        files: &["parameter", "weights"],
    },
    Group {
        name: "statistics",
        title: "Statistics",
        brief: "Counters of CUDA graphs.",
        files: &["statistics"],
    },
];
/// The files that export nothing.
const INNER: [&str; 6] = ["direction", "guard", "mod", "parameter_text", "port_text", "versioned_struct"];

fn config() -> cbindgen::Config {
    cbindgen::Config::from_file(repository("cbindgen.toml")).unwrap()
}

fn generate() -> String {
    let config = config();
    let guard = config.include_guard.unwrap();
    let mut header = config.header.unwrap();
    write!(header, "\n\n#ifndef {guard}\n#define {guard}\n\n").unwrap();
    for include in &config.sys_includes {
        writeln!(header, "#include <{include}>").unwrap();
    }
    header += &config.after_includes.unwrap();
    header += "\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
    GROUPS.iter().for_each(|group| header += &section(group));
    write!(header, "\n#ifdef __cplusplus\n}}  // extern \"C\"\n#endif\n\n#endif  /* {guard} */\n").unwrap();
    header
}

fn section(group: &Group) -> String {
    let Group { name, title, brief, .. } = group;
    let declarations = declarations(group);
    format!(
        "\n/**\n * @defgroup pt2_{name} {title}\n * @brief {brief}\n * @{{\n */\n\n{declarations}\n/** @}} */\n"
    )
}

/// The types and functions of a group.
fn declarations(group: &Group) -> String {
    let config = cbindgen::Config {
        header: None,
        include_guard: None,
        sys_includes: Vec::new(),
        after_includes: None,
        ..config()
    };
    let files = group.files.iter().map(|file| repository(&format!("src/capi/{file}.rs")));
    let builder = files.fold(cbindgen::Builder::new().with_config(config), |b, path| b.with_src(path));
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    doxygen(&String::from_utf8(text).unwrap())
}

/// Comments in rustdoc's form become Doxygen's.
fn doxygen(text: &str) -> String {
    let mut result = String::new();
    let mut parameters = false;
    let mut prefix = "";
    for line in text.lines() {
        let (margin, comment) = match line.split_once("* ") {
            Some((margin, comment)) if margin.trim().is_empty() => (format!("{margin}* "), comment),
            _ => (String::new(), line),
        };
        parameters = comment == "# Parameters" || parameters && !line.ends_with(" *");
        let command = match comment {
            "/**" | "  /**" => {
                prefix = "@brief ";
                line.to_owned()
            }
            "# Parameters" => continue,
            "# Returns" => {
                prefix = "@return ";
                continue;
            }
            item if parameters && item.starts_with("- `") => parameter(item),
            section if section.starts_with("# ") => section.replacen("# ", "@par ", 1),
            version if version.starts_with("Since ") => {
                format!("@since {}", version[6..].trim_end_matches('.'))
            }
            note if note.starts_with("Note: ") => note.replacen("Note: ", "@note ", 1),
            warning if warning.starts_with("Warning: ") => warning.replacen("Warning: ", "@warning ", 1),
            other if !margin.is_empty() => std::mem::take(&mut prefix).to_owned() + other,
            other => other.to_owned(),
        };
        writeln!(result, "{margin}{command}").unwrap();
    }
    result
}

/// From ``- `name` (out): text``.
fn parameter(item: &str) -> String {
    let (name, rest) = item[3..].split_once('`').unwrap();
    let (way, text) = rest.split_once(": ").unwrap();
    let way = if way.is_empty() { "in".into() } else { way.trim().replace(['(', ')', ' '], "") };
    format!("@param[{way}] {name} {text}")
}

/// Each comment with the declaration after it.
fn items(header: &str) -> Vec<(&str, &str)> {
    let parts = header.split("/**\n").skip(1);
    let parts = parts.map(|part| part.split_once("*/").unwrap());
    parts.filter(|(comment, _)| !comment.contains("@defgroup") && !comment.contains("@file")).collect()
}

fn functions(header: &str) -> Vec<(&str, &str)> {
    let declared = |code: &str| code.split(';').next().unwrap().trim_end().ends_with(')');
    items(header).into_iter().filter(|(_, code)| declared(code) && !code.contains("typedef void")).collect()
}

fn parameters(code: &str) -> Vec<&str> {
    let (_, list) = code.split(';').next().unwrap().split_once('(').unwrap();
    let list = list.trim_end().strip_suffix(')').unwrap();
    let names = list.split(',').map(|parameter| parameter.rsplit([' ', '*']).next().unwrap());
    names.filter(|name| *name != "void").collect()
}

#[test]
fn every_file_of_the_room_is_known() {
    let files = fs::read_dir(repository("src/capi")).unwrap();
    let files = files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_string());
    let known = GROUPS.iter().flat_map(|group| group.files).chain(&INNER);
    assert_eq!(files.collect::<BTreeSet<_>>(), known.map(|name| name.to_string()).collect());
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let committed = fs::read_to_string(repository("include/pt2.h")).unwrap();
    assert!(committed == generate(), "include/pt2.h is out of date: run `make header`");
}

/// A C reader knows no Markdown headings, no links into Rust and no Rust types.
#[test]
fn the_header_speaks_c() {
    for (number, line) in generate().lines().enumerate() {
        let comment = line.trim_start().starts_with('*');
        let foreign = ["* #", "[`", "::", "```", "Option<", "&str", "`usize`", "`i64`"];
        let found = foreign.iter().find(|word| comment && line.contains(**word));
        assert!(found.is_none(), "line {}: {line}", number + 1);
    }
}

#[test]
fn no_line_is_longer_than_100_columns() {
    for (number, line) in generate().lines().enumerate() {
        assert!(line.chars().count() <= 100, "line {}: {line}", number + 1);
    }
}

#[test]
fn every_item_has_a_brief_and_a_version() {
    let header = generate();
    let items = items(&header);
    assert!(items.len() > 170, "{} items", items.len());
    for (comment, code) in items {
        let code = code.trim_start().lines().next().unwrap_or_default();
        assert!(comment.contains("@brief ") && comment.contains("@since "), "{code}: {comment}");
    }
}

#[test]
fn every_field_and_value_has_a_comment() {
    let header = generate();
    let lines: Vec<&str> = header.lines().collect();
    let member =
        |line: &str| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with([',', ';']);
    let members: Vec<_> = lines.windows(2).filter(|pair| member(pair[1])).collect();
    assert!(members.len() > 100, "{} members", members.len());
    for pair in members {
        assert_eq!(pair[0], "   */", "{}", pair[1]);
    }
}

#[test]
fn every_function_documents_ownership_and_threads() {
    let header = generate();
    let functions = functions(&header);
    assert!(functions.len() > 40, "{} functions", functions.len());
    for (comment, code) in functions {
        assert!(comment.contains("@par Ownership\n"), "{code}");
        let threads = comment.split("@par Thread safety\n").nth(1).unwrap_or_default();
        assert!(threads.contains("Thread-safe") || threads.contains("Not thread-safe:"), "{code}");
    }
}

#[test]
fn every_parameter_and_result_is_described() {
    let header = generate();
    for (comment, code) in functions(&header) {
        let described = comment.lines().filter_map(|line| line.split_once("@param")?.1.split(' ').nth(1));
        assert_eq!(described.collect::<Vec<_>>(), parameters(code), "{code}");
        assert_eq!(comment.contains("@return "), !code.trim_start().starts_with("void pt2_"), "{code}");
    }
}

#[test]
#[ignore = "writes include/pt2.h; `make header` runs it"]
fn write() {
    fs::write(repository("include/pt2.h"), generate()).unwrap();
}
