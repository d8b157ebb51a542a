//! Report about libtorch in this process.

use crate::attempt;
use crate::core;
use crate::engine::Engines;
use crate::result::Text;
use crate::version::VERSION;
use once_cell::sync::OnceCell;
use pt2_host::without_cancellation;
use std::ffi::{CStr, CString};

#[unsafe(no_mangle)]
pub extern "C-unwind" fn pt2_doctor() -> Text {
    without_cancellation(|| report())
}

/// Returns the report. Separate from the function of the ABI, which must have nothing to drop.
#[inline(never)]
extern "C" fn report() -> Text {
    Text(text().as_ptr())
}

/// Returns the report, which the first call makes.
pub fn text() -> &'static CStr {
    static REPORT: OnceCell<CString> = OnceCell::new();
    REPORT.get_or_init(|| CString::new(lines().join("\n") + "\n").unwrap_or_default())
}

fn lines() -> Vec<String> {
    let core = core::opened();
    let folder = core::folder();
    let mut lines = vec![format!("libpt2 {}", VERSION.to_string_lossy())];
    match folder {
        Ok(folder) => {
            lines.push(format!("folder: {}", folder.display()));
            lines.push(
                Engines::in_folder(folder)
                    .map_or_else(|reason| reason, |engines| format!("engines: {engines}")),
            );
        }
        Err(reason) => lines.push(reason),
    }
    if let Some(attempt) = attempt::made().filter(|attempt| !attempt.search.record.is_empty()) {
        lines.push("libtorch was looked for in these places, until one had it:".into());
        lines.extend(
            attempt.search.record.iter().enumerate().map(|(index, line)| format!("  {}. {line}", index + 1)),
        );
        lines.extend(attempt.engine.iter().map(|path| format!("engine: {}", path.display())));
    }
    lines.push(match core {
        Ok(functions) => {
            // SAFETY: the function takes no arguments and returns a static string.
            let text = unsafe { CStr::from_ptr((functions.pt2_doctor)().0) };
            text.to_string_lossy().trim_end().into()
        }
        Err(missing) => format!("error: {}", missing.message.to_string_lossy()),
    });
    lines
}
