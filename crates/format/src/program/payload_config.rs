//! Payload configuration: `model_weights_config.json` and `model_constants_config.json`, written
//! since PyTorch 2.9 (`PayloadConfig` in `torch/_export/serde/schema.py` 2.11).

use super::json;
use super::schema::TensorMeta;
use super::schema::record::record;
use super::schema::wire::Ordered;
use crate::error::Result;

record! {
    /// Storage of one parameter, buffer, constant or object.
    PayloadMeta {
        /// The entry's name within the folder of the configuration.
        path_name: String,
        /// True for a parameter.
        is_param: bool,
        /// True if the entry is a pickle instead of raw bytes.
        use_pickle: bool,
        /// The view into the entry. None for objects.
        tensor_meta: Option<TensorMeta> = None,
    }
}

record! {
    /// A whole configuration file.
    PayloadConfig {
        /// The payloads by fully qualified name, in the order of the file.
        config: Ordered<PayloadMeta>,
    }
}

impl PayloadConfig {
    /// Parses a configuration file.
    pub fn parse(json: &[u8]) -> Result<PayloadConfig> {
        json::read(json)
    }

    /// Returns the payloads, in the order of the file.
    pub fn entries(&self) -> &[(String, PayloadMeta)] {
        &self.config.0
    }
}
