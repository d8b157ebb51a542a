//! Report about libtorch and CUDA in this process, for people.

use super::cuda_startup::{cuda_absence, cuda_devices, device_name, libtorch_library};
use super::ffi;
use super::libtorch_version;
use super::process;
use pt2_cuda_driver::Driver;
use pt2_format::{Error, Result};
use std::path::Path;

/// Fails unless this process's libtorch lies in a folder, or in the `lib` below it.
pub fn require_libtorch_in(folder: &Path) -> Result<()> {
    let library = libtorch_library().map_err(|reason| Error::Libtorch { reason })?;
    let folders = [folder.join("lib"), folder.to_owned()];
    let same = |folder: &Path| folder.canonicalize().ok().as_deref() == library.parent();
    if folders.iter().any(|folder| same(folder)) {
        return Ok(());
    }
    Err(Error::Argument {
        argument: "folder",
        reason: format!("it is `{}`, but this process already uses {}", folder.display(), library.display()),
    })
}

/// Returns lines about libtorch, CUDA and the driver.
pub fn diagnosis() -> Result<String> {
    process::ready()?;
    let library = libtorch_library().map(|path| path.display().to_string()).unwrap_or_else(|reason| reason);
    let mut lines = vec![format!("libtorch {} ({library})", libtorch_version())];
    lines.extend(cuda());
    Ok(lines.join("\n"))
}

fn cuda() -> Vec<String> {
    let devices = cuda_devices();
    let runtime = Runtime::of_process();
    let mut lines = match Driver::start() {
        Ok(driver) => vec![driver_line(driver.version(), runtime)],
        Err(reason) => vec![format!("CUDA: {reason}; programs run on the CPU")],
    };
    if let Some(runtime) = runtime {
        lines.push(format!("CUDA runtime {}, cuDNN {}", dotted(runtime.cuda), cudnn(runtime.cudnn)));
    }
    if devices == 0 && Driver::is_there() {
        lines.push(format!("CUDA: not usable: {}", cuda_absence()));
    }
    lines.extend((0..devices).filter_map(|index| u16::try_from(index).ok()).map(|index| {
        format!("cuda:{index}: {}", device_name(index).unwrap_or_else(|| "a device without a name".into()))
    }));
    lines
}

/// Versions that libtorch's CUDA library reports, such as 13000 and 91002.
#[derive(Clone, Copy)]
struct Runtime {
    cuda: i64,
    cudnn: i64,
}

impl Runtime {
    /// None if libtorch has no CUDA here.
    fn of_process() -> Option<Runtime> {
        let mut runtime = Runtime { cuda: 0, cudnn: 0 };
        // SAFETY: the call writes two numbers.
        let known = unsafe { ffi::shim_cuda_versions(&mut runtime.cuda, &mut runtime.cudnn) };
        known.then_some(runtime)
    }
}

/// A driver runs programs of its own version of CUDA, of older ones, and of the same major version.
fn driver_line(driver: Option<i64>, runtime: Option<Runtime>) -> String {
    let Some(driver) = driver else { return "driver: its version is unknown".into() };
    let line = format!("driver for CUDA {}", dotted(driver));
    match runtime {
        Some(runtime) if driver / 1000 < runtime.cuda / 1000 => format!(
            "{line}, which is too old for this libtorch: install a driver for CUDA {}, or a libtorch for CUDA {}",
            runtime.cuda / 1000,
            driver / 1000
        ),
        Some(_) => format!("{line}, which fits"),
        None => line,
    }
}

/// Formats a number such as 13010 as `13.1` (`CUDA_VERSION` in cuda.h, 13.0).
fn dotted(version: i64) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

/// Formats a number such as 91002 as `9.10.2` (`CUDNN_VERSION` in cudnn_version.h, 9).
fn cudnn(version: i64) -> String {
    match version {
        0 => "is missing".into(),
        version => format!("{}.{}.{}", version / 10_000, version / 100 % 100, version % 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_headers() {
        assert_eq!((dotted(13010), dotted(12080)), ("13.1".into(), "12.8".into()));
        assert_eq!(cudnn(91002), "9.10.2");
    }

    #[test]
    fn a_driver_of_an_older_major_version_does_not_fit() {
        let runtime = Some(Runtime { cuda: 13000, cudnn: 91002 });
        assert!(driver_line(Some(12080), runtime).contains("install a driver for CUDA 13"));
        assert!(driver_line(Some(13000), runtime).ends_with("which fits"));
        assert_eq!(driver_line(Some(13010), None), "driver for CUDA 13.1");
    }
}
