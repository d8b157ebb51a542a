//! Tuning cache: a file with the autotuned choices for a model on a GPU, for later processes.
//!
//! The text file has a header (GPU, libtorch, cuDNN, program) and a line for each choice. If the
//! header differs, the file is overwritten. A line can only select an engine that cuDNN itself
//! offers for a computation. So a file from an untrusted source can make a model slow, but not
//! wrong.

use crate::aoti::Digest;
use crate::lock::lock;
use crate::torch::{Device, autotune_choices, device_name, libtorch_version};
use crate::{Error, Result};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fs, io, process};

/// Limit of the file's size, above that of any real program.
const MOST_BYTES: u64 = 16 << 20;

/// File of a model, and the number of choices already saved to it.
#[derive(Debug)]
pub struct TuningCache {
    device: u16,
    header: String,
    path: PathBuf,
    saved: Mutex<u64>,
}

impl TuningCache {
    /// Reads the file for a program and device from an existing folder, or creates it.
    ///
    /// None on the CPU, where nothing is autotuned.
    pub fn open(folder: &Path, device: Device, program: &[u8]) -> Result<Option<TuningCache>> {
        let Device::Cuda(index) = device else { return Ok(None) };
        let header = header(index, program);
        let path = folder.join(format!("pt2-{:.16}.tuning", Digest::of(header.as_bytes()).to_string()));
        let tuning = TuningCache { device: index, header, path, saved: Mutex::default() };
        let text = read(&tuning.path).map_err(|error| unusable(folder, &error))?;
        match text.strip_prefix(&tuning.header) {
            Some(lines) => lines.lines().for_each(|line| autotune_choices::recall(index, line)),
            None => tuning.write(&[]).map_err(|error| unusable(folder, &error))?,
        }
        Ok(Some(tuning))
    }

    /// Writes the choices measured since the last save, if any. A failed write does not fail the
    /// call that measured.
    pub fn save(&self) {
        let measured = autotune_choices::measured();
        let mut saved = lock(&self.saved);
        if *saved == measured {
            return;
        }
        if let Ok(lines) = autotune_choices::lines(self.device) {
            let _ = self.write(&lines);
        }
        *saved = measured;
    }

    /// Writes the file atomically: readers see the old file or the new one.
    fn write(&self, lines: &[String]) -> io::Result<()> {
        let lines: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        let part = self.path.with_extension(format!("{}.part", process::id()));
        fs::write(&part, self.header.clone() + &lines)?;
        fs::rename(&part, &self.path).inspect_err(|_| drop(fs::remove_file(&part)))
    }
}

fn header(device: u16, program: &[u8]) -> String {
    let gpu = device_name(device).unwrap_or_default();
    let cudnn = autotune_choices::cudnn_version().unwrap_or_default();
    let (torch, program) = (libtorch_version(), Digest::of(program));
    format!("pt2 tuning 1\ngpu {gpu}\nlibtorch {torch}\ncudnn {cudnn}\nprogram {program}\n")
}

/// Reads the file; empty if it does not exist.
fn read(path: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    match fs::File::open(path) {
        Ok(file) => file.take(MOST_BYTES).read_to_end(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn unusable(folder: &Path, error: &io::Error) -> Error {
    let reason = format!(
        "`{}` cannot be used: {error}; give an existing folder that may be written",
        folder.display()
    );
    Error::Argument { argument: "options.tuning_folder", reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_folder(folder: &Path, header: &str) -> TuningCache {
        let path = folder.join("pt2-test.tuning");
        TuningCache { device: 0, header: header.into(), path, saved: Mutex::default() }
    }

    #[test]
    fn what_is_written_is_read_behind_its_header() {
        let folder = std::env::temp_dir().join(format!("pt2-tuning-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let tuning = in_folder(&folder, "pt2 tuning 1\ngpu A\n");
        assert_eq!(read(&tuning.path).unwrap(), "");
        tuning.write(&[]).unwrap();
        assert_eq!(read(&tuning.path).unwrap(), tuning.header);
        tuning.write(&["0,1 7 2=3".into(), "0,2 8".into()]).unwrap();
        assert_eq!(read(&tuning.path).unwrap(), "pt2 tuning 1\ngpu A\n0,1 7 2=3\n0,2 8\n");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_none_is_an_error() {
        let missing = in_folder(Path::new("/no/such/folder"), "");
        assert!(missing.write(&[]).is_err());
        assert!(read(Path::new("/")).is_err());
    }
}
