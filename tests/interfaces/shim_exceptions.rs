//! No C++ exception reaches Rust. The body of every `extern "C"` function of the shim is one call
//! of a guard, or the function is `noexcept` with the reason in the comment above.

use crate::repository::repository;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Guards of `shim.h`, the only places that catch exceptions.
const GUARDS: [&str; 4] = ["caught", "guarded", "guarded_or", "attempted"];

/// Function that is defined with C linkage.
struct Definition {
    name: String,
    /// Comment right above it.
    comment: String,
    is_noexcept: bool,
    body: String,
}

impl Definition {
    /// Returns the function's violation of the rule, if any.
    fn fault(&self) -> Option<&'static str> {
        match (is_one_guard(&self.body), self.is_noexcept, self.comment.contains("noexcept: ")) {
            (true, _, _) | (false, true, true) => None,
            (false, true, false) => Some("is noexcept without a reason"),
            (false, false, _) => Some("is neither one call of a guard nor noexcept"),
        }
    }
}

/// Returns true if the body is only `return guard(…);`, `*out = guard(…);` or `guard(…);`.
fn is_one_guard(body: &str) -> bool {
    let body = body.trim();
    let body = body.strip_prefix("return ").unwrap_or(body);
    let body = match body.strip_prefix('*').and_then(|rest| rest.split_once(" = ")) {
        Some((to, rest)) if to.chars().all(|c| c.is_alphanumeric() || c == '_') => rest,
        _ => body,
    };
    let body = body.strip_prefix("pt2::").unwrap_or(body);
    let Some((guard, _)) = body.split_once(['(', '<']) else { return false };
    let Some(open) = body.find('(') else { return false };
    let Some(close) = closing(body, open) else { return false };
    GUARDS.contains(&guard) && body[close + 1..].trim() == ";"
}

