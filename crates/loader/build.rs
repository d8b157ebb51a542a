//! Generates the list of the header's functions.

use std::path::{Path, PathBuf};
use std::{env, fs};

const HEADER: &str = "../../include/pt2.h";

/// Functions written by hand, because they work where libtorch cannot be loaded.
const BY_HAND: [&str; 10] = [
    "pt2_version",
    "pt2_libtorch_version",
    "pt2_error_code",
    "pt2_error_message",
    "pt2_error_input",
    "pt2_error_free",
    "pt2_set_libtorch",
    "pt2_doctor",
    "pt2_load",
    "pt2_load_from_memory",
];

fn main() {
    println!("cargo:rerun-if-changed={HEADER}");
    println!("cargo:rerun-if-changed=build.rs");
    let header = fs::read_to_string(HEADER).unwrap_or_else(|error| fail(&format!("{HEADER}: {error}")));
    let out = PathBuf::from(variable("OUT_DIR"));
    write(&out.join("functions.rs"), &functions(&header));
    write(&out.join("status.rs"), &status(&header));
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("cargo sets {name}")))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())));
}

fn fail(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::exit(1);
}

/// Returns a call of the macro `functions` with a line for each function.
///
/// A line looks like `pt2_free(model: Pointer) -> Nothing;`.
fn functions(header: &str) -> String {
    let code = without_comments(header);
    let declarations = code.split(';').filter_map(|text| text.trim().strip_suffix(')'));
    let all: Vec<_> = declarations.filter_map(declared).collect();
    let of = |group: Group| {
        let lines: Vec<&str> =
            all.iter().filter(|(of, _)| *of == group).map(|(_, line)| line.as_str()).collect();
        if lines.is_empty() {
            fail(&format!("{HEADER} has no functions {group:?}"))
        }
        lines.concat()
    };
    format!(
        "functions! {{\n  by_hand {{\n{}  }}\n  if_opened {{\n{}  }}\n  forwarded {{\n{}  }}\n}}\n",
        of(Group::ByHand),
        of(Group::IfOpened),
        of(Group::Forwarded)
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    ByHand,
    IfOpened,
    Forwarded,
}

/// Returns None if the text declares no function of libpt2.
fn declared(text: &str) -> Option<(Group, String)> {
    let (before, arguments) = text.split_once('(')?;
    let before = before.rsplit("\n\n").next()?.trim();
    let name = &before[before.find(" pt2_").or(before.find("*pt2_"))? + 1..];
    let result = result_of(name, before.strip_suffix(name)?);
    let group = match name {
        _ if BY_HAND.contains(&name) => Group::ByHand,
        _ if name.ends_with("_free") => Group::IfOpened,
        _ => Group::Forwarded,
    };
    Some((group, format!("    {name}({}) -> {result};\n", arguments_of(name, arguments))))
}

fn without_comments(header: &str) -> String {
    let mut parts = header.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |text, part| text + part.split_once("*/").unwrap_or_default().1);
    text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect()
}

fn arguments_of(function: &str, arguments: &str) -> String {
    let arguments = arguments.split(',').map(str::trim).filter(|argument| *argument != "void");
    let typed = arguments.map(|argument| {
        let name = argument.rsplit([' ', '*']).next().unwrap_or_default();
        format!("{name}: {}", type_of(function, argument.strip_suffix(name).unwrap_or_default().trim()))
    });
    typed.collect::<Vec<_>>().join(", ")
}

fn result_of(function: &str, c: &str) -> &'static str {
    match c.trim() {
        "void" => "Nothing",
        "pt2_error *" => "Outcome",
        "const char *" => "Text",
        other => type_of(function, other),
    }
}

/// Returns the Rust type of a C type in a function that only forwards it.
fn type_of(function: &str, c: &str) -> &'static str {
    match c {
        "size_t" => "usize",
        "int64_t" => "i64",
        "int32_t" => "i32",
        "double" => "f64",
        "bool" => "bool",
        "pt2_release" => "Pointer",
        pointer if pointer.ends_with('*') => "Pointer",
        _ => fail(&format!("{function}: it is not known how to pass `{c}` on")),
    }
}

fn status(header: &str) -> String {
    let constant = |name: &str| {
        let number =
            header.split_once(&format!("PT2_ERROR_{name} = ")).and_then(|(_, text)| text.split_once(','));
        let (number, _) = number.unwrap_or_else(|| fail(&format!("the header has no PT2_ERROR_{name}")));
        format!("/// `PT2_ERROR_{name}` of the header.\npub const {name}: i32 = {number};\n")
    };
    ["ARGUMENT", "LIBTORCH", "FORKED", "EXITING"].map(constant).concat()
}
