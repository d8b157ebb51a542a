// The driver API is not used; see cuda_runtime_api.h.
#pragma once