/// Returns the position of the bracket that closes the one at `open`.
fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, character) in code.char_indices().skip_while(|(at, _)| *at < open) {
        match character {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Returns code of the same length with every comment, literal and preprocessor line blanked.
fn code_of(source: &str) -> String {
    let mut code: Vec<u8> = source.bytes().collect();
    let mut at = 0;
    while at < code.len() {
        let rest = &source.as_bytes()[at..];
        let length = match rest {
            [b'/', b'/', ..] => rest.iter().position(|c| *c == b'\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => source[at..].find("*/").map_or(rest.len(), |end| end + 2),
            [b'#', ..] => rest.iter().position(|c| *c == b'\n').unwrap_or(rest.len()),
            [b'"', b'C', b'"', ..] if source[..at].ends_with("extern ") => {
                at += 3;
                continue;
            }
            [quote @ (b'"' | b'\''), ..]
                if !(*quote == b'\'' && source[..at].ends_with(|c: char| c.is_ascii_digit())) =>
            {
                let mut end = 1;
                while rest[end] != *quote {
                    end += 1 + usize::from(rest[end] == b'\\');
                }
                end + 1
            }
            _ => {
                at += 1;
                continue;
            }
        };
        code[at..at + length].iter_mut().filter(|c| **c != b'\n').for_each(|c| *c = b' ');
        at += length;
    }
    String::from_utf8(code).unwrap()
}

/// Returns the comment lines directly before the definition.
fn comment_above(source: &str, start: usize) -> String {
    let lines = source[..start].trim_end().lines().rev();
    lines.take_while(|line| line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Returns the definitions from `at` to `end`, which is a block of C linkage or a single
/// declaration.
fn definitions_in(source: &str, code: &str, mut at: usize, end: usize) -> Vec<Definition> {
    let mut found = Vec::new();
    while let Some(start) = code[at..end].find(|c: char| !c.is_whitespace()).map(|skipped| at + skipped) {
        let stop = start + code[start..end].find([';', '{']).unwrap_or(end - start - 1);
        if code.as_bytes()[stop] == b';' || !code[start..stop].contains('(') {
            at = stop + 1;
            continue;
        }
        let close = closing(code, stop).unwrap();
        let head = &code[start..stop];
        let (declared, qualifiers) = head.split_at(closing(head, head.find('(').unwrap()).unwrap());
        let name = declared.split('(').next().unwrap().split([' ', '*', '\n']).next_back().unwrap();
        found.push(Definition {
            name: name.to_string(),
            comment: comment_above(source, start),
            is_noexcept: qualifiers.contains("noexcept"),
            body: code[stop + 1..close].to_string(),
        });
        at = close + 1;
    }
    found
}

fn definitions(source: &str) -> Vec<Definition> {
    const LINKAGE: &str = "extern \"C\"";
    let code = code_of(source);
    let mut found = Vec::new();
    for (start, _) in code.match_indices(LINKAGE) {
        let after = start + LINKAGE.len();
        let next = after + code[after..].find(|c: char| !c.is_whitespace()).unwrap();
        if code.as_bytes()[next] == b'{' {
            found.extend(definitions_in(source, &code, next + 1, closing(&code, next).unwrap()));
            continue;
        }
        let stop = next + code[next..].find([';', '{']).unwrap();
        let end = if code.as_bytes()[stop] == b'{' { closing(&code, stop).unwrap() } else { stop };
        let mut single = definitions_in(source, &code, next, end + 1);
        single.iter_mut().for_each(|one| one.comment = comment_above(source, start));
        found.extend(single);
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all = Vec::new();
    for path in entries {
        match path.is_dir() {
            true => all.extend(sources(&path)),
            false => all.extend(path.extension().is_some_and(|ending| ending == "cpp").then_some(path)),
        }
    }
    all
}

#[test]
fn no_exception_leaves_the_shim() {
    let mut names = BTreeSet::new();
    for path in sources(&repository("crates/torch-sys/cpp")) {
        for one in definitions(&fs::read_to_string(&path).unwrap()) {
            assert_eq!(one.fault(), None, "{} in {}", one.name, path.display());
            names.insert(one.name);
        }
    }
    // Whatever Rust calls was looked at.
    let header = fs::read_to_string(repository("crates/torch-sys/cpp/pt2_shim.h")).unwrap();
    let code = header.lines().filter(|line| !line.starts_with("//"));
    let declared = code.filter_map(|line| line.split_once("shim_")?.1.split_once('('));
    let declared: BTreeSet<String> = declared.map(|(name, _)| format!("shim_{name}")).collect();
    assert!(declared.len() > 100, "{}", declared.len());
    assert_eq!(declared.difference(&names).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Control.
#[test]
fn throwing_functions_are_found() {
    let source = r#"
extern "C" uint64_t declared_only();

extern "C" {

bool declared_in_a_block(const char *text);

// Returns a field.
int bare(const Thing *thing) { return thing->field; }

int quiet(const Thing *thing) noexcept { return thing->field; }

// Returns a field.
// noexcept: reads a field.
int told(const Thing *thing) noexcept { return thing->field; }

Error *first(Thing *thing) {
  thing->prepare();  // guarded(
  return pt2::caught([&] { thing->run("}"); });
}

Error *then(Thing *thing) {
  return pt2::caught([&] { thing->run(); }), thing->finish();
}

Error *caught_in_name(Thing *thing) { return caught_by(thing); }

Error *wrapped(Thing *thing, void (*take)(void *)) {
  return pt2::guarded([&] { thing->run('"'); });
}

size_t count(const Thing *thing) {
  return pt2::guarded_or<size_t>(0, [&] { return thing->count(); });
}

void fill(const Thing *thing, View *view) {
  *view = pt2::guarded_or(View{}, [&] { return view_of(*thing); });
}
}

extern "C" int alone(const Thing *thing) {
  try {
    return thing->field();
  } catch (const Error &) {
    return 0;
  }
}
"#;
    let found: Vec<(String, bool)> =
        definitions(source).into_iter().map(|one| (one.name.clone(), one.fault().is_none())).collect();
    let expected = [
        ("bare", false),
        ("quiet", false),
        ("told", true),
        ("first", false),
        ("then", false),
        ("caught_in_name", false),
        ("wrapped", true),
        ("count", true),
        ("fill", true),
        ("alone", false),
    ];
    let expected = expected.map(|(name, fine)| (name.to_string(), fine));
    assert_eq!(found, expected);
}
