//! Exported program: checks the schema version, then the parts of the program in order.

use super::input_check_plan::Rules;
use super::interface::Interface;
use super::json;
use super::schema::record::record;
use super::schema::{ExportedProgram, GraphModule, SchemaVersion, Untyped};
use super::signature_check;
use crate::error::{Error, Result};

/// Schema version that libpt2 reads: the major version, and the newest known minor version.
pub const SCHEMA: (i64, i64) = (8, 20);

/// An exported program whose signature fits its graph.
#[derive(Clone, Debug)]
pub struct Program {
    /// The graph with its signature, as stored in the file.
    pub graph_module: GraphModule,
    /// The inputs and outputs for the caller.
    pub interface: Interface,
    /// The version of PyTorch that wrote the program.
    pub torch_version: String,
    /// The version of the schema.
    pub schema_version: SchemaVersion,
    /// The version of each operator namespace.
    pub opset_version: std::collections::BTreeMap<String, Untyped>,
    /// The dialects against which the exporter verified it, such as `TRAINING`.
    pub verifiers: Vec<String>,
    /// The guards: conditions on the inputs as Python text.
    pub guards_code: Vec<String>,
}

impl Program {
    /// Parses a program and runs all checks that do not depend on operators.
    pub fn parse(json: &[u8]) -> Result<Program> {
        let program: ExportedProgram = json::read(json).map_err(|error| explain(json, error))?;
        readable(&program.schema_version, &program.torch_version)?;
        signature_check::validate(&program.graph_module)?;
        let interface = Interface::of(&program)?;
        Ok(Program {
            graph_module: program.graph_module,
            interface,
            torch_version: program.torch_version,
            schema_version: program.schema_version,
            opset_version: program.opset_version,
            verifiers: program.verifiers,
            guards_code: program.guards_code,
        })
    }

    /// Selects the input checks that PyTorch performs for archives with or without sample inputs.
    pub fn with_samples(self, stored: bool) -> Program {
        if stored { self } else { Program { interface: self.interface.under(Rules::Unguarded), ..self } }
    }
}

record! {
    /// Fields that a schema of any version should have.
    Header {
        /// The version of the schema.
        schema_version: SchemaVersion,
        /// The version of PyTorch that wrote the program.
        torch_version: String = String::from("unknown"),
    }
}

/// Adds the schema version to a parse error, because it explains more than the position.
fn explain(json: &[u8], error: Error) -> Error {
    let Ok(header) = json::read::<Header>(json) else { return error };
    let (version, newer) = (&header.schema_version, header.schema_version.minor > SCHEMA.1);
    match (readable(version, &header.torch_version), error) {
        (Err(unreadable), _) => unreadable,
        (Ok(()), Error::Program { at, reason }) if newer => Error::Program {
            at,
            reason: format!(
                "{reason} (written with schema {}.{} by PyTorch {}; {}.{} is the newest that this library knows)",
                version.major, version.minor, header.torch_version, SCHEMA.0, SCHEMA.1
            ),
        },
        (Ok(()), error) => error,
    }
}

fn readable(version: &SchemaVersion, torch: &str) -> Result<()> {
    if version.major == SCHEMA.0 {
        Ok(())
    } else {
        Err(Error::Unsupported {
            what: format!(
                "schema version {}.{} (PyTorch {torch}); this library reads {}.x",
                version.major, version.minor, SCHEMA.0
            ),
        })
    }
}
