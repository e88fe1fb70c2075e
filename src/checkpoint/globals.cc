#include "checkpoint/globals.h"

#include <optional>

#include "checkpoint/element_types.h"
#include "checkpoint/text.h"
#include "sardonyx/error.h"

namespace sardonyx::checkpoint {

namespace {

struct KnownGlobal {
  std::string_view name;
  GlobalKind kind;
};

constexpr KnownGlobal kKnown[] = {
    {"__builtin__.bytearray", GlobalKind::kByteArray},
    {"__builtin__.bytes", GlobalKind::kByteArray},
    {"__builtin__.dict", GlobalKind::kDict},
    {"__builtin__.float", GlobalKind::kScalarType},
    {"__builtin__.frozenset", GlobalKind::kSet},
    {"__builtin__.int", GlobalKind::kScalarType},
    {"__builtin__.list", GlobalKind::kList},
    {"__builtin__.set", GlobalKind::kSet},
    {"_codecs.encode", GlobalKind::kEncode},
    {"builtins.bytearray", GlobalKind::kByteArray},
    {"builtins.bytes", GlobalKind::kByteArray},
    {"builtins.dict", GlobalKind::kDict},
    {"builtins.float", GlobalKind::kScalarType},
    {"builtins.frozenset", GlobalKind::kSet},
    {"builtins.int", GlobalKind::kScalarType},
    {"builtins.list", GlobalKind::kList},
    {"builtins.set", GlobalKind::kSet},
    {"collections.Counter", GlobalKind::kDict},
    {"collections.OrderedDict", GlobalKind::kDict},
    {"collections.defaultdict", GlobalKind::kDefaultDict},
    {"numpy._core.multiarray._reconstruct", GlobalKind::kNumpyReconstruct},
    {"numpy._core.multiarray.scalar", GlobalKind::kNumpyScalar},
    {"numpy._core.numeric._frombuffer", GlobalKind::kNumpyFromBuffer},
    {"numpy.core.multiarray._reconstruct", GlobalKind::kNumpyReconstruct},
    {"numpy.core.multiarray.scalar", GlobalKind::kNumpyScalar},
    {"numpy.core.numeric._frombuffer", GlobalKind::kNumpyFromBuffer},
    {"numpy.dtype", GlobalKind::kNumpyType},
    {"numpy.ndarray", GlobalKind::kNumpyArrayType},
    {"torch.Size", GlobalKind::kSize},
    {"torch.Tensor", GlobalKind::kTensorType},
    {"torch._tensor.Tensor", GlobalKind::kTensorType},
    {"torch._tensor._rebuild_from_type", GlobalKind::kRebuildFromType},
    {"torch._tensor._rebuild_from_type_v2", GlobalKind::kRebuildFromType},
    {"torch._utils._rebuild_parameter", GlobalKind::kRebuildParameter},
    {"torch._utils._rebuild_parameter_with_state", GlobalKind::kRebuildParameter},
    {"torch._utils._rebuild_tensor", GlobalKind::kRebuildTensor},
    {"torch._utils._rebuild_tensor_v2", GlobalKind::kRebuildTensorV2},
    {"torch._utils._rebuild_tensor_v3", GlobalKind::kRebuildTensorV3},
    {"torch.device", GlobalKind::kDevice},
    {"torch.nn.Parameter", GlobalKind::kTensorType},
    {"torch.nn.parameter.Buffer", GlobalKind::kTensorType},
    {"torch.nn.parameter.Parameter", GlobalKind::kTensorType},
    {"torch.serialization._get_layout", GlobalKind::kGetLayout},
    {"torch.storage.UntypedStorage", GlobalKind::kUntypedStorageType},
    {"torch.storage._UntypedStorage", GlobalKind::kUntypedStorageType},
    {"torch.UntypedStorage", GlobalKind::kUntypedStorageType},
    {"torch.tensor._rebuild_from_type", GlobalKind::kRebuildFromType},
};

struct Refusal {
  std::string_view prefix;
  std::string_view reason;
};

constexpr Refusal kRefusals[] = {
    {"torch._utils._rebuild_qtensor",
     "it builds a quantised tensor. Cure: re-save tensor.dequantize(), or int_repr() with scale and zero point"},
    {"torch.Q", "it is the storage of a quantised tensor. Cure: re-save tensor.dequantize(), or int_repr() with scale and zero point"},
    {"torch._utils._rebuild_sparse", "it builds a sparse tensor. Cure: re-save tensor.to_dense()"},
    {"torch._utils._rebuild_nested_tensor", "it builds a nested tensor. Cure: re-save the list tensor.unbind()"},
    {"torch._utils._rebuild_meta_tensor",
     "it builds a tensor on the meta device, which has no elements. Cure: re-save the materialised tensor"},
    {"torch._utils._rebuild_device_tensor", "it builds a tensor of a device outside torch. Cure: re-save tensor.cpu()"},
    {"torch._utils._rebuild_xla_tensor", "it builds a tensor of an XLA device. Cure: re-save tensor.cpu()"},
    {"torch.ComplexHalfStorage", "it holds complex32 elements. Cure: re-save tensor.to(torch.complex64)"},
    {"torch.jit.", "it belongs to TorchScript, not to a state dict. Cure: torch.save(torch.jit.load(path).state_dict(), new_path)"},
    {"torch.nn.", "the file holds a whole module, which only its Python code can rebuild. Cure: torch.save(model.state_dict(), path)"},
};

constexpr std::string_view kGeneralReason =
    "which is not among the data-only globals; nothing was executed. Cure: re-save the weights alone with torch.save(model.state_dict(), "
    "path), or set CheckpointOptions::opaque_globals to read around such objects";

std::optional<Global> torch_name(std::string_view module, std::string_view name, const std::string& full_name) {
  if (module == "torch" || module == "torch.cuda" || module == "torch.storage") {
    if (const auto dtype = dtype_of_storage(name)) return Global{GlobalKind::kStorageType, *dtype, full_name};
  }
  if (module == "torch") {
    if (const auto dtype = dtype_of_torch(name)) return Global{GlobalKind::kTorchDType, *dtype, full_name};
  }
  return std::nullopt;
}

}  // namespace

Global classify_global(std::string_view module, std::string_view name, bool opaque) {
  // The dot that joins the parts must be the only place where they could be split differently.
  std::string full_name = std::string(module) + "." + std::string(name);
  if (name.find('.') == std::string_view::npos) {
    for (const KnownGlobal& known : kKnown) {
      if (known.name == full_name) return {known.kind, DType::kUndefined, std::move(full_name)};
    }
    if (auto global = torch_name(module, name, full_name)) return *std::move(global);
  }
  if (!opaque) refuse_global(full_name);
  return {GlobalKind::kOpaque, DType::kUndefined, std::move(full_name)};
}

void refuse_global(std::string_view full_name) {
  const std::string start = "the pickle refers to global " + quote(full_name);
  for (const Refusal& refusal : kRefusals) {
    if (full_name.starts_with(refusal.prefix)) {
      throw Error(ErrorCode::kUnsupported, start + ": " + std::string(refusal.reason) + ". Nothing was executed");
    }
  }
  throw Error(ErrorCode::kUnsupported, start + ", " + std::string(kGeneralReason));
}

}  // namespace sardonyx::checkpoint
