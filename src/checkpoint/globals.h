// The globals that a pickle may name, each with the data it stands for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sardonyx/dtype.h"

namespace sardonyx::checkpoint {

enum class GlobalKind : uint8_t {
  kDict,                // collections.OrderedDict, collections.Counter, dict
  kDefaultDict,         // collections.defaultdict
  kList,                // list
  kSet,                 // set, frozenset
  kByteArray,           // bytearray, bytes
  kScalarType,          // int, float, ... : never called, only mentioned as the factory of a defaultdict
  kEncode,              // _codecs.encode: how protocol 2 writes bytes
  kRebuildTensor,       // torch._utils._rebuild_tensor
  kRebuildTensorV2,     //              _rebuild_tensor_v2
  kRebuildTensorV3,     //              _rebuild_tensor_v3
  kRebuildParameter,    //              _rebuild_parameter, _rebuild_parameter_with_state
  kRebuildFromType,     // torch._tensor._rebuild_from_type, _rebuild_from_type_v2
  kTensorType,          // torch.Tensor, torch.nn.parameter.Parameter, ...
  kStorageType,         // torch.FloatStorage, ...
  kUntypedStorageType,  // torch.storage.UntypedStorage
  kSize,                // torch.Size
  kDevice,              // torch.device
  kGetLayout,           // torch.serialization._get_layout
  kTorchDType,          // torch.float32, ...
  kNumpyType,           // numpy.dtype
  kNumpyArrayType,      // numpy.ndarray
  kNumpyScalar,         // numpy.core.multiarray.scalar
  kNumpyReconstruct,    // numpy.core.multiarray._reconstruct
  kNumpyFromBuffer,     // numpy.core.numeric._frombuffer
  kOpaque,              // any other, where CheckpointOptions::opaque_globals reads around it
};

struct Global {
  GlobalKind kind;
  DType dtype;       // of kStorageType and kTorchDType
  std::string name;  // "torch.FloatStorage"
};

// Throws Unsupported, naming the global, the reason and the cure, unless it is among those that stand for data (or `opaque` allows it).
Global classify_global(std::string_view module, std::string_view name, bool opaque);

// The refusal of a global, worded with a reason for those that are often met.
[[noreturn]] void refuse_global(std::string_view full_name);

}  // namespace sardonyx::checkpoint
