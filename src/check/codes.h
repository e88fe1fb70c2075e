// The list of what the checker can find. X(name, code, severity, meaning): severity: the gravest that findings of the code have; sorted by
// code; docs/checks.md has a section for each.
#pragma once

#include <string_view>

#include "sardonyx/check.h"

#define SARDONYX_CHECK_CODES(X)                                                                                                            \
  X(kAnnotationUndefined, "annotation-undefined", kWarning, "a quantization annotation names a tensor that is not there")                  \
  X(kAttributeDuplicate, "attribute-duplicate", kError, "a node has two attributes of the same name")                                      \
  X(kAttributeMissing, "attribute-missing", kError, "a required attribute is not there")                                                   \
  X(kAttributeName, "attribute-name", kError, "an attribute has no name")                                                                  \
  X(kAttributeReference, "attribute-reference", kError, "ref_attr_name stands outside a function, or beside a value")                      \
  X(kAttributeType, "attribute-type", kError, "an attribute has another type than the operator's schema asks for, or none")                \
  X(kAttributeUnbound, "attribute-unbound", kWarning, "a node refers to an attribute that its function does not declare")                  \
  X(kAttributeUnknown, "attribute-unknown", kError, "the operator has no such attribute in this version")                                  \
  X(kAttributeValue, "attribute-value", kError, "an attribute's value does not fit its declared type")                                     \
  X(kDepth, "depth", kError, "subgraphs are nested too deeply to be checked")                                                              \
  X(kDeviceConfiguration, "device-configuration", kWarning, "a node's device configuration does not fit the model's")                      \
  X(kDimNegative, "dim-negative", kWarning, "a declared dimension is negative")                                                            \
  X(kDomainNotImported, "domain-not-imported", kError, "a node's domain is missing from opset_import")                                     \
  X(kFunctionArgument, "function-argument", kWarning, "a call of a function gives other attributes than the function declares")            \
  X(kFunctionDuplicate, "function-duplicate", kError, "two functions have the same domain, name and overload")                             \
  X(kFunctionName, "function-name", kError, "a function has no name or no domain")                                                         \
  X(kFunctionOpset, "function-opset", kError, "an operator means something else in a function's opset than in the model's")                \
  X(kFunctionParameter, "function-parameter", kError, "a function names an input, an output or an attribute twice")                        \
  X(kFunctionRecursive, "function-recursive", kError, "a function calls itself, directly or through others")                               \
  X(kFunctionUnexpected, "function-unexpected", kWarning, "before IR version 8 there are no functions")                                    \
  X(kFunctionUnused, "function-unused", kWarning, "no node calls the function")                                                            \
  X(kGraphMissing, "graph-missing", kError, "the model has no graph")                                                                      \
  X(kGraphName, "graph-name", kError, "a graph has no name")                                                                               \
  X(kInference, "inference", kError, "types and shapes cannot be inferred through a node")                                                 \
  X(kInitializerDuplicate, "initializer-duplicate", kError, "two initializers have the same name")                                         \
  X(kInitializerMismatch, "initializer-mismatch", kError, "an initializer has another type or shape than the graph input of its name")     \
  X(kInitializerName, "initializer-name", kError, "an initializer has no name")                                                            \
  X(kInitializerNotInput, "initializer-not-input", kError, "before IR version 4, an initializer must also be a graph input")               \
  X(kInputCount, "input-count", kError, "a node has more or fewer inputs than its operator takes")                                         \
  X(kInvalidUtf8, "invalid-utf8", kError, "a name is not UTF-8")                                                                           \
  X(kIrVersion, "ir-version", kError, "ir_version is missing, or newer than this checker knows")                                           \
  X(kMetadataDuplicate, "metadata-duplicate", kError, "metadata_props has the same key twice")                                             \
  X(kNodeEmpty, "node-empty", kError, "a node has neither inputs nor outputs")                                                             \
  X(kNodeName, "node-name", kWarning, "two nodes of a graph have the same name")                                                           \
  X(kNodeOrder, "node-order", kError, "a node uses a value that only a later node makes")                                                  \
  X(kOperatorDeprecated, "operator-deprecated", kError, "the operator is deprecated in the imported opset")                                \
  X(kOperatorExperimental, "operator-experimental", kWarning, "an experimental operator of the first releases: not in any opset")          \
  X(kOperatorName, "operator-name", kError, "a node has no op_type")                                                                       \
  X(kOperatorUnknown, "operator-unknown", kError, "the domain has no such operator in the imported opset")                                 \
  X(kOpsetDuplicate, "opset-duplicate", kError, "opset_import names a domain twice")                                                       \
  X(kOpsetMissing, "opset-missing", kError, "from IR version 3 on, opset_import must not be empty")                                        \
  X(kOpsetUnexpected, "opset-unexpected", kError, "before IR version 3 there is no opset_import")                                          \
  X(kOpsetVersion, "opset-version", kWarning, "an imported opset version does not exist, or is newer than this checker")                   \
  X(kOutputCount, "output-count", kError, "a node has more or fewer outputs than its operator makes")                                      \
  X(kOutputUndefined, "output-undefined", kError, "a graph output is computed by no node of its graph")                                    \
  X(kShapeMismatch, "shape-mismatch", kError, "shapes of values contradict an operator, or what is declared")                              \
  X(kShapeMissing, "shape-missing", kError, "a tensor among the model's inputs or outputs has no shape")                                   \
  X(kTensorData, "tensor-data", kError, "a tensor's data do not fit its type and dims, or stand in the wrong field")                       \
  X(kTensorExternal, "tensor-external", kError, "a tensor's reference to external data is malformed, or the file does not hold the bytes") \
  X(kTensorSparse, "tensor-sparse", kError, "the parts of a sparse tensor do not fit each other")                                          \
  X(kTensorType, "tensor-type", kError, "a tensor has no known element type")                                                              \
  X(kTooLarge, "too-large", kError, "a tensor's element count exceeds what can be addressed")                                              \
  X(kTrainingBinding, "training-binding", kError, "a binding of training information names no initializer or no output")                   \
  X(kTypeMismatch, "type-mismatch", kError, "types of values contradict an operator, or what is declared")                                 \
  X(kTypeMissing, "type-missing", kError, "a graph input or output has no type, or one without element type")                              \
  X(kUndefinedInput, "undefined-input", kError, "a node uses a value that nothing defines")                                                \
  X(kValueInfo, "value-info", kWarning, "value_info tells of a value twice, or of one that is not there")                                  \
  X(kValueName, "value-name", kError, "a graph input or output has no name")                                                               \
  X(kValueRedefined, "value-redefined", kError, "a name is given to two values; each must be assigned once")

namespace sardonyx::check {

enum class Code {
#define SARDONYX_X(name, code, severity, meaning) name,
  SARDONYX_CHECK_CODES(SARDONYX_X)
#undef SARDONYX_X
};

}  // namespace sardonyx::check
