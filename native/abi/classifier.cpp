// The C ABI of the classifiers: the objective with explicit noise, and votes.
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "abi/guard.hpp"
#include "abi/handles.hpp"
#include "elbo/gradient.hpp"
#include "elbo/spread_classifier.hpp"

struct dc_classifier {
  diffcert::SpreadClassifier classifier;
};

namespace diffcert {
namespace {

void require_kind(const dc_classifier_kind& kind) {
  require_in(kind, DC_DC, DC_APNDC_ENSEMBLE, "There is no diffusion classifier of that kind.");
}

void require_phase(const dc_phase& phase) { require_in(phase, DC_SELECT, DC_PREDICT, "There is no phase of that number."); }

PruneRule rule(const dc_prune* prune) {
  if (prune == nullptr) return {};
  require_in(prune->kind, DC_PRUNE_NONE, DC_PRUNE_PAIRED, "There is no pruning of that number.");
  return {prune->kind, prune->threshold, prune->keep, prune->error};
}

Network* network_of(dc_model* model) { return model == nullptr ? nullptr : &model->network; }

std::span<const std::uint8_t> bytes(const uint8_t* image, int64_t count) {
  require(image != nullptr && count >= 0, "The image is missing.");
  return {image, static_cast<std::size_t>(count)};
}

bool all_finite(const double* values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) return false;
  }
  return true;
}

void check_levels(dc_classifier_kind kind, double sigma_tau, std::int64_t levels, const double* lower, const double* upper) {
  const bool reads_tau = kind != DC_DC;
  require(!reads_tau || (sigma_tau > 0 && std::isfinite(sigma_tau)), "The smoothing level must be finite and positive.");
  const bool above = kind == DC_EPNDC || kind == DC_APNDC || kind == DC_APNDC_CONDITIONAL;
  for (std::int64_t i = 0; i < levels; ++i) {
    require(std::isfinite(upper[i]) && upper[i] > 0, "A noise level must be finite and positive.");
    require(!above || upper[i] > sigma_tau, "A noise level of this classifier must lie above the smoothing level.");
    require(kind != DC_EPNDC || (lower[i] >= sigma_tau && lower[i] < upper[i]),
            "A level of epndc must begin at the smoothing level or above it, and end above its beginning.");
  }
}

// take(label, level, residual) for one image and noise that is given; lower may be null where the kind does not read it.
template <class Take>
void run_objective(Objective& objective, double sigma_tau, const double* x, std::int64_t levels, const double* lower, const double* upper,
                   const double* level_noise, Take take) {
  const std::int64_t count = objective.elements();
  std::vector<ElboLevel> list;
  for (std::int64_t i = 0; i < levels; ++i) list.push_back({static_cast<std::uint32_t>(i), lower == nullptr ? 0 : lower[i], upper[i], 0});
  const double taus[] = {sigma_tau};
  ElboJob job;
  job.samples = 1;
  job.taus = taus;
  job.x = {x, static_cast<std::size_t>(count)};
  job.levels = list;
  job.noise = [&](std::int64_t, std::uint32_t position, std::span<double> noise) {
    std::copy_n(level_noise + position * count, count, noise.data());
  };
  job.take = [&](std::int64_t, std::int64_t, std::int32_t label, std::uint32_t position, double value) { take(label, position, value); };
  objective.run(job);
}

void elbo_gradients(dc_model* model, bool clamp, const double* x, std::int64_t levels, const double* upper, const double* weights,
                    const double* level_noise, std::int32_t label_count, const std::int32_t* labels, double* loss, double* gradient) {
  require(model != nullptr && x != nullptr && upper != nullptr && weights != nullptr && level_noise != nullptr && labels != nullptr &&
              loss != nullptr && gradient != nullptr,
          "The objective's gradient was called without a model, an image, levels, weights, noise, labels or a place for the result.");
  require(levels >= 1 && levels <= 65536, "The objective takes 1 to 65536 levels.");
  Network& network = model->network;
  require(network.finished(), "The model has no weights yet.");
  require(network.differentiable(), "The model was not made for gradients.");
  check_levels(DC_DC, 0, levels, nullptr, upper);
  const std::int64_t count = network.config().image_elements();
  require(all_finite(x, count) && all_finite(level_noise, levels * count) && all_finite(weights, levels),
          "The image, its noise or the weights have values that are not finite.");
  for (std::int32_t i = 0; i < label_count; ++i) {
    require(labels[i] >= -1 && labels[i] < network.config().classes(), "A label is not one of the model's classes, nor -1 for none.");
  }
  const auto size = static_cast<std::size_t>(count), rows = static_cast<std::size_t>(levels);
  for (std::int32_t i = 0; i < label_count; ++i) {
    loss[i] = elbo_gradient(network, clamp, {x, size}, {{upper, rows}, {weights, rows}, {level_noise, rows * size}}, labels[i],
                            {gradient + i * count, size});
  }
}

