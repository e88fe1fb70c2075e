// The explanation as JSON.
#include <nlohmann/json.hpp>

#include "cli/explain.h"

namespace sardonyx::cli {

namespace {
using Json = nlohmann::ordered_json;

Json level_name(GraphOptimizationLevel level) {
  switch (level) {
    case GraphOptimizationLevel::kNone:
      return "none";
    case GraphOptimizationLevel::kBasic:
      return "basic";
    case GraphOptimizationLevel::kExtended:
      return "extended";
    case GraphOptimizationLevel::kAll:
      return "all";
  }
  return nullptr;
}

Json values(const std::vector<ValueReport>& reports) {
  Json list = Json::array();
  for (const ValueReport& value : reports) {
    if (value.name.empty()) {
      list.push_back(nullptr);
      continue;
    }
    list.push_back({{"name", value.name},
                    {"type", value.dtype == DType::kUndefined ? Json(nullptr) : Json(std::string(to_string(value.dtype)))},
                    {"shape", value.shape_known ? Json(value.shape) : Json(nullptr)},
                    {"constant", value.constant}});
  }
  return list;
}

// `chain`: in which the node runs; null: it is a step of its own.
Json step(const Explanation& e, const StepReport& report, const StepReport* chain) {
  Json json = {{"node", report.node},
               {"op", report.op},
               {"opset", report.opset},
               {"kernel", report.kernel.empty() ? Json(nullptr) : Json(report.kernel)},
               {"layout", report.layout},
               {"refused", report.refusals},
               {"inputs", values(report.inputs)},
               {"outputs", values(report.outputs)},
               {"flops", report.flops},
               {"bytes", report.bytes},
               {"scratch_bytes", report.scratch_bytes},
               {"aliased", report.aliased},
               {"in_place", report.in_place},
               {"late", report.late}};
  if (report.chain) {
    Json nodes = Json::array();
    for (const StepReport& node : report.nodes) nodes.push_back(step(e, node, &report));
    json["chain"] = {{"nodes", std::move(nodes)},
                     {"bands", report.chain->bands},
                     {"tile_rows", report.chain->tile_rows},
                     {"band_bytes", report.chain->band_bytes},
                     {"saved_bytes", report.chain->saved_bytes},
                     {"end", report.chain->end}};
  }
  if (!e.peak) return json;
  json["seconds"] = report.seconds;
  json["share_of_peak"] = e.share(report, chain);
  return json;
}

Json piece(const MemoryReport& report) {
  return {{"name", report.name},
          {"shared", report.shared},
          {"op", report.op},
          {"scratch", report.scratch},
          {"type", std::string(to_string(report.dtype))},
          {"shape", report.shape},
          {"bytes", report.bytes},
          {"offset", report.offset},
          {"first_step", report.first_step},
          {"last_step", report.last_step}};
}

Json refused_chain(const ChainRefusal& refusal) {
  return {{"first_step", refusal.first_step}, {"last_step", refusal.last_step}, {"value_bytes", refusal.value_bytes},
          {"fits_cache", refusal.fits_cache}, {"reason", refusal.reason},       {"end", refusal.end}};
}

Json plan(const Explanation& e) {
  Json steps = Json::array(), memory = Json::array(), refused = Json::array();
  for (const StepReport& report : e.plan.steps) steps.push_back(step(e, report, nullptr));
  for (const MemoryReport& report : e.plan.memory) memory.push_back(piece(report));
  for (const ChainRefusal& refusal : e.plan.chain_refusals) refused.push_back(refused_chain(refusal));
  return {{"steps", std::move(steps)},
          {"evaluated_nodes", e.plan.evaluated_nodes},
          {"flops", e.plan.flops},
          {"tiles_chains", e.plan.tiles_chains},
          {"refused_chains", std::move(refused)},
          {"peak_memory", e.plan.peak_memory},
          {"lower_bound_memory", e.plan.lower_bound_memory},
          {"output_memory", e.plan.output_memory},
          {"memory", std::move(memory)}};
}
}  // namespace

std::string explanation_json(const Explanation& e) {
  Json phases = Json::object(), passes = Json::array();
  for (const LoadPhase& phase : e.load_phases) phases[phase.name] = phase.seconds;
  for (const PassReport& pass : e.passes) {
    passes.push_back({{"name", pass.name},
                      {"description", pass.description},
                      {"level", level_name(pass.level)},
                      {"rewrites", pass.rewrites},
                      {"refused", pass.refusals},
                      {"seconds", pass.seconds}});
  }
  Json json = {{"model", e.model},
               {"optimization", e.level},
               {"threads", e.threads},
               {"inputs", values(e.inputs)},
               {"load_seconds", std::move(phases)},
               {"passes", std::move(passes)},
               {"plan", plan(e)}};
  if (e.peak) {
    Json bandwidths = Json::array();
    for (const MachinePeak::Bandwidth& b : e.peak->bandwidths) {
      bandwidths.push_back({{"bytes", b.bytes}, {"bytes_per_second", b.bytes_per_second}});
    }
    json["timed_runs"] = e.timed_runs;
    json["seconds"] = e.seconds();
    json["peak"] = {{"flops_per_second", e.peak->flops}, {"bandwidths", std::move(bandwidths)}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sardonyx::cli
