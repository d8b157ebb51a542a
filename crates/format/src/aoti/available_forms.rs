//! Forms in which an archive holds a model: exported, compiled, or both.

use crate::archive::Archive;
use crate::{Error, Result};
use std::collections::HashSet;

/// Form of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// The compiled form if it is allowed and fits this machine and the requested device, else the
    /// exported program.
    #[default]
    Auto,
    /// Exported program.
    Exported,
    /// AOTInductor package.
    Compiled,
}

/// Model and its available forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvailableForms {
    /// Name of the model.
    pub model: String,
    /// True if there is an exported program.
    pub exported: bool,
    /// True if there is compiled code.
    pub compiled: bool,
}

/// Returns the models of an archive: those with programs first, in the order of the file.
pub fn available_forms(archive: &Archive) -> Vec<AvailableForms> {
    let (exported, compiled) = (archive.models(), archive.compiled());
    let is_compiled: HashSet<&String> = compiled.iter().collect();
    let alone = compiled.iter().filter(|model| !archive.has_model(model));
    let offer = |model: &String| AvailableForms {
        model: model.clone(),
        exported: archive.has_model(model),
        compiled: is_compiled.contains(model),
    };
    exported.iter().chain(alone).map(offer).collect()
}

impl AvailableForms {
    /// Returns the model of this name, or the only one.
    pub fn choose(archive: &Archive, wanted: Option<&str>) -> Result<AvailableForms> {
        let mut available_forms = available_forms(archive);
        let found = match wanted {
            Some(name) => available_forms.iter().position(|offer| offer.model == name),
            None => (available_forms.len() == 1).then_some(0),
        };
        if let Some(place) = found {
            return Ok(available_forms.swap_remove(place));
        }
        let names: Vec<String> = available_forms.into_iter().map(|offer| offer.model).collect();
        let reason = format!("name one of the models in the archive: {}", names.join(", "));
        Err(Error::Argument { argument: "model", reason })
    }

    /// Returns the form to load. `Auto` remains if both are available, and then validation decides.
    pub fn form(&self, wanted: Form) -> Result<Form> {
        let form = match (wanted, self.exported, self.compiled) {
            (Form::Auto, true, true) => Form::Auto,
            (Form::Auto | Form::Compiled, _, true) => Form::Compiled,
            (Form::Auto | Form::Exported, true, _) => Form::Exported,
            _ => return Err(self.lacks(wanted)),
        };
        Ok(form)
    }

    fn lacks(&self, wanted: Form) -> Error {
        let what = if wanted == Form::Compiled { "no compiled code" } else { "no exported program" };
        let reason = format!("the archive holds {what} of `{}`", self.model);
        Error::Argument { argument: "form", reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_form_is_taken_and_a_missing_one_refused() {
        let offer = |exported, compiled| AvailableForms { model: "m".into(), exported, compiled };
        for (exported, compiled, wanted, form) in [
            (true, true, Form::Auto, Some(Form::Auto)),
            (true, true, Form::Exported, Some(Form::Exported)),
            (true, true, Form::Compiled, Some(Form::Compiled)),
            (false, true, Form::Auto, Some(Form::Compiled)),
            (true, false, Form::Auto, Some(Form::Exported)),
            (false, true, Form::Exported, None),
            (true, false, Form::Compiled, None),
        ] {
            assert_eq!(offer(exported, compiled).form(wanted).ok(), form);
        }
    }
}