void elbo_pulls(dc_model* model, bool clamp, const double* x, std::int64_t levels, const double* upper, const double* weights,
                const double* level_noise, const double* coefficients, double* loss, double* gradient) {
  require(model != nullptr && x != nullptr && upper != nullptr && weights != nullptr && level_noise != nullptr && loss != nullptr,
          "The losses of all classes were asked for without a model, an image, levels, weights, noise or a place for the result.");
  require((coefficients == nullptr) == (gradient == nullptr), "Coefficients and a place for the gradient come together.");
  require(levels >= 1 && levels <= 65536, "The objective takes 1 to 65536 levels.");
  Network& network = model->network;
  Objective objective(network, nullptr, DC_DC, clamp, network.finished() ? network.max_batch() : 1);
  check_levels(DC_DC, 0, levels, nullptr, upper);
  const std::int64_t count = objective.elements(), classes = objective.classes();
  require(all_finite(x, count) && all_finite(level_noise, levels * count) && all_finite(weights, levels) &&
              (coefficients == nullptr || all_finite(coefficients, classes)),
          "The image, its noise, the weights or the coefficients have values that are not finite.");
  const auto size = static_cast<std::size_t>(count), rows = static_cast<std::size_t>(levels), all = static_cast<std::size_t>(classes);
  if (gradient != nullptr) {
    require(network.differentiable(), "The model was not made for gradients.");
    elbo_pull(network, clamp, {x, size}, {{upper, rows}, {weights, rows}, {level_noise, rows * size}}, {coefficients, all}, {loss, all}, {gradient, size});
    return;
  }
  std::fill_n(loss, classes, 0.0);
  run_objective(objective, 0, x, levels, nullptr, upper, level_noise,
                [&](std::int32_t label, std::uint32_t position, double residual) { loss[label] += weights[position] * residual; });
}

void elbo(dc_model* model, dc_model* unconditional, dc_classifier_kind kind, bool clamp, double sigma_tau, const double* x,
          std::int64_t levels, const double* lower, const double* upper, const double* level_noise, double* residual) {
  require(model != nullptr && x != nullptr && upper != nullptr && level_noise != nullptr && residual != nullptr &&
              (lower != nullptr || kind != DC_EPNDC),
          "The objective was called without a model, an image, levels, noise or a place for the result.");
  require(levels >= 1 && levels <= 65536, "The objective takes 1 to 65536 levels.");
  Objective objective(model->network, network_of(unconditional), kind, clamp, model->network.max_batch());
  check_levels(kind, sigma_tau, levels, lower, upper);
  const std::int64_t count = objective.elements();
  require(all_finite(x, count) && all_finite(level_noise, levels * count), "The image or its noise has values that are not finite.");
  run_objective(objective, sigma_tau, x, levels, kind == DC_EPNDC ? lower : nullptr, upper, level_noise,
                [&](std::int32_t label, std::uint32_t position, double value) { residual[label * levels + position] = value; });
}

}  // namespace
}  // namespace diffcert

using namespace diffcert;

