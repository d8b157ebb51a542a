// Tuning cache: an engine configuration for each convolution of a device, as a line of text.
#pragma once

#include <optional>

#include "engine_config.h"

namespace pt2::cudnn {

std::optional<EngineConfig> cached_config(const ConvKey &key);

void cache_config(const ConvKey &key, const EngineConfig &config);

}  // namespace pt2::cudnn
