//! Payload configuration: `model_weights_config.json` and `model_constants_config.json`.
//!
//! From `PayloadConfig` in `torch/_export/serde/schema.py` 2.11; written since 2.9.

use super::json;
use super::schema::TensorMeta;
use super::schema::record::record;
use super::schema::wire::Ordered;
use crate::error::Result;

record! {
    /// How one parameter, buffer, constant or object is stored.
    PayloadMeta {
        /// The entry, beside the list.
        path_name: String,
        /// Whether it is a parameter.
        is_param: bool,
        /// Whether the entry is a pickle instead of raw bytes.
        use_pickle: bool,
        /// The view into the entry. Objects have none.
        tensor_meta: Option<TensorMeta> = None,
    }
}

record! {
    /// A whole file.
    PayloadConfig {
        /// What is stored, by fully qualified name, in the order of the file.
        config: Ordered<PayloadMeta>,
    }
}

impl PayloadConfig {
    /// Reads a file.
    pub fn parse(json: &[u8]) -> Result<PayloadConfig> {
        json::read(json)
    }

    /// What is stored, in the order of the file.
    pub fn entries(&self) -> &[(String, PayloadMeta)] {
        &self.config.0
    }
}