extern "C" {

dc_status dc_elbo_gradient(dc_model* model, int32_t clamp, const double* x, int64_t levels, const double* upper, const double* weights,
                           const double* level_noise, int32_t label_count, const int32_t* labels, double* loss, double* gradient) {
  return guard([&] {
    elbo_gradients(model, clamp != 0, x, levels, upper, weights, level_noise, label_count, labels, loss, gradient);
  });
}

dc_status dc_elbo_pull(dc_model* model, int32_t clamp, const double* x, int64_t levels, const double* upper, const double* weights,
                       const double* level_noise, const double* coefficients, double* loss, double* gradient) {
  return guard([&] { elbo_pulls(model, clamp != 0, x, levels, upper, weights, level_noise, coefficients, loss, gradient); });
}

dc_status dc_elbo(dc_model* model, dc_model* unconditional, dc_classifier_kind kind, int32_t clamp, double sigma_tau, const double* x,
                  int64_t levels, const double* lower, const double* upper, const double* level_noise, double* residual) {
  return guard([&] {
    require_kind(kind);
    elbo(model, unconditional, kind, clamp != 0, sigma_tau, x, levels, lower, upper, level_noise, residual);
  });
}

dc_status dc_classifier_create(dc_model* model, dc_model* unconditional, dc_classifier_kind kind, int32_t clamp, dc_noise_mode noise,
                               uint64_t seed, int32_t tau_count, const dc_tau* taus, const dc_prune* prune, int64_t batch,
                               dc_classifier** classifier) {
  return guard([&] {
    require(model != nullptr && classifier != nullptr && (taus != nullptr || tau_count == 0),
            "A classifier needs a model, smoothing levels and a place for its handle.");
    require(tau_count >= 1 && tau_count <= 1024, "A classifier takes 1 to 1024 smoothing levels.");
    require_kind(kind);
    require_in(noise, DC_NOISE_INTEGER, DC_NOISE_FLOAT, "There is no noise mode of that number.");
    require(batch <= 65536, "A batch has at most 65536 rows.");
    require(unconditional == nullptr || unconditional->devices() == model->devices(), "The two models must be on the same devices.");
    std::vector<std::unique_ptr<Classifier>> parts;
    for (std::size_t i = 0; i < model->devices(); ++i) {
      parts.push_back(std::make_unique<Classifier>(model->on(i), unconditional == nullptr ? nullptr : &unconditional->on(i), kind, clamp != 0, noise,
                                                   seed, std::span(taus, static_cast<std::size_t>(tau_count)), rule(prune), batch));
    }
    *classifier = new dc_classifier{SpreadClassifier(std::move(parts))};
  });
}

dc_status dc_classifier_votes(dc_classifier* classifier, const uint8_t* image, int64_t image_bytes, uint32_t image_id, dc_phase phase,
                              uint32_t from, uint32_t to, int32_t* votes, int64_t* calls) {
  return guard([&] {
    require(classifier != nullptr && (votes != nullptr || from == to), "Votes need a classifier and a place for them.");
    require_phase(phase);
    require(from <= to, "A range of samples ends before it begins.");
    const std::int64_t cells = classifier->classifier.one().tau_count() * (std::int64_t{to} - from);
    classifier->classifier.votes(bytes(image, image_bytes), {image_id, phase, from, to}, {votes, static_cast<std::size_t>(cells)},
                                 {calls, calls == nullptr ? 0 : static_cast<std::size_t>(to - from)});
  });
}

dc_status dc_classifier_calls_per_sample(const dc_classifier* classifier, int64_t* calls) {
  return guard([&] {
    require(classifier != nullptr && calls != nullptr, "The number of calls needs a classifier and a place for it.");
    *calls = classifier->classifier.one().calls_per_sample();
  });
}

dc_status dc_classifier_losses(dc_classifier* classifier, const uint8_t* image, int64_t image_bytes, uint32_t image_id, dc_phase phase,
                               uint32_t sample, double* losses) {
  return guard([&] {
    require(classifier != nullptr && losses != nullptr, "Losses need a classifier and a place for them.");
    require_phase(phase);
    require(sample != UINT32_MAX, "The last sample number is not used.");
    const std::int64_t cells = classifier->classifier.one().tau_count() * classifier->classifier.one().classes();
    classifier->classifier.one().losses(bytes(image, image_bytes), {image_id, phase, sample, sample + 1}, {losses, static_cast<std::size_t>(cells)});
  });
}

void dc_classifier_close(dc_classifier* classifier) { delete classifier; }

}  // extern "C"
