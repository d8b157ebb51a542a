// Nothing of the driver API is needed; see cuda_runtime_api.h.
#pragma once
